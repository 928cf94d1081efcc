"""What was skipped goes into the statistics, and a run of which too much was skipped ends."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ignite.engine import Engine, Events

from clara_compat.engine.data.skipping import SkippedItems
from clara_compat.engine.distributed.gather import everybody, size
from clara_compat.engine.handlers.kept import goes_on, keep
from clara_compat.errors import ClaraError

__all__ = ["ShortValidation", "SkipReport"]

logger = logging.getLogger("clara_compat")


class SkipReport:
    """Tells what the loaders of a run have skipped, where items that cannot be made do not end it.

    At the end of an epoch ``engine.state.skipped`` has its ``items`` (files, reason, section, times) and, of this
    ``epoch``, how often each section skipped one; with several processes, of all of them. A run ends when more than
    half of the items of a section were skipped: what it would learn, or measure, is not what its data list says.

    Args:
        evaluator: the validation engine, if any.
    """

    def __init__(self, evaluator: Engine | None = None) -> None:
        self.evaluator = evaluator
        self._books: dict[str, SkippedItems] = {}
        self._before: dict[str, int] = {}

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, after its validation handler and before its statistics."""
        engines = [engine] if self.evaluator is None else [engine, self.evaluator]
        for section, one in zip(("train", "validate"), engines, strict=False):
            self._books[section] = one.data_loader.skipped
            one.add_event_handler(Events.GET_BATCH_COMPLETED, self._check)
        engine.add_event_handler(Events.EPOCH_STARTED, self._begin)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._tell)
        engine.add_event_handler(Events.COMPLETED, self._sum_up)
        keep(engine, "skipped", self)

    def state_dict(self) -> dict[str, Any]:
        """Return what was skipped so far and before this epoch, as plain data by section."""
        return {"items": {section: book.told() for section, book in self._books.items()}, "before": self._before}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another training stopped, before this one starts.

        Args:
            state: what :meth:`state_dict` of the other one returned.
        """
        for section, book in self._books.items():
            book.restore(state["items"].get(section, ()))
        self._before = dict(state["before"])

    def _begin(self, engine: Engine) -> None:
        if not goes_on(engine):
            self._before = {section: book.times for section, book in self._books.items()}

    def _check(self, engine: Engine) -> None:
        for book in self._books.values():
            _check_half(book)

    def _tell(self, engine: Engine) -> None:
        told = [one for book in self._books.values() for one in book.told()]
        counts = {section: book.times - self._before.get(section, 0) for section, book in self._books.items()}
        if size() > 1:
            of_all = everybody((told, counts))
            told = _merged([one for items, _ in of_all for one in items])
            counts = {section: sum(one[section] for _, one in of_all) for section in counts}
        engine.state.skipped = {"items": told, "epoch": counts}

    def _sum_up(self, engine: Engine) -> None:
        items = getattr(engine.state, "skipped", {"items": []})["items"]
        if items:
            times = sum(one["times"] for one in items)
            what = "1 item" if len(items) == 1 else f"{len(items)} items"
            logger.warning("%s could not be made, skipped %d times in all: train_stats.json names them", what, times)


class ShortValidation:
    """Ends a validation that has fewer batches, as cases were left out; Ignite would start its loader again."""

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator."""
        engine.add_event_handler(Events.DATALOADER_STOP_ITERATION, self._end_epoch)

    def _end_epoch(self, engine: Engine) -> None:
        _check_half(engine.data_loader.skipped)
        engine.terminate_epoch()


def _check_half(book: SkippedItems) -> None:
    if 2 * len(book.items) <= book.distinct:
        return
    first = next(iter(book.items.values()))
    raise ClaraError(
        f"{book.section}: {len(book.items)} of the {book.distinct} items of the data list cannot be made, more than "
        f"half, so none is skipped any more: mend them, or take them out of the list; the first: {first.reason} "
        f"({first.files})"
    )


def _merged(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items of several processes, each once."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in items:
        key = (one["section"], one["files"])
        found[key] = {**one, "times": one["times"] + found.get(key, {"times": 0})["times"]}
    return list(found.values())
