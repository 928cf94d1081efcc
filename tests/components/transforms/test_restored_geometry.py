"""A prediction that is restored to the scan's size is written where the scan lies, in whatever order."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor

from clara_compat.components.entry import BundleContext
from clara_compat.components.transforms.copy_properties import CopyProperties
from clara_compat.components.transforms.load_nifti import LoadNifti
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.components.transforms.restore_original_shape import RestoreOriginalShape
from clara_compat.components.transforms.scale_by_resolution import ScaleByResolution
from clara_compat.components.writers.write_nifti import WriteNifti
from clara_compat.engine import properties
from clara_compat.errors import ClaraError


def instantiate(writer: WriteNifti) -> Any:
    entry = writer.bundle_entry(BundleContext())
    return ConfigParser({"it": {"_target_": entry.target, **entry.arguments}}).get_parsed_content("it")


RESTORE = RestoreOriginalShape("model", "image", is_label=True)
COPY = CopyProperties("model", "image", ["affine", "original_affine", "as_canonical", "spacing"])
ORDERS = pytest.mark.parametrize("order", [(COPY, RESTORE), (RESTORE, COPY)], ids=["copied first", "restored first"])


@pytest.fixture
def chain(tmp_path: Path, build: Callable) -> Callable[..., dict[str, Any]]:
    """Load a scan, resample it, and let a network find its right half, whose output says nothing of its geometry."""

    def run(affine: np.ndarray, order: tuple[NativeTransform, ...], canonical: bool = False) -> dict[str, Any]:
        scan = np.zeros((20, 24, 6), np.float32)
        scan[10:] = 1
        nibabel.save(nibabel.Nifti1Image(scan, affine), tmp_path / "a.nii.gz")
        item = build(LoadNifti("image", as_closest_canonical=canonical))({"image": str(tmp_path / "a.nii.gz")})
        item = build(ScaleByResolution("image", [1.0, 1.0, 2.5]))(item)
        item["model"] = (item["image"].as_tensor() > 0.5).float()
        for component in order:
            item = build(component)(item)
        return item

    return run


@ORDERS
@pytest.mark.parametrize("canonical", [False, True])
@pytest.mark.parametrize("oblique", [False, True])
def test_a_prediction_lies_where_the_scan_lies(
    tmp_path: Path,
    chain: Callable,
    build: Callable,
    oblique_affine: np.ndarray,
    caplog: pytest.LogCaptureFixture,
    order: tuple,
    canonical: bool,
    oblique: bool,
) -> None:
    affine = np.diag([-0.785, -0.785, 7.5, 1])
    affine[:3, 3] = [80, 92, -31]
    if oblique:
        affine[:3, :3] = oblique_affine[:3, [2, 0, 1]] / [4, 0.8, 1.5] * [0.785, 0.785, 7.5]
    with caplog.at_level(logging.INFO):
        item = chain(affine, order, canonical)
    assert properties.read(item["model"])["spacing"] == pytest.approx(properties.affine_spacing(item["model"]))
    instantiate(WriteNifti("model", write_path=str(tmp_path), revert_canonical=canonical))(item)
    found, scan = nibabel.load(tmp_path / "a" / "a_model.nii.gz"), nibabel.load(tmp_path / "a.nii.gz")
    assert found.header.get_zooms() == pytest.approx((0.785, 0.785, 7.5), rel=1e-5)
    np.testing.assert_allclose(found.affine, affine, atol=1e-4)
    np.testing.assert_array_equal(found.get_fdata(), scan.get_fdata())
    assert ("the geometry is that of the target's grid" in caplog.text) is (order[0] is RESTORE)


def test_another_size_is_said_once(build: Callable, caplog: pytest.LogCaptureFixture) -> None:
    copy = build(COPY)
    source = MetaTensor(torch.zeros(1, 8, 8))
    properties.write(source, {"original_affine": np.eye(4), "as_canonical": False})
    for size in ((8, 8), (4, 8), (4, 4)):
        copy({"image": source, "model": torch.zeros(1, *size)})
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "CopyProperties: 'image' has (8, 8) voxels, its target (4, 8): the geometry is that of the target's grid"
    ]


@pytest.mark.parametrize("name", ["affine", "spacing"])
def test_what_is_not_geometry_is_copied_as_it_is(build: Callable, name: str) -> None:
    affine = np.diag([1.0, 2, 4, 1])
    source = MetaTensor(torch.zeros(1, 8, 8, 8), affine=torch.from_numpy(affine))
    properties.write(source, {"original_affine": affine, "as_canonical": True, "original_shape": (9, 9, 9)})
    names = [name, "original_affine", "as_canonical", "original_shape"]
    targets = {"model": torch.zeros(2, 4, 16, 8), "flat": torch.zeros(2, 4, 4)}
    out = build(CopyProperties(list(targets), "image", names))({"image": source, **targets})
    for target in targets:
        known = properties.read(out[target])
        np.testing.assert_array_equal(known["original_affine"], affine)
        assert (known["as_canonical"], known["original_shape"]) == (True, (9, 9, 9))
    known = properties.read(out["model"])
    assert known["spacing"] == pytest.approx((2, 1, 4))
    if name == "affine":
        np.testing.assert_allclose(out["model"].affine.numpy()[:3, 3], [0.5, -0.5, 0])
        np.testing.assert_array_equal(out["flat"].affine.numpy(), affine)


def test_fields_of_labels_are_turned_by_nearest_neighbour(build: Callable) -> None:
    from clara_compat.components.transforms.random_rotate_2d import RandomRotate2D

    block = torch.zeros(1, 16, 16)
    block[:, 4:12, 6:10] = 3
    labels = ["label", "lung_mask", "seg", "label_class1", "MaskLeft", "trueSEG", "SEGMENTATION", "lungLabel"]
    images = ["image", "the_labels_2", "unmasked_ct"]
    out = build(RandomRotate2D([*labels, *images], 17), 2)(
        {name: MetaTensor(block.clone()) for name in labels + images}
    )
    assert {name for name, one in out.items() if len(one.unique()) == 2} == set(labels)


def test_headers_of_other_axes() -> None:
    flat, scan = Geometry((4, 5), (1.0, 1.0)), Geometry((4, 5, 6), (1.0,) * 3, original=(8, 10, 12))
    with pytest.raises(ClaraError, match="field 'model' has 2 spatial axes, but 'image' was loaded with 3"):
        RESTORE.propagate({"model": flat, "image": scan})
    with pytest.raises(ClaraError, match=r"an image of 2 spatial axes cannot get the size \[4, 5, 6\]"):
        flat.resized((4, 5, 6))


def test_text_for_a_flag_is_read_as_one() -> None:
    assert LoadNifti("image", as_closest_canonical="false").as_closest_canonical is False
    assert ScaleByResolution("image", [1, 1, 1], "false").is_label is False
