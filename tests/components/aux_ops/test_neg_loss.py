"""The catalogue's NegLoss."""

from __future__ import annotations

from clara_compat.components.aux_ops.neg_loss import NegLoss
from clara_compat.components.entry import BundleContext, Entry, Expression


def test_entry():
    assert NegLoss("negloss", do_print=False).bundle_entry(BundleContext()) == Entry(
        "clara_compat.engine.aux_ops.NegLoss", tag="negloss", loss=Expression("@loss"), do_summary=True, do_print=False
    )
