"""The writers: their files, and the files they find again."""

from __future__ import annotations

import csv
import json
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from PIL import Image

from ai4med.components.eval_writers.write_classification_result import WriteClassificationResult
from ai4med.components.eval_writers.write_nifti import WriteNifti
from ai4med.components.eval_writers.write_png import WritePng
from ai4med.libs.writers.nifti_writer import NiftiWriter, image_file_name
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.components import catalogue
from clara_compat.components.entry import BundleContext
from clara_compat.components.readers.nifti_reader import NiftiReader
from clara_compat.config.arguments import create
from clara_compat.config.spec import ComponentSpec
from clara_compat.errors import Address, ClaraError


def image(layout="CDHW", affine=None, **known):
    size = {"D": 4, "H": 5, "W": 6, "C": 1, "N": 1}
    data = np.random.default_rng(0).integers(0, 4, [size[axis] for axis in layout]).astype(np.float32)
    made = MedicalImage(data, layout)
    if affine is not None:
        made.set_property("affine", affine)
    for key, value in known.items():
        made.set_property(key, value)
    return made


def context(**images):
    ctx = TransformContext()
    for field, value in images.items():
        ctx[field] = value
    return ctx


def instantiate(entry):
    config = json.loads(json.dumps({"_target_": entry.target, **entry.arguments}))
    return ConfigParser({"it": config}).get_parsed_content("it")


@pytest.mark.parametrize("layout", ["CDHW", "DHWC", "DHW", "CHW", "HWC", "HW"])
def test_nifti_writer(tmp_path, oblique_affine, layout):
    made = image(layout, oblique_affine)
    NiftiWriter("int16").write(made, tmp_path / "a")
    NiftiWriter(use_identity=True, compressed=False).write(made, str(tmp_path / "b"))
    NiftiWriter().write(made.new_image(made.get_data(), layout), tmp_path / "c.nii.gz")
    found = nibabel.load(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(found.get_fdata(), made.get_data().squeeze())
    np.testing.assert_allclose(found.affine, oblique_affine, atol=1e-4)
    assert found.get_data_dtype() == np.int16
    np.testing.assert_array_equal(nibabel.load(tmp_path / "b.nii").affine, np.eye(4))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.nii.gz", "b.nii", "c.nii.gz"]


def test_nifti_writer_without_affine_and_with_batch(tmp_path):
    NiftiWriter().write(image("DHW"), tmp_path / "a")
    np.testing.assert_array_equal(nibabel.load(tmp_path / "a.nii.gz").affine, np.eye(4))
    with pytest.raises(ClaraError, match="the image for 'b.nii.gz' is NCDHW, a batch: write one image at a time"):
        NiftiWriter().write(image("NCDHW"), tmp_path / "b")


def test_nifti_writer_undoes_the_loaders_turn(tmp_path, oblique_affine):
    original = nibabel.Nifti1Image(image("DHW").get_data(), oblique_affine[:, [2, 0, 1, 3]])
    nibabel.save(original, tmp_path / "a.nii")
    turned = NiftiReader(as_closest_canonical=True).read(str(tmp_path / "a.nii"))
    NiftiWriter(revert_canonical=True).write(turned, tmp_path / "back")
    back = nibabel.load(tmp_path / "back.nii.gz")
    np.testing.assert_array_equal(back.get_fdata(), original.get_fdata())
    np.testing.assert_allclose(back.affine, original.affine, atol=1e-4)
    with pytest.raises(ClaraError, match="'x.nii.gz' does not say how its file was oriented"):
        NiftiWriter(revert_canonical=True).write(image(), tmp_path / "x")


def test_image_file_name():
    assert image_file_name("out/a", compressed=True) == NiftiWriter.image_file_name("out/a.nii", True) == "out/a.nii.gz"
    assert image_file_name("out/a", compressed=False) == image_file_name("out/a.nii.gz", False) == "out/a.nii"


@pytest.mark.parametrize("layout", ["CDHW", "CHW"])
def test_write_nifti(tmp_path, oblique_affine, layout):
    writer = WriteNifti("pred", "uint8", str(tmp_path))
    name = "imagesTr/spleen_8.nii.gz"
    made = image(layout, oblique_affine)
    assert writer.check_results_exist(name) is False
    writer.write(name, context(pred=made))
    writer.finalize()
    file = tmp_path / "spleen_8" / "spleen_8_pred.nii.gz"
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [file]
    assert nibabel.load(file).get_data_dtype() == np.uint8
    again = WriteNifti("pred", "uint8", str(tmp_path))
    assert again.check_results_exist(name) is True
    ctx = context(image="a path")
    again.load_results(name, ctx)
    loaded = ctx.get_image("pred")
    assert (loaded.get_shape_format(), loaded.get_data().dtype) == (layout, np.uint8)
    np.testing.assert_array_equal(loaded.get_data(), made.get_data())
    np.testing.assert_allclose(loaded.get_property("affine"), oblique_affine, atol=1e-4)


def test_write_nifti_of_several_channels(tmp_path, oblique_affine):
    data = np.random.default_rng(0).random((3, 4, 5, 6), np.float32)
    made = image("CDHW", oblique_affine).new_image(data, "CDHW")
    writer = WriteNifti("pred", write_path=str(tmp_path))
    writer.write("a.nii", context(pred=made))
    ctx = TransformContext()
    writer.load_results("a.nii", ctx)
    np.testing.assert_array_equal(ctx.get_image("pred").get_data(), data)


@pytest.mark.parametrize(("size", "layout"), [((4, 5), "CHW"), ((4, 5, 1), "CDHW"), ((1, 1), "CHW")])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_plane_comes_back_as_one(tmp_path, oblique_affine, size, layout, channels):
    """Also with channels, where the file has a third axis of 1; a volume of one slice stays a volume."""
    data = np.random.default_rng(0).random((channels, *size), np.float32)
    made = MedicalImage(data, layout)
    made.set_property("affine", oblique_affine)
    writer = WriteNifti("pred", write_path=str(tmp_path))
    writer.write("a.nii", context(pred=made))
    ctx = TransformContext()
    writer.load_results("a.nii", ctx)
    loaded = ctx.get_image("pred")
    assert loaded.get_shape_format() == layout
    np.testing.assert_array_equal(loaded.get_data(), data)
    np.testing.assert_allclose(loaded.get_property("affine"), oblique_affine, atol=1e-4)
    assert loaded.get_property("spacing") == pytest.approx((0.8, 1.5, 4.0)[: len(size)], rel=1e-5)


def test_write_png(tmp_path):
    writer = WritePng("pred", str(tmp_path))
    made = image("CHW")
    writer.write("xrays/7.png", context(pred=made))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "7" / "7_pred.png")), made.get_data()[0])
    assert writer.check_results_exist("xrays/7.png")
    ctx = TransformContext()
    writer.load_results("xrays/7.png", ctx)
    assert ctx.get_image("pred").get_shape_format() == "CHW"
    np.testing.assert_array_equal(ctx.get_image("pred").get_data(), made.get_data())
    with pytest.raises(ClaraError, match="expected a 2-D image of 1 or 3 channels"):
        writer.write("8.png", context(pred=image("CDHW")))


@pytest.mark.parametrize(
    "make", [lambda path: WriteNifti("pred", write_path=path), lambda path: WritePng("pred", path)]
)
def test_what_cannot_be_written(tmp_path, make):
    writer = make(str(tmp_path))
    with pytest.raises(KeyError, match="no field 'pred'; it holds image"):
        writer.write("a.nii", context(image=image()))
    with pytest.raises(ClaraError, match="'pred' holds a ndarray, expected an image"):
        writer.write("a.nii", context(pred=np.zeros(3)))
    with pytest.raises(ClaraError, match="does not exist"):
        writer.load_results("a.nii", TransformContext())
    writer.write("one/a.nii", context(pred=image("CHW")))
    with pytest.raises(ClaraError, match="'two/a.nii' would overwrite those of 'one/a.nii'"):
        writer.write("two/a.nii", context(pred=image("CHW")))


def test_write_classification_result(tmp_path):
    writer = WriteClassificationResult("model", str(tmp_path / "eval"))
    values = {"a/1.png": np.array([[0.25, 0.75]], np.float32), "a/with, comma.png": np.array([1e-9, 1], np.float32)}
    for name, value in values.items():
        assert writer.check_results_exist(name) is False
        writer.write(name, context(model=value))
    assert not (tmp_path / "eval").exists()
    writer.finalize()
    with (tmp_path / "eval" / "preds_model.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [["a/1.png", "0.25", "0.75"], ["a/with, comma.png", "1e-09", "1.0"]]
    again = WriteClassificationResult("model", str(tmp_path / "eval"))
    ctx = TransformContext()
    for name, value in values.items():
        assert again.check_results_exist(name) is True
        again.load_results(name, ctx)
        np.testing.assert_array_equal(ctx["model"], value.ravel())
    assert again.check_results_exist("a/2.png") is False
    again.write("a/2.png", context(model=MedicalImage(np.full((2, 1, 1), 0.5), "CHW")))
    again.finalize()
    assert len((tmp_path / "eval" / "preds_model.csv").read_text().splitlines()) == 3
    with pytest.raises(ClaraError, match="preds_model.csv has no row of 'b.png'"):
        again.load_results("b.png", ctx)
    with pytest.raises(ClaraError, match="'model' holds 'text', expected a value per class"):
        again.write("c.png", context(model="text"))


def test_a_classification_file_of_others(tmp_path):
    (tmp_path / "preds_model.csv").write_text("a.png,benign\n")
    with pytest.raises(ClaraError, match="preds_model.csv cannot be read: could not convert"):
        WriteClassificationResult("model", str(tmp_path)).check_results_exist("a.png")


def test_the_entry_of_classification_writes_the_same_rows(tmp_path):
    rows = {"a.png": [0.25, 0.75], "b.png": [0.1, 0.9]}
    writer = WriteClassificationResult("pred", str(tmp_path / "writer"))
    for name, row in rows.items():
        writer.write(name, context(pred=np.array(row, np.float32)))
    writer.finalize()
    entry = WriteClassificationResult("pred", "entry").bundle_entry(BundleContext(mmar=str(tmp_path)))
    writes = instantiate(entry)
    for name, row in rows.items():
        image = MetaTensor(torch.zeros(1, 2, 2), meta={"filename_or_obj": name})
        writes({"image": image, "pred": torch.tensor(row)})
    assert not (tmp_path / "entry").exists()
    writes.finalize()
    found = [(tmp_path / folder / "preds_pred.csv").read_text() for folder in ("entry", "writer")]
    assert found[0] == found[1]
    again = instantiate(entry)
    assert again.is_written("a.png")
    assert not again.is_written("c.png")
    np.testing.assert_array_equal(again.restored("a.png")["pred"], np.float32(rows["a.png"]))
    with pytest.raises(ClaraError, match="'image' does not say which file it comes from"):
        again({"image": torch.zeros(1, 2, 2), "pred": torch.tensor(row)})


def test_entries(tmp_path, oblique_affine):
    """What a config becomes writes the same files as the writers themselves."""
    mmar = BundleContext(mmar=str(tmp_path))
    made = image("CHW", oblique_affine)
    tensor = MetaTensor(torch.from_numpy(made.get_data()), affine=torch.from_numpy(oblique_affine.copy()))
    tensor.meta["filename_or_obj"] = "case.nii"
    for cls, args in ((WriteNifti, {"dtype": "int16"}), (WritePng, {})):
        component = cls(field="pred", write_path="eval", **args)
        instantiate(component.bundle_entry(mmar))({"image": tensor, "pred": tensor})
        cls(field="pred", write_path=str(tmp_path / "other"), **args).write("case.nii", context(pred=made))
        name = f"case/case_pred{component.ending}"
        assert (tmp_path / "eval" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def make(name, **args):
    cls = catalogue.components()[name]
    return create(ComponentSpec(name, (), cls, None, args, Address("config.json", 1), "writers"))


def test_arguments_of_a_config(tmp_path):
    writer = make("WriteNifti", field="model", dtype="uint8", write_path="out", use_identity="true")
    assert vars(SimpleNamespace(**{k: getattr(writer, k) for k in ("field", "dtype", "use_identity")})) == {
        "field": "model", "dtype": "uint8", "use_identity": True}  # fmt: skip
    assert WriteNifti("model", "uint8", "out", True, True).revert_canonical is True
    for name in ("WriteNifti", "WritePng", "WriteClassificationResult"):
        with pytest.raises(ClaraError, match="needs the argument 'write_path'"):
            make(name, field="model")
        with pytest.raises(ClaraError, match=f"{name} needs the argument 'write_path', the folder for the results"):
            make(name, field="model", write_path="")
        with pytest.raises(ClaraError, match="argument 'field' is 'a/b', expected a name"):
            make(name, field="a/b", write_path="out")
    for cls in (WriteNifti, WritePng):
        with pytest.raises(ClaraError, match=f"{cls.__name__} needs the argument 'write_path', the folder for"):
            cls("model")
    with pytest.raises(ClaraError, match="'dtype': 'uint99' is not a data type"):
        make("WriteNifti", field="model", write_path="out", dtype="uint99")
