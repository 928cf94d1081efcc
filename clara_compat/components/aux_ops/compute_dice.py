"""Clara's ``ComputeDice``."""

from __future__ import annotations

from typing import Any

from clara_compat.components.aux_ops._per_class import PerClassOperation
from clara_compat.components.aux_ops.native import listed_tags
from clara_compat.components.component import assumed

__all__ = ["ComputeDice"]


class ComputeDice(PerClassOperation):
    """The Dice of a batch over all its classes (clara-3.1 engine facts, section 2.7, which has only its name).

    Args:
        tag: names the mean.
        tags: the same, or the mean and the Dice of each class.
        skip_background: leave channel 0 out.
        is_onehot_targets: the label has one channel per class.
        is_independent_predictions: the channels may overlap (sigmoid).
        do_summary: average the values over a training epoch, for TensorBoard.
        do_print: the same, for the console.
    """

    fidelity = assumed(
        "only its name is known: as DiceMaskedOutput, but a class that a case's label does not have counts as 0, or as "
        "1 when it is not predicted either"
    )
    becomes = "clara_compat.engine.aux_dice.DiceOutputs"
    undocumented = True

    def __init__(
        self,
        tag: str | None = None,
        tags: list[str] | str | None = None,
        skip_background: bool = False,
        is_onehot_targets: bool = False,
        is_independent_predictions: bool = False,
        do_summary: bool = True,
        do_print: bool = True,
    ) -> None:
        names = listed_tags(tag, tags)
        PerClassOperation.__init__(self, names, skip_background, is_onehot_targets, do_summary, do_print)
        self.is_independent_predictions = is_independent_predictions

    def _more(self) -> dict[str, Any]:
        return {"is_independent_predictions": self.is_independent_predictions, "masked": False}
