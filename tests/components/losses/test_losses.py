"""The catalogue's losses."""

from __future__ import annotations

import pytest

from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.losses.dice import Dice
from clara_compat.components.losses.focal import Focal
from clara_compat.errors import ClaraError


def test_dice_passes_every_argument_on():
    options = {
        "skip_background": True,
        "squared_pred": True,
        "jaccard": True,
        "smooth": 0.1,
        "top_smooth": 0.2,
        "is_onehot_targets": True,
    }
    entry = Dice("channels_last", **options).bundle_entry(BundleContext())
    assert entry == Entry("clara_compat.engine.losses.dice.ClaraDiceLoss", **options)


def test_focal_passes_every_argument_on():
    options = {"skip_background": True, "gamma": 1.5, "alpha": 0.5, "is_onehot_targets": True}
    entry = Focal("channels_last", **options).bundle_entry(BundleContext())
    assert entry == Entry("clara_compat.engine.losses.focal.ClaraFocalLoss", **options)


def test_focal_refuses_a_negative_gamma():
    with pytest.raises(ClaraError, match=r"gamma is -1\.0 but must not be negative"):
        Focal(gamma=-1.0)
