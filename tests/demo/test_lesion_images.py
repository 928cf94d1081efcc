"""The pictures and volumes to classify: their files, and a task that needs the lesions' shape."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image
from scipy.stats import rankdata

from clara_compat.demo.lesion_images import make_pictures, make_volumes
from clara_compat.demo.lesions import draw_tissue

COUNTS = {"training": 5, "validation": 4, "testing": 3}
KINDS = ((), ("solid",), ("hollow",), ("solid", "hollow"))


def _content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def _auc(scores: list[float], truth: list[int]) -> float:
    ranks, positive = rankdata(scores), np.array(truth) == 1
    ahead = positive.sum()
    return float((ranks[positive].sum() - ahead * (ahead + 1) / 2) / (ahead * (~positive).sum()))


def test_pictures_and_their_labels(tmp_path: Path) -> None:
    path = make_pictures(tmp_path, **COUNTS)
    content = json.loads(path.read_text())
    assert {split: len(content[split]) for split in COUNTS} == COUNTS
    assert content["label_format"] == [1, 1]
    assert list(content["labels"].values()) == ["solid lesion", "hollow lesion"]
    assert [item["label"] for item in content["training"]] == [[0, 0], [1, 0], [0, 1], [1, 1], [0, 0]]
    sizes = set()
    for split in COUNTS:
        for item in content[split]:
            with Image.open(tmp_path / item["image"]) as picture:
                assert (picture.format, picture.mode) == ("PNG", "L")
                assert all(88 <= size <= 112 for size in picture.size)
                sizes.add(picture.size)
    assert len(sizes) > 8


def test_volumes_and_their_labels(tmp_path: Path) -> None:
    path = make_volumes(tmp_path, **COUNTS)
    content = json.loads(path.read_text())
    assert {split: len(content[split]) for split in COUNTS} == COUNTS
    assert content["label_format"] == [3]
    assert list(content["labels"].values()) == ["no lesion", "solid lesion", "hollow lesion"]
    assert [item["label"] for item in content["training"]] == [[0], [1], [2], [0], [1]]
    signs = set()
    for split in COUNTS:
        for item in content[split]:
            volume = nibabel.load(tmp_path / item["image"])
            assert all(36 <= size <= 44 for size in volume.shape)
            assert volume.get_data_dtype() == np.int16
            assert (volume.dataobj.slope, volume.dataobj.inter) == (1.0, -1024.0)
            values = np.asarray(volume.dataobj)
            assert -1000 <= values.min() < values.max() <= 300
            assert -850 < np.median(values) < -550, "lung tissue"
            np.testing.assert_allclose(np.array(volume.shape) * volume.header.get_zooms(), 64, rtol=0.051)
            signs.add(tuple(np.sign(np.diag(volume.affine)[:3])))
    assert len(signs) > 2


@pytest.mark.parametrize(("make", "names"), [(make_pictures, "images/*.png"), (make_volumes, "images/*.nii.gz")])
def test_the_same_seed_gives_the_same_files(tmp_path: Path, make, names: str) -> None:
    one, two, other = tmp_path / "one", tmp_path / "two", tmp_path / "other"
    make(one, **COUNTS)
    make(two, **COUNTS)
    assert _content(one) == _content(two)
    make(other, **{**COUNTS, "training": 2}, seed=1)
    for file in other.glob(names):
        assert file.read_bytes() != (one / file.relative_to(other)).read_bytes()
    make(other, **{**COUNTS, "training": 2})
    for file in other.glob(names):
        assert file.read_bytes() == (one / file.relative_to(other)).read_bytes(), "no file depends on the others"


@pytest.mark.parametrize("make", [make_pictures, make_volumes])
def test_impossible_parameters(tmp_path: Path, make) -> None:
    for size in ((40, 30), (8, 40), (32, 32, 32)):
        with pytest.raises(ValueError, match="a least and a largest number of voxels, at least 16"):
            make(tmp_path, size=size)
    with pytest.raises(ValueError, match="at least 0"):
        make(tmp_path, training=-1)


@pytest.mark.parametrize("shape", [(96, 90), (40, 36, 44)])
@pytest.mark.parametrize("kinds", KINDS)
def test_what_is_drawn(shape: tuple[int, ...], kinds: tuple) -> None:
    image = draw_tissue(shape, kinds, np.random.default_rng(3))
    assert (image.shape, image.dtype) == (shape, np.float32)
    assert 0 <= image.min() < 0.2
    assert 0.4 < image.max() <= 1
    np.testing.assert_array_equal(image, draw_tissue(shape, kinds, np.random.default_rng(3)))


@pytest.mark.parametrize("shape", [(24, 24), (16, 30), (16, 16, 16)])
def test_two_lesions_always_find_their_places(shape: tuple[int, ...]) -> None:
    for seed in range(300):
        assert draw_tissue(shape, ("solid", "hollow"), np.random.default_rng(seed)).shape == shape


@pytest.mark.parametrize("guess", [np.mean, np.max, np.std, lambda image: (image > 0.6).sum()])
@pytest.mark.parametrize("lesion", ["solid", "hollow"])
def test_brightness_alone_does_not_find_the_lesions(guess, lesion: str) -> None:
    images = [
        (kinds, draw_tissue((96, 96), kinds, np.random.default_rng([7, k]))) for k in range(25) for kinds in KINDS
    ]
    area = _auc([float(guess(image)) for _, image in images], [int(lesion in kinds) for kinds, _ in images])
    assert max(area, 1 - area) < 0.9
