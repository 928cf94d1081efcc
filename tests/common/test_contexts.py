"""BaseContext, TransformContext and BuildContext."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from clara_compat.common.base_ctx import BaseContext
from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.constants import DataElementKey
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext

IMAGE = MedicalImage(np.zeros((2, 2)), "HW")


@pytest.mark.parametrize("kind", [BaseContext, TransformContext, BuildContext])
def test_is_a_dictionary(kind):
    ctx = kind({"a": 1}, b=2)
    assert ctx["a"] == ctx.get("a") == ctx.must_get("a") == 1
    assert ctx.get("c") is None
    assert ctx.get("c", 5) == 5
    assert list(ctx) == ["a", "b"]
    assert "a" in ctx
    assert "c" not in ctx
    ctx.must_set("a", 7)
    assert dict(ctx) == {"a": 7, "b": 2}
    again = pickle.loads(pickle.dumps(ctx))
    assert type(again) is kind
    assert again == ctx


@pytest.mark.parametrize("kind", [BaseContext, TransformContext, BuildContext])
def test_reserved_keys(kind):
    assert kind.is_reserved("_x")
    assert not kind.is_reserved("x")


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [(3, TypeError, "key of a BaseContext must be a string, got 3"), ("", ValueError, "must not be empty")],
)
def test_bad_keys(key, error, message):
    with pytest.raises(error, match=message):
        BaseContext().must_set(key, 1)


def test_missing_field_names_the_others_and_the_nearest():
    ctx = TransformContext(image=IMAGE, label=IMAGE)
    for ask in (lambda: ctx["imgae"], lambda: ctx.must_get("imgae"), lambda: ctx.get_image("imgae")):
        with pytest.raises(KeyError, match="has no field 'imgae'; it holds image, label; did you mean 'image'"):
            ask()
    with pytest.raises(KeyError, match="it holds nothing"):
        TransformContext().get_image("image")
    assert not ctx.contains("imgae")
    assert list(ctx) == ["image", "label"]


def test_images_of_a_context():
    ctx = TransformContext(image="a.nii.gz", label=b"b.nii.gz", points=[1, 2])
    assert ctx["label"] == b"b.nii.gz"
    ctx.set_image(DataElementKey.IMAGE, IMAGE)
    assert ctx.get_image("image") is ctx["image"] is IMAGE
    assert ctx.contains("points")


@pytest.mark.parametrize("item", ["scan.nii.gz", b"scan.nii.gz", Path("scan.nii.gz")])
def test_image_that_no_loader_has_read(item):
    with pytest.raises(TypeError, match=r"field 'image' still holds the path .*scan.nii.gz.*put a loader"):
        TransformContext(image=item).get_image("image")


def test_field_that_is_no_image():
    with pytest.raises(TypeError, match=r"field 'points' holds a list, not a MedicalImage: read it as ctx\['points'\]"):
        TransformContext(points=[1]).get_image("points")


def test_set_image_takes_images_only():
    with pytest.raises(TypeError, match=r"set_image\('image', ...\) got a ndarray, expected a MedicalImage: wrap"):
        TransformContext().set_image("image", np.zeros((2, 2)))
    with pytest.raises(TypeError, match="key of a TransformContext must be a string"):
        TransformContext().set_image(1, IMAGE)


@pytest.mark.parametrize("name", ["data_property", "model_input", "label_input", "learning_rate", "is_train"])
def test_build_context_finds_the_pages_names(name):
    constant = {"data_property": "KEY_DATA_PROP"}.get(name, f"KEY_{name.upper()}")
    key = getattr(BuildContext, constant)
    assert key == f"_{name}"
    assert BuildContext.is_reserved(key)
    ctx = BuildContext({key: 3})
    assert ctx.must_get(key) == ctx.must_get(name) == ctx[name] == ctx.get(name) == 3
    assert name in ctx
    assert list(ctx) == [key]


def test_build_context_prefers_the_users_own_item():
    assert BuildContext({"_loss": 1, "loss": 2}).must_get("loss") == 2


def test_build_context_says_what_it_holds():
    with pytest.raises(KeyError, match="BuildContext has no item '_model_output'; it holds _model_input"):
        BuildContext({"_model_input": 1}).must_get(BuildContext.KEY_MODEL_OUTPUT)


def test_documented_constants():
    # Clara 3.1 API page of ai4med.common
    documented = {
        "KEY_DATA_PROP": "_data_property",
        "KEY_GRAPH": "_graph",
        "KEY_IS_TRAIN": "_is_train",
        "KEY_LABEL_INPUT": "_label_input",
        "KEY_LEARNING_RATE": "_learning_rate",
        "KEY_LOSS": "_loss",
        "KEY_MODEL_INPUT": "_model_input",
        "KEY_MODEL_LOSS": "_model_loss",
        "KEY_MODEL_OUTPUT": "_model_output",
        "KEY_MULTI_GPU": "_multi_gpu",
        "KEY_PRINT_TENSORS": "_print_tensors",
        "KEY_STEP_TENSORS": "_step_tensors",
        "KEY_SUMMARY_TENSORS": "_summary_tensors",
        "KEY_TF_CONFIG": "_tf_config",
        "KEY_TF_SESSION": "_tf_session",
        "KEY_TRAIN_DATA_SOURCE": "_train_data_source",
        "KEY_UPDATE_OPS": "_update_ops",
        "KEY_VALIDATION_DATA_SOURCE": "_validation_data_source",
        "KEY_VALIDATION_OUTPUT_TENSORS": "_validation_output_tensors",
        "PROP_DUMP_DATA_ON_TRANSFORM_ERROR": "_dump_data_on_trans_err",
        "PROP_TRAINING_IMPOSSIBLE": "_training_impossible",
    }
    assert {name: getattr(BuildContext, name) for name in documented} == documented
