"""What every built-in auxiliary operation has in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clara_compat.common.build_ctx import BuildContext
from clara_compat.components.aux_ops.aux_op import AuxiliaryOperation
from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext
from clara_compat.errors import ClaraError

__all__ = ["NativeOperation", "listed_tags", "may_be_logits"]

_TAKEN = ("image", "label", "loss", "model", "pred")


class NativeOperation(Component, AuxiliaryOperation):
    """A built-in operation: runs on torch, and answers ``get_output_tensors`` for users who subclass it.

    Args:
        tags: names of its values.
        do_summary: average the values over a training epoch, for TensorBoard.
        do_print: the same, for the console.

    Raises:
        ClaraError: no tag, one twice, or one that is a field of every step.
    """

    def __init__(self, tags: Sequence[str], do_summary: bool = True, do_print: bool = True) -> None:
        AuxiliaryOperation.__init__(self, do_summary=do_summary, do_print=do_print)
        for tag in tags:
            if tag in _TAKEN:
                raise ClaraError(f"the tag '{tag}' is the name of a field of every step: choose another")
        if not tags or not all(tags):
            raise ClaraError("an auxiliary operation needs a tag, the name of its value")
        twice = next((tag for tag in tags if list(tags).count(tag) > 1), None)
        if twice is not None:
            raise ClaraError(f"the tag '{twice}' is given twice")
        self.tags = tuple(tags)

    def check_channels(self, channels: int) -> None:
        """Check the operation against the channels of the network's output.

        Args:
            channels: their number.

        Raises:
            ClaraError: it cannot work with as many.
        """

    def check_labels(self, outputs: int, labels: int, declared: Sequence[int] | None) -> None:
        """Check the operation against the network's output and the label.

        Args:
            outputs: channels of the output.
            labels: channels of the label.
            declared: the numbers of the pipeline's label format.

        Raises:
            ClaraError: they do not fit each other, or the operation.
        """

    def get_output_tensors(self, predictions: Any, label: Any, build_ctx: BuildContext) -> dict[str, Any]:
        """Return the values, as a user's subclass calling ``super().get_output_tensors`` expects.

        Args:
            predictions: network output, (N, C, spatial...), a tensor or an array.
            label: labels, (N, C, spatial...).
            build_ctx: the objects of the step.
        """
        from clara_compat.engine.legacy.aux_op import run_entry

        declared = getattr(build_ctx.get(BuildContext.KEY_DATA_PROP), "label_format", None)
        context = BundleContext(
            label_format=tuple(declared.classes_per_label) if declared else None,
            final_activation=build_ctx.final_activation,
        )
        return run_entry(self.bundle_entry(context), predictions, label, build_ctx)


def may_be_logits(context: BundleContext) -> bool:
    """Return whether the outputs are logits or may be: a network's own activation is not applied a second time."""
    return context.final_activation in (None, "linear")


def listed_tags(tag: str | None, tags: str | Sequence[str] | None) -> list[str]:
    """Return the tags of an operation whose argument is not documented: either name is taken, one tag or several.

    Raises:
        ClaraError: both or none are given.
    """
    given = [one for one in (tag, tags) if one is not None]
    if len(given) != 1:
        raise ClaraError("give either 'tag' or 'tags': the names of its values")
    return [given[0]] if isinstance(given[0], str) else list(given[0])
