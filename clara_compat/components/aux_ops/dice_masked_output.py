"""Clara's ``DiceMaskedOutput``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.aux_ops._per_class import PerClassOperation
from clara_compat.components.component import assumed

__all__ = ["DiceMaskedOutput"]


class DiceMaskedOutput(PerClassOperation):
    """The Dice of a batch, without the classes a case's label does not have (clara-3.1 engine facts, section 2.7).

    Args:
        tags: the first names the mean, further ones the Dice of each class.
        skip_background: leave channel 0 out.
        is_onehot_targets: the label has one channel per class.
        is_independent_predictions: the channels may overlap (sigmoid).
        do_summary: average the values over a training epoch, for TensorBoard.
        do_print: the same, for the console.
    """

    fidelity = assumed(
        "arguments and tags are as seen in configs; a voxel belongs to its greatest channel, or with "
        "is_independent_predictions to every channel from 0.5; the mean is taken over cases and classes at once, "
        "without classes that a case's label does not have"
    )
    becomes = "clara_compat.engine.aux_dice.DiceOutputs"
    undocumented = True

    def __init__(
        self,
        tags: list[str] | str,
        skip_background: bool = False,
        is_onehot_targets: bool = False,
        is_independent_predictions: bool = False,
        do_summary: bool = True,
        do_print: bool = True,
    ) -> None:
        tags = [tags] if isinstance(tags, str) else tags
        PerClassOperation.__init__(self, tags, skip_background, is_onehot_targets, do_summary, do_print)
        self.is_independent_predictions = is_independent_predictions

    def _more(self) -> dict[str, Any]:
        return {"is_independent_predictions": self.is_independent_predictions}
