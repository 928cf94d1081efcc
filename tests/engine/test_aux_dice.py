"""Auxiliary operations of segmentation, against float64 numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine.aux_dice import DiceOutputs, MeanInsideClasses
from clara_compat.engine.losses.cross_entropy import ClaraCrossEntropyLoss
from clara_compat.engine.losses.dice import ClaraDiceLoss
from clara_compat.engine.losses.focal import ClaraFocalLoss
from clara_compat.engine.metrics.dice import ClaraDice
from clara_compat.engine.slabs import slabs
from clara_compat.errors import ClaraError


@pytest.fixture(params=[None, 10], ids=["whole", "slabs"], autouse=True)
def thin_slabs(request, monkeypatch):
    """Look at everything whole, and in the thinnest slabs."""
    if request.param:
        monkeypatch.setitem(slabs.__kwdefaults__, "voxels", request.param)


def fields(channels, size=(6, 5, 4), batch=3, seed=0, missing=1):
    """Probabilities and labels in which case 0 does not have class ``missing``."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(batch, channels, *size))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = generator.integers(0, max(channels, 2), (batch, 1, *size))
    labels[0][labels[0] == missing] = 0
    output = {"pred": torch.tensor(probabilities).float(), "label": MetaTensor(torch.tensor(labels).float())}
    return output, output["pred"].double().numpy(), labels


def one_hot(labels, channels):
    return np.concatenate([labels == channel for channel in range(channels)], axis=1)


def dice(predicted, true, masked=True):
    """Per case and class; nan or the value of an absent class."""
    axes = tuple(range(2, predicted.ndim))
    both, p, t = ((one).sum(axes).astype(np.float64) for one in (predicted & true, predicted, true))
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 2 * both / (p + t)
    return np.where(t > 0, value, np.nan) if masked else np.where(p + t > 0, value, 1.0)


@pytest.mark.parametrize("size", [(6, 5, 4), (7, 6)])
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("independent", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_dice(size, skip, independent, masked):
    output, probabilities, labels = fields(3, size)
    top = probabilities.argmax(1)[:, None]
    predicted = probabilities >= 0.5 if independent else one_hot(top, 3)
    expected = dice(predicted, one_hot(labels, 3), masked)[:, int(skip) :]
    tags = ["mean", *(f"class{n}" for n in range(expected.shape[1]))]
    found = DiceOutputs(tags, skip, False, independent, masked)(output)
    assert list(found) == tags
    values = [found[tag].item() for tag in tags]
    np.testing.assert_allclose(values, [np.nanmean(expected), *np.nanmean(expected, axis=0)], rtol=1e-12)
    assert DiceOutputs(["one"], skip, False, independent, masked)(output)["one"] == values[0]


def test_one_hot_labels_and_a_single_channel():
    output, probabilities, labels = fields(3)
    output["label"] = torch.tensor(one_hot(labels, 3))
    expected = np.nanmean(dice(one_hot(probabilities.argmax(1)[:, None], 3), one_hot(labels, 3)))
    assert DiceOutputs(["d"], is_onehot_targets=True)(output)["d"].item() == pytest.approx(expected, rel=1e-12)

    output = {"pred": torch.rand(2, 1, 5, 5, 5), "label": torch.randint(0, 3, (2, 1, 5, 5, 5))}
    expected = dice(output["pred"].numpy() >= 0.5, output["label"].numpy() >= 1).mean()
    assert DiceOutputs(["d"])(output)["d"].item() == pytest.approx(expected, rel=1e-12)


def test_nothing_to_find_is_no_number():
    output = {"pred": torch.rand(2, 2, 4, 4, 4), "label": torch.zeros(2, 1, 4, 4, 4)}
    assert DiceOutputs(["d"], skip_background=True)(output)["d"].isnan()
    assert MeanInsideClasses(["m"], skip_background=True)(output)["m"].isnan()
    assert DiceOutputs(["d"], masked=False)(output)["d"].isfinite()


def test_mean_inside_classes():
    output, probabilities, labels = fields(3)
    inside = np.full((3, 3), np.nan)
    for case in range(3):
        for channel in range(3):
            mask = labels[case, 0] == channel
            if mask.any():
                inside[case, channel] = probabilities[case, channel][mask].mean()
    found = MeanInsideClasses(["m", "a", "b", "c"])(output)
    values = [value.item() for value in found.values()]
    np.testing.assert_allclose(values, [np.nanmean(inside), *np.nanmean(inside, axis=0)], rtol=1e-6)


def test_gradients_are_not_kept():
    output, *_ = fields(3)
    output["pred"].requires_grad_()
    assert not DiceOutputs(["d"])(output)["d"].requires_grad


@pytest.mark.parametrize(
    ("options", "pred", "label", "message"),
    [
        ({"tags": ["a", "b"]}, (1, 3, 4, 4), (1, 1, 4, 4), r"aux_ops 'a': 2 tags for 3 counted channels.* or 4 for"),
        ({"skip_background": True}, (1, 1, 4, 4), (1, 1, 4, 4), "skip_background leaves nothing"),
        ({}, (1, 3, 4, 4), (1, 3, 4, 4), r"the label has 3 channels, expected 1 with is_onehot_targets false"),
        ({"is_onehot_targets": True}, (1, 3, 4, 4), (1, 1, 4, 4), r"the label has 1 channels, expected 3 .* true"),
        ({}, (1, 3, 4, 4), (1, 1, 4, 5), r"prediction \[1, 3, 4, 4\] and the label \[1, 1, 4, 5\] differ in size"),
    ],
)
def test_refusals(options, pred, label, message):
    operation = DiceOutputs(**{"tags": ["a"], **options})
    with pytest.raises(ClaraError, match=message):
        operation({"pred": torch.zeros(pred), "label": torch.zeros(label)})


@pytest.mark.parametrize(
    "loss",
    [
        ClaraDiceLoss(),
        ClaraDiceLoss(squared_pred=True),
        ClaraDiceLoss(jaccard=True, skip_background=True),
        ClaraFocalLoss(skip_background=True),
        ClaraCrossEntropyLoss(),
    ],
)
def test_losses_do_not_depend_on_slabs(loss):
    """What they are is tested elsewhere; here the thinnest slabs must not change them."""
    output, *_ = fields(3)
    with torch.no_grad():
        in_slabs = loss(output["pred"], output["label"])
    with torch.enable_grad():
        whole = loss(output["pred"], output["label"])
    assert in_slabs.item() == pytest.approx(whole.item(), rel=1e-6)


def test_dice_by_slices_does_not_depend_on_slabs():
    output, probabilities, labels = fields(3)
    metric = ClaraDice(is_2d=True)
    metric.update(output)
    true, predicted = one_hot(labels, 3)[:, 1:], (probabilities >= 0.5)[:, 1:]
    slices = np.stack([dice(predicted[..., n], true[..., n]) for n in range(4)])
    by_class = [[slices[:, case, one][np.isfinite(slices[:, case, one])] for one in range(2)] for case in range(3)]
    means = [np.mean([values.mean() for values in case if values.size]) for case in by_class]
    assert metric.compute() == pytest.approx(np.mean(means))
