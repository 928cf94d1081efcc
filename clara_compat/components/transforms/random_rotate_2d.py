"""Clara's ``RandomRotate2D``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from clara_compat.common.dtype_utils import str_to_bool
from clara_compat.components.component import assumed
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.transforms._checks import dtype_name
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.errors import ClaraError

__all__ = ["RandomRotate2D"]

_LABEL_NAME = re.compile(r"^(label|mask|seg)|(label|mask|seg)$", re.IGNORECASE)


class RandomRotate2D(NativeTransform, MultiFieldTransformer):
    """Rotate 2-D images about their centre by an angle, the same for all fields; the size stays.

    A positive angle turns counter-clockwise when the first axis is displayed downwards and the second to the right,
    as ``numpy.rot90`` and ``scipy.ndimage.rotate`` do.

    Source: clara-3.1-transforms facts, section 4.6.

    Args:
        fields: fields that hold 2-D images; those whose name begins or ends with label, mask or seg, in upper or lower
            case, hold labels.
        angle: degrees.
        is_random: turn by a random angle of up to ``angle`` either way, instead of by ``angle``.
        dtype: data type of the result.

    Raises:
        ClaraError: the angle is not a finite number, or there is no such data type.
    """

    fidelity = assumed(
        "direction, law and interpolation are not documented: counter-clockwise for rows downwards, U(-angle, angle) "
        "when random, linear but nearest for fields whose name begins or ends with label, mask or seg, 0 where the "
        "image ends; the size is kept, and what turns out of the frame is lost (270 degrees on a non-square image)"
    )
    becomes = "clara_compat.engine.transforms.rotate_2d.Rotate2Dd"

    def __init__(self, fields: str | list[str], angle: float, is_random: bool = False, dtype: Any = "float32") -> None:
        MultiFieldTransformer.__init__(self, fields)
        if not math.isfinite(angle):
            raise ClaraError(f"argument 'angle' is {angle}, expected a finite number of degrees")
        self.angle = float(angle)
        self.is_random = str_to_bool(is_random)
        self.dtype = dtype_name(dtype)

    def is_deterministic(self) -> bool:
        """Return whether the angle is fixed."""
        return not self.is_random

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the rotation.

        Raises:
            ClaraError: the images are not 2-D.
        """
        if context.spatial_dims != 2:
            raise ClaraError(
                f"RandomRotate2D turns 2-D images only, but the images have {context.spatial_dims} spatial axes: for "
                "quarter turns of volumes there is RandomRotate3D"
            )
        return Entry(
            self.becomes.replace(".Rotate2Dd", ".RandRotate2Dd") if self.is_random else self.becomes,
            keys=self.fields,
            degrees=self.angle,
            mode=["nearest" if _LABEL_NAME.search(field) else "bilinear" for field in self.fields],
            dtype=self.dtype,
        )

    def propagate(self, geometry: Mapping[str, Geometry]) -> dict[str, Geometry]:
        """Return the geometry with the voxel size along the turned axes; for a random angle the smallest there can be.

        Raises:
            ClaraError: an image is not 2-D.
        """
        fields = [field for field in self.fields if field in geometry]
        return {**geometry, **{field: self._turned(field, geometry[field]) for field in fields}}

    def _turned(self, field: str, geometry: Geometry) -> Geometry:
        if len(geometry.size) != 2:
            raise ClaraError(
                f"RandomRotate2D turns 2-D images only, but field '{field}' has {len(geometry.size)} spatial axes"
            )
        row, column = geometry.spacing
        if self.is_random:
            return geometry._replace(spacing=(min(row, column),) * 2)
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        return geometry._replace(spacing=(math.hypot(cos * row, sin * column), math.hypot(sin * row, cos * column)))
