"""The masks of a window scan against the probabilities of MONAI's, and what is held of them."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SlidingWindowInferer

from clara_compat.engine.aux_dice import DiceOutputs
from clara_compat.engine.mask_inferer import MaskInferer
from clara_compat.engine.metrics.dice import ClaraDice

SCANS = [
    ((13, 11, 9), (6, 4, 5), {}),
    ((9, 13, 11), (-1, 4, 4), {}),
    ((12, 12, 12), (6, 6, 6), {}),
    ((7, 5, 3), (16, 16, 16), {}),
    ((5, 31, 3), (16, 4, 16), {}),
    ((13, 11, 9), (6, 4, 5), {"overlap": 0.5}),
    ((13, 10), (5, -1), {}),
]


class OfWindow(torch.nn.Module):
    """A network whose answer depends on the whole window; some voxels have two greatest channels."""

    def __init__(self, classes):
        super().__init__()
        self.classes = classes

    def forward(self, window):
        ramp = torch.linspace(0, 3, window.shape[-1])
        channels = [torch.sin((30 + c) * window + c * ramp + window.mean()) for c in range(self.classes)]
        values = (torch.cat(channels, dim=1) * 20).round() / 20
        return values.softmax(dim=1) if self.classes > 1 else values.sigmoid()


@pytest.mark.parametrize(("size", "roi", "options"), SCANS)
@pytest.mark.parametrize(("classes", "threshold"), [(1, 0.5), (2, 0.5), (4, 0.3)])
def test_thresholds_and_greatest_channels_are_the_same(size, roi, options, classes, threshold):
    torch.manual_seed(0)
    image, network = torch.rand(2, 1, *size), OfWindow(classes)
    inferer = SlidingWindowInferer(roi, mode="constant", **{"overlap": 0.0} | options)
    values, masks = inferer(image, network), MaskInferer(inferer, threshold)(image, network)
    assert masks.dtype == torch.int8
    assert torch.equal(masks >= threshold, values >= threshold)
    assert torch.equal(masks.argmax(dim=1), values.argmax(dim=1))
    assert 0 < (masks >= threshold).sum() < masks.numel()


@pytest.mark.parametrize("is_2d", [False, True])
def test_metrics_are_the_same(is_2d):
    torch.manual_seed(0)
    image, label, network = MetaTensor(torch.rand(2, 1, 13, 11, 9)), torch.randint(0, 3, (2, 1, 13, 11, 9)), OfWindow(3)
    inferer = SlidingWindowInferer((6, 4, 5), overlap=0.0)
    found = []
    for one in (inferer, MaskInferer(inferer, 0.4)):
        output = {"pred": one(image, network), "label": label}
        values = DiceOutputs(["d"])(output), DiceOutputs(["d"], is_independent_predictions=True)(output)
        found.append((ClaraDice(is_2d=is_2d, logit_thresh=0.4).case_values(output), values[0]["d"]))
    assert [row.tolist() for row in found[0][0]] == [row.tolist() for row in found[1][0]]
    assert found[0][1] == found[1][1]


def test_probabilities_are_held_of_a_piece_only(monkeypatch):
    shapes = []
    scan = SlidingWindowInferer.__call__

    def watched(self, inputs, network, *args, **kwargs):
        shapes.append(tuple(inputs.shape[2:]))
        return scan(self, inputs, network, *args, **kwargs)

    monkeypatch.setattr(SlidingWindowInferer, "__call__", watched)
    MaskInferer(SlidingWindowInferer((8, 4, 8), overlap=0.0))(torch.rand(1, 1, 16, 18, 8), OfWindow(2))
    assert shapes == [(16, 4, 8)] * 3 + [(16, 6, 8)]


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.5])
def test_other_thresholds_are_refused(threshold):
    with pytest.raises(ValueError, match=r"threshold must be above 0 and at most 1 but is"):
        MaskInferer(SlidingWindowInferer((8, 8, 8)), threshold)


def test_a_network_of_several_outputs_is_refused():
    with pytest.raises(TypeError, match=r"gives a tuple, masks are made of one tensor"):
        MaskInferer(SlidingWindowInferer((4, 4), overlap=0.0))(torch.rand(1, 1, 8, 8), lambda image: (image, image))
