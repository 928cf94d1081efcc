"""The base of all losses.

Source: Clara 3.1 page "Bring your own components"; clara-3.1-engine facts, section 2.0.
"""

from __future__ import annotations

from typing import Any

from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.graph_component import GraphComponent

__all__ = ["Loss"]


class Loss(GraphComponent):
    """Computes the training loss of a batch.

    Example::

        class SquaredError(Loss):
            def get_loss(self, predictions, targets, build_ctx=None):
                return tf.reduce_mean(tf.square(predictions - targets))
    """

    def __init__(self) -> None:
        GraphComponent.__init__(self)

    def get_loss(self, predictions: Any, targets: Any, build_ctx: BuildContext | None = None) -> Any:
        """Return the scalar loss of a batch.

        Args:
            predictions: network output, (N, C, spatial...), already through the network's final activation.
            targets: labels, usually (N, 1, spatial...) with a class index per element.
            build_ctx: the objects built so far.

        Raises:
            NotImplementedError: the subclass does not override it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not implement get_loss(predictions, targets, build_ctx=None)"
        )

    def build(self, build_ctx: BuildContext) -> Any:
        """Return the loss of the model output and the label input of ``build_ctx`` (assumed after ``Model.build``).

        Raises:
            KeyError: one of the two is not built yet.
        """
        predictions = build_ctx.must_get(BuildContext.KEY_MODEL_OUTPUT)
        targets = build_ctx.must_get(BuildContext.KEY_LABEL_INPUT)
        return self.get_loss(predictions, targets, build_ctx)
