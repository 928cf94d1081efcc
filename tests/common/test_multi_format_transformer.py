from __future__ import annotations

import importlib

import numpy as np
import pytest

from clara_compat.common.intensity_range_scaler import IntensityRangeScaler
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.multi_format_transformer import MultiFormatTransformer
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.errors import ClaraError


class Some(MultiFormatTransformer):
    """Knows CHW and HWC, declines DHW by returning None, and does all others in ``_handle_any``."""

    def _handle_chw(self, img, sign=1):
        return "chw", sign

    def _handle_hwc(self, img):
        return img.new_image(-img.get_data(), "HWC")

    def _handle_dhw(self, img):
        return None

    def _handle_any(self, img, *args, **kwargs):
        return str(img.get_shape_format()), args


class OnlyOne(MultiFormatTransformer):
    def _handle_cdhw(self, img):
        return img


def image(shape_format):
    return MedicalImage(np.ones((2,) * len(shape_format)), shape_format)


def test_own_handler_then_any():
    assert Some().transform(image("CHW"), sign=-1) == ("chw", -1)
    assert Some()(image("HWC")).get_data().max() == -1
    for shape_format in set(ShapeFormat) - {"CHW", "HWC"}:
        assert Some().transform(image(shape_format)) == (str(shape_format), ())


def test_formats_without_a_handler():
    given = image("CDHW")
    assert OnlyOne().transform(given) is given
    for shape_format in set(ShapeFormat) - {"CDHW"}:
        with pytest.raises(
            NotImplementedError,
            match=f"OnlyOne does not handle .* {shape_format}: write _handle_{shape_format.lower()}",
        ):
            OnlyOne()(image(shape_format))
    with pytest.raises(TypeError, match="OnlyOne got a ndarray, expected a MedicalImage"):
        OnlyOne().transform(np.ones((1, 2, 3, 4)))


@pytest.mark.parametrize("shape_format", list(ShapeFormat))
@pytest.mark.parametrize("clip", [False, True])
def test_intensity_range_scaler(shape_format, clip):
    data = np.random.default_rng(0).uniform(-200, 300, (3,) * len(shape_format)).astype(np.float32)
    given = MedicalImage(data.copy(), shape_format)
    given.set_property("file_name", "a.nii")
    out = IntensityRangeScaler(-57, 164, -1, 3, clip).transform(given)
    expected = np.interp(data, [-57, 164], [-1, 3]) if clip else (data.astype(np.float64) + 57) * 4 / 221 - 1
    np.testing.assert_allclose(out.get_data(), expected, atol=1e-6)
    assert out.get_data().dtype == np.float32
    assert (out.get_shape_format(), out.get_property("file_name")) == (shape_format, "a.nii")
    np.testing.assert_array_equal(given.get_data(), data)


def test_intensity_range_scaler_refuses_an_empty_range():
    with pytest.raises(ClaraError, match="a_min and a_max are both 5"):
        IntensityRangeScaler(5, 5, 0, 1)


def test_legacy_paths():
    for name in ("MultiFormatTransformer", "IntensityRangeScaler"):
        module = "".join("_" + c.lower() if c.isupper() else c for c in name)[1:]
        assert getattr(importlib.import_module(f"ai4med.libs.transforms.{module}"), name) is globals()[name]
