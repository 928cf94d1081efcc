"""Writers in plain MONAI: the same files, as far as ``SaveImaged`` can."""

from __future__ import annotations

import csv
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from PIL import Image

from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.transforms import native_transform

LOAD = {"dtype": "float32", "nii_is_channels_first": False, "as_closest_canonical": True}
NIFTI = "write_results.WriteNiftid"


@pytest.fixture
def case(tmp_path: Path, oblique_affine: np.ndarray, pair):
    """Load a scan the way given, and predict a mask of it."""

    def load(way: str) -> dict:
        rng = np.random.default_rng(0)
        nibabel.save(nibabel.Nifti1Image(rng.uniform(0, 9, (6, 7, 8)), oblique_affine), tmp_path / "scan.nii.gz")
        loaded = getattr(pair("load_nifti.LoadNiftid", keys=["image"], **LOAD), way)
        item = loaded({"image": str(tmp_path / "scan.nii.gz")})
        return item | {"model": (item["image"] > 4).to(torch.float32)}

    return load


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("options", [{}, {"revert_canonical": True}, {"use_identity": True}, {"dtype": "uint8"}])
def test_nifti(pair, case, tmp_path, options):
    written = []
    for way in ("exact", "plain"):
        folder = tmp_path / way
        maker = pair(NIFTI, keys=["model"], output_dir=str(folder), names=["mask"], **options)
        item = case(way)
        assert list(getattr(maker, way)(item)) == ["image", "model"]
        assert _files(folder) == ["scan/scan_mask.nii.gz"]
        written.append(nibabel.load(folder / "scan" / "scan_mask.nii.gz"))
    exact, plain = written
    np.testing.assert_array_equal(plain.get_fdata(), exact.get_fdata())
    np.testing.assert_allclose(plain.affine, exact.affine, atol=1e-4)
    assert plain.get_data_dtype() == exact.get_data_dtype()
    assert "the later one overwrites" in maker.native.difference


@pytest.mark.parametrize("file", [None, "one.v2.nii.gz", "one.nii"])
def test_in_the_grid_of_the_file(pair, case, tmp_path, file):
    written = []
    for way in ("exact", "plain"):
        folder = tmp_path / way
        target = {} if file is None else {"file": str(folder / file)}
        writer = getattr(
            pair("write_in_file_grid.WriteInFileGridd", keys=["model"], output_dir=str(folder), **target), way
        )
        writer(case(way))
        assert _files(folder) == ["scan/scan_model.nii.gz" if file is None else file]
        written.append(nibabel.load(folder / _files(folder)[0]))
    np.testing.assert_array_equal(written[1].get_fdata(), written[0].get_fdata())
    np.testing.assert_allclose(written[1].affine, written[0].affine, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_rows_of_a_png_stay_rows(pair, tmp_path, channels):
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (channels, 5, 8)).astype(np.float32))
    item = {"model": MetaTensor(pixels, meta={"filename_or_obj": "/data/x.png"})}
    written = []
    for way in ("exact", "plain"):
        folder = tmp_path / way
        writer = getattr(pair("write_results.WritePngd", 2, keys=["model"], output_dir=str(folder)), way)
        found = writer(item)
        assert torch.equal(found["model"].as_tensor(), pixels)
        assert _files(folder) == ["x/x_model.png"]
        written.append(np.asarray(Image.open(folder / "x" / "x_model.png")))
    np.testing.assert_array_equal(written[1], written[0])


@pytest.mark.parametrize("expression", [False, True])
def test_class_values(chain, tmp_path, expression):
    """A row per case, named after the image's file; the path may be an expression of the bundle."""
    file = str(tmp_path / "results" / "preds_model.csv")
    entry = {
        "_target_": "clara_compat.engine.transforms.write_classes.WriteClassesd",
        "key": "model",
        "file": f"${str(tmp_path)!r} + '/results/preds_model.csv'" if expression else file,
    }
    native = native_transform(entry, NativeContext(spatial_dims=2))
    writer = chain(native.entries, native.imports)
    for name in ("a", "b"):
        image = MetaTensor(torch.zeros(1, 2, 2), meta={"filename_or_obj": f"/data/{name}.png"})
        assert list(writer({"image": image, "model": torch.tensor([0.25, 0.75])})) == ["image", "model"]
    rows = list(csv.reader(Path(file).read_text().splitlines()))
    assert rows == [["/data/a.png", "0.25", "0.75"], ["/data/b.png", "0.25", "0.75"]]


@pytest.mark.parametrize("rank", [2, 3])
def test_a_tap(pair, case, tmp_path, rank):
    tap = pair("save_nifti.SaveNiftid", rank, keys=["image", "model"], output_dir=str(tmp_path / "t"), interrupt=True)
    item = case("plain")
    if rank == 2:
        item = {name: value[..., 0] for name, value in item.items()}
    tap.plain(item)
    assert _files(tmp_path / "t") == ["scan_image.nii.gz", "scan_model.nii.gz"]
    assert "does not wait for Enter" in tap.native.difference


def test_a_writer_of_the_users_own() -> None:
    entry = {"_target_": "clara_compat.engine.legacy.writer.LegacyWriter", "writer": {}, "name": "MyWriter"}
    native = native_transform(entry, NativeContext())
    assert native.entries == []
    assert "own writer MyWriter is left out: port it to a MONAI MapTransform" in native.difference
