"""The base of all inferers.

Source: clara-3.1-engine facts, section 2.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clara_compat.common.shape_format import ShapeFormat

__all__ = ["Inferer"]


class Inferer:
    """Turns model inputs into predictions, for instance window by window.

    Args:
        predictor: runs the model on one batch; kept in ``self.predictor`` (an assumed name).
    """

    def __init__(self, predictor: Any) -> None:
        self.predictor = predictor

    def infer(
        self, model_input_values: dict[str, Any], input_shape_format: ShapeFormat, inference_ctx: Any
    ) -> dict[str, Any]:
        """Return arrays by output name.

        Args:
            model_input_values: arrays by input name.
            input_shape_format: layout of the input images.
            inference_ctx: what the predictor needs beside the inputs.

        Raises:
            NotImplementedError: the subclass does not override it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not implement infer(model_input_values, input_shape_format, inference_ctx)"
        )

    def supported_extra_inputs(self, desired_input_names: Sequence[str]) -> list[str]:
        """Return which further inputs this inferer takes: none (the default is assumed).

        Args:
            desired_input_names: those that the network has besides the image.
        """
        return []

    def supported_extra_outputs(self, desired_output_names: Sequence[str]) -> list[str]:
        """Return which further outputs this inferer gives: none (the default is assumed).

        Args:
            desired_output_names: those that the network has besides the predictions.
        """
        return []
