"""What random transforms of several fields have in common."""

from __future__ import annotations

from clara_compat.components.transforms._checks import probability_in_range
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import NativeTransform

__all__ = ["RandomFields"]


class RandomFields(NativeTransform, MultiFieldTransformer):
    """Change the fields at random, with a probability.

    Args:
        fields: fields that hold images.
        probability: of changing an item; 0.5 where nothing is given, as with the one transform that is documented.

    Raises:
        ClaraError: the probability is out of range.
    """

    def __init__(self, fields: str | list[str], probability: float = 0.5) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.probability = probability_in_range(probability)

    def is_deterministic(self) -> bool:
        """Return False."""
        return False
