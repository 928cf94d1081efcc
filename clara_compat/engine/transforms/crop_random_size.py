"""Crop a box of random size not far from the centre."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform
from monai.utils import ensure_tuple_rep

from clara_compat.engine.transforms._fields import file_of
from clara_compat.engine.transforms.region import box_size, check_axes, check_same_size, cut_box
from clara_compat.errors import ClaraError

__all__ = ["RandCropDisplacedd"]


class RandCropDisplacedd(RandomizableTransform, MapTransform):
    """Cut a box of random size whose centre lies near the image's, the same box of all fields.

    Per axis, independently: the size is uniform over ``lower_size .. n``; then the box's place is uniform over those
    inside the image at most ``max_displacement`` voxels from the central one, which begins at ``n // 2 - size // 2``.
    Without a limit this is MONAI's ``RandSpatialCropd(roi_size, random_size=True, random_center=True)``.

    Args:
        keys: fields with channel-first tensors (C, spatial...) of one spatial shape.
        lower_size: smallest box, 2 or 3 numbers of voxels.
        max_displacement: voxels, one number or one per axis, at least 0; None for any place.
        allow_missing_keys: leave out fields an item does not have.

    Raises:
        ClaraError: an argument is out of its range; the smallest box is larger than the image; the fields differ in
            shape.
    """

    def __init__(
        self,
        keys: KeysCollection,
        lower_size: Sequence[int],
        max_displacement: Sequence[int] | int | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob=1.0)
        self.lower_size = box_size(lower_size)
        if max_displacement is None:
            self.max_displacement: tuple[int, ...] | None = None
            return
        self.max_displacement = ensure_tuple_rep(max_displacement, len(self.lower_size))
        if min(self.max_displacement) < 0:
            raise ClaraError(f"a displacement must be at least 0 voxels, got {max_displacement}")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the item with the box of each image."""
        d = dict(data)
        keys = list(self.key_iterator(d))
        if not keys:
            return d
        check_same_size(d, keys)
        image = d[keys[0]]
        check_axes(self.lower_size, image, keys[0])
        found = tuple(image.shape[1:])
        if any(n < low for n, low in zip(found, self.lower_size, strict=True)):
            raise ClaraError(
                f"a crop of at least {list(self.lower_size)} voxels is larger than field '{keys[0]}', which has "
                f"{list(found)} at this point ({file_of(image)})"
            )
        size = [int(self.R.randint(low, n + 1)) for low, n in zip(self.lower_size, found, strict=True)]
        limits = self.max_displacement or found  # an image's own size limits nothing
        start = [self._draw_start(n, one, limit) for n, one, limit in zip(found, size, limits, strict=True)]
        for key in keys:
            d[key] = cut_box(d[key], start, size)
        return d

    def _draw_start(self, n: int, size: int, limit: int) -> int:
        central = n // 2 - size // 2
        return int(self.R.randint(max(central - limit, 0), min(central + limit, n - size) + 1))
