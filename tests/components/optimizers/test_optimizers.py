"""The catalogue's optimizers: what they become, what they refuse, what users' subclasses get."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch

from clara_compat.components.catalogue import components
from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.components.optimizers.native import NativeOptimizer
from clara_compat.errors import ClaraError

OPTIMIZERS = {name: cls for name, cls in components().items() if issubclass(cls, NativeOptimizer)}


def make(optimizer: str, **options: Any) -> Any:
    needed = {"momentum": 0.9} if optimizer == "Momentum" else {}
    return OPTIMIZERS[optimizer](**needed | options)


@pytest.mark.parametrize(
    ("name", "options", "target", "expected"),
    [
        (
            "Adam",
            {"beta1": 0.8, "name": "x", "use_locking": True},
            "clara_compat.engine.optimizers.adam.TensorFlowAdam",
            {"betas": [0.8, 0.999], "eps": 1e-8},
        ),
        ("SGD", {"name": "x"}, "torch.optim.SGD", {}),
        ("Momentum", {"use_nesterov": True}, "torch.optim.SGD", {"momentum": 0.9, "nesterov": True}),
        (
            "Momentum",
            {"momentum": 0.0, "use_nesterov": True},
            "torch.optim.SGD",
            {"momentum": 0.0, "nesterov": False},
        ),
        (
            "RMSProp",
            {"centered": True},
            "clara_compat.engine.optimizers.rmsprop.TensorFlowRMSprop",
            {"decay": 0.9, "momentum": 0.0, "eps": 1e-10, "centered": True},
        ),
        (
            "NovoGrad",
            {},
            "clara_compat.engine.optimizers.novograd.ClaraNovoGrad",
            {"betas": [0.95, 0.98], "eps": 1e-8, "weight_decay": 0.0, "grad_averaging": False},
        ),
    ],
)
def test_entry(name: str, options: dict[str, Any], target: str, expected: dict[str, Any]) -> None:
    entry = make(name, **options).bundle_entry(BundleContext())
    assert entry == Entry(
        target, params=Expression("$@network.parameters()"), lr=Expression("@learning_rate"), **expected
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_a_users_subclass_gets(name: str) -> None:
    component = make(name)
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = component.get_optimizer(0.25)([weight])
    assert f"{type(optimizer).__module__}.{type(optimizer).__name__}".endswith(component.becomes.rpartition(".")[2])
    assert optimizer.param_groups[0]["lr"] == 0.25
    weight.grad = torch.ones(2)
    optimizer.step()
    assert (weight < 1).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_arguments_are_kept_for_user_code(name: str) -> None:
    assert set(make(name).args) == set(inspect.signature(OPTIMIZERS[name]).parameters)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("Adam", {"beta1": 1.0}, "beta1 is 1.0 but must be at least 0 and below 1"),
        ("Adam", {"epsilon": -1.0}, "epsilon is -1.0 but must not be negative"),
        ("Momentum", {"momentum": -0.5}, "momentum is -0.5 but must not be negative"),
        ("RMSProp", {"decay": 1.5}, "decay is 1.5 but"),
        ("NovoGrad", {"weight_decay": -1.0}, "weight_decay is -1.0 but"),
        ("NovoGrad", {"beta2": float("nan")}, "beta2 is nan but"),
    ],
)
def test_refusals(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        make(name, **options)


def test_momentum_has_no_default() -> None:
    with pytest.raises(TypeError, match="momentum"):
        OPTIMIZERS["Momentum"]()
