"""The picture of a preview holds what it promises: texts, pixels, proportions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from clara_compat.report.contact_sheet import draw_sheet
from clara_compat.report.page import Page, save_png
from clara_compat.report.preview import Cell, Column, ItemSteps, Layer, Picture, Sheet, Stop
from clara_compat.report.slice_picture import PALETTE, draw_picture

ORANGE, BLUE = (0xE6, 0x9F, 0x00), (0x56, 0xB4, 0xE9)


def a_picture(names: tuple[str, ...] = ("1",), **options: Any) -> Picture:
    layers = []
    for i, name in enumerate(names):
        mask = np.zeros((20, 30), bool)
        mask[5:10, 5 + 10 * i : 12 + 10 * i] = True
        layers.append(Layer(name, mask))
    given = {"pixels": np.zeros((20, 30)), "size": (60.0, 20.0), "window": (0.0, 1.0), **options}
    return Picture(layers=layers, **given)


def a_cell(**options: Any) -> Cell:
    given: dict[str, Any] = {"picture": a_picture(), "values": ("0", "1"), "share": (0.1, 0.1), "place": "slice 3 of 9"}
    return Cell((1, 20, 30, 9), "CDHW", (2.0, 1.0, 5.0), low=-3.0, high=4.0, **{**given, **options})


def a_sheet(*steps: list[Cell], names: list[str] | None = None, **options: Any) -> Sheet:
    names = names or [f"Transform{i}" for i in range(1, len(steps) + 1)]
    columns = [Column(i, name, random=i == 2) for i, name in enumerate(names, 1)]
    return Sheet(
        "What it does", "seed 3 · epoch 1", columns, [ItemSteps("item 1: case.nii.gz", list(steps))], **options
    )


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def pictures(figure: Figure) -> list[Any]:
    return [axes for axes in figure.axes if axes.images]


def pixels(figure: Figure, tmp_path: Path) -> np.ndarray:
    save_png(tmp_path / "sheet.png", figure)
    with Image.open(tmp_path / "sheet.png") as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB")).astype(int)


def near(image: np.ndarray, colour: tuple[int, ...], slack: int = 12) -> int:
    return int((np.abs(image - colour).max(axis=-1) < slack).sum())


def test_a_cell_says_what_it_shows() -> None:
    figure = draw_sheet(a_sheet([a_cell()], [a_cell(warnings=("4 values are NaN",))]))
    assert texts(figure)[:2] == ["What it does", "seed 3 · epoch 1"]
    for words in (
        "item 1: case.nii.gz",
        "1 Transform1",
        "2 Transform2",
        "random",
        "CDHW 1×20×30×9",
        "2 × 1 × 5 mm",
        "slice 3 of 9",
        "values -3 … 4",
        "black 0, white 1",
        "label 0, 1 · 10 % foreground",
        "4 values are NaN",
    ):
        assert words in texts(figure), words
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["label 1"]


def test_label_and_image_are_drawn_to_scale_on_each_other(tmp_path: Path) -> None:
    picture = a_picture(("1", "2"), edges=("R", "L", "A"))
    page = Page(6)
    page.top = 2
    page.box(0, 0, 6, 2, lambda axes: draw_picture(axes, picture, {"1": PALETTE[0], "2": PALETTE[1]}))
    image = pixels(page.figure(), tmp_path)
    height, width = image.shape[:2]
    assert (width, height) == (900, 300)  # 60 x 20 mm fill 6 x 2 inches: voxels of 2 x 1 mm, 30 x 15 pixels
    for colour, left in ((ORANGE, 5), (BLUE, 15)):
        filled = np.round(np.array(colour) * 0.3).astype(int)  # translucent on black
        rows, columns = np.nonzero(np.abs(image - filled).max(axis=-1) < 3)
        assert (rows.min(), rows.max()) == pytest.approx((75, 150), abs=4)
        assert (columns.min(), columns.max()) == pytest.approx((left * 30, (left + 7) * 30), abs=4)
        assert near(image, colour, 40) > 200  # the outline
    assert near(image[120:180, :40], (255, 255, 255), 60) > 10  # the letter at the left edge


def test_grey_values_follow_the_window_and_colour_is_colour(tmp_path: Path) -> None:
    values = np.tile(np.linspace(-100, 300, 30), (20, 1))
    colour = np.zeros((20, 30, 3))
    colour[..., 0] = 200
    page = Page(6)
    page.top = 4
    page.box(0, 0, 6, 2, lambda axes: draw_picture(axes, a_picture((), pixels=values, window=(0, 200)), {}))
    page.box(0, 2, 6, 2, lambda axes: draw_picture(axes, a_picture((), pixels=colour, window=(0, 200)), {}))
    image = pixels(page.figure(), tmp_path)
    assert image[150, 100].tolist() == [0, 0, 0]
    assert image[150, 450].tolist() == pytest.approx([128] * 3, abs=12)
    assert image[150, 800].tolist() == [255, 255, 255]
    assert image[450, 450].tolist() == [255, 0, 0]


def test_not_a_number_is_black(tmp_path: Path) -> None:
    page = Page(6)
    page.top = 2
    holes = np.full((20, 30), np.nan)
    page.box(0, 0, 6, 2, lambda axes: draw_picture(axes, a_picture((), pixels=holes), {}))
    assert pixels(page.figure(), tmp_path)[150, 450].tolist() == [0, 0, 0]


def test_of_overlapping_channels_the_smaller_one_is_on_top(tmp_path: Path) -> None:
    small, large = np.zeros((20, 30), bool), np.ones((20, 30), bool)
    small[5:15, 10:20] = True
    picture = Picture(np.zeros((20, 30)), (60, 20), (0, 1), [Layer("1", small), Layer("2", large)])
    page = Page(6)
    page.top = 2
    page.box(0, 0, 6, 2, lambda axes: draw_picture(axes, picture, {"1": PALETTE[0], "2": PALETTE[1]}))
    image = pixels(page.figure(), tmp_path)
    for place, colour in (((150, 450), ORANGE), ((40, 100), BLUE)):
        assert image[place] == pytest.approx(np.array(colour) * 0.3, abs=3)


def test_label_values_have_colours_of_their_own(tmp_path: Path) -> None:
    figure = draw_sheet(a_sheet([a_cell(picture=a_picture(("1", "2")))]))
    image = pixels(figure, tmp_path)
    assert near(image, ORANGE, 25) > 100
    assert near(image, BLUE, 25) > 100
    without = pixels(draw_sheet(a_sheet([a_cell(picture=a_picture(()))])), tmp_path)
    assert near(without, ORANGE, 25) == near(without, BLUE, 25) == 0


def test_columns_that_change_nothing_are_narrow_and_long_chains_wrap() -> None:
    steps = [[a_cell(changed=i not in (1, 4))] for i in range(12)]
    figure = draw_sheet(a_sheet(*steps))
    shown = [axes.get_position() for axes in pictures(figure)]
    widths = [round(place.width * figure.get_size_inches()[0], 2) for place in shown]
    assert len(shown) == 12
    assert [width < 1.5 for width in widths] == [i in (1, 4) for i in range(12)]
    lines = sorted({round(place.y1, 3) for place in shown}, reverse=True)
    assert len(lines) == 3
    assert max(place.x1 for place in shown) <= 1
    assert texts(figure).count("unchanged") == 1
    assert texts(figure).count("random · unchanged") == 1
    assert texts(figure).count("CDHW") == 2  # the narrow ones say the shape only


def test_crops_stand_below_each_other() -> None:
    crops = [a_cell(), a_cell(), a_cell(picture=None)]
    figure = draw_sheet(a_sheet([a_cell()], crops, crops))
    assert len(pictures(figure)) == 5
    assert "item 1: case.nii.gz · 1 more of its 3 crops are not shown" in texts(figure)
    assert texts(figure).count("random · crop 1 of 3") == texts(figure).count("random · crop 2 of 3") == 1
    assert texts(figure).count("2 Transform2") == 2


def test_where_the_chain_broke() -> None:
    names = ["Load", "Fails", "Never"]
    figure = draw_sheet(a_sheet([a_cell()], names=names, stop=Stop(1, "mine.py:3: ValueError: $three$ eyes")))
    assert "2 Fails" in texts(figure)
    assert "3 Never" not in texts(figure)
    told = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
    assert "failed here: mine.py:3: ValueError:" in told.replace("\n", " ")
    refused = draw_sheet(a_sheet([a_cell()], stop=Stop(1, "two channels")))
    assert "The finished item is refused: two channels" in texts(refused)


def test_an_item_without_an_image_yet_says_so() -> None:
    figure = draw_sheet(a_sheet([Cell(label_note="label not loaded yet")], [a_cell()]))
    assert "no image" in texts(figure)
    assert "label not loaded yet" in texts(figure)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("LoadNifti", "1 LoadNifti"),
        ("ScaleByResolution#ScaleImage", "1 ScaleByResolution\n#ScaleImage"),
        ("CropRandomSubVolumeInPosNegRatio", "1 CropRandomSubVolumeInPos\nNegRatio"),
        ("RandomRotateImagesAndLabels3D", "1 RandomRotateImagesAnd\nLabels3D"),
        ("x" * 40, f"1 {'x' * 28}\n{'x' * 12}"),
        ("my__odd_name_that_is_rather_long_$x$", "1 my__odd_name_that_is\n_rather_long_$x$"),
    ],
)
def test_long_names_are_broken_and_nothing_of_them_is_lost(name: str, title: str) -> None:
    assert title in texts(draw_sheet(a_sheet([a_cell()], names=[name])))


def test_many_labels_and_odd_names_are_drawn(tmp_path: Path) -> None:
    names = tuple(map(str, range(1, 40)))
    layers = [Layer(name, np.eye(20, 30, k=int(name) - 20, dtype=bool)) for name in names]
    picture = Picture(np.zeros((20, 30)), (30, 20), (0, 1), layers)
    sheet = a_sheet([a_cell(picture=picture)])
    sheet.title = "漢字 $x^$ 2"
    figure = draw_sheet(sheet)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[0] == "label 1"
    assert labels[-1] == "and 19 more"
    assert pixels(figure, tmp_path).shape[1] > 1000


def test_a_very_long_sheet_fits_into_what_can_be_drawn(tmp_path: Path) -> None:
    page = Page(11)
    page.top = 500
    save_png(tmp_path / "long.png", page.figure())
    with Image.open(tmp_path / "long.png") as picture:
        assert picture.height == 40_000


def test_the_file_is_whole_or_not_there(tmp_path: Path) -> None:
    page = Page(1)
    page.top = 1
    page.text(0, 0, "text", 7)
    save_png(tmp_path / "new/sheet.png", page.figure())
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["sheet.png"]
    with pytest.raises(OSError, match="/dev/null"):
        save_png(Path("/dev/null/sheet.png"), page.figure())


def test_matplotlibs_global_state_is_left_alone(tmp_path: Path) -> None:
    import matplotlib.pyplot as plt

    before = plt.get_backend(), plt.get_fignums()
    save_png(tmp_path / "sheet.png", draw_sheet(a_sheet([a_cell()])))
    assert (plt.get_backend(), plt.get_fignums()) == before
