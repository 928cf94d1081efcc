"""The loaders of the catalogue beyond the contract: layouts, headers, and what a run would trip over."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from PIL import Image

from clara_compat.common.transform_ctx import TransformContext
from clara_compat.components import catalogue
from clara_compat.components.transforms.convert_to_channels_last import ConvertToChannelsLast
from clara_compat.components.transforms.load_image_masks import LoadImageMasks
from clara_compat.components.transforms.load_jpg import LoadJpg
from clara_compat.components.transforms.load_nifti import LoadNifti
from clara_compat.components.transforms.load_numpy import LoadNumpy
from clara_compat.components.transforms.load_png import LoadPng
from clara_compat.components.transforms.native import Geometry
from clara_compat.components.transforms.repeat_channel import RepeatChannel
from clara_compat.config.arguments import create
from clara_compat.config.spec import ComponentSpec
from clara_compat.engine import properties
from clara_compat.engine.legacy.views import to_context
from clara_compat.errors import Address, ClaraError

ROWS, COLUMNS = 5, 7


def make(name, **args):
    cls = catalogue.components()[name]
    return create(ComponentSpec(name, (), cls, None, args, Address("config.json", 1), "train.pre_transforms"))


@pytest.fixture
def picture(tmp_path):
    def write(name, channels=1, dtype=np.uint8):
        array = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (ROWS, COLUMNS, channels)).astype(dtype)
        Image.fromarray(array.squeeze()).save(tmp_path / name)
        return str(tmp_path / name), np.asarray(Image.open(tmp_path / name))

    return write


@pytest.mark.parametrize(
    ("component", "name", "channels", "dtype", "layout"),
    [
        (LoadPng, "a.png", 1, np.uint8, "HW"),
        (LoadPng, "a.png", 1, np.uint16, "HW"),
        (LoadPng, "a.png", 3, np.uint8, "HWC"),
        (LoadJpg, "a.jpg", 1, np.uint8, "HW"),
        (LoadJpg, "a.jpg", 3, np.uint8, "HWC"),
        (LoadImageMasks, "a.png", 1, np.uint8, "HW"),
    ],
)
def test_pictures_as_user_code_sees_them(build, picture, component, name, channels, dtype, layout):
    path, array = picture(name, channels, dtype)
    loader = component("image")
    tensor = build(loader, 2)({"image": path})["image"]
    assert tensor.shape == (channels, ROWS, COLUMNS)
    seen = to_context({"image": tensor}).get_image("image")
    assert seen.get_shape_format() == layout
    np.testing.assert_array_equal(seen.get_data(), array)
    assert loader.load_geometry({"image": path}) == {
        "image": Geometry((ROWS, COLUMNS), (1.0, 1.0), channels, (ROWS, COLUMNS))
    }


def test_a_list_of_pictures(build, picture):
    paths = [picture(f"{i}.png")[0] for i in range(3)]
    assert build(LoadPng("image"))({"image": paths})["image"].shape == (3, ROWS, COLUMNS)
    assert LoadPng("image").load_geometry({"image": paths})["image"].channels == 3


def test_a_mask_of_a_palette_is_its_classes(build, tmp_path):
    classes = np.random.default_rng(0).integers(0, 3, (ROWS, COLUMNS)).astype(np.uint8)
    image = Image.fromarray(classes)
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    image.save(tmp_path / "a.png")
    path = str(tmp_path / "a.png")
    np.testing.assert_array_equal(build(LoadImageMasks("label"))({"label": path})["label"].numpy()[0], classes)
    assert LoadImageMasks("label").read_header(path).channels == 1
    assert (
        build(LoadPng("label"))({"label": path})["label"].shape[0] == LoadPng("label").read_header(path).channels == 3
    )


def test_numpy_as_user_code_sees_it(build, tmp_path):
    array = np.random.default_rng(0).random((7, 6, 5, 2))
    np.save(tmp_path / "a.npy", array)
    path = str(tmp_path / "a.npy")
    loader = LoadNumpy("image", "DHWC", "float64")
    seen = to_context(build(loader)({"image": path})).get_image("image")
    assert seen.get_shape_format() == "DHWC"
    np.testing.assert_array_equal(seen.get_data(), array)
    assert loader.read_header(path) == Geometry((7, 6, 5), (1.0, 1.0, 1.0), 2)


@pytest.mark.parametrize("canonical", [False, True])
def test_the_header_of_a_nifti_file_is_what_is_loaded(build, tmp_path, oblique_affine, canonical):
    for shape, first in (((4, 5, 6), False), ((4, 5, 6, 2), False), ((2, 4, 5, 6), True)):
        nibabel.save(nibabel.Nifti1Image(np.zeros(shape), oblique_affine[:, [2, 0, 1, 3]]), tmp_path / "a.nii")
        loader = LoadNifti("image", canonical, nii_is_channels_first=first)
        told = loader.read_header(str(tmp_path / "a.nii"))
        image = build(loader)({"image": str(tmp_path / "a.nii")})["image"]
        assert (told.channels, *told.size) == image.shape
        assert told.spacing == pytest.approx(properties.affine_spacing(image), rel=1e-5)


def test_headers_of_bad_files(tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(b"<html>404 Not Found</html>")
    (tmp_path / "a.nrrd").write_bytes(b"<html>404 Not Found</html>")
    with pytest.raises(ClaraError, match=r"a.nii.gz' cannot be read: it is not a NIfTI file, or its header is damaged"):
        LoadNifti("image").read_header(str(tmp_path / "a.nii.gz"))
    with pytest.raises(ClaraError, match=r"a.nrrd' cannot be read: it is not the .nrrd file its name says"):
        LoadNifti("image").read_header(str(tmp_path / "a.nrrd"))
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2, 4, 2)), np.eye(4)), tmp_path / "b.nii")
    with pytest.raises(ClaraError, match="time series are not supported"):
        LoadNifti("image").read_header(str(tmp_path / "b.nii"))


def test_an_empty_list_of_files():
    with pytest.raises(ClaraError, match="field 'image' is an empty list, expected a path or a list of paths"):
        LoadNifti(["image", "label"]).load_geometry({"image": []})
    with pytest.raises(ClaraError, match="'fields' names 'image' 2 times: loaded once, it is no path; name it once"):
        LoadNifti(["image", "label", "image"]).load_geometry({"image": "a.nii", "label": "b.nii"})


@pytest.mark.parametrize("layout", ["DHW", "CDHW", "DHWC"])
def test_channels_last_as_user_code_sees_it(build, numbered, layout):
    item = numbered((4, 5, 6), 1 if layout == "DHW" else 3)
    properties.write(item["image"], {"shape_format": layout})
    seen = to_context(build(ConvertToChannelsLast("image"))(item)).get_image("image")
    assert seen.get_shape_format() == "DHWC"
    np.testing.assert_array_equal(np.moveaxis(seen.get_data(), -1, 0), item["image"].numpy())


@pytest.mark.parametrize(
    ("layout", "after"), [("DHW", "CDHW"), ("CDHW", "CDHW"), ("DHWC", "DHWC"), ("HW", "CHW"), ("HWC", "HWC")]
)
def test_repeated_channels_follow_each_other(build, numbered, layout, after):
    item = numbered((4, 5, 6)[: 3 if "D" in layout else 2], 2 if "C" in layout else 1)
    item["image"][-1] += 1000
    properties.write(item["image"], {"shape_format": layout})
    image = build(RepeatChannel("image", 3))(item)["image"]
    np.testing.assert_array_equal(image.numpy(), np.repeat(item["image"].numpy().astype(np.float64), 3, axis=0))
    assert properties.read(image)["shape_format"] == after
    seen = to_context({"image": image}).get_image("image")
    assert seen.get_data().size == image.numel()


@pytest.mark.parametrize("name", ["LoadImageMasks", "RepeatChannel"])
def test_arguments_nobody_knows(name):
    more = {"repeats": 2} if name == "RepeatChannel" else {}
    words = f"config.json:1: argument 'x' of {name} is not understood: how Clara used it is not documented .*fields"
    with pytest.raises(ClaraError, match=words):
        make(name, fields="image", x=1, **more)
    with pytest.raises(ClaraError, match="LoadPng has no argument 'x'"):
        make("LoadPng", fields="image", x=1)


def test_a_subclass_calls_a_loader(picture):
    path, array = picture("a.png", 3)

    class Grey(LoadPng):
        def transform(self, transform_ctx):
            ctx = super().transform(transform_ctx)
            image = ctx.get_image("image")
            ctx.set_image("image", image.new_image(image.get_data().mean(axis=2), "HW"))
            return ctx

    ctx = TransformContext(image=path)
    Grey("image").transform(ctx)
    np.testing.assert_allclose(ctx.get_image("image").get_data(), array.mean(axis=2), rtol=1e-6)
