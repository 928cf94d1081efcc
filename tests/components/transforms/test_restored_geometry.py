"""A prediction that is restored to the scan's size is written where the scan lies, in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.components.transforms.copy_properties import CopyProperties
from clara_compat.components.transforms.load_nifti import LoadNifti
from clara_compat.components.transforms.restore_original_shape import RestoreOriginalShape
from clara_compat.components.transforms.scale_by_resolution import ScaleByResolution

RESTORE = RestoreOriginalShape("model", "image", is_label=True)
COPY = CopyProperties("model", "image", ["affine", "spacing"])


@pytest.mark.parametrize("order", [(COPY, RESTORE), (RESTORE, COPY)], ids=["copied first", "restored first"])
def test_affine_and_spacing_are_the_scans(
    tmp_path: Path, build: Callable, order: tuple, oblique_affine: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    affine = oblique_affine @ np.diag([1, 0.5, 2.0, 1])
    nibabel.save(nibabel.Nifti1Image(np.zeros((20, 24, 6), np.float32), affine), tmp_path / "a.nii.gz")
    item = build(LoadNifti("image"))({"image": str(tmp_path / "a.nii.gz")})
    item = build(ScaleByResolution("image", [1.0, 1.0, 1.0]))(item)
    item["model"] = MetaTensor(torch.ones(1, *item["image"].shape[1:]))
    for component in order:
        item = build(component)(item)
    model = item["model"]
    assert model.shape == (1, 20, 24, 6)
    np.testing.assert_allclose(model.affine.numpy(), affine, atol=1e-4)
    assert ("the geometry is that of the target's grid" in caplog.text) is (order[0] is RESTORE)


def test_fields_of_labels_are_turned_by_nearest_neighbour(build: Callable) -> None:
    from clara_compat.components.transforms.random_rotate_2d import RandomRotate2D

    block = torch.zeros(1, 16, 16)
    block[:, 4:12, 6:10] = 3
    names = ["label", "lung_mask", "seg", "label_class1", "image"]
    out = build(RandomRotate2D(names, 17), 2)({name: MetaTensor(block.clone()) for name in names})
    assert [len(out[name].unique()) == 2 for name in names] == [True, True, True, True, False]


def test_text_for_a_flag_is_read_as_one() -> None:
    assert LoadNifti("image", as_closest_canonical="false").as_closest_canonical is False
    assert ScaleByResolution("image", [1, 1, 1], "false").is_label is False
