"""Auxiliary operations, inferers and validation in training mode, in real runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from clara_compat import check, train
from clara_compat.errors import ClaraError

Make = Callable[..., Path]

CROP = {"name": "CropFixedSizeRandomCenter", "args": {"fields": ["image", "label"], "size": [16, 16, 16]}}


def simple(config: dict[str, Any]) -> None:
    """Validate patches in one go, as the AutoML demos do."""
    config["validate"]["inferer"] = {"name": "TFSimpleInferer"}
    config["validate"]["pre_transforms"].append(CROP)


def operation(config: dict[str, Any], name: str, metrics: list[str], **args: Any) -> None:
    config["train"]["aux_ops"].append({"name": name, "args": args})
    config["validate"]["metrics"] += [
        {"name": "ComputeAverage", "args": {"name": f"val_{m}", "field": m}} for m in metrics
    ]


def test_masked_dice_of_patches(small_mmar: Make, caplog: pytest.LogCaptureFixture) -> None:
    def change(config: dict[str, Any]) -> None:
        simple(config)
        config.update(epochs=30, learning_rate=0.01)
        operation(config, "DiceMaskedOutput", ["dice", "organ"], tags=["dice", "organ"], skip_background=True)
        operation(config, "ComputeAccuracy", ["accuracy"], tag="accuracy", do_print=False, do_summary=False)
        operation(config, "ReduceMeanMasked", [], tags=["inside"], skip_background=True, do_print=False)

    mmar = small_mmar(change)
    stats = train(mmar).stats
    first, last = stats["epochs"][0], stats["epochs"][-1]
    assert set(first["train_metrics"]) == {"negloss", "dice", "organ", "inside"}
    assert set(first["metrics"]) == {"mean_dice", "negloss", "val_dice", "val_organ", "val_accuracy"}
    assert last["metrics"]["val_dice"] == last["metrics"]["val_organ"]  # the one class there is
    assert last["train_metrics"]["dice"] > max(0.5, first["train_metrics"]["dice"])
    assert last["metrics"]["val_dice"] > max(0.5, first["metrics"]["val_dice"])
    assert last["metrics"]["val_accuracy"] > 0.8
    tags = EventAccumulator(str(mmar / "models")).Reload().Tags()["scalars"]
    assert {"train_dice", "train_organ", "train_inside", "val_dice"} <= set(tags)
    assert "train_accuracy" not in tags
    line = next(record.getMessage() for record in caplog.records if "epoch 30/30" in record.getMessage())
    assert "dice" in line
    assert "inside" not in line


def test_masked_dice_of_whole_scans(small_mmar: Make) -> None:
    """The value of an operation is that of the stitched prediction, and equals the metric of the same rule."""

    def change(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        operation(config, "DiceMaskedOutput", ["d"], tags="d", skip_background=True, is_independent_predictions=True)

    metrics = train(small_mmar(change)).stats["epochs"][0]["metrics"]
    assert metrics["val_d"] == pytest.approx(metrics["mean_dice"], abs=1e-12)


def _user_operation(mmar: Path, code: str) -> None:
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(dedent(code))


def test_an_operation_of_the_user(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        config["train"]["aux_ops"].append({"path": "mine.Share", "args": {"threshold": 0.25}})
        for field in ("share", "channels", "training"):
            config["validate"]["metrics"].append(
                {"name": "ComputeAverage", "args": {"name": f"v_{field}", "field": field}}
            )

    mmar = small_mmar(change)
    _user_operation(
        mmar,
        """
        import numpy as np
        from ai4med.common.build_ctx import BuildContext
        from ai4med.components.aux_ops.aux_op import AuxiliaryOperation

        class Share(AuxiliaryOperation):
            def __init__(self, threshold):
                AuxiliaryOperation.__init__(self)
                self.threshold = threshold

            def get_output_tensors(self, predictions, label, build_ctx):
                data = build_ctx.must_get(BuildContext.KEY_DATA_PROP)
                assert data.num_data_dims == 3 and build_ctx.must_get(BuildContext.KEY_LEARNING_RATE) == 1e-3
                return {
                    "share": np.mean(predictions[:, 1] > self.threshold),
                    "channels": data.num_channels,
                    "training": float(build_ctx.must_get(BuildContext.KEY_IS_TRAIN)),
                }
        """,
    )
    report = check(mmar / "config/config_train.json")
    assert (report.errors, report.limits) == ([], [])
    assert [row.fidelity for row in report.rows if row.component == "mine.Share"] == ["user code"]
    epoch = train(mmar).stats["epochs"][0]
    assert 0 <= epoch["metrics"]["v_share"] <= 1
    assert (epoch["metrics"]["v_channels"], epoch["metrics"]["v_training"]) == (1, 0)
    assert epoch["train_metrics"]["training"] == 1


def test_an_error_of_the_users_operation_has_its_line(small_mmar: Make) -> None:
    mmar = small_mmar(lambda config: config["train"]["aux_ops"].append({"path": "mine.Mine"}))
    _user_operation(
        mmar,
        """
        class Mine:
            def get_output_tensors(self, predictions, label, build_ctx):
                return [][3]
        """,
    )
    with pytest.raises(ClaraError, match=r"auxiliary operation 'Mine': .*mine.py:4: IndexError"):
        train(mmar)


def test_an_operation_written_with_tensorflow_is_a_limit(small_mmar: Make) -> None:
    mmar = small_mmar(lambda config: config["train"]["aux_ops"].append({"path": "mine.Mine"}))
    _user_operation(
        mmar,
        """
        import tensorflow as tf
        from ai4med.components.aux_ops.aux_op import AuxiliaryOperation

        class Mine(AuxiliaryOperation):
            def get_output_tensors(self, predictions, label, build_ctx):
                return {"m": tf.reduce_mean(predictions)}
        """,
    )
    report = check(mmar / "config/config_train.json")
    assert report.passed
    assert "'Mine' is written with TensorFlow, which auxiliary operations cannot use yet" in report.limits[0].message
    assert [row.fidelity for row in report.rows if row.component == "mine.Mine"] == ["not yet"]


def test_an_inferer_of_the_user_is_a_limit(small_mmar: Make) -> None:
    mmar = small_mmar(lambda config: config["validate"].update(inferer={"path": "mine.Mine"}))
    _user_operation(
        mmar,
        """
        from ai4med.components.inferers.inferer import Inferer

        class Mine(Inferer):
            def infer(self, model_input_values, input_shape_format, inference_ctx):
                return {}
        """,
    )
    report = check(mmar / "config/config_train.json")
    assert report.passed
    assert "'Mine' is user code: user-written inferer components do not run yet" in report.limits[0].message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: operation(c, "DiceMaskedOutput", [], tags=["a", "b"]),
            r"train.aux_ops\[1\]: DiceMaskedOutput: 2 tags for 2 counted channels",
        ),
        (
            lambda c: operation(c, "ComputeAccuracy", [], tag="negloss"),
            r"train.aux_ops\[1\]: the tag 'negloss' is given by NegLoss \(line \d+\) already",
        ),
        (
            lambda c: operation(c, "DiceMaskedOutput", ["dise"], tags=["dice"]),
            r"validate.metrics\[2\].args.field: nothing produces the field 'dise'; did you mean 'dice'",
        ),
        (
            lambda c: c["validate"].update(
                inferer={"name": "TRTISScanWindowInferer", "args": {"roi_size": [16, 16, 9]}}
            ),
            r"validate.inferer.args.roi_size: .*multiple of 16",
        ),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(small_mmar: Make, change: Callable, message: str) -> None:
    mmar = small_mmar(change)
    with pytest.raises(ClaraError, match=message):
        train(mmar)
    assert not (mmar / "models").exists()


def test_no_server_is_asked(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        config["validate"]["inferer"] = {
            "name": "TRTISScanWindowInferer",
            "args": {"model_name": "liver", "port": 8001},
        }

    plain = train(small_mmar(lambda config: config.update(epochs=1), "plain")).stats["epochs"][0]["metrics"]
    mmar = small_mmar(change)
    notices = [str(notice) for notice in check(mmar / "config/config_train.json").notices]
    assert any("validate.inferer: the server at localhost:8001 is not asked" in notice for notice in notices)
    assert train(mmar).stats["epochs"][0]["metrics"] == plain  # windows of the declared crop size are the same


def test_validation_in_training_mode(small_mmar: Make) -> None:
    """The metrics are those of batch statistics; what is trained is the same."""

    def change(config: dict[str, Any], mode: bool) -> None:
        config.update(epochs=2, infer_in_training_mode=mode)
        config["train"]["model"]["args"]["use_batch_norm"] = True
        config["validate"]["inferer"]["args"]["roi_size"] = [32, 32, 32]

    runs = [train(small_mmar(lambda config, mode=mode: change(config, mode), f"mmar{mode}")) for mode in (False, True)]
    first, second = (run.network.state_dict() for run in runs)
    assert any("running_mean" in name for name in first)
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    metrics = [run.stats["epochs"][-1]["metrics"]["negloss"] for run in runs]
    assert np.isfinite(metrics).all()
    assert metrics[0] != metrics[1]
    config = json.loads(runs[1].paths["bundle"].read_text())
    assert config["validate"]["evaluator"]["mode"] == "train"


def test_validation_in_training_mode_of_windows_the_vae_was_not_made_for(small_mmar: Make) -> None:
    """The VAE branch takes crops only; it has a part in training, and none in validation."""

    def change(config: dict[str, Any]) -> None:
        config.update(epochs=2, infer_in_training_mode=True)
        args = {"num_classes": 2, "init_filters": 4, "blocks_down": "1,1", "blocks_up": "1", "use_vae": True}
        config["train"]["model"] = {"name": "SegResnet", "args": {**args, "use_group_norm": True, "use_group_normG": 2}}
        config["validate"]["inferer"]["args"]["roi_size"] = [20, 24, 12]

    run = train(small_mmar(change))
    assert all(np.isfinite(epoch["metrics"]["negloss"]) for epoch in run.stats["epochs"])
    assert run.network.vae.image_size == (16, 16, 16)
    assert run.network.training
    run.parser.get_parsed_content("validate#evaluator").run()
    assert run.network.training
    assert torch.is_grad_enabled()


def test_masks_give_the_metrics_that_probabilities_give(small_mmar: Make) -> None:
    """Nothing but thresholds is asked of the prediction, until a metric of the loss is added."""

    def change(config: dict[str, Any], loss: bool) -> None:
        config.update(epochs=3, learning_rate=0.01)
        config["train"]["aux_ops"] = []
        config["validate"]["metrics"] = config["validate"]["metrics"][:1]
        operation(config, "DiceMaskedOutput", ["d"], tags="d", is_independent_predictions=False)
        if loss:
            config["validate"]["metrics"].append({"name": "ComputeAverage", "args": {"name": "loss", "field": "loss"}})

    results = [train(small_mmar(lambda config, loss=loss: change(config, loss), f"m{loss}")) for loss in (False, True)]
    targets = [result.parser.config["validate"]["inferer"]["_target_"] for result in results]
    assert targets == ["clara_compat.engine.mask_inferer.MaskInferer", "SlidingWindowInferer"]
    first, second = ([epoch["metrics"] for epoch in result.stats["epochs"]] for result in results)
    assert all(metrics.pop("loss") > 0 for metrics in second)
    assert first == second
    assert first[-1]["mean_dice"] > 0
