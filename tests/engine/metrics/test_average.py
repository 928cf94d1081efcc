"""ClaraAverage, and CaseMetric in a MONAI evaluator."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from monai.engines import SupervisedEvaluator

from clara_compat.engine.aux_ops import AuxiliaryOutputs, NegLoss
from clara_compat.engine.losses.dice import ClaraDiceLoss
from clara_compat.engine.metrics.average import ClaraAverage
from clara_compat.engine.metrics.dice import ClaraDice
from clara_compat.errors import ClaraError


@pytest.mark.parametrize(
    ("options", "values", "expected"),
    [
        ({}, [1.0, 2.0, 6.0], 3.0),
        ({"negate_value": True}, [1.0, 2.0, 6.0], -3.0),
        ({}, [1.0, math.nan, 3.0], 2.0),
        ({"invalid_value": -1.0}, [1.0, -1.0, 3.0], 2.0),
        ({"invalid_value": 0.0}, [0.0, math.inf, 3.0], 3.0),
        ({}, [math.nan], 0.0),
        ({}, [], 0.0),
        ({}, [torch.tensor([1.0, 3.0]), torch.tensor(5)], 3.5),
    ],
)
def test_average(options, values, expected):
    metric = ClaraAverage("loss", **options)
    for value in values:
        metric.update({"loss": torch.as_tensor(value)})
    assert metric.compute() == expected


def test_unknown_field():
    fields = {"pred": torch.zeros(1), "negloss": torch.zeros(1)}
    with pytest.raises(ClaraError, match=r"'m' reads field 'neglos', .* did you mean 'negloss'.*: model, negloss\)"):
        ClaraAverage("neglos", name="m").update(fields)


def batches(named: bool) -> list[dict]:
    """Three cases in batches of two and one."""
    items = []
    for index in range(3):
        meta = {"filename_or_obj": f"/data/case {index}.nii.gz"} if named else None
        image = torch.rand(1, 8, 8, 8, generator=torch.Generator().manual_seed(index))
        items.append({"image": MetaTensor(image, meta=meta), "label": MetaTensor((image > 0.4).float())})
    return [list_data_collate(items[:2]), list_data_collate(items[2:])]


def network(image: torch.Tensor) -> torch.Tensor:
    return torch.cat([1 - image, image], dim=1)


def dice(batch: dict, case: int) -> float:
    image = batch["image"][case].numpy()
    predicted, true = image >= 0.5, image > 0.4
    return 2 * (predicted & true).sum() / (predicted.sum() + true.sum())


@pytest.mark.parametrize("named", [True, False])
def test_in_an_evaluator(tmp_path, named):
    data, loss = batches(named), ClaraDiceLoss()
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=data,
        network=torch.nn.Identity(),
        inferer=lambda inputs, _: network(inputs),
        key_val_metric={"mean_dice": ClaraDice(report_path=str(tmp_path), name="mean_dice")},
        additional_metrics={
            "negloss": ClaraAverage("negloss", report_path=tmp_path, name="negloss"),
            "loss": ClaraAverage("loss", loss=loss),
        },
        val_handlers=[AuxiliaryOutputs([NegLoss("negloss", loss)])],
        decollate=False,
    )
    evaluator.run(1)
    evaluator.run(2)  # every validation starts anew
    expected = [dice(data[0], 0), dice(data[0], 1), dice(data[1], 0)]
    metrics = evaluator.state.metrics
    assert metrics["mean_dice"] == pytest.approx(np.mean(expected), rel=1e-12)
    losses = [loss(network(batch["image"]), batch["label"]).item() for batch in data]
    assert metrics["loss"] == -metrics["negloss"] == pytest.approx(np.mean(losses), rel=1e-6)
    assert evaluator.state.best_metric == metrics["mean_dice"]

    lines = (tmp_path / "mean_dice_raw_results.txt").read_text().splitlines()[1:]
    names = [f"/data/case {n}.nii.gz" for n in range(3)] if named else ["case_1", "case_2", "case_3"]
    assert [line.split("\t")[0] for line in lines] == names
    np.testing.assert_allclose([float(line.split("\t")[1]) for line in lines], expected, rtol=1e-6)
    lines = (tmp_path / "negloss_raw_results.txt").read_text().splitlines()[1:]
    assert [line.split("\t")[0] for line in lines] == ([";".join(names[:2]), names[2]] if named else names[:2])
