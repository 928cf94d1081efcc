"""Clara's losses for class labels."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.finite import require_finite
from clara_compat.components.losses.native import NativeLoss
from clara_compat.errors import ClaraError

__all__ = ["BinaryClassificationLoss", "MulticlassClassificationLoss", "WeightedMulticlassClassificationLoss"]

_TARGET = "clara_compat.engine.losses.classification.ClaraClassificationLoss"
_ASSUMED = (
    "how several labels are reduced is not documented: the mean over them; a network that ends in softmax or sigmoid "
    "gives probabilities, any other logits; a label that is none of the classes adds nothing"
)


class BinaryClassificationLoss(NativeLoss):
    """Cross entropy of binary labels.

    Takes no arguments; the labels are those of the pipeline's ``output_label_format`` (clara-3.1 engine facts, section
    2.2).
    """

    fidelity = assumed(_ASSUMED)
    becomes = _TARGET

    def notices(self, context: BundleContext) -> list[str]:
        """Say that a softmax lets only one of several binary labels be true."""
        return _shared_softmax(context)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the loss.

        Raises:
            ClaraError: the label format is missing, has other labels than binary ones, or does not fit the model.
        """
        name = type(self).__name__
        classes = _label_format(name, context)
        if set(classes) != {1}:
            raise ClaraError(
                f"{name} is for binary labels (1), but output_label_format is {classes}: use "
                "MulticlassClassificationLoss, which takes binary labels too"
            )
        return _entry(classes, None, context)


class MulticlassClassificationLoss(NativeLoss):
    """Cross entropy of each label of the pipeline's ``output_label_format``, binary ones among them.

    Takes no arguments (clara-3.1 engine facts, section 2.2).
    """

    fidelity = assumed(_ASSUMED)
    becomes = _TARGET

    def notices(self, context: BundleContext) -> list[str]:
        """Say that a softmax lets only one of several binary labels be true."""
        return _shared_softmax(context)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the loss.

        Raises:
            ClaraError: the label format is missing or does not fit the model.
        """
        return _entry(_label_format(type(self).__name__, context), None, context)


class WeightedMulticlassClassificationLoss(NativeLoss):
    """Cross entropy of each label of the pipeline's ``output_label_format``, weighted by class.

    Source: clara-3.1 engine facts, section 2.2.

    Args:
        class_weights: one number per class of every label in turn, a binary label having two classes; by default all
            classes count alike.

    Raises:
        ClaraError: a weight is negative or not finite.
    """

    fidelity = assumed(
        f"{_ASSUMED}; class_weights has one number per class of every label, a binary one having two, and they enter "
        "as in TensorFlow's sparse_softmax_cross_entropy: divided by the number of items with a weight other than 0"
    )
    becomes = _TARGET

    def __init__(self, class_weights: list[float] | None = None) -> None:
        NativeLoss.__init__(self)
        for weight in class_weights or ():
            require_finite(class_weights=weight)
        if class_weights and min(class_weights) < 0:
            raise ClaraError(f"class_weights is {class_weights}, expected numbers that are not negative")
        self.class_weights = class_weights

    def notices(self, context: BundleContext) -> list[str]:
        """Say that a softmax lets only one of several binary labels be true."""
        return _shared_softmax(context)

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the loss.

        Raises:
            ClaraError: the label format is missing, or does not fit the weights or the model.
        """
        classes = _label_format(type(self).__name__, context)
        expected = sum(max(number, 2) for number in classes)
        if self.class_weights is not None and len(self.class_weights) != expected:
            raise ClaraError(
                f"class_weights has {len(self.class_weights)} numbers, but output_label_format {classes} has "
                f"{expected} classes (a binary label, 1, has two): give one number per class"
            )
        return _entry(classes, self.class_weights, context)


def _shared_softmax(context: BundleContext) -> list[str]:
    labels = context.label_format or ()
    if context.final_activation != "softmax" or len(labels) < 2 or 1 not in labels:
        return []
    text = (
        f"final_activation of the model is softmax, over all outputs of output_label_format {list(labels)} together: "
        "a binary label can only be probable when the others are not: set final_activation to sigmoid"
    )
    return [text]


def _label_format(name: str, context: BundleContext) -> list[int]:
    """Return the number of classes per label."""
    if context.label_format is None:
        raise ClaraError(
            f"{name} needs to know the labels: give output_label_format to the image_pipeline of train, the number of "
            "classes of each label (1 for a binary one)"
        )
    return list(context.label_format)


def _entry(classes: list[int], weights: list[float] | None, context: BundleContext) -> Entry:
    if context.outputs is not None and context.outputs != sum(classes):
        raise ClaraError(
            f"output_label_format {classes} needs {sum(classes)} outputs, but the model has {context.outputs}: mend "
            "num_classes of the model or output_label_format"
        )
    given = {} if weights is None else {"class_weights": weights}
    return Entry(_TARGET, classes_per_label=classes, **given, activation=context.final_activation or "linear")
