"""A user's metric is fed case by case, in numpy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from ai4med.components.metric import Metric
from ai4med.libs.metrics.avg_from_array_dice import MetricAverageFromArrayDice
from ai4med.libs.metrics.metric_list import MetricList
from clara_compat.common.data_prop import DataProperty
from clara_compat.engine.legacy.metric import LegacyMetric
from clara_compat.engine.metrics.dice import ClaraDice
from clara_compat.errors import ClaraError


class Recorder(MetricList):
    def __init__(self, name: str = "mine") -> None:
        MetricList.__init__(self, name)
        self.calls: list[tuple[Any, ...]] = []

    def update(self, value: Any, label_value: Any = None, filename: str = "", data_prop: Any = None) -> None:
        self.calls.append((value, label_value, filename, data_prop))
        self._list = np.append(self._list, np.mean(value))


def engine(**output: Any) -> Any:
    image = MetaTensor(torch.zeros(2, 1, 2, 2), meta={"filename_or_obj": ["a.nii", "b.nii"]})
    label = torch.arange(8.0).reshape(2, 1, 2, 2)
    output = {"label": label, "pred": torch.ones(2, 3, 2, 2), **output}
    return SimpleNamespace(state=SimpleNamespace(output=output, batch={"image": image, "label": label}))


def test_predictions_come_case_by_case_with_label_and_file() -> None:
    recorder = Recorder()
    metric = LegacyMetric(Metric(recorder, field="model", label_field="label"), "mine")
    metric.iteration_completed(engine())
    assert [(call[0].shape, call[1].shape, call[2], call[3]) for call in recorder.calls] == [
        ((3, 2, 2), (1, 2, 2), "a.nii", None),
        ((3, 2, 2), (1, 2, 2), "b.nii", None),
    ]
    np.testing.assert_array_equal(recorder.calls[1][1].ravel(), [4, 5, 6, 7])
    assert metric.compute() == 1.0
    metric.reset()
    assert metric.compute() == 0.0


def test_one_value_per_batch_comes_as_a_float() -> None:
    recorder = Recorder()
    LegacyMetric(Metric(recorder, field="negloss"), "mine").iteration_completed(engine(negloss=torch.tensor(-0.5)))
    assert recorder.calls == [(-0.5, None, "a.nii", None)]


def test_the_loss_is_computed_when_a_metric_asks_for_it() -> None:
    recorder = Recorder()
    metric = LegacyMetric(Metric(recorder, field="loss"), "mine", loss=lambda pred, label: pred.mean() + label.mean())
    metric.iteration_completed(engine())
    assert recorder.calls == [(4.5, None, "a.nii", None)]


def test_a_field_nothing_produces_is_said() -> None:
    metric = LegacyMetric(Metric(Recorder(), field="neglos"), "mine")
    with pytest.raises(ClaraError, match="metric 'mine' reads field 'neglos', which nothing produces; did you mean"):
        metric.iteration_completed(engine(negloss=torch.tensor(0.0)))


def test_an_object_that_is_no_metric_is_said() -> None:
    with pytest.raises(
        ClaraError, match=r"metric 'mine': int has no update\(\) and get\(\) and reset\(\), derive it from Metric"
    ):
        LegacyMetric(3, "mine")


def test_every_metric_has_an_array_of_its_own_and_the_prediction_is_fetched_once(monkeypatch: Any) -> None:
    class Binary(Recorder):
        def update(self, value: Any, label_value: Any = None, filename: str = "", data_prop: Any = None) -> None:
            value[value > 0] = 7.0
            super().update(value, label_value, filename, data_prop)

    fetched, fetch = [], torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, "cpu", lambda self: fetched.append(tuple(self.shape)) or fetch(self))
    step = engine(pred=torch.ones(2, 3, 2, 2, dtype=torch.float16))
    metrics = [LegacyMetric(Metric(one, field="model"), "mine") for one in (Binary(), Recorder())]
    for metric in metrics:
        metric.iteration_completed(step)
    assert fetched == [(2, 3, 2, 2)]
    assert [metric.compute() for metric in metrics] == [7.0, 1.0]
    assert step.state.output["pred"].unique().tolist() == [1.0]
    assert metrics[1].metric.metric.calls[0][0].dtype == np.float32


def test_the_layout_is_the_one_the_pipeline_declares() -> None:
    recorder, last = Recorder(), DataProperty(data_format="channels_last", num_data_dims=2)
    metric = LegacyMetric(Metric(recorder, field="model", label_field="label"), "mine", data_prop=last)
    metric.iteration_completed(engine(pred=torch.zeros(2, 3, 2, 4), label=torch.zeros(2, 1, 2, 4)))
    assert [one.shape for one in recorder.calls[0][:2]] == [(2, 4, 3), (2, 4, 1)]


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_dice_of_arrays_knows_the_layout(layout: str) -> None:
    random = torch.Generator().manual_seed(0)
    pred = torch.rand(2, 3, 4, 5, 6, generator=random)
    label = torch.randint(0, 3, (2, 1, 4, 5, 6), generator=random).float()
    metric = LegacyMetric(
        Metric(MetricAverageFromArrayDice("dice", is_2d=True), field="model", label_field="label"),
        "dice",
        data_prop=DataProperty(data_format=layout, num_data_dims=3),
    )
    metric.iteration_completed(engine(pred=pred, label=label))
    built_in = ClaraDice(is_2d=True)
    built_in.update({"pred": pred, "label": label})
    assert metric.compute() == pytest.approx(built_in.compute(), rel=1e-6)


def test_file_names_of_bytes() -> None:
    recorder, step = Recorder(), engine()
    step.state.batch["image"].meta["filename_or_obj"] = [b"a.nii", b"b.nii"]
    LegacyMetric(Metric(recorder, field="model"), "mine").iteration_completed(step)
    assert [call[2] for call in recorder.calls] == ["a.nii", "b.nii"]
