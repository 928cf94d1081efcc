"""ShapeFormat: a table of all twelve formats, and laws between them."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

from clara_compat.common.shape_format import ShapeFormat, StdShapeFormat

# format: dims, is 3-D, channel axis, batched, spatial axes (inclusive)
TABLE = {
    "DHW": (3, True, None, False, (0, 2)),
    "DHWC": (4, True, 3, False, (0, 2)),
    "CDHW": (4, True, 0, False, (1, 3)),
    "NDHW": (4, True, None, True, (1, 3)),
    "NDHWC": (5, True, 4, True, (1, 3)),
    "NCDHW": (5, True, 1, True, (2, 4)),
    "HW": (2, False, None, False, (0, 1)),
    "HWC": (3, False, 2, False, (0, 1)),
    "CHW": (3, False, 0, False, (1, 2)),
    "NHW": (3, False, None, True, (1, 2)),
    "NHWC": (4, False, 3, True, (1, 2)),
    "NCHW": (4, False, 1, True, (2, 3)),
}


def test_there_are_exactly_the_documented_formats():
    assert [str(member) for member in ShapeFormat] == list(TABLE)


@pytest.mark.parametrize(("text", "expected"), TABLE.items())
def test_questions(text, expected):
    dims, is_3d, channel_axis, batched, spatial = expected
    layout = ShapeFormat(text)
    assert layout.get_number_of_dims() == dims
    assert layout.get_number_of_spatial_dims() == (3 if is_3d else 2)
    assert (layout.is_3d(), layout.is_2d()) == (is_3d, not is_3d)
    assert layout.is_channeled() == (channel_axis is not None)
    assert layout.is_batched() == layout.has_batch() == batched
    assert layout.get_spatial_axis() == spatial
    assert layout.is_channels_first() == (channel_axis is not None and channel_axis < spatial[0])
    assert layout.is_channels_last() == (channel_axis is not None and channel_axis > spatial[1])
    if channel_axis is None:
        with pytest.raises(ValueError, match=f"{text} has no channel axis: ask is_channeled"):
            layout.get_channel_axis()
    else:
        assert layout.get_channel_axis() == channel_axis
    if batched:
        assert layout.get_batch_axis() == 0
    else:
        with pytest.raises(ValueError, match=f"{text} has no batch axis"):
            layout.get_batch_axis()


@pytest.mark.parametrize("text", TABLE)
def test_is_its_string(text):
    layout = ShapeFormat(text)
    assert layout is ShapeFormat(layout) is getattr(ShapeFormat, text)
    assert layout == text
    assert {layout: 1}[text] == 1
    assert f"{layout}" == f"{layout!s}" == "{}".format(layout) == text  # noqa: UP032 -- user code formats this way
    assert f"{layout:>6}" == text.rjust(6)
    assert json.dumps([layout]) == f'["{text}"]'
    assert pickle.loads(pickle.dumps(layout)) is copy.deepcopy(layout) is layout


def test_is_immutable():
    with pytest.raises(AttributeError):
        ShapeFormat.DHW = "HW"
    with pytest.raises(AttributeError):
        ShapeFormat.DHW.value = "HW"


@pytest.mark.parametrize("text", TABLE)
def test_spatial_axis_slices_the_spatial_shape(text):
    sizes = {"N": 2, "C": 3, "D": 5, "H": 7, "W": 11}
    shape = np.empty([sizes[letter] for letter in text]).shape
    first, last = ShapeFormat(text).get_spatial_axis()
    assert shape[first : last + 1] == ((5, 7, 11) if "D" in text else (7, 11))


@pytest.mark.parametrize(
    ("text", "batched", "unbatched", "bare", "first", "last"),
    [
        ("DHW", "NDHW", "DHW", "DHW", "CDHW", "DHWC"),
        ("NCDHW", "NCDHW", "CDHW", "NDHW", "NCDHW", "NDHWC"),
        ("NDHWC", "NDHWC", "DHWC", "NDHW", "NCDHW", "NDHWC"),
        ("HWC", "NHWC", "HWC", "HW", "CHW", "HWC"),
        ("CHW", "NCHW", "CHW", "HW", "CHW", "HWC"),
        ("NHW", "NHW", "HW", "NHW", "NCHW", "NHWC"),
    ],
)
def test_related_formats(text, batched, unbatched, bare, first, last):
    layout = ShapeFormat(text)
    assert layout.with_batch() is ShapeFormat(batched)
    assert layout.without_batch() is ShapeFormat(unbatched)
    assert layout.without_channel() is ShapeFormat(bare)
    assert layout.with_channels_first() is ShapeFormat(first)
    assert layout.with_channels_last() is ShapeFormat(last)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("dhw", "'dhw' is not a shape format, expected one of DHW, DHWC, .*; did you mean 'DHW'"),
        ("CHWD", "'CHWD' is not a shape format.*did you mean '(CDHW|CHW)'"),
        ("", "'' is not a shape format, expected one of"),
        (None, "None is not a shape format"),
        (3, "3 is not a shape format"),
    ],
)
def test_unknown_format(value, message):
    with pytest.raises(ValueError, match=message):
        ShapeFormat(value)


def test_the_templates_other_name():
    assert StdShapeFormat is ShapeFormat
