"""Native configs of evaluations and inferences run where this package cannot be imported, with the same results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from torch import nn

from clara_compat.config.evaluate_workflow import load_evaluate_workflow
from clara_compat.translate.evaluate import translate_evaluate
from clara_compat.translate.evaluation_model import find_model
from clara_compat.translate.evaluation_writers import Inference
from clara_compat.translate.native.evaluate import native_evaluate
from clara_compat.translate.native.native_config import NativeConfig, is_ours

Run = Callable[[dict[str, Any]], dict[str, Any]]
Change = Callable[[dict[str, Any]], Any]

CHAIN = [
    {"name": "LoadNifti", "args": {"fields": ["image"]}},
    {"name": "ConvertToChannelsFirst", "args": {"fields": ["image"]}},
    {
        "name": "ScaleIntensityRange",
        "args": {"fields": "image", "a_min": 0, "a_max": 100, "b_min": 0, "b_max": 1, "clip": True},
    },
]
LABEL = [
    {"name": "LoadNifti", "args": {"fields": ["label"]}},
    {"name": "ConvertToChannelsFirst", "args": {"fields": ["label"]}},
]
POST = [
    {"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}},
    {"name": "SplitBasedOnLabel", "args": {"field": "model", "label_names": ["pred_0", "pred_1"]}},
    {
        "name": "CopyProperties",
        "args": {"fields": ["model", "pred_0", "pred_1"], "from_field": "image", "properties": ["affine"]},
    },
]
SPLIT = {"name": "SplitBasedOnLabel", "args": {"field": "label", "label_names": ["label_0", "label_1"]}}


def dice(field: str, label: str, **args: Any) -> dict[str, Any]:
    return {
        "name": "ComputeAverageDice",
        "args": {"name": f"dice_{field}", "field": field, "label_field": label, **args},
    }


def writer(field: str, **args: Any) -> dict[str, Any]:
    given = {"field": field, "dtype": "uint8", "write_path": "{MMAR_EVAL_OUTPUT_PATH}", **args}
    return {"name": "WriteNifti", "args": given}


class Threshold(nn.Module):
    """Class 1 where the image is above 0.5: two channels that sum to one."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        bright = (image[:, :1] > 0.5).to(image.dtype)
        return torch.cat([1 - bright, bright], dim=1)


@pytest.fixture
def exact(tmp_path: Path, small_scans: Path) -> Callable[..., dict[str, Any]]:
    """Return the exact config of an evaluation; ``change`` edits the legacy config."""

    def make(
        change: Change | None = None, images: list[str] | None = None, file: Path | None = None, **settings: Any
    ) -> dict[str, Any]:
        config: dict[str, Any] = {
            "batch_size": 1,
            "DATA_LIST_KEY": "training",
            "do_validation": True,
            "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [16, 16, 16], "batch_size": 2}},
            "model_loader": {"name": "FrozenGraphModelLoader", "args": {"model_file_path": "{MMAR_CKPT_DIR}/model.ts"}},
            "pre_transforms": [*CHAIN],
            "post_transforms": [*POST],
            "label_transforms": [*LABEL, SPLIT],
            "val_metrics": [dice("pred_1", "label_1")],
            "writers": [writer("model"), writer("pred_1")],
            **settings,
        }
        if change is not None:
            change(config)
        folder = tmp_path / "mmar" / "config"
        folder.mkdir(parents=True)
        (folder / "config_validation.json").write_text(json.dumps(config))
        environment = {"DATA_ROOT": str(small_scans), "DATASET_JSON": str(small_scans / "dataset.json")}
        (folder / "environment.json").write_text(json.dumps(environment))
        (folder.parent / "models").mkdir()
        example = torch.rand(1, 1, 16, 16, 16)
        torch.jit.trace(Threshold(), example).save(str(folder.parent / "models/model.ts"))
        workflow = load_evaluate_workflow(folder / "config_validation.json")
        inference = None if images is None else Inference(images, file)
        return translate_evaluate(workflow, find_model(workflow), tmp_path / "mmar" / "eval", inference).config

    return make


def native_of(config: dict[str, Any], **options: Any) -> NativeConfig:
    native = native_evaluate(config, **options)
    entries = {name: value for name, value in native.config.items() if not isinstance(value, str)}
    assert not is_ours(entries)
    return native


def numpy_dice(small_scans: Path, cases: range) -> list[float]:
    found = []
    for case in cases:
        image, label = (
            np.asarray(nibabel.load(small_scans / f"case{case}_{kind}.nii.gz").dataobj) for kind in ("image", "label")
        )
        predicted, true = image > 50, label > 0
        found.append(2.0 * np.logical_and(predicted, true).sum(dtype=np.float64) / (predicted.sum() + true.sum()))
    return found


COMPARED: dict[str, Change] = {
    "fields of one class": lambda config: None,
    "one hot": lambda config: config["val_metrics"][0]["args"].update(is_one_hot_targets=True),
    "the whole prediction": lambda config: config.update(
        post_transforms=[], label_transforms=LABEL, val_metrics=[dice("model", "label")], writers=[]
    ),
    "class indices": lambda config: config.update(
        post_transforms=POST[:1],
        label_transforms=LABEL,
        val_metrics=[dice("model", "label")],
        writers=[writer("model")],
    ),
    "several": lambda config: config["val_metrics"].append(dice("pred_0", "label_0")),
    "without an inferer": lambda config: config.pop("inferer"),
    "mixed precision": lambda config: config.update(use_amp=True),
}


@pytest.mark.parametrize("name", COMPARED)
def test_nothing_is_lost_without_a_word(exact: Callable[..., dict[str, Any]], complete: Any, name: str) -> None:
    config = exact(COMPARED[name])
    complete(config, native_of(config))


def test_metrics_with_odd_names(exact: Callable[..., dict[str, Any]], complete: Any, run_native: Run) -> None:
    names = ("a#", "a$", "a", "_target_")
    config = exact(
        lambda config: config.update(val_metrics=[dice("pred_1", "label_1", name=name) for name in names])
    )
    native = native_of(config)
    complete(config, native)
    metrics = run_native(native.config)["metrics"]
    assert list(metrics) == ["a", "a_2", "a_3", "target"]
    assert len(set(metrics.values())) == 1


@pytest.mark.parametrize("name", COMPARED)
def test_dice_is_that_of_numpy(
    exact: Callable[..., dict[str, Any]], run_native: Run, small_scans: Path, name: str
) -> None:
    native = native_of(exact(COMPARED[name]))
    result = run_native({**native.config, "device": "cpu"})
    [first, *_] = native.config["key_metric"]
    expected = numpy_dice(small_scans, range(4))
    assert result["metrics"][first] == pytest.approx(np.mean(expected), abs=1e-6)
    table = (Path(native.config["output_dir"]) / f"{first}_raw.csv").read_text()
    assert all(f"case{case}_image.nii.gz" in table for case in range(4))
    values = [float(line.split(",")[1]) for line in table.splitlines()[1:5]]
    assert values == pytest.approx(expected, abs=1e-4)


def test_files_are_where_they_were(exact: Callable[..., dict[str, Any]], run_native: Run, small_scans: Path) -> None:
    native = native_of(exact(output_infer_result=True))
    run_native({**native.config, "device": "cpu"})
    for case in range(4):
        image = nibabel.load(small_scans / f"case{case}_image.nii.gz")
        for field in ("model", "pred_1"):
            file = Path(native.config["output_dir"]) / f"case{case}_image" / f"case{case}_image_{field}.nii.gz"
            found = nibabel.load(file)
            np.testing.assert_array_equal(np.asarray(found.dataobj), np.asarray(image.dataobj) > 50)
            np.testing.assert_allclose(found.affine, image.affine, atol=1e-5)
            assert found.get_data_dtype() == np.uint8


def test_only_writes(exact: Callable[..., dict[str, Any]], run_native: Run) -> None:
    native = native_of(exact(do_validation=False, output_infer_result=True))
    assert "key_metric" not in native.config
    assert run_native({**native.config, "device": "cpu"})["metrics"] == {}
    assert len(list(Path(native.config["output_dir"]).glob("*/*.nii.gz"))) == 8


def test_only_measures(exact: Callable[..., dict[str, Any]], run_native: Run) -> None:
    native = native_of(exact(output_infer_result=False))
    run_native({**native.config, "device": "cpu"})
    assert not list(Path(native.config["output_dir"]).glob("*/*.nii.gz"))


@pytest.mark.parametrize("one", [False, True])
def test_an_inference_writes_in_the_grid_of_the_file(
    exact: Callable[..., dict[str, Any]], run_native: Run, small_scans: Path, tmp_path: Path, one: bool
) -> None:
    def turned(config: dict[str, Any]) -> None:
        config["pre_transforms"][0] = {"name": "LoadNifti", "args": {"fields": ["image"], "as_closest_canonical": True}}
        config["writers"] = [writer("model")]

    file = small_scans / "case2_image.nii.gz"
    native = native_of(exact(turned, [str(file)], tmp_path / "mask.nii.gz" if one else None))
    run_native({**native.config, "device": "cpu"})
    image = nibabel.load(file)
    folder = Path(native.config["output_dir"]) / "case2_image" / "case2_image_model.nii.gz"
    found = nibabel.load(tmp_path / "mask.nii.gz" if one else folder)
    np.testing.assert_array_equal(np.asarray(found.dataobj), np.asarray(image.dataobj) > 50)
    np.testing.assert_allclose(found.affine, image.affine, atol=1e-5)


def test_a_network_is_loaded_from_its_weights(
    exact: Callable[..., dict[str, Any]], run_native: Run, tmp_path: Path
) -> None:
    """Weights of the native training, below ``ckpt_dir``; the evaluation applies the activation."""
    from monai.networks.nets import DynUNet

    config = exact()
    definition = {
        "_target_": "clara_compat.engine.networks.unet.ClaraUNet",
        "spatial_dims": 3,
        "in_channels": 1,
        "out_channels": 2,
        "encoder_channels": [4, 4],
        "decoder_channels": [4, 4, 4, 4],
        "norm": None,
        "dropout_prob": 0.0,
        "reg_weight": 0.0,
        "final_activation": "softmax",
    }
    target = "clara_compat.engine.model_files.network_with_weights"
    network = {"_target_": target, "network": "@network_def", "file": "/elsewhere/model.pt", "device": "@device"}
    exact_config = {**config, "ckpt_dir": str(tmp_path), "network_def": definition, "network": network}
    native = native_of(exact_config)
    assert native.weights is None
    [load, *_] = native.config["handlers"]
    assert load["load_path"] == "$@ckpt_dir + '/model.pt'"
    assert native.config["postprocessing"]["transforms"][0] == {
        "_target_": "Activationsd",
        "keys": "pred",
        "softmax": True,
    }
    [difference] = [one for one in native.differences if one.entry == "network"]
    assert difference.text == "The file must hold weights of this network: those of the exact one do not fit."
    arguments = {name: value for name, value in native.config["network_def"].items() if name != "_target_"}
    torch.save(DynUNet(**arguments).state_dict(), tmp_path / "model.pt")
    result = run_native({**native.config, "device": "cpu"})
    assert 0 <= result["metrics"]["dice_pred_1"] <= 1


def test_without_ckpt_dir_the_file_is_named(exact: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    config = exact()
    definition = {"_target_": "monai.networks.nets.SegResNet", "out_channels": 2}
    network = {
        "_target_": "clara_compat.engine.model_files.network_with_weights",
        "network": "@network_def",
        "file": str(tmp_path / "model.pt"),
        "device": "@device",
    }
    placed = {name: value for name, value in config.items() if name != "ckpt_dir"}
    native = native_of({**placed, "network_def": definition, "network": network})
    assert native.weights == ""
    assert native.config["handlers"][0]["load_path"] == str(tmp_path / "model.pt")
    assert "Activationsd" not in json.dumps(native.config)


@pytest.mark.parametrize(
    ("change", "entry", "now", "text"),
    [
        (lambda config: None, "dataset", "Dataset", "Results of an earlier run are never taken: all is done anew."),
        (lambda config: config.update(output_infer_result=False), "writers#0", "", ""),
        (
            lambda config: config.update(use_amp=True),
            "inferer",
            "SlidingWindowInferer",
            "MONAI's amp computes in float16",
        ),
        (
            lambda config: config["val_metrics"][0]["args"].update(is_2d=True, report_path="reports"),
            "metrics#dice_pred_1",
            "MeanDice",
            "The Dice is that of whole volumes, not the mean over their slices. The table of its values has MONAI's",
        ),
        (
            lambda config: config["val_metrics"].append(
                {"name": "ComputeAverage", "args": {"name": "x", "field": "y"}}
            ),
            "metrics#x",
            "",
            "'y' is a value that this config does not compute, and is left out.",
        ),
    ],
)
def test_what_differs_is_told(
    exact: Callable[..., dict[str, Any]], change: Change, entry: str, now: str, text: str
) -> None:
    native = native_of(exact(change, overwrite_previous_result=False))
    [difference] = [one for one in native.differences if one.entry == entry]
    assert difference.now == now
    assert difference.text.startswith(text)
