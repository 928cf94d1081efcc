"""What losses refuse before anything runs, as far as the config tells it."""

from __future__ import annotations

from clara_compat.components.entry import BundleContext
from clara_compat.components.finite import require_finite
from clara_compat.errors import ClaraError

__all__ = ["check_background", "check_labels", "check_probabilities", "check_weights", "independent_channels"]


def check_background(context: BundleContext, skip_background: bool) -> None:
    """Refuse to leave the only channel out.

    Raises:
        ClaraError: as said.
    """
    if skip_background and context.outputs == 1:
        raise ClaraError(
            "skip_background is true but the model has a single output channel, so nothing would be left: set it to "
            "false, a single channel is the foreground"
        )


def check_probabilities(context: BundleContext, name: str) -> None:
    """Refuse outputs of which a loss would take logarithms though they are no probabilities.

    Raises:
        ClaraError: as said.
    """
    if context.final_activation == "linear":
        raise ClaraError(
            f"{name} takes the logarithm of probabilities, but the model's final_activation is 'linear': set it to "
            "softmax or sigmoid"
        )


def check_labels(context: BundleContext, name: str, is_onehot_targets: bool) -> None:
    """Refuse the label vector of a classification where a loss takes one class index, or one number per output.

    Raises:
        ClaraError: as said.
    """
    if context.label_format is None:
        return
    labels, expected = len(context.label_format), context.outputs if is_onehot_targets else 1
    if expected is not None and labels != expected:
        raise ClaraError(
            f"{name} with is_onehot_targets {str(is_onehot_targets).lower()} takes a label of {expected} "
            f"number{'s' if expected > 1 else ''}, but output_label_format {list(context.label_format)} makes one of "
            f"{labels}: use MulticlassClassificationLoss"
        )


def independent_channels(context: BundleContext) -> dict[str, bool]:
    """Return the argument of a voxel-wise loss that says that several channels are probabilities each by itself."""
    independent = context.final_activation == "sigmoid" and context.outputs != 1
    return {"is_independent_predictions": True} if independent else {}


def check_weights(**weights: float) -> None:
    """Refuse weights of a sum of losses that are negative, not finite or all 0.

    Raises:
        ClaraError: as said.
    """
    require_finite(**weights)
    for name, weight in weights.items():
        if weight < 0:
            raise ClaraError(f"{name} is {weight} but must not be negative")
    if not any(weights.values()):
        raise ClaraError(f"{' and '.join(weights)} are 0, so nothing would be left: set one of them to 1")
