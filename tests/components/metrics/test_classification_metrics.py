"""The catalogue's metrics of classification, and the classes behind them that user code derives from."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from ai4med.common.label_format import LabelFormat
from ai4med.components.metric import Metric
from ai4med.libs.metrics.auc import MetricAUC
from ai4med.libs.metrics.avg_from_array import MetricAverageFromArray
from ai4med.libs.metrics.avg_from_array_dice import MetricAverageFromArrayDice
from ai4med.libs.metrics.multiclass_average import MulticlassAverage
from clara_compat.common.auc import auc_score, indicators, multiclass_auc
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.metrics.compute_auc import ComputeAUC
from clara_compat.components.metrics.compute_multiclass_average import ComputeMulticlassAverage
from clara_compat.errors import ClaraError


@pytest.mark.parametrize(
    ("options", "label_format", "expected"),
    [
        ({}, None, {"average": "macro"}),
        (
            {"auc_average": None, "class_index": 2},
            (1, 3),
            {"average": None, "outputs": [2], "classes_per_label": [1, 3]},
        ),
        (
            {"include_list": [0, 1], "report_path": "eval"},
            None,
            {"average": "macro", "outputs": [0, 1], "report_path": "eval"},
        ),
    ],
)
def test_auc(options, label_format, expected):
    metric = ComputeAUC("auc", "model", "label", is_key_metric=True, **options)
    assert (metric.name, metric.field, metric.label_field, metric.is_key_metric) == ("auc", "model", "label", True)
    entry = metric.bundle_entry(BundleContext(label_format=label_format))
    fixed = {"name": "auc", "field": "pred", "label_field": "label", "report_path": None}
    assert entry == Entry("clara_compat.engine.metrics.auc.ClaraAUC", **{**fixed, **expected})
    json.dumps(entry.arguments, allow_nan=False)


def test_mean_over_labels():
    entry = ComputeMulticlassAverage("m", "preds", "labels", label_index=1).bundle_entry(
        BundleContext(label_format=(2, 3))
    )
    assert entry == Entry(
        "clara_compat.engine.metrics.auc.ClaraMulticlassAverage",
        name="m",
        field="preds",
        label_field="labels",
        average="macro",
        label_index=1,
        report_path=None,
        classes_per_label=[2, 3],
    )


FOUR = BundleContext(label_format=(1, 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ComputeAUC("m", "model", "label", class_index=-1), r"class_index is \[-1\], expected outputs"),
        (lambda: ComputeAUC("m", "model", "label", include_list=[]), r"include_list is \[\], expected outputs"),
        (
            lambda: ComputeAUC("m", "model", "label", class_index=0, include_list=[1]),
            "class_index and include_list are both",
        ),
        (
            lambda: ComputeAUC("m", "model", "label", class_index=4).bundle_entry(FOUR),
            r"metric 'm' asks for output 4, but output_label_format \[1, 3\] makes 4",
        ),
        (lambda: ComputeMulticlassAverage("m", "model", "label", label_index=-2), "label_index is -2"),
        (
            lambda: ComputeMulticlassAverage("m", "model", "label", label_index=2).bundle_entry(FOUR),
            r"metric 'm' asks for label 2, but output_label_format \[1, 3\] has 2",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ClaraError, match=message):
        make()


@pytest.mark.parametrize("declared", [None, [1, 3]])
@pytest.mark.parametrize("options", [{}, {"auc_average": "micro"}, {"class_index": 1}, {"include_list": [0, 2]}])
def test_library_auc(tmp_path, declared, options):
    generator = np.random.default_rng(0)
    scores = generator.random((20, 4)).astype(np.float32)
    sizes = declared or [4]
    labels = np.stack([generator.integers(0, max(size, 2), 20) for size in sizes], axis=1)
    data_prop = SimpleNamespace(label_format=LabelFormat(declared) if declared else None)
    metric = MetricAUC("auc", report_path=str(tmp_path), **options)
    assert metric.get() == 0
    metric.generate_report()
    component = Metric(metric, "model", "label")
    for round_ in range(2):
        component.reset()
        for row in range(20):
            component.update(scores[row], labels[row], f"{row}.png", data_prop)
        truth = indicators(labels, sizes)
        columns = [1] if "class_index" in options else options.get("include_list")
        expected = auc_score(scores.astype(float), truth, options.get("auc_average", "macro"), columns)
        assert component.get() == pytest.approx(expected, abs=1e-12), round_
    assert metric._list.shape == (20, 4)
    component.generate_report()
    lines = (tmp_path / "auc_raw_results.txt").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines[1:]] == [f"{row}.png" for row in range(20)]


def test_library_multiclass_average():
    generator = np.random.default_rng(0)
    scores, labels = generator.random((20, 5)), generator.integers(0, 2, (20, 2))
    data_prop = SimpleNamespace(label_format=LabelFormat([2, 3]))
    for index in (None, 1):
        metric = MulticlassAverage("m", label_index=index)
        for row in range(20):
            metric.update(scores[row], labels[row], "", data_prop)
        expected = multiclass_auc(scores, indicators(labels, [2, 3]), [2, 3], "macro", index)
        assert metric.get() == pytest.approx(expected)


def test_library_average_of_arrays(tmp_path):
    metric = MetricAverageFromArray(
        "m", lambda labels, preds: (labels * preds).sum(), invalid_value=4, report_path=str(tmp_path)
    )
    for number in (1, 2, 3):
        metric.update(np.full(2, number), np.ones(2), f"{number}.nii")
    assert metric.get() == 4.0  # of 2, 4 (invalid) and 6
    metric.generate_report()
    assert "2.nii\tnan" in (tmp_path / "m_raw_results.txt").read_text()


@pytest.mark.parametrize("one_hot", [False, True])
@pytest.mark.parametrize("is_2d", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_library_dice_equals_the_engine(one_hot, is_2d, channels):
    import torch

    from clara_compat.engine.metrics.dice import ClaraDice

    generator = np.random.default_rng(1)
    metric = MetricAverageFromArrayDice("m", is_2d=is_2d, logit_thresh=0.4, is_one_hot_targets=one_hot)
    engine = ClaraDice(is_2d=is_2d, logit_thresh=0.4, is_one_hot_targets=one_hot)
    for case in range(3):
        preds = generator.random((channels, 5, 4, 3))
        labels = generator.integers(0, 2 if one_hot or not case else 3, (channels if one_hot else 1, 5, 4, 3))
        metric.update(preds, labels, "")
        engine.update({"pred": torch.tensor(preds)[None], "label": torch.tensor(labels)[None]})
    assert metric.get() == pytest.approx(engine.compute(), rel=1e-12)
    metric.reset()
    metric.update(preds, np.zeros_like(labels))
    assert metric.get() == 0  # no case has what is looked for
