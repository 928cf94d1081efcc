"""Native configs of trainings run where this package cannot be imported."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser
from monai.networks.nets import UNet

from clara_compat.translate.native.native_config import NativeConfig
from clara_compat.translate.native.train import native_train

Native = Callable[..., NativeConfig]
Run = Callable[[dict[str, Any]], dict[str, Any]]
Change = Callable[[dict[str, Any]], Any]


def of_train(**elements: Any) -> Change:
    """Return a change of elements of the train section; ``name: args`` pairs."""

    def change(config: dict[str, Any]) -> None:
        for slot, (name, args) in elements.items():
            config["train"][slot] = {"name": name, "args": args}

    return change


def model(name: str, **args: Any) -> Change:
    return of_train(model=(name, {"num_classes": 2, **args}))


def setting(**values: Any) -> Change:
    return lambda config: config.update(values)


def pipeline(kind: str = "SegmentationImagePipeline", **args: Any) -> Change:
    def change(config: dict[str, Any]) -> None:
        found = config["train"]["image_pipeline"]
        found["name"] = kind
        found["args"].update(args)

    return change


def metrics(*specs: dict[str, Any]) -> Change:
    return lambda config: config["validate"].update(metrics=list(specs))


def metric(kind: str, **args: Any) -> dict[str, Any]:
    return {"name": kind, "args": {"field": "model", **args}}


def operation(kind: str, **args: Any) -> Change:
    return lambda config: config["train"]["aux_ops"].append({"name": kind, "args": args})


def both(*changes: Change) -> Change:
    def change(config: dict[str, Any]) -> None:
        for one in changes:
            one(config)

    return change


def handler(name: str, **args: Any) -> Change:
    return lambda config: config["train"].update(handlers=[{"name": name, "args": args}])


UNET = {"nf_enc": "4,4,4,4", "nf_dec": "4,4,4,4,4,4,4"}
SINGLE = both(model("Unet", **UNET), of_train(model=("Unet", {"num_classes": 1, **UNET})))
SIGMOID = model("Unet", final_activation="sigmoid", **UNET)
DICE = metric("ComputeAverageDice", name="dice", is_key_metric=True)

CHANGES: dict[str, Change] = {
    "as it is": lambda config: None,
    "single channel": SINGLE,
    "sigmoid": SIGMOID,
    "linear": model("Unet", final_activation="linear", **UNET),
    "no norm": model("Unet", use_group_norm=False, **UNET),
    "batch norm": model("Unet", use_batch_norm=True, **UNET),
    "groups": model("Unet", nf_enc="4,8,4,4", nf_dec="8,4,4,4,4,4,12", use_group_normG=2, use_group_norm=True),
    "one level": model("Unet", nf_enc="4", nf_dec="4,4,8"),
    "penalty": model("Unet", reg_weight=1e-4, dropout_prob=0.2, **UNET),
    "resnet": model("SegResnet", blocks_down="1,1", blocks_up="1", reg_weight=1e-5),
    "resnet vae": model("SegResnet", blocks_down="1,1", blocks_up="1", use_vae=True, dropout_prob=0.2),
    "resnet plain": model("SegResnet", blocks_down="1,1", blocks_up="1", use_group_norm=False),
    "stock": of_train(model=("monai.networks.nets.UNet", {"out_channels": 2, "channels": [4, 8], "strides": [2]})),
    "stock loss": of_train(loss=("monai.losses.DiceLoss", {"to_onehot_y": True})),
    "stock both": of_train(
        model=("monai.networks.nets.SegResNet", {"out_channels": 2, "init_filters": 8}),
        loss=("monai.losses.DiceCELoss", {"to_onehot_y": True, "softmax": True}),
    ),
    **{
        f"loss {name} {args}": of_train(loss=(name, args))
        for name in ("Dice", "CrossEntropy", "Focal", "CrossEntropyDice", "FocalDice")
        for args in ({}, {"skip_background": True})
    },
    "loss of one channel": both(SINGLE, of_train(loss=("FocalDice", {}))),
    "loss of sigmoids": both(SIGMOID, of_train(loss=("CrossEntropyDice", {}))),
    "jaccard": of_train(loss=("Dice", {"jaccard": True, "squared_pred": True})),
    "momentum": of_train(optimizer=("Momentum", {"momentum": 0.9, "use_nesterov": True})),
    "sgd": of_train(optimizer=("SGD", {})),
    "rmsprop": of_train(optimizer=("RMSProp", {"centered": True, "momentum": 0.5})),
    "novograd": both(
        of_train(optimizer=("NovoGrad", {"grad_averaging": True})), model("Unet", reg_weight=1e-4, **UNET)
    ),
    "early stop": handler("EarlyStop", val_times_threshold=1),
    "statistics": handler("StatsHandler"),
    "threshold": setting(stop_threshold=2.0),
    "amp": setting(use_amp=True),
    "not deterministic": lambda config: config.pop("determinism"),
    "tf32": setting(use_tf32=True),
    "training mode": both(setting(infer_in_training_mode=True)),
    "no validation": setting(num_training_epoch_per_valid=0, validate_at_end=False),
    "no validate section": lambda config: config.pop("validate"),
    "summaries": setting(train_summary_recording_interval=2),
    "cache": pipeline("SegmentationImagePipelineWithCache", num_cache_objects=3),
    "smart cache": pipeline("SegmentationImagePipelineWithCache", num_cache_objects=2, replace_percent=0.5),
    "duplicates": pipeline(duplicate_count=2, shuffle=False),
    "workers": pipeline(num_workers=1),
    "several crops": lambda config: (
        config["train"]["pre_transforms"][3].update(
            name="CropByPosNegRatio",
            args={"size": [16, 16, 16], "fields": "image", "label_field": "label", "batch_size": 3},
        )
        or config["train"]["image_pipeline"]["args"].update(batched_by_transforms=True)
    ),
    "batch transforms": lambda config: config["train"].update(
        batch_transforms=[{"name": "AddGaussianNoise", "args": {"fields": "image"}}]
    ),
    "dice of slices": metrics(metric("ComputeAverageDice", name="dice", is_2d=True, is_key_metric=True)),
    "two thresholds": metrics(DICE, metric("ComputeAverageDice", name="other", logit_thresh=0.3)),
    "background": metrics(metric("ComputeAverageDice", name="dice", remove_bg=False, report_path="reports")),
    "names alike": metrics(
        metric("ComputeAverageDice", name="dice a", is_key_metric=True),
        metric("ComputeAverageDice", name="dice_a"),
        metric("ComputeAverageDice", name="dice#a", logit_thresh=0.3),
    ),
    "all at once": both(
        handler("EarlyStop", val_times_threshold=1),
        setting(stop_threshold=0.9, use_amp=True, use_tf32=True, infer_in_training_mode=True),
        operation("DiceMaskedOutput", tags=["d", "d0", "d1"]),
        lambda config: config["train"].update(lr_policy={"name": "ReduceCosine"}),
    ),
    "odd name": metrics(metric("ComputeAverageDice", name="dice $#::")),
    "loss metric": metrics(metric("ComputeAverage", name="loss", field="loss", negate_value=True)),
    "no metric": metrics(),
    "dice tags": both(
        operation("DiceMaskedOutput", tags=["d", "d0", "d1"]),
        operation("ComputeDice", tag="all"),
        metrics(*(metric("ComputeAverage", name=tag, field=tag) for tag in ("d", "d1", "all"))),
    ),
    "a key metric without counterpart": both(
        operation("ReduceMeanMasked", tag="mean"), metrics(metric("ComputeAverage", name="mean", field="mean"))
    ),
    "simple inferer": lambda config: config["validate"].update(
        inferer={"name": "TFSimpleInferer"},
        pre_transforms=config["train"]["pre_transforms"][:4],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_trains(native_of: Native, run_native: Run, name: str) -> None:
    native = native_of(CHANGES[name])
    result = run_native({**native.config, "epochs": 1, "device": "cpu"})
    assert math.isfinite(result["loss"])
    assert result["steps"] > 0
    folder = Path(native.config["ckpt_dir"])
    assert (folder / "final_model.pt").is_file()
    validated = (
        "validate" in native.config and "key_metric" in native.config["validate"] and native.config["val_interval"]
    )
    assert (folder / "model.pt").is_file() == bool(validated)
    assert set(result["metrics"]) == (
        {*native.config["validate"]["key_metric"], *native.config["validate"].get("additional_metrics", {})}
        if validated
        else set()
    )


CURVES: dict[str, tuple[str, dict[str, Any], Callable[[int, int, int], float]]] = {
    # learning rate after so many epochs and steps, as a part of the initial one
    "steps": ("DecayOnStep", {"decay_ratio": 0.5, "decay_freq": 3}, lambda epoch, epochs, steps: 0.5 ** (steps // 3)),
    "cosine": ("ReduceCosine", {}, lambda epoch, epochs, steps: 0.5 * (1 + math.cos(math.pi * epoch / epochs))),
    "steep cosine": (
        "ReduceCosine",
        {"rate": 0.8},
        lambda epoch, epochs, steps: 0.8 * (1 + math.cos(math.pi * epoch / epochs)),
    ),
    "power": ("ReducePoly", {"poly_power": 2.0}, lambda epoch, epochs, steps: (1 - epoch / epochs) ** 2),
}


@pytest.mark.parametrize("name", CURVES)
def test_the_learning_rate_has_the_same_curve(native_of: Native, run_native: Run, name: str) -> None:
    policy, args, curve = CURVES[name]
    native = native_of(both(of_train(lr_policy=(policy, args)), setting(num_training_epoch_per_valid=9, epochs=4)))
    assert [one.text for one in native.differences if one.entry == "train#events#policy"] == [""]
    stop = {**native.config, "device": "cpu"}
    ends = "lambda engine: engine.terminate() if engine.state.iteration == 3 * engine.state.epoch_length else None"
    completed = "monai.engines.IterationEvents.MODEL_COMPLETED"  # of the last step of epoch 3, whose end never comes
    stop["run"] = [f"$@train#trainer.add_event_handler({completed}, {ends})", *stop["run"]]
    result = run_native(stop)
    assert result["epoch"] == 3
    assert result["rate"] == pytest.approx(1e-3 * curve(2, 4, result["steps"]), rel=1e-5)


def test_a_plateau_lowers_the_learning_rate(native_of: Native, run_native: Run) -> None:
    """A metric that never gets better: the first validation counts as better, each two more as a plateau."""
    policy = of_train(lr_policy=("ReduceOnPlateau", {"plateau_count_trigger": 2, "reduction_rate": 0.5}))
    still = of_train(optimizer=("SGD", {}))
    native = native_of(both(policy, still, setting(epochs=5, learning_rate=1e-9)))
    result = run_native({**native.config, "device": "cpu"})
    assert result["epoch"] == 5
    assert result["rate"] == pytest.approx(1e-9 / 4)


@pytest.mark.parametrize(("reached", "ended"), [(0.5, True), (0.75, True), (0.25, False)])
def test_a_threshold_is_reached_by_its_own_value(native_of: Native, reached: float, ended: bool) -> None:
    from types import SimpleNamespace

    config = native_of(setting(stop_threshold=0.5)).config
    [ends] = [one.partition("COMPLETED, ")[2].rstrip(")") for one in config["run"] if "COMPLETED" in one]
    ran = []
    space = {"trainer": SimpleNamespace(terminate=lambda: ran.append(1))}
    state = SimpleNamespace(metrics={"dice": reached}, key_metric_name="dice")
    eval(ends.replace("@train#trainer", "trainer"), space)(SimpleNamespace(state=state))
    assert bool(ran) is ended


@pytest.mark.parametrize(
    ("change", "epochs"),
    [
        (handler("EarlyStop", val_times_threshold=2), 3),
        (setting(stop_threshold=0.0), 1),
        (setting(stop_threshold=1.5), 4),
    ],
)
def test_ends_early(native_of: Native, run_native: Run, change: Change, epochs: int) -> None:
    still = both(of_train(optimizer=("SGD", {})), setting(epochs=4, learning_rate=1e-9))
    assert run_native({**native_of(both(still, change)).config, "device": "cpu"})["epoch"] == epochs


@pytest.mark.parametrize(
    "change",
    [
        of_train(lr_policy=("ReduceOnPlateau", {"plateau_count_trigger": 2})),
        handler("EarlyStop", val_times_threshold=2),
        setting(stop_threshold=0.5),
    ],
)
def test_what_waits_for_a_key_metric_is_left_out_without_one(native_of: Native, change: Change) -> None:
    native = native_of(both(change, lambda config: config.pop("validate")))
    [difference] = [one for one in native.differences if not one.now and one.entry.startswith("train#events#")]
    assert "no key metric is computed" in difference.text


@pytest.mark.parametrize(
    ("setting_of_ours", "text"),
    [
        ({"on_bad_item": "skip"}, "A scan that cannot be made ends the training."),
        ({"accelerate": "bf16"}, "A training computes in float32 throughout: MONAI's trainer has amp=True for CUDA."),
    ],
)
def test_what_a_native_training_does_not_do(native_of: Native, setting_of_ours: dict[str, str], text: str) -> None:
    native = native_of(setting(**setting_of_ours))
    [difference] = [one for one in native.differences if one.text == text]
    assert (difference.entry.startswith("train#handlers#"), difference.now) == (True, "")


@pytest.mark.parametrize(
    ("args", "shares", "total"),
    [
        ({"sampling": "automatic"}, {"rare": 1, "usual": 1}, 4),
        ({"category_weights": [1, 3]}, {"rare": 1, "usual": 3}, 4),
        ({"items_per_category": 5}, {"rare": 5, "usual": 5}, 10),
        ({"items_per_category": {"rare": 1, "usual": 2}}, {"rare": 1, "usual": 2}, 3),
    ],
)
def test_balanced_categories(
    native_of: Native,
    run_native: Run,
    small_scans: Path,
    tmp_path: Path,
    args: dict[str, Any],
    shares: dict[str, float],
    total: int,
) -> None:
    """One item is rare, three are usual: each is drawn by its share of its category."""
    items = json.loads((small_scans / "dataset.json").read_text())
    for number, item in enumerate(items["training"]):
        item["category"] = "usual" if number else "rare"
    for item in (*items["training"], *items["validation"]):
        item.update({kind: str(small_scans / item[kind]) for kind in ("image", "label")})
    (tmp_path / "dataset.json").write_text(json.dumps(items))
    native = native_of(pipeline(**args), data=tmp_path)
    sampler = ConfigParser(native.config).get_parsed_content("train#sampler")
    assert sampler.weights.tolist() == pytest.approx([shares["rare"], *[shares["usual"] / 3] * 3])
    assert sampler.num_samples == total
    assert run_native({**native.config, "epochs": 1, "device": "cpu"})["steps"] == math.ceil(total / 2)


def test_a_moving_window_is_not_balanced(native_of: Native) -> None:
    window = {"num_cache_objects": 2, "replace_percent": 0.5, "items_per_category": 2}
    native = native_of(pipeline("SegmentationImagePipelineWithCache", **window))
    assert "sampler" not in native.config["train"]
    [difference] = [one for one in native.differences if not one.now and one.entry == "train#plan#categories"]
    assert difference.text == "Categories are not balanced in a window whose items are replaced."


def test_a_window_of_the_list(native_of: Native) -> None:
    """The first items of the list only, as before."""
    native = native_of(pipeline("SegmentationImagePipelineWithCache", num_cache_objects=3))
    assert native.config["train"]["dataset"] == {
        "_target_": "CacheDataset",
        "data": "$@train#data[:3]",
        "transform": "@train#preprocessing",
        "num_workers": 1,
    }
    dataset = ConfigParser(native.config).get_parsed_content("train#dataset")
    assert len(dataset) == 3


def test_duplicates(native_of: Native, small_scans: Path) -> None:
    """Every item as often as before, beside itself."""
    found = ConfigParser(native_of(pipeline(duplicate_count=2)).config).get_parsed_content("train#data")
    names = [str(small_scans / f"case{case}_image.nii.gz") for case in range(4) for _ in range(2)]
    assert [item["image"] for item in found] == names


def test_the_validation_measures_what_the_exact_one_does(
    native_of: Native, run_native: Run, exact_train: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """A network of MONAI that both can run, with the same weights: the same Dice and the same loss."""
    unet = {"spatial_dims": 3, "in_channels": 1, "out_channels": 2, "channels": [4, 8], "strides": [2]}
    change = both(
        of_train(
            model=("monai.networks.nets.UNet", unet),
            loss=("monai.losses.DiceLoss", {"to_onehot_y": True, "softmax": True}),
            optimizer=("SGD", {}),
        ),
        setting(learning_rate=1e-12, epochs=1),
        metrics(DICE, metric("ComputeAverage", name="loss", field="loss")),
    )
    torch.manual_seed(5)
    torch.save(UNet(**unet).state_dict(), tmp_path / "start.pt")
    exact = exact_train(change)
    load = {"_target_": "clara_compat.engine.fine_tuning.load_into", "network": "$@network_def.to(@device)"}
    exact |= {"network": {**load, "path": str(tmp_path / "start.pt")}, "device": "cpu"}
    native = native_train(exact)
    assert native.config["start_weights"] == str(tmp_path / "start.pt")
    found = run_native(native.config)["metrics"]
    parser = ConfigParser(json.loads(json.dumps(exact)))
    for name in ("initialize", "run"):
        parser.get_parsed_content(name)
    expected = parser.get_parsed_content("validate#evaluator").state.metrics
    assert found["loss"] == pytest.approx(expected["loss"], abs=1e-5)
    assert found["dice"] == pytest.approx(expected["dice"], abs=1e-5)


LOST = [
    (model("Alexnet"), "network_def", "A stand-in: MONAI has no AlexNet"),
    (model("SegResnet", blocks_down="1,1", blocks_up="1", use_vae=True), "network_def", "reconstructs the image"),
    (model("SegAhnet", plane="y"), "network_def", "The slices lie along the last axis"),
    (model("Unet", reg_weight=0.1, **UNET), "optimizer", "is weight decay, which acts on biases"),
    (of_train(optimizer=("NovoGrad", {})), "optimizer", "Epsilon is outside the root"),
    (setting(use_amp=True), "train#inferer", "MONAI's amp computes in float16 on a GPU"),
    (setting(infer_in_training_mode=True), "validate#handlers#2", "change the statistics of batch normalisation"),
    (lambda config: config.pop("determinism"), "initialize#1", "Nothing is seeded."),
    (metrics(metric("ComputeAverageDice", name="d", is_2d=True)), "validate#key_metric#d", "of whole"),
    (metrics(DICE, metric("ComputeAverageDice", name="o", logit_thresh=0.3)), "validate#additional_metrics#o",
     r"The masks are those of the first metric \(0.5\), where they were its own \(0.3\)."),
]  # fmt: skip


@pytest.mark.parametrize(("change", "entry", "text"), LOST)
def test_what_differs_is_told(native_of: Native, change: Change, entry: str, text: str) -> None:
    def large(config: dict[str, Any]) -> None:
        change(config)
        config["train"]["image_pipeline"]["args"]["output_crop_size"] = [64, 64, 64]
        config["validate"]["inferer"]["args"]["roi_size"] = [64, 64, 64]

    [difference] = [one for one in native_of(large).differences if one.entry == entry]
    assert re.search(text, difference.text), difference.text


def test_the_exact_config_is_left_as_it_is(exact_train: Callable[..., dict[str, Any]]) -> None:
    exact = exact_train()
    before = json.dumps(exact)
    native_train(exact)
    assert json.dumps(exact) == before


def test_variables_stay(exact_train: Callable[..., dict[str, Any]]) -> None:
    """Those that the bundle has beside the run's own, and references to them."""
    exact = exact_train()
    more = {"output_dir": "$@bundle_root + '/eval'", "DATA_ROOT": "/data", "DATASET_JSON": "$@DATA_ROOT + '/list.json'"}
    exact = {**more, **exact, "bundle_root": "."}
    exact["train"]["data"]["data_list_file_path"] = "@DATASET_JSON"
    native = native_train(exact).config
    names = ("bundle_root", "ckpt_dir", "epochs", "learning_rate", "val_interval", "seed", "device", *more)
    assert {name: native[name] for name in names} == {name: exact[name] for name in names}
    assert native["train"]["data"]["data_list_file_path"] == "@DATASET_JSON"
    assert "user_code" not in native
    assert "cache_budget" not in native
