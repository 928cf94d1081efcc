"""Scans that the network cannot take in a validation are found before the first batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clara_compat import check, train
from clara_compat.errors import ClaraError

Make = Callable[..., Path]
SIMPLE = {"name": "TFSimpleInferer"}
ALONG = {"name": "TFScanWindowInferer", "args": {"roi_size": [16, -1, 16]}}
CROP = {"name": "CropFixedSizeRandomCenter", "args": {"fields": ["image", "label"], "size": [16, 16, 16]}}


def of(make: Make, inferer: Any, *transforms: Any, **model: Any) -> Path:
    def change(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        config["validate"].update(inferer=inferer)
        config["validate"]["pre_transforms"] += transforms
        config["train"]["model"]["args"].update(model)

    return make(change)


@pytest.mark.parametrize(
    ("inferer", "message"),
    [
        (
            SIMPLE,
            (
                r"validate.inferer: the Unet .* multiple of 16, but the size the network gets of validation\[0\] .* is "
                r"\[24, 22, 20\]: .* fewer entries in nf_enc; .*window by window with TFScanWindowInferer"
            ),
        ),
        (ALONG, r"validate.inferer: .* is \[16, 22, 16\]: .* roi_size a number for every axis"),
    ],
)
def test_before_anything_is_written(small_mmar: Make, inferer: Any, message: str) -> None:
    mmar = of(small_mmar, inferer)
    with pytest.raises(ClaraError, match=message):
        train(mmar)
    assert not (mmar / "models").exists()


def test_without_an_inferer_the_pipeline_has_the_scan(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        del config["validate"]["inferer"]

    [error] = check(small_mmar(change) / "config/config_train.json").errors
    assert "is [24, 22, 20]" in error.message


@pytest.mark.parametrize(
    ("inferer", "transforms", "model"),
    [
        (SIMPLE, [CROP], {}),
        (ALONG, [], {"nf_enc": "4", "nf_dec": "4,4,4"}),
        (SIMPLE, [], {"nf_enc": "4", "nf_dec": "4,4,4"}),
    ],
)
def test_what_fits_passes(small_mmar: Make, inferer: Any, transforms: list[Any], model: dict[str, Any]) -> None:
    mmar = of(small_mmar, inferer, *transforms, **model)
    assert check(mmar / "config/config_train.json").errors == []
    assert len(train(mmar).stats["epochs"]) == 1
