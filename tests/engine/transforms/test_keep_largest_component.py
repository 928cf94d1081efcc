from __future__ import annotations

import itertools

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine.transforms.keep_largest_component import KeepLargestComponentd


def flooded(array):
    """The largest object by flooding from voxel to voxel."""
    steps = [step for step in itertools.product((-1, 0, 1), repeat=array.ndim) if any(step)]
    rest = set(map(tuple, np.argwhere(array > 0).tolist()))
    largest = []
    for start in sorted(rest):
        front = [start] if start in rest else []
        rest.discard(start)
        for voxel in front:
            near = {tuple(map(sum, zip(voxel, step, strict=True))) for step in steps} & rest
            rest -= near
            front.extend(sorted(near))
        largest = max(largest, front, key=len)
    out = np.zeros_like(array)
    where = tuple(np.array(largest).T)
    out[where] = array[where]
    return out


@pytest.mark.parametrize("size", [(24, 20, 18), (40, 36)])
@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64])
def test_every_channel_by_itself(size, dtype):
    rng = np.random.default_rng(1)
    share = 0.06 if len(size) == 3 else 0.3
    array = (rng.integers(1, 4, (2, *size)) * (rng.random((2, *size)) < share)).astype(dtype)
    item = {"label": MetaTensor(torch.from_numpy(array.copy()), affine=torch.eye(4) * 2)}
    out = KeepLargestComponentd("label")(item)["label"]
    assert out.dtype == item["label"].dtype
    assert torch.equal(out.affine, item["label"].affine)
    np.testing.assert_array_equal(item["label"].numpy(), array)
    for found, channel in zip(out.numpy(), array, strict=True):
        reference = flooded(channel)
        assert 1 < np.count_nonzero(reference) < np.count_nonzero(channel)
        np.testing.assert_array_equal(found, reference)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([[0, 0], [0, 0]], [[0, 0], [0, 0]]),
        ([[1, 0], [0, 2]], [[1, 0], [0, 2]]),  # a corner connects, and so do different labels
        ([[1, 0, 1], [0, 0, 1], [1, 0, 0]], [[0, 0, 1], [0, 0, 1], [0, 0, 0]]),
        ([[1, 0, 2]], [[1, 0, 0]]),  # alike in size: the first
        ([[-1, 0, 2]], [[0, 0, 2]]),
    ],
)
def test_by_hand(given, kept):
    out = KeepLargestComponentd("label")({"label": torch.tensor([given])})["label"]
    assert type(out) is torch.Tensor
    assert out.tolist() == [kept]


@pytest.mark.real
def test_real_label(clara_examples):
    label = nibabel.load(clara_examples / "sampleData/labelsTr/spleen_8.nii.gz")
    array = np.asarray(label.dataobj).astype(np.uint8)[::4, ::4]
    assert array.sum() > 1000
    array[:6, :6, :6] = 1  # something else, smaller
    out = KeepLargestComponentd("label")({"label": torch.from_numpy(array[np.newaxis].copy())})["label"]
    np.testing.assert_array_equal(out.numpy()[0], flooded(array))
    assert not out[0, :6, :6, :6].any()
