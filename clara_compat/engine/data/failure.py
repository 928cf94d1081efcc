"""An item that could not be made, as a value that crosses process borders."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from monai.transforms import Compose

from clara_compat.common.blame import user_line
from clara_compat.common.full_disk import is_full, unwritten
from clara_compat.engine.data.memory import ran_out
from clara_compat.errors import ClaraError

__all__ = ["ItemError", "ItemFailure", "failure"]


@dataclass(frozen=True)
class ItemFailure:
    """What went wrong with an item.

    A worker returns this instead of raising: torch would re-raise with the traceback as the message, and the address
    of the transform in the user's config would be lost.

    Args:
        reason: one sentence.
        files: the item's files.
        section: ``train`` or ``validate``.
        transform: position of the failing transform in the chain, or None.
        mendable: the reason is the user's data, config or code; otherwise it is a defect of ours.
        trace: the traceback as text, for the log.
        memory: memory ran out, which is nothing of this item.
        skippable: the item is at fault, so that others could be made.
        skipped: the run goes on without the item.
        position: of the item in its epoch, where it was skipped.
        instead: index in the data list of the item that took its place; None where none does.
        fills: another item stands in its batch, only because every process has one.
    """

    reason: str
    files: str = ""
    section: str = ""
    transform: int | None = None
    mendable: bool = True
    trace: str = ""
    memory: bool = False
    skippable: bool = False
    skipped: bool = False
    position: int | None = None
    instead: int | None = None
    fills: bool = False


class ItemError(Exception):
    """Raised in the main process when a batch holds an :class:`ItemFailure`.

    Args:
        failure: what the worker found.
    """

    def __init__(self, failure: ItemFailure) -> None:
        self.failure = failure
        super().__init__(f"{failure.reason} ({failure.files})" if failure.files else failure.reason)


def failure(error: BaseException, chain: Any, files: str, section: str) -> ItemFailure:
    """Describe ``error``, raised while ``chain`` ran on an item.

    MONAI wraps whatever a transform raises in a ``RuntimeError``; the cause below it is what the user needs, and the
    frames of the traceback tell which transform it was.

    Args:
        error: what was raised.
        chain: the transforms.
        files: the item's files, as a message names them.
        section: ``train`` or ``validate``.
    """
    cause: BaseException = error
    while cause.__cause__ is not None and not isinstance(cause, ClaraError):
        cause = cause.__cause__
    mendable = True
    if memory := ran_out(cause) or (cause.__cause__ is not None and ran_out(cause.__cause__)):
        reason = "memory ran out"
    elif isinstance(cause, ClaraError):
        reason = str(cause)
    elif isinstance(cause, OSError) and is_full(cause):
        reason = unwritten(cause)
    else:
        place = user_line(cause)
        reason = f"{place}: {type(cause).__name__}: {cause}" if place else _told(cause)
        mendable = bool(place) or isinstance(cause, (OSError, KeyError))
    trace = "".join(traceback.format_exception(error))
    own = not (memory or is_full(cause) or is_full(cause.__cause__) or isinstance(cause, SystemExit))
    return ItemFailure(reason, files, section, _failing_transform(error, chain), mendable, trace, memory, own)


def _told(cause: BaseException) -> str:
    """Return what was raised in words, where these are not of users' code."""
    if isinstance(cause, KeyError):  # MONAI: 'Key `x` of transform `y` was missing in the data ...'
        found = re.search(r"^Key `(.*)` of transform", str(cause.args[0]) if cause.args else "", re.DOTALL)
        return f"the field '{found[1] if found else cause.args[0] if cause.args else ''}' is not there"
    if isinstance(cause, OSError) and cause.strerror:
        return f"{cause.strerror}: {cause.filename}" if cause.filename else cause.strerror
    return f"{type(cause).__name__}: {cause}"


def _failing_transform(error: BaseException, chain: Any) -> int | None:
    if not isinstance(chain, Compose):
        return None
    positions = {id(transform): i for i, transform in enumerate(chain.transforms)}
    current: BaseException | None = error
    found = None
    while current is not None:
        tb: TracebackType | None = current.__traceback__
        while tb is not None:
            if tb.tb_frame.f_code.co_name == "apply_transform":
                found = positions.get(id(tb.tb_frame.f_locals.get("transform")), found)
            tb = tb.tb_next
        current = current.__cause__
    return found
