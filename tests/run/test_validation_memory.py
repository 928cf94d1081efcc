"""A validation holds the scan, its label and one prediction or its masks, and little beside."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "validation_memory.py"


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "most"), [(True, 56), (False, 44)])
def test_bytes_for_each_voxel(loss: bool, most: int) -> None:
    """Image, label and count of windows are 12 bytes for each voxel, the prediction of 5 classes 20, its masks 5.

    What is made of a slab or a window counts as 14 here, and less of a larger scan; the probabilities of a piece of the
    scan are 12 beside the masks. A second prediction held beside the first, or one-hot labels and products of a whole
    scan, would be 20 more each.
    """
    measure = runpy.run_path(str(BENCHMARK))["measure"]
    window, scan = [96, 96, 96], [256, 256, 128]
    peaks = [measure(size, 5, 2, loss)["peak"] for size in (window, scan)]
    voxels = scan[0] * scan[1] * scan[2]
    assert (peaks[1] - peaks[0]) / voxels < most
