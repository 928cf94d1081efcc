"""``checkpoint.pt``, and the one before it, for when it is torn."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from clara_compat.common.files import replacing
from clara_compat.engine.sealed_file import check_seal, write_sealed
from clara_compat.engine.weights import check_archive
from clara_compat.errors import ClaraError

__all__ = ["CHECKPOINT", "PREVIOUS", "Found", "read_checkpoint", "write_checkpoint"]

logger = logging.getLogger("clara_compat")

CHECKPOINT = "checkpoint.pt"
PREVIOUS = "checkpoint_previous.pt"
_DAMAGED = "checkpoint_damaged.pt"
_NEEDED = ("network", "optimizer", "trainer")
_FORMAT = 2
"""Of what is written; a checkpoint without a format is of before there was a checksum."""


@dataclass(frozen=True)
class Found:
    """A checkpoint that is whole.

    Args:
        path: the file.
        content: what it holds.
    """

    path: Path
    content: dict[str, Any]


def write_checkpoint(content: Mapping[str, Any], folder: Path) -> None:
    """Write ``checkpoint.pt`` with a checksum; the one that was there becomes ``checkpoint_previous.pt``.

    At every moment one whole file of the two is there, also when the process is killed or the disk is full.

    Args:
        content: tensors and plain data.
        folder: where the files are.
    """
    with replacing(folder / CHECKPOINT, kept=folder / PREVIOUS) as stream:
        write_sealed({**content, "format": _FORMAT}, stream)


def read_checkpoint(folder: Path, *, values: bool = True) -> Found | None:
    """Return the last whole checkpoint of a folder, on the CPU, or None where there is none at all.

    A damaged ``checkpoint.pt`` is named in a warning, and kept as ``checkpoint_damaged.pt``: the next one to be written
    must not put it in the place of the one that is whole. Files are read with ``weights_only``: one from a stranger
    cannot run code.

    Args:
        folder: where the files are.
        values: also read the tensors; without them nothing is renamed either.

    Raises:
        ClaraError: there are checkpoints, and none of them is whole.
    """
    reasons: dict[Path, str] = {}
    for path in (folder / CHECKPOINT, folder / PREVIOUS):
        if not path.exists():
            continue
        content, reason = _read(path, values=values)
        if content is None:
            reasons[path] = reason
            continue
        for damaged, why in reasons.items() if values else ():
            with suppress(FileNotFoundError):  # another process of this training was faster
                damaged.replace(folder / _DAMAGED)
            logger.warning("%s is damaged (%s): going on from %s, which was written before it", damaged, why, path)
            logger.warning("the damaged file is kept as %s", folder / _DAMAGED)
        return Found(path, content)
    if not reasons:
        return None
    told = " and ".join(f"{path.name} ({why})" for path, why in reasons.items())
    raise ClaraError(
        f"the training in {folder} cannot be resumed: {told} is damaged; train anew without --resume (the files are "
        "kept), or start from the weights of its model.pt with MMAR_CKPT"
    )


def _read(path: Path, *, values: bool) -> tuple[dict[str, Any] | None, str]:
    """Return the content of a file, or None and what is wrong with it."""
    try:
        sealed = check_seal(path)
    except OSError as error:
        return None, error.strerror or str(error)
    if sealed is False:
        return None, "its checksum is wrong"
    try:
        check_archive(path)
        content = torch.load(path, map_location="cpu" if values else "meta", weights_only=True)
    except Exception:  # noqa: BLE001 -- of whatever kind: zipfile and torch raise a dozen for damaged files
        return None, "it is cut off, or no file of torch"
    if not _is_training(content):
        return None, "it holds no training"
    if sealed is None and "format" in content:
        return None, "its checksum is missing"
    return content, ""


def _is_training(content: Any) -> bool:
    if not isinstance(content, dict) or not all(isinstance(content.get(name), dict) for name in _NEEDED):
        return False
    steps, length = (content["trainer"].get(name) for name in ("iteration", "epoch_length"))
    return type(steps) is int and steps >= 0 and type(length) is int and length > 0
