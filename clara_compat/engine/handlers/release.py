"""Let go of what a training or a validation has used up."""

from __future__ import annotations

from ignite.engine import Engine, Events

__all__ = ["ReleaseOutput"]


class ReleaseOutput:
    """Drops the batch and the output of an engine before it reads the next batch, and at the end of the epoch.

    Ignite keeps both until the next step has put its own in their place: the stitched prediction of a large scan would
    stay in memory while that of the next one grows beside it, and through the training that follows; the predictions
    and logits of a training's last step through the validation. Whoever reads them has done so by then.
    """

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator, or to a trainer ahead of its validation handler."""
        engine.add_event_handler(Events.GET_BATCH_STARTED, self._drop)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._drop)

    def _drop(self, engine: Engine) -> None:
        engine.state.batch = engine.state.output = None
