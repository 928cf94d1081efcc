"""Results on the grid of the image's file; where that is not known, as they lie."""

from __future__ import annotations

import logging
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine.transforms.write_in_file_grid import WriteInFileGridd
from clara_compat.errors import ClaraError


def item(file: Path, mask: torch.Tensor, affine: np.ndarray) -> dict[str, torch.Tensor]:
    image = MetaTensor(torch.zeros_like(mask), affine=torch.from_numpy(affine), meta={"filename_or_obj": str(file)})
    return {"image": image, "model": MetaTensor(mask, affine=torch.from_numpy(affine.copy()))}


def test_a_coarser_mask_is_put_onto_the_file(tmp_path: Path, oblique_affine: np.ndarray) -> None:
    file = tmp_path / "scan.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((8, 6, 4), np.int16), oblique_affine), file)
    coarse = torch.from_numpy(np.random.default_rng(0).integers(0, 3, (1, 4, 3, 2)).astype(np.float32))
    affine = oblique_affine @ np.array([[2, 0, 0, 0.5], [0, 2, 0, 0.5], [0, 0, 2, 0.5], [0, 0, 0, 1]])
    given = item(file, coarse, affine)
    writes = WriteInFileGridd(["model"], tmp_path / "out", dtype="uint8")
    assert writes(given)["model"] is given["model"]
    assert writes.paths(str(file)) == [str(tmp_path / "out/scan/scan_model.nii.gz")]
    found = nibabel.load(tmp_path / "out/scan/scan_model.nii.gz")
    np.testing.assert_array_equal(found.dataobj, np.kron(coarse[0].numpy(), np.ones((2, 2, 2))))
    np.testing.assert_allclose(found.affine, oblique_affine, atol=1e-5)


def test_a_file_of_unknown_kind(tmp_path: Path, oblique_affine: np.ndarray, caplog: pytest.LogCaptureFixture) -> None:
    np.save(tmp_path / "scan.npy", np.zeros((2, 2, 2)))
    given = item(tmp_path / "scan.npy", torch.ones(1, 2, 2, 2), oblique_affine)
    with caplog.at_level(logging.WARNING, "clara_compat"):
        WriteInFileGridd(["model"], "", file=tmp_path / "mask.nii.gz")(given)
    assert "is not known, the result is written as it lies" in caplog.text
    np.testing.assert_allclose(nibabel.load(tmp_path / "mask.nii.gz").affine, oblique_affine, atol=1e-5)


def test_a_field_without_an_image(tmp_path: Path) -> None:
    given = {**item(tmp_path / "scan.npy", torch.ones(1, 2, 2, 2), np.eye(4)), "model": torch.ones(2)}
    with pytest.raises(ClaraError, match="field 'model' holds no image, which is needed for 'scan_model.nii.gz'"):
        WriteInFileGridd(["model"], tmp_path)(given)
