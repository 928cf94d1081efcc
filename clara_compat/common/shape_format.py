"""How the axes of an image array are laid out: ``ShapeFormat``.

Source: Clara 3.1 page "Bring your own components" (the twelve formats); clara-3.1-transforms facts, section 2.1.
"""

from __future__ import annotations

from enum import Enum

from clara_compat.errors import suggestion

__all__ = ["ShapeFormat", "StdShapeFormat"]


class ShapeFormat(str, Enum):
    """The layout of an image array, one letter per axis: N batch, C channel, then D, H, W.

    D, H and W are nominal: loaders do not transpose, so for a NIfTI file loaded as ``DHW`` the first axis is the
    file's x axis and the last one its z axis.

    A format is immutable, hashable, and equal to (and usable as) its string. ``ShapeFormat("DHW")`` and
    ``ShapeFormat.DHW`` are the same object.

    Only ``get_number_of_dims``, ``is_3d``, ``is_channeled``, ``get_channel_axis`` and ``get_spatial_axis`` were seen
    in Clara code; the names of the other questions are assumed.

    Raises:
        ValueError: the value is not one of the twelve formats.

    Example::

        >>> ShapeFormat("CDHW").get_spatial_axis()
        (1, 3)
    """

    DHW = "DHW"
    DHWC = "DHWC"
    CDHW = "CDHW"
    NDHW = "NDHW"
    NDHWC = "NDHWC"
    NCDHW = "NCDHW"
    HW = "HW"
    HWC = "HWC"
    CHW = "CHW"
    NHW = "NHW"
    NHWC = "NHWC"
    NCHW = "NCHW"

    @classmethod
    def _missing_(cls, value: object) -> ShapeFormat:
        known = [member.value for member in cls]
        hint = suggestion(value, known) if isinstance(value, str) else ""
        raise ValueError(f"{value!r} is not a shape format, expected one of {', '.join(known)}{hint}")

    def __str__(self) -> str:
        return str(self.value)

    def __format__(self, format_spec: str) -> str:
        return format(str(self.value), format_spec)

    def get_number_of_dims(self) -> int:
        """Return the number of axes an array of this format has (2 to 5)."""
        return len(self.value)

    def get_number_of_spatial_dims(self) -> int:
        """Return 2 or 3, the number of axes without batch and channel."""
        return 3 if "D" in self.value else 2

    def is_3d(self) -> bool:
        """Whether there are three spatial axes."""
        return "D" in self.value

    def is_2d(self) -> bool:
        """Whether there are two spatial axes."""
        return "D" not in self.value

    def is_channeled(self) -> bool:
        """Whether there is a channel axis."""
        return "C" in self.value

    def is_batched(self) -> bool:
        """Whether there is a batch axis."""
        return "N" in self.value

    def has_batch(self) -> bool:
        """Whether there is a batch axis; another name of :meth:`is_batched`."""
        return self.is_batched()

    def is_channels_first(self) -> bool:
        """Whether the channel axis stands in front of the spatial axes (False without a channel axis)."""
        return "C" in self.value and not self.value.endswith("C")

    def is_channels_last(self) -> bool:
        """Whether the channel axis stands behind the spatial axes (False without a channel axis)."""
        return self.value.endswith("C")

    def get_channel_axis(self) -> int:
        """Return the index of the channel axis.

        Raises:
            ValueError: the format has no channel axis (assumed: what Clara answered then is not documented).
        """
        if "C" not in self.value:
            raise ValueError(f"shape format {self} has no channel axis: ask is_channeled() before get_channel_axis()")
        return self.value.index("C")

    def get_batch_axis(self) -> int:
        """Return the index of the batch axis, always 0.

        Raises:
            ValueError: the format has no batch axis.
        """
        if "N" not in self.value:
            raise ValueError(f"shape format {self} has no batch axis: ask is_batched() before get_batch_axis()")
        return 0

    def get_spatial_axis(self) -> tuple[int, int]:
        """Return the indices of the first and the last spatial axis, both inclusive.

        The spatial shape is ``shape[first : last + 1]``.
        """
        return self.value.index("D" if self.is_3d() else "H"), self.value.index("W")

    def with_batch(self) -> ShapeFormat:
        """Return this format with a batch axis in front."""
        return self if self.is_batched() else ShapeFormat("N" + self.value)

    def without_batch(self) -> ShapeFormat:
        """Return this format without the batch axis."""
        return ShapeFormat(self.value.replace("N", ""))

    def without_channel(self) -> ShapeFormat:
        """Return this format without the channel axis."""
        return ShapeFormat(self.value.replace("C", ""))

    def with_channels_first(self) -> ShapeFormat:
        """Return this format with a channel axis in front of the spatial axes, added or moved there."""
        spatial = "DHW" if self.is_3d() else "HW"
        return ShapeFormat(("N" if self.is_batched() else "") + "C" + spatial)

    def with_channels_last(self) -> ShapeFormat:
        """Return this format with a channel axis behind the spatial axes, added or moved there."""
        return ShapeFormat(self.without_channel().value + "C")


StdShapeFormat = ShapeFormat
"""Another name seen in NVIDIA's transform template; assumed to hold the same constants."""
