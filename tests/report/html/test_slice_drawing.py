from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image

from clara_compat.report.html.slice_drawing import drawing, overlay
from clara_compat.report.preview import Layer, Picture


def decoded(source: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/png;base64,")))))


def test_the_image_fills_its_millimetres() -> None:
    pixels = np.array([[0.0, 10.0, 20.0], [np.nan, 5.0, 40.0]])
    found = drawing(Picture(pixels, (6.0, 8.0), (0.0, 20.0), (), ("R", "L", "A")))
    assert (found.width, found.height, found.rows, found.columns, found.letters) == (6, 8, 2, 3, ("R", "L", "A"))
    np.testing.assert_array_equal(decoded(found.source), [[0, 128, 255], [0, 64, 255]])


def inside(path: str, shape: tuple[int, int]) -> np.ndarray:
    """The pixels within an outline, by crossing its vertical strokes from the left."""
    crossed = np.zeros((shape[0], shape[1] + 1), int)
    for x, y, length in re.findall(r"M(\d+) (\d+)v(\d+)", path):
        crossed[int(y) : int(y) + int(length), int(x)] ^= 1
    return np.cumsum(crossed, axis=1)[:, :-1] % 2 == 1


def test_an_outline_runs_between_the_pixels() -> None:
    mask = np.random.default_rng(0).random((17, 23)) < 0.4
    mask[0] = mask[:, -1] = True  # also along the border
    found = overlay([Layer("a", mask)], {"a": "#102030"})
    [(path, colour)] = found.outlines
    np.testing.assert_array_equal(inside(path, mask.shape), mask)
    np.testing.assert_array_equal(
        inside(re.sub(r"M(\d+) (\d+)h", r"M\2 \1v", re.sub("v", "x", path)), mask.T.shape), mask.T
    )
    assert colour == "#102030"
    np.testing.assert_array_equal(decoded(found.source)[..., 3] > 0, mask)
    np.testing.assert_array_equal(decoded(found.source)[mask][:, :3], np.tile([16, 32, 48], (mask.sum(), 1)))


def test_a_smaller_layer_is_on_top_and_empty_ones_are_nothing() -> None:
    large, small = np.ones((4, 4), bool), np.eye(4, dtype=bool)
    colours = {"small": "#ff0000", "large": "#0000ff", "none": "#00ff00"}
    found = overlay([Layer("small", small), Layer("large", large), Layer("none", large & False)], colours)
    np.testing.assert_array_equal(decoded(found.source)[..., 0] == 255, small)
    assert [colour for _, colour in found.outlines] == ["#0000ff", "#ff0000"]
    assert overlay([], {}).source == ""


def test_noise_has_no_outline() -> None:
    mask = np.random.default_rng(0).random((200, 200)) < 0.5
    assert overlay([Layer("a", mask)], {"a": "#102030"}).outlines == []
