"""The catalogue's Adam."""

from __future__ import annotations

import pytest

from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.components.optimizers.adam import Adam
from clara_compat.errors import ClaraError


def test_entry():
    assert Adam(beta1=0.8, name="x", use_locking=True).bundle_entry(BundleContext()) == Entry(
        "torch.optim.Adam",
        params=Expression("$@network.parameters()"),
        lr=Expression("@learning_rate"),
        betas=[0.8, 0.999],
        eps=1e-8,
    )
    assert Adam(epsilon=1e-3).args["epsilon"] == 1e-3


@pytest.mark.parametrize(("options", "message"), [({"beta1": 1.0}, "beta1 is 1.0"), ({"epsilon": -1.0}, "epsilon is")])
def test_refusals(options, message):
    with pytest.raises(ClaraError, match=message):
        Adam(**options)
