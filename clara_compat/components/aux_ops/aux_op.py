"""The base of auxiliary operations: further values computed from predictions and labels.

Source: clara-3.1-engine facts, section 2.0.
"""

from __future__ import annotations

from typing import Any

from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.graph_component import GraphComponent

__all__ = ["AuxiliaryOperation"]


class AuxiliaryOperation(GraphComponent):
    """Computes tagged values of a batch, built after all other training components.

    Args:
        do_summary: write the values to TensorBoard.
        do_print: show the values on the console.

    Example::

        class Foreground(AuxiliaryOperation):
            def get_output_tensors(self, predictions, label, build_ctx):
                return {"foreground": predictions[:, 1].mean()}
    """

    def __init__(self, do_summary: bool = True, do_print: bool = True) -> None:
        GraphComponent.__init__(self)
        self.do_summary = do_summary
        self.do_print = do_print

    def get_output_tensors(self, predictions: Any, label: Any, build_ctx: BuildContext) -> dict[str, Any]:
        """Return the values by tag; metrics name a tag as their ``field``.

        Args:
            predictions: network output, (N, C, spatial...).
            label: labels, (N, C, spatial...).
            build_ctx: the objects built so far.

        Raises:
            NotImplementedError: the subclass does not override it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not implement get_output_tensors(predictions, label, build_ctx)"
        )

    def build(self, build_ctx: BuildContext) -> dict[str, Any]:
        """Return the values for the model output and the label input of ``build_ctx`` (assumed after ``Model.build``).

        Raises:
            KeyError: one of the two is not built yet.
        """
        predictions = build_ctx.must_get(BuildContext.KEY_MODEL_OUTPUT)
        label = build_ctx.must_get(BuildContext.KEY_LABEL_INPUT)
        return self.get_output_tensors(predictions, label, build_ctx)
