"""A user's optimizer is asked by its build."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch

from ai4med.components.optimizers.optimizer import Optimizer
from clara_compat.common.build_ctx import BuildContext
from clara_compat.components.optimizers.momentum import Momentum
from clara_compat.engine.legacy.optimizer import legacy_optimizer
from clara_compat.errors import ClaraError

PARAMETERS = [torch.nn.Parameter(torch.zeros(2))]


class Built(Optimizer):
    def build(self, build_ctx: BuildContext) -> Any:
        return functools.partial(torch.optim.AdamW, lr=2 * build_ctx.must_get(BuildContext.KEY_LEARNING_RATE))


class Asked(Optimizer):
    def get_optimizer(self, lr: float) -> Any:
        return functools.partial(torch.optim.AdamW, lr=lr)


class HalfMomentum(Momentum):
    def build(self, build_ctx: BuildContext) -> Any:
        return self.get_optimizer(build_ctx[BuildContext.KEY_LEARNING_RATE] / 2)


class Alone:
    def get_optimizer(self, lr: float) -> Any:
        return torch.optim.SGD


@pytest.mark.parametrize(
    ("optimizer", "kind", "lr"),
    [
        (Built(), torch.optim.AdamW, 0.5),
        (Asked(), torch.optim.AdamW, 0.25),
        (HalfMomentum(0.9), torch.optim.SGD, 0.125),
        (Alone(), torch.optim.SGD, 0.25),
    ],
)
def test_its_build_decides(optimizer: Any, kind: type, lr: float) -> None:
    made = legacy_optimizer(optimizer, PARAMETERS, 0.25)
    assert type(made) is kind
    assert made.param_groups[0]["lr"] == lr


def test_a_build_that_gives_something_else_is_said() -> None:
    class Wrong(Optimizer):
        def build(self, build_ctx: BuildContext) -> Any:
            return 3

    with pytest.raises(ClaraError, match=r"optimizer 'Wrong': get_optimizer\(lr\) led to a int"):
        legacy_optimizer(Wrong(), PARAMETERS, 0.25)
