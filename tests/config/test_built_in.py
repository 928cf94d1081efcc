"""Old names and spellings, through the installed catalogue."""

from __future__ import annotations

from typing import Any

import pytest

from clara_compat.components import catalogue
from clara_compat.components.not_yet import NOT_YET
from clara_compat.components.renamed import DONE_BY_LOADER, RENAMED
from clara_compat.config.arguments import argument_problems, create
from clara_compat.config.built_in import find_built_in
from clara_compat.config.spec import FAMILY_WORDS, Catalogue, ComponentSpec
from clara_compat.errors import Address

CATALOGUE = Catalogue.installed()


@pytest.mark.parametrize(
    ("name", "args", "becomes", "new"),
    [
        ("LoadNifty", {"fields": ["image"]}, "LoadNifti", {"fields": ["image"]}),
        ("LoadNifti", {"applied_key": "image"}, "LoadNifti", {"fields": "image"}),
        (
            "VolumeTo4DArray",
            {"applied_keys": ["image", "label"]},
            "ConvertToChannelsFirst",
            {"fields": ["image", "label"]},
        ),
        (
            "TransformVolumeCropROIFastPosNegRatio",
            {"applied_keys": ["image", "label"], "size": [8, 8, 8], "deform": False},
            "FastPosNegRatioCropROI",
            {"image_field": "image", "label_field": "label", "size": [8, 8, 8], "deform": False},
        ),
        (
            "CropSubVolumeBatchPosNegRatio",
            {
                "image_field": "image",
                "label_field": "label",
                "size": [8, 8, 8],
                "batch_size": 3,
                "fast_crop": True,
                "batches_to_gen_at_once": 2,
            },
            "FastCropByPosNegRatio",
            {
                "fields": "image",
                "label_field": "label",
                "size": [8, 8, 8],
                "batch_size": 3,
                "batches_to_gen_at_once": 2,
            },
        ),
        (
            "CropSubVolumeBatchPosNegRatio",
            {"applied_keys": ["image", "label"], "size": [8, 8, 8]},
            "FastCropByPosNegRatio",
            {"fields": ["image"], "label_field": "label", "size": [8, 8, 8]},
        ),
        (
            "ResampleVolume",
            {"applied_keys": ["image"], "resolution": [1, 1, 1], "nearest": True},
            "ScaleByResolution",
            {"fields": ["image"], "target_resolution": [1, 1, 1], "is_label": True},
        ),
        (
            "NPResize3D",
            {"applied_keys": ["model"], "nearest": True, "output_shape_key": "shape"},
            "RestoreOriginalShape",
            {"field": "model", "src_field": "image", "is_label": True},
        ),
        (
            "NPRandomFlip3D",
            {"applied_keys": ["image"], "probability": 0.0},
            "RandomAxisFlip",
            {"fields": ["image"], "probability": 0.0},
        ),
        ("FlipAxisRandom", {"fields": "image"}, "RandomAxisFlip", {"fields": "image"}),
        ("NPRandomRot90_XY", {"applied_keys": ["image"]}, "RandomRotate3D", {"fields": ["image"]}),
        ("AugmentIntensityRandomScaleShift", {"fields": "image"}, "ScaleShiftIntensity", {"fields": "image"}),
        (
            "CropSubVolumeRandomWithinBounds",
            {"fields": "image", "size": [4, 4, 4]},
            "CropFixedSizeRandomCenter",
            {"fields": "image", "size": [4, 4, 4]},
        ),
        (
            "SplitBasedOnLabel",
            {"applied_key": "label", "channel_names": ["a", "b"]},
            "SplitBasedOnLabel",
            {"field": "label", "label_names": ["a", "b"]},
        ),
        ("ArgmaxAcrossChannels", {"applied_key": "model"}, "ArgmaxAcrossChannels", {"fields": "model"}),
        (
            "NiftyWriter",
            {"applied_key": "model", "dtype": "uint8", "write_path": "eval"},
            "WriteNifti",
            {"field": "model", "dtype": "uint8", "write_path": "eval"},
        ),
        (
            "MetricAverage",
            {"name": "val_dice", "applied_key": "dice", "stopping_metric": True},
            "ComputeAverage",
            {"name": "val_dice", "field": "dice", "is_key_metric": True},
        ),
    ],
)
def test_what_an_old_name_became(name: str, args: dict[str, Any], becomes: str, new: dict[str, Any]) -> None:
    found = find_built_in(name, args, CATALOGUE)
    assert not isinstance(found, str)
    assert (found.name, found.args) == (becomes, new)
    assert becomes in found.notice
    spec = ComponentSpec(found.name, (), found.cls, None, found.args, Address("c.json"), "train.pre_transforms")
    assert not argument_problems(spec)
    create(spec)


def test_what_the_loader_does() -> None:
    for name in DONE_BY_LOADER:
        found = find_built_in(name, {"applied_keys": ["image"]}, CATALOGUE)
        assert not isinstance(found, str)
        assert found.left_out
        assert f"'{name}' is left out: the loader keeps" in found.notice


def test_a_policy_that_does_not_run_yet_keeps_its_new_name() -> None:
    found = find_built_in("ReduceLRPoly", {"power": 0.9}, CATALOGUE)
    assert not isinstance(found, str)
    assert (found.name, found.family, found.args) == ("ReducePoly", "lr_policies", {"poly_power": 0.9})


def test_the_tables_agree_with_the_catalogue() -> None:
    known = catalogue.components()
    assert not set(NOT_YET) & set(known), "what the catalogue holds is no longer awaited"
    assert not set(RENAMED) & set(known)
    assert {entry.name for entry in RENAMED.values()} <= set(known) | set(NOT_YET)
    assert set(NOT_YET.values()) <= set(FAMILY_WORDS)


def test_unknown_names() -> None:
    assert find_built_in("LoadNiftii", {}, CATALOGUE) == "is no known component; did you mean 'LoadNifti'?"
    assert find_built_in("SegAhnett", {}, CATALOGUE) == "is no known component; did you mean 'SegAhnet'?"
