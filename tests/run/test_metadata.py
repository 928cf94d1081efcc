"""What a bundle says of itself, against the requirements that MONAI publishes."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser, verify_metadata

from clara_compat.components.entry import BundleContext
from clara_compat.components.models._common import BuiltInModel
from clara_compat.components.models.alexnet import Alexnet
from clara_compat.components.models.densenet121 import DenseNet121
from clara_compat.components.models.seg_ahnet import SegAhnet
from clara_compat.components.models.seg_resnet import SegResnet
from clara_compat.config.workflow import load_train_workflow
from clara_compat.run.metadata import SCHEMA, bundle_metadata
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.render import render
from clara_compat.translate.train import translate_train

OUR_SCHEMA = Path(__file__).parents[1] / "resources" / "bundle_metadata.schema.json"
CONFIGS = Path(__file__).parents[2] / "configs"

USER_NETWORK = {
    "network_def": {"_target_": "clara_compat.tensorflow.network.LegacyNetwork", "spatial_size": [16, 16, 16]},
    "network_input": {"task": "segmentation", "spatial_dims": 3, "in_channels": 2, "size": [16, 16, 16]},
}
STOCK_NETWORK = {
    "network_def": {
        "_target_": "monai.networks.nets.UNet",
        "spatial_dims": 2,
        "in_channels": 3,
        "out_channels": 4,
        "channels": [4, 8],
        "strides": [2],
    },
    "network_input": {"task": "segmentation", "spatial_dims": 2, "in_channels": 3, "size": [64, 64]},
}
LABELS = {"0": "background", "1": "liver", "2": "tumour"}


def of_model(model: BuiltInModel, spatial_dims: int = 2, in_channels: int = 3) -> dict[str, Any]:
    context = BundleContext(spatial_dims=spatial_dims, in_channels=in_channels)
    return {"network_def": render(model.bundle_entry(context))}


def verified(metadata: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write metadata and have MONAI verify them: a schema that is there is not downloaded."""
    file, schema = folder / "metadata.json", folder / Path(SCHEMA).name
    file.write_text(json.dumps(metadata))
    shutil.copy(OUR_SCHEMA, schema)
    verify_metadata(meta_file=str(file), filepath=str(schema), create_dir=False)
    return metadata


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (SegResnet(3), ("image", "segmentation", 3, ["*", "*"], [0, 1])),
        (SegAhnet(2, final_activation="linear"), ("image", "segmentation", 2, ["*", "*"], [])),
        (Alexnet(4), ("probabilities", "classification", 4, [], [0, 1])),
        (DenseNet121(15, final_activation="sigmoid"), ("probabilities", "classification", 15, [], [0, 1])),
    ],
)
@pytest.mark.parametrize("native", [False, True])
def test_networks_of_the_catalogue(
    tmp_path: Path, model: BuiltInModel, expected: tuple[object, ...], native: bool
) -> None:
    metadata = verified(bundle_metadata(of_model(model), native=native), tmp_path)
    image, pred = (metadata["network_data_format"][key] for key in ("inputs", "outputs"))
    image, pred = image["image"], pred["pred"]
    assert (image["num_channels"], image["spatial_shape"], image["dtype"]) == (3, ["*", "*"], "float32")
    assert tuple(pred[k] for k in ("type", "format", "num_channels", "spatial_shape", "value_range")) == expected
    assert image["is_patch_data"] == pred["is_patch_data"] == (expected[1] == "segmentation")
    assert pred["channel_def"] == {str(i): f"class {i}" for i in range(pred["num_channels"])}
    assert metadata["task"] == f"{str(expected[1]).capitalize()} of 2-D medical images"
    assert ("clara-compat" in metadata["required_packages_version"]) is not native
    assert ("clara-compat" in metadata["description"]) is not native


@pytest.mark.parametrize(
    ("config", "channels", "shape"),
    [
        ("demo_mmar", 2, [48, 48, 32]),
        ("demo_classification_2d", 2, ["*", "*"]),
        ("demo_classification_3d", 3, ["*", "*", "*"]),
        ("demo_tensorflow", None, [48, 48, 32]),
    ],
)
def test_trainings(tmp_path: Path, config: str, channels: int | None, shape: list[Any]) -> None:
    metadata = verified(bundle_metadata(translated(CONFIGS / config)), tmp_path)
    image, pred = (metadata["network_data_format"][key] for key in ("inputs", "outputs"))
    assert image["image"]["spatial_shape"] == shape
    if channels is None:
        assert "3-D images, whose number of channels the network itself decides: give num_channels" in pred["pred"]
    else:
        assert (pred["pred"]["num_channels"], len(pred["pred"]["channel_def"])) == (channels, channels)
    pictures = config == "demo_classification_2d"
    assert metadata["data_type"] == ("images" if pictures else "nibabel")
    needed = {"pytorch-ignite", "tensorboard", "clara-compat", "pillow" if pictures else "nibabel"}
    assert metadata["required_packages_version"] == {name: version(name) for name in needed}


def translated(mmar: Path) -> dict[str, Any]:
    overrides = ["DATA_ROOT=/data", "DATASET_JSON=/data/dataset.json"]
    workflow = load_train_workflow(mmar / "config" / "config_train.json", mmar=mmar, overrides=overrides)
    return translate_train(workflow, Seeds(0, 0, 0, 0), mmar / "models").config


def test_a_stock_network(tmp_path: Path) -> None:
    formats = verified(bundle_metadata(STOCK_NETWORK), tmp_path)["network_data_format"]
    assert formats["inputs"]["image"]["spatial_shape"] == [64, 64]
    assert (formats["outputs"]["pred"]["num_channels"], formats["outputs"]["pred"]["value_range"]) == (4, [])


def test_a_users_network_whose_channels_the_caller_knows(tmp_path: Path) -> None:
    metadata = bundle_metadata(USER_NETWORK, numbers={"out_channels": 3}, data_list={"labels": LABELS})
    pred = verified(metadata, tmp_path)["network_data_format"]["outputs"]["pred"]
    assert (pred["num_channels"], pred["spatial_shape"]) == (3, [16, 16, 16])
    assert pred["channel_def"] == LABELS


def test_a_users_network_whose_channels_nobody_knows_has_the_names_of_the_classes(tmp_path: Path) -> None:
    metadata = verified(bundle_metadata(USER_NETWORK, data_list={"labels": LABELS}), tmp_path)
    assert isinstance(metadata["network_data_format"]["outputs"]["pred"], str)
    assert metadata["pred_classes"] == "background, liver, tumour"


def test_a_users_classification_has_the_outputs_of_its_labels(tmp_path: Path) -> None:
    config = copy.deepcopy(USER_NETWORK)
    config["network_input"] |= {"task": "classification", "label_format": [1, 3]}
    pred = verified(bundle_metadata(config), tmp_path)["network_data_format"]["outputs"]["pred"]
    assert (pred["num_channels"], pred["format"], pred["spatial_shape"]) == (4, "classification", [])


def test_extra_inputs(tmp_path: Path) -> None:
    end = {
        "_target_": "clara_compat.engine.transforms.batch_fields.BatchFields",
        "extra_inputs": [
            {"name": "age", "data_key": "age", "dtype": "float32", "shape": [1]},
            {"name": "prior", "data_key": "prior", "dtype": "uint8", "shape": [2, None, -1, 8]},
            {"name": "any", "data_key": "any", "dtype": "float32", "shape": None},
        ],
    }
    config = {**USER_NETWORK, "train": {"preprocessing": {"_target_": "Compose", "transforms": [end]}}}
    inputs = verified(bundle_metadata(config, numbers={"out_channels": 2}), tmp_path)["network_data_format"]["inputs"]
    assert list(inputs) == ["image", "age", "prior", "any"]
    assert (inputs["age"]["num_channels"], inputs["age"]["spatial_shape"]) == (1, [])
    assert (inputs["prior"]["num_channels"], inputs["prior"]["spatial_shape"]) == (2, ["*", "*", 8])
    assert (inputs["prior"]["dtype"], inputs["any"]["num_channels"]) == ("uint8", 1)


@pytest.mark.parametrize(
    ("model", "labels", "expected"),
    [
        (SegResnet(3), LABELS, ["background", "liver", "tumour"]),
        (SegResnet(3), {"1": "liver", "2": "tumour"}, ["background", "liver", "tumour"]),
        (SegResnet(4), LABELS, ["background", "liver", "tumour", "class 3"]),
        (SegResnet(2, final_activation="sigmoid"), LABELS, ["liver", "tumour"]),
        (SegResnet(1, final_activation="sigmoid"), {"0": "background", "1": "liver"}, ["liver"]),
        (DenseNet121(2, final_activation="sigmoid"), {"0": "mass", "1": "nodule"}, ["mass", "nodule"]),
        (SegResnet(2), {"background": 0, "liver": 1}, ["class 0", "class 1"]),
        (SegResnet(2), ["nothing", "liver"], ["nothing", "liver"]),
        (SegResnet(2), {"1": ["liver"], "99999999999999999999999999": "x", "²": "y"}, ["class 0", "class 1"]),
        (SegResnet(2), None, ["class 0", "class 1"]),
        (SegResnet(2), 7, ["class 0", "class 1"]),
    ],
)
def test_names_of_the_output_channels(tmp_path: Path, model: BuiltInModel, labels: Any, expected: list[str]) -> None:
    metadata = verified(bundle_metadata(of_model(model), data_list={"labels": labels}), tmp_path)
    names = metadata["network_data_format"]["outputs"]["pred"]["channel_def"]
    assert names == {str(i): name for i, name in enumerate(expected)}
    assert metadata["label_classes"] == ", ".join(expected)


@pytest.mark.parametrize(
    ("modality", "channels", "names"),
    [
        ({"0": "CT"}, 1, ["CT"]),
        ({"0": "FLAIR", "1": "T1w", "2": "t1gd"}, 4, ["FLAIR", "T1w", "t1gd", "image"]),
        ("MRI", 1, ["MRI"]),
        (None, 2, ["image", "image"]),
    ],
)
def test_names_of_the_image_channels(tmp_path: Path, modality: Any, channels: int, names: list[str]) -> None:
    config = of_model(SegResnet(2), 3, channels)
    metadata = verified(bundle_metadata(config, data_list={"modality": modality}), tmp_path)
    image = metadata["network_data_format"]["inputs"]["image"]
    assert (image["num_channels"], list(image["channel_def"].values())) == (channels, names)
    assert image.get("modality") == (None if modality is None else names[0])
    assert metadata["image_classes"] == ", ".join(names)


def test_where_the_data_are_from_and_what_was_reached(tmp_path: Path) -> None:
    data_list = {"name": "Spleen", "reference": "a hospital", "licence": "CC-BY-SA 4.0", "training": []}
    scores = {"mean_dice": 0.93, "nothing": float("nan")}
    metadata = bundle_metadata(of_model(SegResnet(2)), name="spleen_ct", data_list=data_list, scores=scores)
    verified(metadata, tmp_path)
    assert (metadata["name"], metadata["data_source"]) == ("spleen_ct", "Spleen; a hospital; CC-BY-SA 4.0")
    assert metadata["eval_metrics"] == {"mean_dice": 0.93}
    assert "data_source" not in bundle_metadata(of_model(SegResnet(2)), data_list={"name": {"a": 1}})


@pytest.mark.parametrize(
    "text", ["$__import__('os').mkdir('{canary}')", "@network_def", "%metadata.json", "$@%$", "a\n\tb", "x" * 10_000]
)
def test_texts_of_a_strangers_data_list_are_not_run(tmp_path: Path, text: str) -> None:
    canary = tmp_path / "canary"
    text = text.replace("{canary}", str(canary))
    data_list = {"labels": {"0": text, "1": text}, "modality": {"0": text}, "name": text, "reference": text}
    metadata = bundle_metadata(of_model(SegResnet(2)), name=text, data_list=data_list)
    verified(metadata, tmp_path)
    parser = ConfigParser({"network_def": 1})
    parser.read_meta(metadata)
    read = parser.get_parsed_content("_meta_")
    assert read["network_data_format"]["outputs"]["pred"]["channel_def"].keys() == {"0", "1"}
    assert read == metadata
    assert not canary.exists()
    assert len(json.dumps(metadata)) < 8_000


def test_the_command_accepts_what_a_training_writes(small_mmar: Callable[..., Path], tmp_path: Path) -> None:
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "metadata.json").write_text(json.dumps(bundle_metadata(translated(small_mmar()))))
    shutil.copy(OUR_SCHEMA, tmp_path / "schema.json")
    found = subprocess.run(
        [
            *(sys.executable, "-m", "monai.bundle", "verify_metadata"),
            *("--meta_file", "configs/metadata.json", "--filepath", str(tmp_path / "schema.json")),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert "metadata is verified with no error" in found.stdout + found.stderr


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("version"),
        lambda m: m.pop("network_data_format"),
        lambda m: m.update(required_packages_version=["torch"]),
        lambda m: m["network_data_format"]["inputs"].pop("image"),
        lambda m: m["network_data_format"]["outputs"]["pred"].pop("num_channels"),
        lambda m: m["network_data_format"]["outputs"]["pred"].update(num_channels="2"),
        lambda m: m["network_data_format"]["inputs"]["image"].update(spatial_shape="*"),
        lambda m: m["network_data_format"]["inputs"]["image"].update(value_range=["low"]),
    ],
)
def test_the_schema_refuses_what_it_should(tmp_path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    metadata = bundle_metadata(of_model(SegResnet(2)))
    change(metadata)
    with pytest.raises(ValueError, match="Failed validating"):
        verified(metadata, tmp_path)


@pytest.mark.parametrize(
    ("known", "inferer", "loader", "axes", "channels"),
    [
        ({}, {"roi_size": [16, 16, 8]}, "LoadNiftid", "3-D", None),
        ({}, {"_target_": "SimpleInferer"}, "LoadNiftid", "3-D", None),
        ({}, {"_target_": "SimpleInferer"}, "LoadPicturesd", "2-D", None),
        ({"spatial_dims": 2, "in_channels": 3}, {"_target_": "SimpleInferer"}, "LoadPicturesd", "2-D", 3),
    ],
)
def test_an_evaluation_of_an_exported_network(
    tmp_path: Path, known: dict[str, Any], inferer: dict[str, Any], loader: str, axes: str, channels: int | None
) -> None:
    config = {"network": {}, "inferer": inferer, "preprocessing": {"transforms": [{"_target_": loader}]}}
    metadata = verified(bundle_metadata(config, numbers=known), tmp_path)
    assert metadata["task"] == f"Segmentation of {axes} medical images"
    image = metadata["network_data_format"]["inputs"]["image"]
    if channels is None:
        assert f"{axes} images, whose number of channels the network itself decides: give num_channels" in image
    else:
        assert image["num_channels"] == channels
    named = bundle_metadata(config, data_list={"modality": {"0": "T1", "1": "T2"}})
    assert named["network_data_format"]["inputs"]["image"]["num_channels"] == 2
