"""What does it cost to run a user's numpy transform through the adapter?

The same numpy function is called on an array, and by a Clara transform on an item with image and label through
``legacy_transform``, in turns. What the adapter costs per image does not depend on its size, so it is told by itself,
too: a function that is done in a fraction of a millisecond cannot hide it.

    python benchmarks/legacy_adapter.py
    python benchmarks/legacy_adapter.py --rounds 3 --large 128 128 64  # quick
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.ndimage
import torch
from monai.data import MetaTensor

from clara_compat.common.transform_ctx import TransformContext
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.engine import properties
from clara_compat.engine.legacy.transform import legacy_transform

TARGET = 1.10
FIXED_TARGET = 0.3
"""Milliseconds per image that the component changes, with the processor's caches full of other data."""

Function = Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]


def add(data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Add an offset."""
    return data + np.float32(12.5)


def smooth(data: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Take the mean of 3 x 3 x 3 voxels."""
    smoothed: np.ndarray[Any, Any] = scipy.ndimage.uniform_filter(data, 3)
    return smoothed


class Users(MultiFieldTransformer):
    """A transform as Clara's users write it."""

    def __init__(self, fields: str | list[str], function: Function) -> None:
        MultiFieldTransformer.__init__(self, fields)
        self.function = function

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        """Change the images."""
        for field in self.fields:
            image = transform_ctx.get_image(field)
            data = self.function(image.get_data())
            transform_ctx.set_image(field, image.new_image(data, image.get_shape_format()))
        return transform_ctx


def loaded(size: Sequence[int]) -> dict[str, MetaTensor]:
    """Return image and label with what a loader tells of them."""
    item = {}
    for field in ("image", "label"):
        image = MetaTensor(torch.randn(1, *size) * 500, affine=torch.eye(4, dtype=torch.float64) * 0.8)
        image.meta["filename_or_obj"] = "scan.nii.gz"
        known = {"shape_format": "DHW", "file_name": "scan.nii.gz", "original_shape": tuple(size)}
        properties.write(image, known | {"original_affine": np.eye(4), "as_canonical": False, "file_format": "nii"})
        item[field] = image
    return item


def compare(item: dict[str, MetaTensor], function: Function, rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of each round, through the adapter and direct; a first round warms both up."""
    transform = legacy_transform(Users("image", function))
    array = item["image"].numpy()[0]
    adapted, direct = [], []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        transform(item)
        adapted.append(time.perf_counter() - started)
        started = time.perf_counter()
        function(array)
        direct.append(time.perf_counter() - started)
    return adapted[1:], direct[1:]


def main() -> None:
    """Compare for both functions and sizes, and print the ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--small", type=int, nargs=3, default=(96, 96, 96), help="voxels of a patch")
    options.add_argument("--large", type=int, nargs=3, default=(402, 402, 240), help="voxels of a scan")
    options.add_argument("--rounds", type=int, default=7, help="rounds of the slowest; the others get more")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    found = []
    for size, times in ((chosen.small, {add: 100, smooth: 5}), (chosen.large, {add: 2, smooth: 1})):
        item = loaded(size)
        for function, factor in times.items():
            adapted, direct = compare(item, function, chosen.rounds * factor)
            ratio = statistics.median(a / b for a, b in zip(adapted, direct, strict=True))
            fixed = 1000 * statistics.median(a - b for a, b in zip(adapted, direct, strict=True))
            told = f"{function.__name__:7} {' x '.join(map(str, size)):16}"
            sides = (
                f"{1000 * statistics.median(adapted):9.2f} ms adapted {1000 * statistics.median(direct):9.2f} direct"
            )
            print(f"{told} {sides} {fixed:7.2f} ms more {ratio:6.3f} times")
            found.append((function.__name__, size[0], ratio, fixed))
    print(f"numpy {np.__version__}, torch {torch.__version__}, one thread")
    for name, size, ratio, fixed in found:
        if name == "add" and size == chosen.small[0]:
            print(f"ratio legacy_adapter_fixed_ms {fixed:.3f} target {FIXED_TARGET}")
        else:
            print(f"ratio legacy_adapter_{name}_{size} {ratio:.3f} target {TARGET}")


if __name__ == "__main__":
    main()
