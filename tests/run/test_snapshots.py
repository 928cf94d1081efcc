"""What a step of a chain is said to look like."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine import properties
from clara_compat.run.label_facts import label_facts, layers_of
from clara_compat.run.snapshots import Camera
from clara_compat.run.viewing import View

LPS = np.diag([-2.0, -1.0, 3.0, 1.0])
RAS = np.diag([2.0, 1.0, 3.0, 1.0])
SAGITTAL = np.array([[0, 0, 3.0, 0], [2.0, 0, 0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1]])  # axes run to A, S, R


def image(array: Any, affine: np.ndarray = RAS, **known: Any) -> MetaTensor:
    tensor = MetaTensor(torch.as_tensor(np.array(array, dtype=np.float32)), affine=torch.as_tensor(affine))
    properties.write(tensor, {"shape_format": "CDHW" if tensor.ndim == 4 else "CHW", **known})
    return tensor


def scan(shape: tuple[int, ...] = (1, 4, 6, 5)) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(
    ("affine", "seen", "size", "edges"),
    [
        # (x, y) of the page's corners: upper left, upper right, lower left
        (LPS, ((0, 0), (3, 0), (0, 5)), (8, 6), ("R", "L", "A")),
        (RAS, ((3, 5), (0, 5), (3, 0)), (8, 6), ("R", "L", "A")),
        (SAGITTAL, ((3, 5), (0, 5), (3, 0)), (8, 6), ("A", "P", "S")),
        (np.eye(4), ((0, 0), (0, 5), (3, 0)), (6, 4), ("", "", "")),
    ],
)
def test_a_slice_lies_as_a_radiologist_holds_it(affine: Any, seen: Any, size: Any, edges: Any) -> None:
    tensor = image(scan(), affine)
    view = View.of(affine)
    plane = tensor.numpy()[0, :, :, 0]
    page = view.seen(plane)
    for corner, place in zip(((0, 0), (0, -1), (-1, 0)), seen, strict=True):
        assert page[corner] == plane[place]
    assert view.size(page.shape, properties.affine_spacing(tensor)) == size
    assert view.edges(affine) == edges


def test_a_flip_is_seen_as_a_flip() -> None:
    first = image(scan(), LPS)
    view = View.of(LPS)
    affine = LPS.copy()
    affine[0] = [2, 0, 0, -6]
    flipped = image(scan()[:, ::-1].copy(), affine)
    assert view.edges(affine) == ("L", "R", "A")
    assert np.array_equal(view.seen(flipped.numpy()[0, ..., 0]), view.seen(first.numpy()[0, ..., 0])[:, ::-1])


def test_what_turns_a_picture_gives_it_no_patient() -> None:
    assert View.of(np.eye(4)).edges(RAS) == ("", "", "")


def test_the_slice_with_the_most_label_is_shown_with_its_label() -> None:
    label = np.zeros((1, 4, 6, 5))
    label[0, 1:3, 2:5, 1:4] = 1
    label[0, 0, 0, 2] = 2
    [cell] = Camera().look({"image": image(scan(), np.eye(4)), "label": image(label, np.eye(4))}, 1)
    assert cell.place == "slice 3 of 5, 6 × 4 mm"
    assert np.array_equal(cell.picture.pixels, scan()[0, :, :, 2])
    assert [layer.name for layer in cell.picture.layers] == ["1", "2"]
    assert np.array_equal(cell.picture.layers[0].mask, label[0, :, :, 2] == 1)
    assert cell.label_text == "0, 1, 2 · 16 % foreground"


@pytest.mark.parametrize(("label", "place"), [(None, "slice 3 of 5"), (np.zeros((1, 4, 6, 5)), "slice 3 of 5")])
def test_without_a_label_the_middle_is_shown(label: Any, place: str) -> None:
    item = {"image": image(scan())} | ({} if label is None else {"label": image(label)})
    [cell] = Camera().look(item, 1)
    assert cell.place.startswith(place)
    assert not any(layer.mask.any() for layer in cell.picture.layers)


def test_a_label_on_a_grid_of_its_own_shows_the_same_place() -> None:
    label = np.zeros((1, 2, 3, 50))
    label[..., 44] = 1
    [cell] = Camera().look({"image": image(scan()), "label": image(label)}, 1)
    assert cell.place.startswith("slice 5 of 5")
    assert cell.picture.layers[0].mask.shape == (3, 2)
    assert cell.label_note == "grid of its own: 2×3×50"


def test_small_shifts_keep_the_window_and_large_ones_move_it() -> None:
    camera = Camera()
    windows = []
    for values in (scan(), scan() + 10, scan() * 1.1, scan() * 3, scan() / 1000):
        [cell] = camera.look({"image": image(values)}, 1)
        windows.append(cell.picture.window)
    assert windows[0] == windows[1] == windows[2] == pytest.approx(tuple(np.percentile(scan(), [1, 99])))
    assert windows[3] == pytest.approx(tuple(3 * np.percentile(scan(), [1, 99])))
    assert windows[4][1] < 0.2


def test_whether_a_step_changed_anything() -> None:
    def changed(**new: Any) -> bool:
        [cell] = camera.look({"image": image(scan()), "label": image(scan() > 5), **new}, 1)
        return cell.changed

    camera = Camera()
    assert changed()
    assert not changed()
    assert not changed(image=image(scan(), shape_format="DHW"), other=3)
    assert changed(image=image(scan() + 1))
    assert changed(image=image(scan()))
    assert changed(label=image(scan() > 6))
    assert changed(image=image(scan(), LPS), label=image(scan() > 6))


def test_data_changed_in_place_is_noticed() -> None:
    camera, tensor = Camera(), image(scan())
    camera.look({"image": tensor}, 1)
    tensor += 1
    [cell] = camera.look({"image": tensor}, 1)
    assert cell.changed


def test_crops() -> None:
    camera = Camera()
    camera.look({"image": image(scan())}, 2)
    cells = camera.look([{"image": image(scan() + i)} for i in range(3)], 2)
    assert [cell.changed for cell in cells] == [True] * 3
    assert [cell.picture is None for cell in cells] == [False, False, True]
    cells = camera.look([{"image": image(scan() + max(i, 1))} for i in range(3)], 2)
    assert [cell.changed for cell in cells] == [True, False, False]


@pytest.mark.parametrize(
    ("values", "warning", "low", "high"),
    [
        ([np.nan, 1, 2, np.inf], "2 values of the image are NaN or infinite", 1, 2),
        ([np.nan] * 4, "4 values of the image are NaN or infinite", np.nan, np.nan),
    ],
)
def test_values_that_are_no_numbers(values: Any, warning: str, low: float, high: float) -> None:
    [cell] = Camera().look({"image": image(np.reshape(values, (1, 2, 2)))}, 1)
    assert cell.warnings == (warning,)
    assert (cell.low, cell.high) == pytest.approx((low, high), nan_ok=True)


@pytest.mark.parametrize("shape", [(1, 0, 3, 3), (1, 3, 3, 0), (2, 0, 3)])
def test_an_empty_image_has_no_picture(shape: Any) -> None:
    [cell] = Camera().look({"image": image(np.zeros(shape)), "label": image(np.zeros(shape))}, 1)
    assert cell.picture is None
    assert cell.shape == shape
    assert cell.label_text == "the label is empty"


@pytest.mark.parametrize("value", [7.0, -3.0])
def test_an_image_of_one_value_is_grey(value: float) -> None:
    [cell] = Camera().look({"image": image(np.full((1, 4, 4), value))}, 1)
    assert cell.picture.window == (value - 0.5, value + 0.5)


def test_several_channels_of_a_scan_are_said() -> None:
    [cell] = Camera().look({"image": image(scan((3, 4, 6, 5))), "label": image(scan((2, 4, 6, 5)) > 3)}, 1)
    assert "first of 3 channels" in cell.place
    assert np.array_equal(cell.picture.pixels.shape, (6, 4))
    assert [layer.name for layer in cell.picture.layers] == ["channel 0", "channel 1"]
    assert "2 channels" in cell.label_note


def test_spacing_is_the_property_where_it_differs() -> None:
    [cell] = Camera().look({"image": image(scan(), spacing=(4.0, 5.0, 6.0))}, 1)
    assert cell.spacing_text == "4 × 5 × 6 mm"
    [cell] = Camera().look({"image": image(scan(), spacing="what")}, 1)
    assert cell.spacing_text == "2 × 1 × 3 mm"


@pytest.mark.parametrize(
    ("label", "values", "words"),
    [
        (None, (), "no label"),
        ("case.nii.gz", (), "label not loaded yet"),
        (["a.nii.gz", "b.nii.gz"], (), "label not loaded yet"),
        (1, ("1",), "the item's class"),
        ([0, 1, 1], ("0", "1", "1"), "the item's class"),
        (torch.tensor([[[True, False]]]), ("0", "1"), "50 % foreground"),
        (torch.tensor([[[-128, 127]]], dtype=torch.int8), ("-128", "127"), "100 % foreground"),
        (torch.tensor([[[0.0, 0.0, 3.0, 100000.0]]]), ("0", "3", "100000"), "50 % foreground"),
        (torch.tensor([[[0.0]], [[1.0]]]), ("0", "1"), "2 channels"),
    ],
)
def test_labels_in_words(label: Any, values: tuple[str, ...], words: str) -> None:
    facts = label_facts(label)
    assert facts.values == values
    [cell] = Camera().look({"image": "path", "label": label}, 1)
    assert words in cell.label_text
    assert not facts.warnings


@pytest.mark.parametrize("values", [[0, 0.3, 1], [0, float("nan"), 1]])
def test_a_label_that_was_interpolated_is_suspicious(values: Any) -> None:
    label = torch.tensor([[values]], dtype=torch.float32)
    [cell] = Camera().look({"image": image(scan()), "label": label}, 1)
    assert cell.warnings == ("the label has values that are no whole numbers",)


def test_layers_of_a_slice() -> None:
    layers = layers_of(np.array([[[0, 1.0, 2.4], [-1, 0, 0]]]))
    assert {layer.name: int(layer.mask.sum()) for layer in layers} == {"-1": 1, "1": 1, "2": 1}
