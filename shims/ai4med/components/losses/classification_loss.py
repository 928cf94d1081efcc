"""Legacy path of the losses for class labels."""

from clara_compat.components.losses.classification_loss import BinaryClassificationLoss as BinaryClassificationLoss
from clara_compat.components.losses.classification_loss import (
    MulticlassClassificationLoss as MulticlassClassificationLoss,
)
from clara_compat.components.losses.classification_loss import (
    WeightedMulticlassClassificationLoss as WeightedMulticlassClassificationLoss,
)
