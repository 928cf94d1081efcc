"""Loaders in plain MONAI: the same voxels at the same place, whatever the file."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

NIFTI = "load_nifti.LoadNiftid"
OPTIONS = {"dtype": "float32", "nii_is_channels_first": False, "as_closest_canonical": False}


@pytest.fixture
def save(tmp_path: Path, oblique_affine: np.ndarray):
    def write(name: str, shape: tuple[int, ...]) -> str:
        voxels = np.random.default_rng(len(name)).uniform(0, 100, shape).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(voxels, oblique_affine), tmp_path / name)
        return str(tmp_path / name)

    return write


@pytest.mark.parametrize("canonical", [False, True])
@pytest.mark.parametrize(
    ("shapes", "channels_first"),
    [
        ([(5, 6, 7)], False),
        ([(5, 6, 7, 3)], False),
        ([(3, 5, 6, 7)], True),
        ([(5, 6, 7)], True),
        ([(5, 6, 7), (5, 6, 7)], False),
    ],
    ids=["3 axes", "channels last", "channels first", "3 axes among channels first", "two files"],
)
def test_nifti(pair, save, close, shapes, channels_first, canonical):
    exact, native, plain = pair(
        NIFTI, keys=["image"], **{**OPTIONS, "nii_is_channels_first": channels_first, "as_closest_canonical": canonical}
    )
    paths = [save(f"{number}.nii.gz", shape) for number, shape in enumerate(shapes)]
    item = {"image": paths if len(paths) > 1 else paths[0]}
    assert native.difference == ""
    close(plain(item)["image"], exact(item)["image"])


@pytest.mark.parametrize("dtype", ["int16", "float64"])
def test_the_type(pair, save, close, dtype):
    exact, _, plain = pair(NIFTI, keys=["image"], **{**OPTIONS, "dtype": dtype})
    item = {"image": save("a.nii.gz", (5, 6, 7))}
    close(plain(item)["image"], exact(item)["image"])


def test_a_file_of_the_usual_kind_is_loaded_in_one_short_entry(pair):
    native = pair(NIFTI, keys=["image", "label"], **OPTIONS).native
    assert native.entries == [{"_target_": "LoadImaged", "keys": ["image", "label"], "ensure_channel_first": True}]


@pytest.mark.parametrize("layout", ["DHW", "DHWC", "CDHW", "HW", "HWC", "CHW"])
def test_numpy(pair, close, tmp_path, layout):
    array = np.random.default_rng(0).uniform(0, 100, (4, 5, 6, 7)[: len(layout)])
    np.save(tmp_path / "a.npy", array)
    exact, native, plain = pair("load_numpy.LoadNumpyd", keys=["image"], shape_format=layout, dtype="float32")
    item = {"image": str(tmp_path / "a.npy")}
    assert native.difference == ""
    close(plain(item)["image"], exact(item)["image"])


def test_a_pickle_is_still_refused(pair, tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    plain = pair("load_numpy.LoadNumpyd", keys=["image"], shape_format="DHW", dtype="float32").plain
    with pytest.raises(RuntimeError) as refused:
        plain({"image": str(tmp_path / "a.npy")})
    assert "explicitly pass `allow_pickle=True`" in str(refused.value.__cause__)


@pytest.mark.parametrize("indices", [False, True])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pictures(pair, close, tmp_path, mode, indices):
    """Rows stay rows, alpha goes, a palette gives its colours, or its indices where these are classes."""
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 4)).astype(np.uint8)
    image = Image.fromarray(pixels, "RGBA")
    image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 200) if mode == "I;16" else image.convert(mode)
    image.save(tmp_path / "a.png")
    target = "load_picture.LoadPictured"
    exact, native, plain = pair(target, rank=2, keys=["image"], dtype="float32", palette_indices=indices)
    item = {"image": str(tmp_path / "a.png")}
    found = plain(item)["image"]
    assert found.shape[1:] == (6, 9)
    close(found, exact(item)["image"])
    assert "EXIF" in native.difference
