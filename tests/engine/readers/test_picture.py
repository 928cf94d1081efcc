"""PNG and JPEG: pixels against Pillow, MONAI's reader, and files made byte by byte."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data.image_reader import PILReader
from PIL import Image

from clara_compat.engine import properties
from clara_compat.engine.readers.picture import picture_header, read_picture
from clara_compat.engine.transforms.load_picture import LoadPictured
from clara_compat.errors import ClaraError

H, W = 5, 7
GREY, GREY_ALPHA, RGB, RGBA, PALETTE = 0, 4, 2, 6, 3
COLOURS = np.array([[10, 20, 30], [200, 0, 0], [0, 0, 250], [9, 9, 9]], np.uint8)


def samples(channels, bits, seed=0):
    array = np.random.default_rng(seed).integers(0, 2**bits, (H, W, channels))
    return array.astype(np.uint16 if bits == 16 else np.uint8)


def png(path, array, bits, colour_type, palette=None):
    """A PNG file made byte by byte from samples (H, W, C) of 8 or 16 bits."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + row.astype(">u2" if bits == 16 else "u1").tobytes() for row in array)
    height, width = array.shape[:2]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0))
        + (b"" if palette is None else chunk(b"PLTE", palette.tobytes()))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return str(path)


# colour type, channels in the file, what is kept of them
KINDS = {"grey": (GREY, 1, 1), "grey+alpha": (GREY_ALPHA, 2, 1), "rgb": (RGB, 3, 3), "rgb+alpha": (RGBA, 4, 3)}


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("kind", KINDS)
def test_png_keeps_its_bits_and_its_rows(tmp_path, kind, bits):
    colour_type, stored, kept = KINDS[kind]
    array = samples(stored, bits)
    path = png(tmp_path / "a.png", array, bits, colour_type)
    found = read_picture(path, np.float32)
    np.testing.assert_array_equal(found.data, np.moveaxis(array[..., :kept], -1, 0))
    assert found.data.dtype == np.float32
    assert (found.shape_format, found.file_format) == ("HW" if kept == 1 else "HWC", "png")
    header = picture_header(path)
    assert (header.size, header.spacing, header.channels) == ((H, W), (1.0, 1.0), kept)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_the_image_equals_monais_reader_without_reversed_indexing(tmp_path, mode, ending):
    path = str(tmp_path / f"a.{ending}")
    Image.fromarray(samples(3 if mode == "RGB" else 1, 8).squeeze()).save(path)
    reader = PILReader(reverse_indexing=False)
    expected, _ = reader.get_data(reader.read(path))
    image = LoadPictured("image")({"image": path})["image"]
    assert expected.shape[:2] == (H, W)
    np.testing.assert_array_equal(image.numpy().squeeze(), np.moveaxis(expected, -1, 0) if mode == "RGB" else expected)
    assert image.shape == (3 if mode == "RGB" else 1, H, W)
    assert torch.equal(image.affine, torch.eye(4, dtype=torch.float64))
    found = properties.read(image)
    np.testing.assert_array_equal(found.pop("original_affine"), np.eye(4))
    layout = "HWC" if mode == "RGB" else "HW"
    assert found == {
        "file_name": path,
        "original_shape": expected.shape,
        "original_shape_format": layout,
        "as_canonical": False,
        "spacing": (1.0, 1.0),
        "file_format": ending,
        "shape_format": layout,
    }


def test_a_palette_gives_its_colours_or_its_indices(tmp_path):
    indices = samples(1, 2)
    path = png(tmp_path / "a.png", indices, 8, PALETTE, COLOURS)
    found = read_picture(path, np.float32)
    np.testing.assert_array_equal(np.moveaxis(found.data, 0, -1), COLOURS[indices[..., 0]])
    assert picture_header(path).channels == 3
    mask = read_picture(path, np.float32, palette_indices=True)
    np.testing.assert_array_equal(mask.data[0], indices[..., 0])
    assert mask.shape_format == "HW"
    assert picture_header(path, palette_indices=True).channels == 1


def test_one_bit(tmp_path):
    array = samples(1, 8)[..., 0] > 100
    Image.fromarray(array).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_picture(str(tmp_path / "a.png"), np.float32).data[0], 255.0 * array)


def test_jpeg_of_four_inks_is_red_green_blue(tmp_path):
    Image.new("CMYK", (W, H), (255, 0, 0, 0)).save(tmp_path / "a.jpg")
    found = read_picture(str(tmp_path / "a.jpg"), np.float32)
    assert found.data.shape == (3, H, W)
    np.testing.assert_allclose(found.data[:, 2, 2], [0, 255, 255], atol=2)


TURNED = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: lambda a: a.T,
          6: lambda a: np.rot90(a, -1), 7: lambda a: np.rot90(a, 2).T, 8: np.rot90}  # fmt: skip


@pytest.mark.parametrize("orientation", TURNED)
def test_exif_orientation_of_jpeg(tmp_path, orientation):
    array = (samples(1, 8)[..., 0] // 64 * 64).repeat(8, 0).repeat(8, 1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = str(tmp_path / "a.jpg")
    Image.fromarray(array).save(path, exif=exif, quality=100)
    stored = np.asarray(Image.open(path))
    found = read_picture(path, np.float32)
    np.testing.assert_array_equal(found.data[0], TURNED[orientation](stored))
    assert picture_header(path).size == found.data.shape[1:]


def test_a_list_gives_channels_in_order(tmp_path):
    paths = [png(tmp_path / f"{i}.png", samples(1, 16, i), 16, GREY) for i in range(3)]
    image = LoadPictured("image")({"image": paths})["image"]
    np.testing.assert_array_equal(image.numpy(), np.stack([samples(1, 16, i)[..., 0] for i in range(3)]))
    assert properties.read(image)["shape_format"] == "CHW"
    paths.append(png(tmp_path / "rgb.png", samples(3, 8), 8, RGB))
    with pytest.raises(ClaraError, match="rgb.png' has channels itself"):
        LoadPictured("image")({"image": paths})


def damaged(folder, how):
    good = Path(png(folder / "good.png", samples(3, 8), 8, RGB)).read_bytes()
    deep = Path(png(folder / "deep.png", samples(3, 16), 16, RGB)).read_bytes()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 60), np.uint8)).save(folder / "good.jpg")
    content = {
        "empty.png": b"",
        "text.png": b"x,y\n" * 50,
        "cut.png": good[:-60],
        "cut16.png": deep[:-100],
        "start.png": good[:20],
        "bits.png": good[:60] + bytes(byte ^ 85 for byte in good[60:80]) + good[80:],
        "cut.jpg": (folder / "good.jpg").read_bytes()[:-900],
        "scan.png": b"\x5c\x01\0\0" + b"\0" * 400,
        "picture.gif": b"GIF89a" + b"\0" * 100,
    }
    (folder / how).write_bytes(content[how])
    return str(folder / how)


@pytest.mark.parametrize(
    ("how", "what"),
    [
        ("empty.png", "the file is empty"),
        ("text.png", "it is not a PNG or JPEG file"),
        ("scan.png", "it is not a PNG or JPEG file"),
        ("picture.gif", "it is not a PNG or JPEG file"),
        ("cut.png", "the file is damaged"),
        ("cut16.png", "damaged"),
        ("start.png", ""),
        ("bits.png", "the file is damaged"),
        ("cut.jpg", "the file is damaged .*truncated"),
    ],
)
def test_damaged_files_are_named(tmp_path, how, what):
    path = damaged(tmp_path, how)
    with pytest.raises(ClaraError, match=f"'{path}' cannot be read: .*{what}") as caught:
        LoadPictured("image")({"image": path})
    assert "\n" not in str(caught.value)


def test_other_bad_files(tmp_path):
    for read in (picture_header, lambda path: read_picture(path, np.float32)):
        with pytest.raises(ClaraError, match=r"nowhere.png' does not exist: check DATA_ROOT"):
            read(str(tmp_path / "nowhere.png"))
        with pytest.raises(ClaraError, match=r"is a folder, expected a PNG or JPEG file"):
            read(str(tmp_path))
    with pytest.raises(ClaraError, match="field 'image' holds 3, expected the path of a PNG or JPEG file"):
        LoadPictured("image")({"image": 3})
