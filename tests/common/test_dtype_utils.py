"""str_to_dtype."""

from __future__ import annotations

import numpy as np
import pytest

from clara_compat.common.dtype_utils import str_to_bool, str_to_dtype


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("float32", np.float32),
        ("np.float32", np.float32),
        ("numpy.float64", np.float64),
        ("tf.float16", np.float16),
        ("uint8", np.uint8),
        (" int16 ", np.int16),
        ("tf.bool", np.bool_),
        ("bool", np.bool_),
        ("f4", np.float32),
        ("double", np.float64),
        (np.float32, np.float32),
        (np.dtype("int32"), np.int32),
        (float, np.float64),
    ],
)
def test_names(given, expected):
    found = str_to_dtype(given)
    assert isinstance(found, np.dtype)
    assert found == expected
    assert np.zeros(2).astype(found).dtype == expected


@pytest.mark.parametrize("given", ["flaot32", "np.flaot32", "Float32"])
def test_unknown_name_gets_the_nearest(given):
    with pytest.raises(ValueError, match=f"'{given}' is not a data type for images.*did you mean 'float32'"):
        str_to_dtype(given)


@pytest.mark.parametrize(
    "given", ["", "np.", "str", "object", "complex64", "f4,f4", "datetime64", "string", "2f4", "9" * 5000, "(1,)f4"]
)
def test_not_for_images(given):
    with pytest.raises(ValueError, match="is not a data type for images, expected one of bool, float16"):
        str_to_dtype(given)


@pytest.mark.parametrize("given", [None, 32, ["float32"]])
def test_not_a_name(given):
    with pytest.raises(TypeError, match="must be given by its name, such as 'float32'"):
        str_to_dtype(given)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("false", False), ("False", False), ("true", True), (" YES ", True), (0, False), (True, True)],
)
def test_flags_may_be_text(value, expected):
    assert str_to_bool(value) is expected


def test_text_that_is_no_flag():
    with pytest.raises(ValueError, match="'maybe' is neither true nor false"):
        str_to_bool("maybe")
