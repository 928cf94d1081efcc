"""A user's metric is fed case by case, in numpy."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from ai4med.components.metric import Metric
from ai4med.libs.metrics.metric_list import MetricList
from clara_compat.engine.legacy.metric import LegacyMetric
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
