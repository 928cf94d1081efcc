"""The metrics of classification in a MONAI evaluator."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from monai.engines import SupervisedEvaluator
from scipy.stats import mannwhitneyu

from clara_compat.engine.metrics.auc import ClaraAUC, ClaraMulticlassAverage
from clara_compat.errors import ClaraError


def area(scores, truth):
    positive, negative = scores[truth == 1], scores[truth == 0]
    return mannwhitneyu(positive, negative).statistic / len(positive) / len(negative)


def items(count, outputs, labels, seed=0):
    """Cases whose image is what the network (the identity) predicts; some predictions are equal."""
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 9, (count, outputs)) / np.float32(9)
    values = np.stack([generator.integers(0, classes, count) for classes in labels], axis=1).astype(np.float32)
    return scores.astype(np.float32), values


def batches(scores, values):
    found = []
    for start in range(0, len(scores), 4):
        rows = range(start, min(start + 4, len(scores)))
        found.append(
            list_data_collate(
                [
                    {
                        "image": MetaTensor(torch.tensor(scores[row]), meta={"filename_or_obj": f"/data/{row}.png"}),
                        "label": torch.tensor(values[row]),
                    }
                    for row in rows
                ]
            )
        )
    return found


def validate(data, **metrics):
    key, *others = metrics
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=data,
        network=torch.nn.Identity(),
        key_val_metric={key: metrics[key]},
        additional_metrics={name: metrics[name] for name in others},
        decollate=False,
    )
    evaluator.run(1)
    evaluator.run(2)  # every validation starts anew
    return evaluator.state.metrics


def test_over_all_cases_of_several_batches(tmp_path):
    scores, values = items(14, 3, [2, 2, 2])
    values[5, 1] = -1  # not known
    metrics = validate(
        batches(scores, values),
        macro=ClaraAUC(report_path=tmp_path, name="macro"),
        micro=ClaraAUC(average="micro"),
        second=ClaraAUC(outputs=[1]),
        labels=ClaraMulticlassAverage(),
    )
    known = values[:, 1] >= 0
    areas = [
        area(scores[:, 0], values[:, 0]),
        area(scores[known, 1], values[known, 1]),
        area(scores[:, 2], values[:, 2]),
    ]
    assert metrics["macro"] == metrics["labels"] == pytest.approx(np.mean(areas), abs=1e-12)
    assert metrics["second"] == pytest.approx(areas[1], abs=1e-12)
    flat = values.ravel() >= 0
    assert metrics["micro"] == pytest.approx(area(scores.ravel()[flat], values.ravel()[flat]), abs=1e-12)

    raw = [line.split("\t") for line in (tmp_path / "macro_raw_results.txt").read_text().splitlines()]
    assert raw[0] == ["file", *(f"prediction{n}" for n in range(3)), *(f"label{n}" for n in range(3))]
    assert [row[0] for row in raw[1:]] == [f"/data/{row}.png" for row in range(14)]
    np.testing.assert_allclose(np.array(raw[1:])[:, 1:4].astype(float), scores, rtol=1e-6)
    assert raw[6][5] == "nan"
    summary = [line.split("\t") for line in (tmp_path / "macro_summary_results.txt").read_text().splitlines()]
    assert [row[0] for row in summary] == ["class", "class0", "class1", "class2", "average"]
    np.testing.assert_allclose([float(row[1]) for row in summary[1:]], [*areas, np.mean(areas)], rtol=1e-6)
    assert int(summary[2][2]) + int(summary[2][3]) == 13


def test_classes_and_binary_labels():
    scores, values = items(30, 4, [2, 3])
    data = batches(scores, values)
    metrics = validate(
        data,
        macro=ClaraAUC(classes_per_label=[1, 3]),
        both=ClaraMulticlassAverage(classes_per_label=[1, 3]),
        second=ClaraMulticlassAverage(classes_per_label=[1, 3], label_index=1),
    )
    areas = [area(scores[:, 0], values[:, 0])] + [area(scores[:, 1 + n], values[:, 1] == n) for n in range(3)]
    assert metrics["macro"] == pytest.approx(np.mean(areas))
    assert metrics["second"] == pytest.approx(np.mean(areas[1:]))
    assert metrics["both"] == pytest.approx((areas[0] + np.mean(areas[1:])) / 2)


def test_what_is_undefined_is_no_number(tmp_path):
    metric = ClaraAUC(report_path=tmp_path, name="m")
    assert metric.compute() == 0.0
    metric.write_report()
    assert (tmp_path / "m_raw_results.txt").read_text().count("\n") == 1
    metric.update({"pred": torch.rand(3, 1), "label": torch.ones(3, 1)})
    assert np.isnan(metric.compute())


def test_fields_of_auxiliary_operations_and_axes_of_one():
    metric = ClaraAUC("preds", "labels")
    metric.update({"preds": torch.tensor([[[[0.1]]], [[[0.9]]]]), "labels": torch.tensor([0, 1])})
    assert metric.compute() == 1.0


@pytest.mark.parametrize(
    ("metric", "pred", "label", "message"),
    [
        (ClaraAUC(name="m"), (2, 3, 4, 4), (2, 3), r"metric 'm': 'pred' has the shape \[2, 3, 4, 4\], expected pred"),
        (ClaraAUC(name="m"), (2, 3), (2, 1, 4, 4), r"'label' has the shape \[2, 1, 4, 4\], expected labels"),
        (ClaraAUC(name="m"), (2, 3), (3, 3), "metric 'm': 2 predictions and 3 labels in one batch"),
        (ClaraAUC(name="m"), (2, 3), (2, 2), "metric 'm': 3 outputs of the network do not fit 2 labels"),
        (ClaraAUC(name="m", outputs=[3]), (2, 3), (2, 3), "metric 'm' asks for output 3, but the network has 3"),
        (
            ClaraMulticlassAverage(name="m", label_index=3),
            (2, 3),
            (2, 3),
            "metric 'm' asks for label 3, but there are 3",
        ),
    ],
)
def test_refusals(metric, pred, label, message):
    with pytest.raises(ClaraError, match=message):
        metric.update({"pred": torch.zeros(pred), "label": torch.zeros(label)})
