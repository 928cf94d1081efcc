"""Stop at the first loss that is not a number, and say which files were in the batch."""

from __future__ import annotations

import torch
from ignite.engine import Engine, Events
from monai.utils import CommonKeys

from clara_compat.engine.data.datalist import describe
from clara_compat.engine.handlers.kept import before_saving
from clara_compat.errors import ClaraError

__all__ = ["LossWatch"]


class LossWatch:
    """Ends training with a message when the loss becomes NaN or infinite, before anything is saved from it.

    On a GPU the losses are looked at every ``every`` steps, so that the device is not waited for at each one.

    Args:
        every: steps between looks on a GPU; on the CPU every step is looked at.
    """

    def __init__(self, every: int = 20) -> None:
        self.every = every
        self._pending: list[tuple[int, torch.Tensor]] = []

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer; must stand before the handlers that save."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._iteration)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._look)
        before_saving(engine, self._look)

    def _iteration(self, engine: Engine) -> None:
        loss = engine.state.output[CommonKeys.LOSS].detach()
        self._pending.append((engine.state.iteration, loss))
        if not loss.is_cuda or len(self._pending) >= self.every:
            self._look(engine)

    def _look(self, engine: Engine) -> None:
        pending, self._pending = self._pending, []
        if not pending:
            return
        finite = torch.isfinite(torch.stack([loss for _, loss in pending])).tolist()
        for (iteration, loss), fine in zip(pending, finite, strict=True):
            if not fine:
                raise ClaraError(
                    f"the loss became {loss.item()} at step {iteration} (epoch {engine.state.epoch}); the batch held: "
                    f"{_files(engine, iteration)}. Look at these scans (clara-compat check reads their headers), lower "
                    "the learning rate, or look in a loss of your own for logarithms, divisions and powers of 0"
                )


def _files(engine: Engine, iteration: int) -> str:
    loader = engine.data_loader
    keys = loader.sampler.together(engine.state.epoch, (iteration - 1) % engine.state.epoch_length)
    instead = loader.skipped.instead
    used = [instead.get((key.epoch, key.position), key.index) for key in keys]
    return "; ".join(dict.fromkeys(describe(loader.dataset.data[index]) for index in used))
