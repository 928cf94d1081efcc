"""A rotated, flipped scan through the whole chain: image and label stay aligned, and the affine stays right."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from clara_compat.components.transforms.convert_to_channels_first import ConvertToChannelsFirst
from clara_compat.components.transforms.fast_pos_neg_ratio_crop_roi import FastPosNegRatioCropROI
from clara_compat.components.transforms.load_nifti import LoadNifti
from clara_compat.components.transforms.random_spatial_flip import RandomSpatialFlip
from clara_compat.components.transforms.random_zoom import RandomZoom
from clara_compat.components.transforms.scale_by_resolution import ScaleByResolution

RADIUS = 12.0


def world(affine, size):
    index = np.indices(size).reshape(3, -1)
    return (affine[:3, :3] @ index + affine[:3, 3:]).reshape(3, *size)


@pytest.fixture
def scan(tmp_path):
    """Files of a scan whose channels are each voxel's RAS mm, and of a ball around its middle."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", [20, -35, 120], degrees=True).as_matrix() @ np.diag([-0.9, 1.4, 3.0])
    affine[:3, 3] = [12, -200, 37.5]
    size = (60, 50, 24)
    places = world(affine, size)
    middle = places.mean(axis=(1, 2, 3), keepdims=True)
    ball = np.linalg.norm(places - middle, axis=0) < RADIUS
    for name, array in (("image", np.moveaxis(places, 0, -1)), ("label", ball.astype(np.uint8))):
        nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / f"{name}.nii.gz")
    return {"image": str(tmp_path / "image.nii.gz"), "label": str(tmp_path / "label.nii.gz")}, middle


@pytest.mark.parametrize("canonical", [False, True])
def test_a_place_keeps_its_millimetres_through_the_chain(scan, build, canonical):
    paths, middle = scan
    chain = [
        LoadNifti(["image", "label"], as_closest_canonical=canonical, dtype="float64"),
        ConvertToChannelsFirst(["image", "label"]),
        ScaleByResolution("image", [1.0, 1.0, 1.0]),
        ScaleByResolution("label", [1.0, 1.0, 1.0], is_label=True),
        RandomZoom("image", "label", [0.9] * 3, [1.1] * 3, probability=1.0),
        FastPosNegRatioCropROI([24, 22, 20], "image", "label", pos=1, neg=0, deform=False),
        RandomSpatialFlip(["image", "label"]),
    ]
    item = paths
    for component in chain[:4]:
        item = build(component)(item)
    for seed in range(10):
        out = item
        for component in chain[4:]:
            out = build(component, seed=seed)(out)
        affine = out["image"].affine.numpy()
        np.testing.assert_allclose(out["label"].affine, affine, atol=1e-9)
        places = world(affine, (24, 22, 20))
        outside = np.abs(out["image"].numpy() - places).max(axis=0) > 1e-2  # the border of the scan continues
        assert outside.mean() < 0.2
        distance = np.linalg.norm(places - middle, axis=0)
        clear = ~outside & (np.abs(distance - RADIUS) > 3.5)  # nearest neighbour, three times over: old voxels of 3 mm
        assert clear.mean() > 0.2
        np.testing.assert_array_equal(out["label"].numpy()[0][clear] > 0, distance[clear] < RADIUS)
