"""What was skipped goes into the statistics, and a run of which too much was skipped ends."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ignite.engine import Engine, Events

from clara_compat.engine.data.skipping import SkippedItems
from clara_compat.engine.distributed.gather import everybody, is_first, size
from clara_compat.engine.handlers.kept import goes_on, keep

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
        """Return what all processes have skipped so far and before this epoch, as plain data by section."""
        books, before = self._of_all(self._before)
        return {"items": {section: book.told() for section, book in books.items()}, "before": before}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another training stopped, before this one starts.

        Args:
            state: what :meth:`state_dict` of the other one returned.
        """
        if is_first():  # what the others have skipped is added to it
            for section, book in self._books.items():
                book.restore(state["items"].get(section, ()))
            self._before = dict(state["before"])

    def _begin(self, engine: Engine) -> None:
        if not goes_on(engine):
            self._before = {section: book.times for section, book in self._books.items()}

    def _check(self, engine: Engine) -> None:
        for book in self._books.values():
            book.check_half()

    def _tell(self, engine: Engine) -> None:
        counts = {section: book.times - self._before.get(section, 0) for section, book in self._books.items()}
        books, counts = self._of_all(counts)
        for book in books.values():
            book.check_half()
        engine.state.skipped = {"items": [one for book in books.values() for one in book.told()], "epoch": counts}

    def _of_all(self, counts: Mapping[str, int]) -> tuple[dict[str, SkippedItems], dict[str, int]]:
        """Return the books and the counts of all processes together."""
        if size() == 1:
            return self._books, dict(counts)
        found = everybody(({section: book.told() for section, book in self._books.items()}, dict(counts)))
        books = {section: book.of_all([told[section] for told, _ in found]) for section, book in self._books.items()}
        return books, {section: sum(one.get(section, 0) for _, one in found) for section in books}

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
        engine.data_loader.skipped.check_half()
        engine.terminate_epoch()
