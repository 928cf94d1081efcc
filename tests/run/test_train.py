"""A legacy config trains end to end, and leaves what the user expects."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from clara_compat import train
from clara_compat.errors import ClaraError

Make = Callable[..., Path]


def test_what_a_run_leaves(
    small_mmar: Make, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    mmar = small_mmar()
    result = train(mmar, "config/config_train.json", "config/environment.json")
    models = mmar / "models"
    assert {name: path.relative_to(models).as_posix() for name, path in result.paths.items()} == {
        "model": "model.pt",
        "final_model": "final_model.pt",
        "checkpoint": "checkpoint.pt",
        "stats": "train_stats.json",
        "cases": "validation_cases.json",
        "report": "report.html",
        "bundle": "configs/train.json",
        "metadata": "configs/metadata.json",
        "logging": "configs/logging.conf",
    }
    stats = result.stats
    assert stats == json.loads((models / "train_stats.json").read_text())
    assert [epoch["epoch"] for epoch in stats["epochs"]] == [1, 2]
    assert all(np.isfinite(epoch["loss"]) for epoch in stats["epochs"])
    assert set(stats["epochs"][0]["metrics"]) == {"mean_dice", "negloss"}
    assert (stats["steps"], stats["steps_per_epoch"], stats["key_metric"]) == (4, 2, "mean_dice")
    assert stats["best_value"] == max(epoch["metrics"]["mean_dice"] for epoch in stats["epochs"])
    assert stats["threads"] == torch.get_num_threads()
    assert {"torch", "monai", "python"} <= stats["versions"].keys()
    network = result.network
    final = torch.load(models / "final_model.pt", weights_only=True)
    assert all(torch.equal(final[name], value) for name, value in network.state_dict().items())
    checkpoint = torch.load(models / "checkpoint.pt", weights_only=True)
    assert checkpoint["trainer"]["epoch_length"] == 2
    assert checkpoint["best"]["name"] == "mean_dice"
    events = EventAccumulator(str(models)).Reload()
    assert {"train_loss", "learning_rate", "epoch_loss", "mean_dice", "negloss"} <= set(events.Tags()["scalars"])
    assert len(events.Scalars("train_loss")) == 4
    assert [event.value for event in events.Scalars("epoch_loss")] == pytest.approx(
        [e["loss"] for e in stats["epochs"]]
    )
    out, err = capfd.readouterr()
    assert "epoch 2/2: loss" in caplog.text
    assert "validation after epoch 1: mean_dice" in caplog.text
    assert {record.name for record in caplog.records} == {"clara_compat"}
    assert not (out + err).strip()


def test_somebody_who_watches_sees_steps_and_windows(
    small_mmar: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ticks = iter(range(10**6))
    monkeypatch.setattr("clara_compat.engine.handlers.bar.watched", lambda: True)
    monkeypatch.setattr("clara_compat.engine.handlers.bar.time.perf_counter", lambda: next(ticks))
    result = train(small_mmar(lambda config: config.update(epochs=1)))
    shown = capfd.readouterr().err
    for words in ("epoch 1/1", "loss=0.", "validation", "windows=8"):  # 24 x 22 x 20 voxels in windows of 16
        assert words in shown
    assert not result.network._forward_hooks


def test_no_file_is_left_half_written(small_mmar: Make) -> None:
    mmar = small_mmar()
    train(mmar)
    assert not [path.name for path in (mmar / "models").iterdir() if path.name.startswith(".")]


def test_an_earlier_runs_results_are_kept(small_mmar: Make) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=1))
    first = train(mmar).paths["model"].read_bytes()
    train(mmar)
    assert (mmar / "models/previous_1/model.pt").read_bytes() == first
    assert (mmar / "models/model.pt").exists()


def test_a_run_that_saves_nothing_leaves_the_earlier_results(
    small_mmar: Make, caplog: pytest.LogCaptureFixture
) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=1))
    train(mmar)
    models = mmar / "models"
    before = {path: path.read_bytes() for path in models.rglob("*") if path.is_file()}
    (mmar / "custom").mkdir()
    (mmar / "custom/bad.py").write_text("import torch\nclass Loss(torch.nn.Module):\n    pass\n")
    for _ in range(2):
        with pytest.raises(ClaraError, match="forward"), caplog.at_level("INFO", "clara_compat"):
            train(mmar, overrides={"train.loss": {"path": "bad.Loss", "args": {}}})
        assert {path: path.read_bytes() for path in models.rglob("*") if path.is_file()} == before
    assert "the results of the earlier run are where they were" in caplog.text


@pytest.mark.parametrize(
    ("interval", "epochs", "at_end", "validated"), [(5, 2, True, [2]), (5, 2, False, []), (2, 3, True, [2])]
)
def test_when_validation_runs(small_mmar: Make, interval: int, epochs: int, at_end: bool, validated: list[int]) -> None:
    mmar = small_mmar(lambda config: config.update(num_training_epoch_per_valid=interval, epochs=epochs))
    result = train(mmar, overrides={"validate_at_end": at_end})
    assert [epoch["epoch"] for epoch in result.stats["epochs"] if "metrics" in epoch] == validated
    assert ("model" in result.paths) == bool(validated)


def test_a_config_without_validation_trains(small_mmar: Make) -> None:
    result = train(small_mmar(lambda config: config.pop("validate")))
    assert "model" not in result.paths
    assert "final_model" in result.paths


def test_overrides_reach_any_place(small_mmar: Make) -> None:
    mmar = small_mmar()
    result = train(mmar, overrides=["epochs=1", "train.image_pipeline.args.output_batch_size=4", "learning_rate=0.01"])
    assert result.stats["steps"] == 1
    assert result.stats["epochs"][0]["learning_rate"] == 0.01


def test_metric_names_are_the_users_words(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        for metric, name in zip(config["validate"]["metrics"], ("dice@0.5 #1", "_target_"), strict=True):
            metric["args"]["name"] = name

    result = train(small_mmar(change))
    assert set(result.stats["epochs"][0]["metrics"]) == {"dice@0.5 #1", "_target_"}


def test_aliases_are_kept_for_readers(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        config["train"]["pre_transforms"][0]["name"] = "LoadNifti#Reader"
        config["validate"]["pre_transforms"][0] = {"ref": "Reader"}

    result = train(small_mmar(change))
    transforms = json.loads(result.paths["bundle"].read_text())["validate"]["preprocessing"]["transforms"]
    assert transforms[0]["_desc_"] == "LoadNifti: Reader"


def test_amp_trains(small_mmar: Make) -> None:
    result = train(small_mmar(lambda config: config.update(use_amp=True, epochs=1)))
    assert np.isfinite(result.stats["epochs"][0]["loss"])
    assert next(result.network.parameters()).dtype == torch.float32


def _user_code(mmar: Path) -> None:
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(
        dedent(
            """
            import numpy as np
            import tensorflow as tf

            from ai4med.common.medical_image import MedicalImage
            from ai4med.common.shape_format import ShapeFormat
            from ai4med.components.metric import Metric
            from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
            from ai4med.libs.metrics.metric_list import MetricList


            class NumpyLoader(MultiFieldTransformer):
                def __init__(self, fields, shape):
                    MultiFieldTransformer.__init__(self, fields)
                    self._shape = ShapeFormat(shape)

                def transform(self, transform_ctx):
                    for field in self.fields:
                        name = transform_ctx[field]
                        transform_ctx.set_image(field, MedicalImage(np.load(name).astype(np.float), self._shape))
                    return transform_ctx


            class AddConstant(MultiFieldTransformer):
                def __init__(self, fields, magnitude):
                    MultiFieldTransformer.__init__(self, fields)
                    self.magnitude = magnitude

                def is_deterministic(self):
                    return False

                def transform(self, transform_ctx):
                    for field in self.fields:
                        image = transform_ctx.get_image(field)
                        data = image.get_data() + (np.random.rand() * 2.0 - 1.0) * self.magnitude
                        transform_ctx.set_image(field, image.new_image(data, image.get_shape_format()))
                    return transform_ctx


            class Mean(MetricList):
                def get(self):
                    return 0 if self._list is None or self._list.size == 0 else np.mean(self._list)


            class ComputeMean(Metric):
                def __init__(self, name, field, report_path=None, is_key_metric=False):
                    Metric.__init__(self, Mean(name, report_path=report_path), field=field, is_key_metric=is_key_metric)
            """
        )
    )


def test_numpy_components_of_the_user_run_unmodified(small_mmar: Make, small_scans: Path, tmp_path: Path) -> None:
    import nibabel

    items = json.loads((small_scans / "dataset.json").read_text())
    for item in items["training"] + items["validation"]:
        for field, name in list(item.items()):
            item[field] = name.replace(".nii.gz", ".npy")
            np.save(tmp_path / item[field], nibabel.load(small_scans / name).get_fdata())
    (tmp_path / "npy.json").write_text(json.dumps(items))

    def change(config: dict[str, Any]) -> None:
        chain = config["train"]["pre_transforms"]
        chain[0] = {
            "name": "NumpyLoader",
            "path": "mine.NumpyLoader",
            "args": {"fields": ["image", "label"], "shape": "DHW"},
        }
        chain.append({"path": "mine.AddConstant", "args": {"fields": "image", "magnitude": 0.1}})
        config["validate"]["pre_transforms"][0] = {"ref": "NumpyLoader"}
        config["validate"]["metrics"].append(
            {
                "path": "mine.ComputeMean",
                "args": {"name": "mine", "field": "negloss", "report_path": str(tmp_path / "reports")},
            }
        )

    mmar = small_mmar(change)
    _user_code(mmar)
    result = train(mmar, overrides={"DATA_ROOT": str(tmp_path), "DATASET_JSON": str(tmp_path / "npy.json")})
    metrics = result.stats["epochs"][-1]["metrics"]
    assert metrics["mine"] == pytest.approx(metrics["negloss"], rel=1e-6)
    assert "case4_image.npy" in (tmp_path / "reports/mine_raw_results.txt").read_text()
    assert "mean" in (tmp_path / "reports/mine_summary_results.txt").read_text()


def _weights(mmar: Path, **overrides: Any) -> dict[str, torch.Tensor]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return train(mmar, overrides=overrides).network.state_dict()
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
def test_determinism_gives_equal_weights_for_any_number_of_workers(
    small_mmar: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    mmar = small_mmar()
    reference = _weights(mmar)
    for workers in (0, 1, 4):
        again = _weights(mmar, **{"train.image_pipeline.args.num_workers": workers})
        assert all(torch.equal(reference[name], again[name]) for name in reference), workers
    other = _weights(mmar, determinism={"numpy_seed": 9, "tf_seed": 3})
    assert not all(torch.equal(reference[name], other[name]) for name in reference)


@pytest.mark.slow
def test_dropout_does_not_depend_on_the_number_of_workers(small_mmar: Make) -> None:
    mmar = small_mmar(lambda config: config["train"]["model"]["args"].update(dropout_prob=0.3))
    reference, again = (_weights(mmar, **{"train.image_pipeline.args.num_workers": n}) for n in (0, 1))
    assert all(torch.equal(reference[name], again[name]) for name in reference)


def test_a_users_transform_may_leave_float64(small_mmar: Make) -> None:
    mmar = small_mmar(lambda c: (c.update(epochs=1), c["train"]["pre_transforms"].append({"path": "mine.Noise"})))
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(
        "import numpy as np\n\n\n"
        "class Noise:\n"
        "    def transform(self, transform_ctx):\n"
        "        image = transform_ctx.get_image('image')\n"
        "        data = image.get_data() + np.random.normal(size=image.get_data().shape)\n"
        "        transform_ctx.set_image('image', image.new_image(data, image.get_shape_format()))\n"
        "        return transform_ctx\n"
    )
    assert np.isfinite(train(mmar).stats["epochs"][0]["loss"])


def test_metrics_are_left_out_where_the_config_says(small_mmar: Make, caplog: pytest.LogCaptureFixture) -> None:
    def change(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        config["validate"]["metrics"][1]["args"].update(do_summary=False, do_print=False, name="hidden")

    result = train(small_mmar(change))
    assert "hidden" in result.stats["epochs"][0]["metrics"]
    assert "hidden" not in caplog.text
    assert "hidden" not in EventAccumulator(str(result.paths["stats"].parent)).Reload().Tags()["scalars"]


def test_the_mmars_log_config_is_used(small_mmar: Make) -> None:
    mmar = small_mmar(lambda config: config.update(epochs=1))
    (mmar / "resources").mkdir()
    (mmar / "resources/log.config").write_text(
        dedent(
            """
            [loggers]
            keys=root
            [handlers]
            keys=file
            [formatters]
            keys=plain
            [logger_root]
            level=INFO
            handlers=file
            [handler_file]
            class=FileHandler
            level=INFO
            formatter=plain
            args=('train.log',)
            [formatter_plain]
            format=%(name)s | %(message)s
            """
        )
    )
    root = logging.getLogger()
    handlers = list(root.handlers)
    try:
        train(mmar)
        logs = list(mmar.rglob("train.log"))
        assert "clara_compat | epoch 1/1: loss" in logs[0].read_text()
    finally:
        root.handlers[:] = handlers


def test_a_loss_that_is_not_a_number_stops_the_run_and_names_the_files(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["pre_transforms"].append({"path": "bad.Poison", "args": {}})

    mmar = small_mmar(change)
    (mmar / "custom").mkdir()
    (mmar / "custom/bad.py").write_text(
        dedent(
            """
            import numpy as np
            from ai4med.components.transforms.transformer import Transformer

            class Poison(Transformer):
                def __init__(self):
                    Transformer.__init__(self)

                def transform(self, transform_ctx):
                    image = transform_ctx.get_image("image")
                    image.set_data(image.get_data() * np.nan, image.get_shape_format())
                    return transform_ctx
            """
        )
    )
    with pytest.raises(
        ClaraError,
        match=r"the loss became nan at step 1 \(epoch 1\); the batch held: image .*case\d_image.*loss of your own",
    ):
        train(mmar)
    assert not (mmar / "models/model.pt").exists()
    assert not (mmar / "models/checkpoint.pt").exists()


def test_an_error_in_a_users_transform_has_both_addresses(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["pre_transforms"].append({"path": "bad.Breaks", "args": {}})

    mmar = small_mmar(change)
    (mmar / "custom").mkdir()
    (mmar / "custom/bad.py").write_text(
        "class Breaks:\n    def transform(self, transform_ctx):\n        return transform_ctx.get_image('imag')\n"
    )
    with pytest.raises(
        ClaraError, match=r"config_train.json:\d+ train.pre_transforms\[5\]: .*bad.py:3: KeyError.*case\d_image"
    ) as caught:
        train(mmar)
    assert "Traceback" not in str(caught.value)
