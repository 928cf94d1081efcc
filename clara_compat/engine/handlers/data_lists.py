"""Whether a training that goes on has the data lists that it had before."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ignite.engine import Engine

__all__ = ["data_digests", "warn_of_other_lists"]

logger = logging.getLogger("clara_compat")


def data_digests(trainer: Engine, evaluator: Engine | None) -> dict[str, str]:
    """Return by section what tells its data list from others; nothing of a data set that is no list.

    Lists are alike when their items are, in the same order; the folder that all files are below may be another one.

    Args:
        trainer: the engine that trains.
        evaluator: the validation engine, if any.
    """
    engines = {"train": trainer, "validate": evaluator}
    lists = {
        section: getattr(getattr(getattr(one, "data_loader", None), "dataset", None), "data", None)
        for section, one in engines.items()
    }
    return {section: _digest(items) for section, items in lists.items() if isinstance(items, Sequence)}


def warn_of_other_lists(before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Warn of data lists that are other ones than before.

    Args:
        before: what :func:`data_digests` returned then; empty where it is not known.
        now: what it returns now.
    """
    for section, digest in now.items():
        if before.get(section, digest) != digest:
            logger.warning(
                "the data list of %s is another one than before, in its items or their order: the training goes on "
                "with the new one",
                section,
            )


def _digest(items: Sequence[Any]) -> str:
    folders = [os.path.dirname(path) for path in _paths(items)]  # noqa: PTH120 -- texts, of which some are no paths
    root = os.path.commonpath(folders) if folders else ""
    digest = hashlib.sha256()
    for item in items:
        digest.update(json.dumps(_below(item, root), sort_keys=True, default=repr).encode() + b"\n")
    return digest.hexdigest()


def _paths(value: Any) -> Iterator[str]:
    """Yield the absolute paths in items."""
    if isinstance(value, str) and os.path.isabs(value):  # noqa: PTH117 -- see above
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _paths(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _paths(one)


def _below(value: Any, root: str) -> Any:
    """Return a value with paths below a folder in place of absolute ones."""
    if isinstance(value, Mapping):
        return {str(name): _below(one, root) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_below(one, root) for one in value]
    return value.removeprefix(root) if isinstance(value, str) else value
