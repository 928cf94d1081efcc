"""Clara's ``ReduceMeanMasked``."""

from __future__ import annotations

from clara_compat.components.aux_ops._per_class import PerClassOperation
from clara_compat.components.aux_ops.native import listed_tags
from clara_compat.components.component import assumed

__all__ = ["ReduceMeanMasked"]


class ReduceMeanMasked(PerClassOperation):
    """What the network says inside each class (clara-3.1 engine facts, section 2.7, which has only its name).

    Args:
        tag: names the mean.
        tags: the same, or the mean and the value of each class.
        skip_background: leave channel 0 out.
        is_onehot_targets: the label has one channel per class.
        do_summary: average the values over a training epoch, for TensorBoard.
        do_print: the same, for the console.
    """

    fidelity = assumed(
        "only its name is known: the mean of each channel of the prediction over the voxels whose label is its class, "
        "averaged over the cases and classes that have any"
    )
    becomes = "clara_compat.engine.aux_dice.MeanInsideClasses"
    undocumented = True

    def __init__(
        self,
        tag: str | None = None,
        tags: list[str] | str | None = None,
        skip_background: bool = False,
        is_onehot_targets: bool = False,
        do_summary: bool = True,
        do_print: bool = True,
    ) -> None:
        names = listed_tags(tag, tags)
        PerClassOperation.__init__(self, names, skip_background, is_onehot_targets, do_summary, do_print)
