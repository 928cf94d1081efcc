"""The catalogue's EarlyStop."""

from __future__ import annotations

import pytest

from clara_compat.common.train_ctx import TrainContext
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.handlers.early_stop import EarlyStop
from clara_compat.errors import ClaraError


def test_entry():
    entry = EarlyStop(3).bundle_entry(BundleContext())
    assert entry == Entry("clara_compat.engine.handlers.early_stop.EarlyStop", patience=3)


@pytest.mark.parametrize(
    ("values", "stops"), [([0.5], False), ([0.5, 0.5], False), ([0.5, 0.5, 0.4], True), ([0.5, 0.4, 0.6], False)]
)
def test_ends_after_validations_in_a_row_without_improvement(values, stops):
    ctx = TrainContext(key_metrics=values)
    EarlyStop(2).key_metric_computed(ctx)
    assert ctx.stop_training is stops


def test_refuses_a_threshold_below_one():
    with pytest.raises(ClaraError, match="val_times_threshold is 0 but must be at least 1 validation"):
        EarlyStop(0)
