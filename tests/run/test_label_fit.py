"""What compares predictions with labels, and what works on a batch: checked before the first one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clara_compat import check
from clara_compat.components.models._common import BuiltInModel
from clara_compat.components.models.alexnet import Alexnet
from clara_compat.components.models.densenet121 import DenseNet121
from clara_compat.components.models.seg_ahnet import SegAhnet
from clara_compat.components.models.seg_resnet import SegResnet
from clara_compat.components.models.unet import Unet

Make = Callable[..., Path]
Change = Callable[[dict[str, Any]], Any]


def metric(name: str, **args: Any) -> Change:
    def change(config: dict[str, Any]) -> None:
        given = {"name": "more", "field": "model", "label_field": "label", **args}
        config["validate"]["metrics"].append({"name": name, "args": given})

    return change


def of_train(slot: str, name: str, **args: Any) -> Change:
    def change(config: dict[str, Any]) -> None:
        element = {"name": name, "args": args}
        config["train"][slot] = element if slot in ("model", "loss") else [*config["train"].get(slot, []), element]

    return change


def of_batch(name: str, **args: Any) -> Change:
    return of_train("batch_transforms", name, **args)


def both(*changes: Change) -> Change:
    return lambda config: [change(config) for change in changes]


def labels(channels: int) -> Change:
    """Let the training's labels, and only these, have so many channels."""

    def change(config: dict[str, Any]) -> None:
        config["train"]["image_pipeline"]["args"]["output_label_channels"] = channels
        repeat = {"name": "RepeatChannel", "args": {"fields": "label", "repeats": channels}}
        config["train"]["pre_transforms"].insert(2, repeat)

    return change


def at_end(section: str, name: str, **args: Any) -> Change:
    return lambda config: config[section]["pre_transforms"].append({"name": name, "args": args})


TAGS = ["a", "b", "c", "d"]
MULTICLASS = "ComputeMulticlassAccuracy: 4 tags for 1 labels, expected one tag for all labels, or 2 for all and each"
WRONG = [
    (
        metric("ComputeAUC"),
        (
            r"validate.metrics\[2\].args.field: ComputeAUC is of classification and takes a row of "
            "numbers per case, but the field 'model' is an image: use ComputeAverageDice"
        ),
    ),
    (
        metric("ComputeMulticlassAverage", field="negloss"),
        r"metrics\[2\].args.label_field: .*the field 'label' is an i",
    ),
    (
        both(of_train("aux_ops", "ComputeMulticlassPreds"), metric("ComputeAUC", field="multiclass_preds")),
        "the field 'multiclass_preds' is an image",
    ),
    (
        of_train("model", "Alexnet", num_classes=2, num_feat="4,4,4,4,4,4,4", use_group_normG=2),
        (
            "train.loss: Dice compares the prediction of Alexnet, a row of numbers, with the label of "
            r"SegmentationImagePipeline \(train\), an image: use a model of segmentation, or an image pipeline of "
            "classification"
        ),
    ),
    (
        of_train("aux_ops", "ComputeBinaryPreds"),
        (
            r"train.aux_ops\[1\]: ComputeBinaryPreds: none of the labels is "
            r"binary, they have \[2\] classes: use ComputeMulticlassPreds"
        ),
    ),
    (of_train("aux_ops", "ComputeMulticlassAccuracy", tags=TAGS), MULTICLASS),
    (
        both(labels(3), of_train("loss", "Dice", is_onehot_targets=True)),
        (
            "train.loss: Dice with is_onehot_targets true "
            "takes a label of 2 channels for 2 outputs of the network, but the image pipeline makes one of 3: mend"
        ),
    ),
    (labels(2), "train.loss: Dice with is_onehot_targets false takes a label of 1 channel for 2 outputs"),
    (
        metric("ComputeAverageDice", is_one_hot_targets=True),
        (
            r"metrics\[2\]: ComputeAverageDice with is_one_hot_targets "
            "true takes a label of 2 channels for 2 outputs"
        ),
    ),
    (
        of_train("aux_ops", "DiceMaskedOutput", tags=["d"], is_onehot_targets=True),
        (
            r"aux_ops\[1\]: DiceMaskedOutput "
            "with is_onehot_targets true"
        ),
    ),
    (
        of_batch("ScaleShiftIntensity", fields="imag"),
        (
            r"train.batch_transforms\[0\]: ScaleShiftIntensity works on the "
            r"field 'imag', which a batch does not have; did you mean 'image'\? \(there are image, label\): name one"
        ),
    ),
    (
        both(of_batch("MergeBatchDims", fields=["image", "label"]), of_batch("CenterData", fields="x")),
        r"batch_transforms\[1\]: CenterData works on the field 'x'",
    ),
    (
        of_batch("LoadNumpy", fields="image", shape="DHW"),
        (
            r"batch_transforms\[0\]: LoadNumpy loads files, but a batch is of images "
            "that are loaded: move it to the pre_transforms"
        ),
    ),
    (
        of_batch("RepeatChannel", fields="image", repeats=2),
        (
            r"batch_transforms\[0\]: 'image' has 2 channels and 3 "
            "spatial axes at the end of batch_transforms, but the network takes 1 channels .* and 3 axes: change"
        ),
    ),
    (
        of_batch("ScaleToShape", fields="image", target_shape=[8, 8, 8]),
        (
            r"train.loss: Dice compares the prediction, which is as large as "
            r"the image, with the label, but at the end of the transforms there are \[8, 8, 8\] of "
            r"the image and \[16, 16, 16\] of the label voxels: name both fields in what resizes or crops one \(image "
        ),
    ),
    (at_end("train", "ScaleToShape", fields="label", target_shape=[8, 8, 8]), r"\[8, 8, 8\] of the label voxels"),
    (at_end("validate", "ScaleToShape", fields="label", target_shape=[8, 8, 8]), "train.loss: Dice compares .*label"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_what_does_not_fit_is_an_error_of_the_check(small_mmar: Make, change: Change, message: str) -> None:
    report = check(small_mmar(change) / "config/config_train.json")
    error = report.errors[0]  # where headers tell, there is one for each scan
    assert error.address is not None
    assert error.address.line is not None
    with pytest.raises(type(error), match=message):
        raise error


RIGHT = [
    of_batch("MergeBatchDims", fields=["image", "label", "anything"]),
    of_batch("ScaleShiftIntensity", fields="image"),
    both(of_batch("ScaleToShape", fields=["image", "label"], target_shape=[8, 8, 8])),
    both(
        of_batch("SplitAcrossChannels", field="label", channel_names=["a"]),
        of_batch("RandomSpatialFlip", fields=["image", "label", "a"]),
    ),
    of_train("aux_ops", "ComputeMulticlassAccuracy", tags=["a", "b"]),
    of_train("aux_ops", "ComputeAccuracy", tag="a"),
    metric("ComputeAverage", field="loss", label_field=None),
]


@pytest.mark.parametrize("change", RIGHT)
def test_what_fits_passes(small_mmar: Make, change: Change) -> None:
    def with_change(config: dict[str, Any]) -> None:
        change(config)
        for one in config["validate"]["metrics"]:
            if one["name"] == "ComputeAverage":
                one["args"].pop("label_field", None)

    assert check(small_mmar(with_change) / "config/config_train.json").errors == []


@pytest.mark.parametrize("slot", ["model", "pre_transforms"])
def test_what_user_code_makes_is_not_guessed(small_mmar: Make, slot: str) -> None:
    """A network may return other sizes than its input's, a transform may make any field."""

    def change(config: dict[str, Any]) -> None:
        at_end("train", "ScaleToShape", fields="label", target_shape=[8, 8, 8])(config)
        if slot == "model":
            config["train"]["model"] = {"path": "mine.Halves"}
        else:
            config["train"]["pre_transforms"].insert(2, {"path": "mine.Makes"})

    mmar = small_mmar(change)
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(
        "from torch import nn\n"
        "from ai4med.components.transforms.transformer import Transformer\n"
        "class Halves(nn.Conv3d):\n"
        "    def __init__(self):\n        super().__init__(1, 2, 2, stride=2)\n"
        "class Makes(Transformer):\n"
        "    def transform(self, transform_ctx):\n        return transform_ctx\n"
    )
    assert check(mmar / "config/config_train.json").errors == []


@pytest.mark.parametrize("cls", [Alexnet, DenseNet121, SegAhnet, SegResnet, Unet])
def test_a_model_and_its_network_have_the_same_task(cls: type[BuiltInModel]) -> None:
    from importlib import import_module

    module, _, name = cls.becomes.rpartition(".")
    assert getattr(import_module(module), name).task == cls.task
