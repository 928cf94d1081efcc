"""Keep a smart cache ahead of the training."""

from __future__ import annotations

from ignite.engine import Engine, Events

from clara_compat.engine.data.cache import ItemCache

__all__ = ["CacheUpdates"]


class CacheUpdates:
    """Makes the next epoch's new items in the background while an epoch trains (Clara's smart cache).

    It begins with the first step: by then the epoch's workers have been started, and a process should not fork beside a
    busy thread.

    Args:
        cache: of the training items.
    """

    def __init__(self, cache: ItemCache) -> None:
        self.cache = cache

    def attach(self, engine: Engine) -> None:
        """Attach to the trainer."""
        engine.add_event_handler(Events.ITERATION_STARTED, self._step)

    def _step(self, engine: Engine) -> None:
        first = engine.state.epoch_length is None or (engine.state.iteration - 1) % engine.state.epoch_length == 0
        if first and engine.state.epoch < (engine.state.max_epochs or 0):
            self.cache.prepare_ahead(engine.state.epoch + 1)
