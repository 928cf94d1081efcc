from __future__ import annotations

import importlib

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.transform import Rotation

from clara_compat.common import transform_helper as helper

DRAWS = 2000
DATA_FORMATS = [("channels_first", (2, 9, 7), 1), ("channels_last", (9, 7, 2), 0), ("grayscale", (9, 7), 0)]


@pytest.fixture(autouse=True)
def _seed():
    np.random.seed(0)


def test_legacy_path():
    legacy = importlib.import_module("ai4med.libs.transforms.helper")
    assert all(getattr(legacy, name) is getattr(helper, name) for name in helper.__all__)


@pytest.mark.parametrize(("data_format", "shape", "first"), DATA_FORMATS)
@pytest.mark.parametrize("last", [1, 2])
@pytest.mark.parametrize(("displacement", "places"), [(None, (6, 4)), (1, (3, 3)), ((0, 2), (1, 4)), (99, (6, 4))])
def test_crop_image(data_format, shape, first, last, displacement, places):
    """Image and label alike, each place as often as any other; ``end_dim`` as last axis and as the one behind."""
    image = np.arange(np.prod(shape)).reshape(shape)
    seen = []
    for _ in range(DRAWS):
        data = {"image": image, "label": image, "other": 1}
        out = helper.crop_image(data, "image", "label", [4, 4], first, first + last, displacement, data_format)
        assert out is data
        np.testing.assert_array_equal(data["image"], data["label"])
        seen.append(data["image"].ravel()[0])
    place = np.stack(np.unravel_index(seen, shape))[first : first + 2]
    expected = image[tuple(slice(place[i - first][0], place[i - first][0] + 4) if i - first in (0, 1) else slice(None)
                           for i in range(image.ndim))]  # fmt: skip
    assert expected.shape == data["image"].shape
    for starts, number in zip(place, places, strict=True):
        values, counts = np.unique(starts, return_counts=True)
        assert len(values) == number
        assert np.ptp(values) == number - 1
        assert number == 1 or stats.chisquare(counts).pvalue > 1e-4
    assert data["image"].base is None  # a copy
    only = helper.crop_image({"image": image}, "image", None, [9, 7], first, first + last, None, data_format)
    np.testing.assert_array_equal(only["image"], image)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data_format": "channel_first"}, "'channel_first' is not a data format, expected one of channels_first"),
        ({"start_dim": 0, "end_dim": 1}, r"axes of a 2-D image in channels_first are 1 and 2, got \[0, 1\]"),
        ({"crop_size": [4, 4, 4]}, r"the axes 1 to 2 do not fit the sizes \[4, 4, 4\]"),
        ({"crop_size": [10, 4]}, r"a crop of \[10, 4\] pixels is larger than the image, which has \[9, 7\]"),
        ({"max_displacement": -1}, "max_displacement is -1, expected numbers of at least 0"),
        ({"label_field": "short"}, r"'short' has the shape \(2, 9, 6\), the image \(2, 9, 7\)"),
    ],
)
def test_crop_image_refuses(change, message):
    data = {"image": np.zeros((2, 9, 7)), "short": np.zeros((2, 9, 6))}
    rest = {"image_field": "image", "label_field": None, "crop_size": [4, 4], "start_dim": 1, "end_dim": 2,
            "max_displacement": None, "data_format": "channels_first"}  # fmt: skip
    with pytest.raises(ValueError, match=message):
        helper.crop_image(data, **{**rest, **change})


@pytest.mark.parametrize(
    "find", [helper.find_random_foreground_or_background, helper.find_random_foreground_or_background_naive]
)
@pytest.mark.parametrize("size", [(4, 5), (20, 10, 2)])
def test_find_random(find, size):
    mask = np.zeros(size)
    mask[1:3, 2:4] = 2
    for is_foreground in (True, False):
        wanted = list(map(tuple, np.argwhere((mask > 0) == is_foreground).tolist()))
        found = [find(mask, is_foreground) for _ in range(20 * len(wanted))]
        counts = [found.count(one) for one in wanted]
        assert sum(counts) == len(found)
        assert stats.chisquare(counts).pvalue > 1e-4
    assert find(np.zeros(size), True) is None
    assert find(np.ones(size)) is None


def test_find_random_looks_everywhere_for_a_rare_voxel():
    mask = np.zeros((60, 60, 60))
    mask[7, 8, 9] = 1
    assert helper.find_random_foreground_or_background(mask, is_foreground=True) == (7, 8, 9)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([[0, 0]], [[0, 0]]),
        ([[3, 0], [0, 2]], [[3, 0], [0, 2]]),
        ([[1, 0, 1], [0, 0, 1], [1, 0, 0]], [[0, 0, 1], [0, 0, 1], [0, 0, 0]]),
        ([[1, 0, 2]], [[1, 0, 0]]),
    ],
)
def test_largest_connected_component(given, kept):
    label = np.array(given, dtype=np.uint8)
    found = helper.largest_connected_component(label)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, kept)
    np.testing.assert_array_equal(label, given)


def test_pad_if_needed():
    image = np.random.default_rng(0).normal(size=(2, 3, 6))
    padded = helper.pad_if_needed(image, (6, 4))
    assert padded.shape == (2, 6, 6)
    np.testing.assert_array_equal(padded[:, 1:4], image)
    assert not padded[:, [0, 4, 5]].any()
    last = helper.pad_if_needed(np.moveaxis(image, 0, -1), (6, 4), is_channels_first=False)
    np.testing.assert_array_equal(np.moveaxis(last, -1, 0), padded)
    with pytest.raises(ValueError, match=r"the size \[6, 4, 4\] does not fit an image of 2 spatial axes"):
        helper.pad_if_needed(image, (6, 4, 4))


def test_pad_to_minimal_size():
    image = np.random.default_rng(0).normal(size=(2, 3, 6))
    for end in (2, 3):
        padded = helper.pad_to_minimal_size(image, (6, 9), 1, end, pad_mode="edge")
        np.testing.assert_array_equal(padded, np.pad(image, [(0, 0), (1, 2), (1, 2)], mode="edge"))
    with pytest.raises(ValueError, match=r"the axes 1 to 2 do not fit the sizes \[6, 9, 9\]"):
        helper.pad_to_minimal_size(image, (6, 9, 9), 1, 2)
    with pytest.raises(ValueError, match=r"the axes \[2, 3\] are not axes of an array of 3 axes"):
        helper.pad_to_minimal_size(image, (6, 9), 2, 4)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("angle", [0.0, 0.3, -2.0])
def test_rotations(axis, angle):
    turn = getattr(helper, f"create_matrix_rotation_{axis}_3d")
    expected = Rotation.from_euler(axis, angle).as_matrix()
    np.testing.assert_allclose(turn(angle), expected, atol=1e-15)
    before = np.random.default_rng(0).normal(size=(3, 3))
    np.testing.assert_allclose(turn(angle, before), before @ expected, atol=1e-14)
    plane = Rotation.from_euler("z", angle).as_matrix()[:2, :2]
    np.testing.assert_allclose(helper.create_matrix_rotation_2d(angle), plane, atol=1e-15)
    np.testing.assert_allclose(helper.create_matrix_rotation_2d(angle, plane.T), np.eye(2), atol=1e-15)
