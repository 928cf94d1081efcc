"""Twenty steps of the catalogue's optimizers equal TensorFlow's own, and formulas in float64 numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from clara_compat.components.optimizers.adam import Adam
from clara_compat.components.optimizers.momentum import Momentum
from clara_compat.components.optimizers.novo_grad import NovoGrad
from clara_compat.components.optimizers.rms_prop import RMSProp
from clara_compat.components.optimizers.sgd import SGD

ARCHIVE = Path(__file__).parents[2] / "references" / "tensorflow_optimizers.npz"
NAMES = ("a", "b")
Update = Callable[[np.ndarray, np.ndarray, float, int], np.ndarray]


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    with np.load(ARCHIVE) as archive:
        return dict(archive)


def adam(beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8) -> Update:
    m = v = 0.0

    def update(w: np.ndarray, g: np.ndarray, lr: float, t: int) -> np.ndarray:
        nonlocal m, v
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        return w - lr * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + epsilon)

    return update


def momentum(rate: float = 0.0, *, nesterov: bool = False) -> Update:
    accumulated = 0.0

    def update(w: np.ndarray, g: np.ndarray, lr: float, t: int) -> np.ndarray:
        nonlocal accumulated
        accumulated = rate * accumulated + g
        return w - lr * (g + rate * accumulated if nesterov else accumulated)

    return update


def rmsprop(decay: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-10, *, centered: bool = False) -> Update:
    v, mean, m = 1.0, 0.0, 0.0

    def update(w: np.ndarray, g: np.ndarray, lr: float, t: int) -> np.ndarray:
        nonlocal v, mean, m
        v = decay * v + (1 - decay) * g**2
        mean = decay * mean + (1 - decay) * g if centered else 0.0
        m = momentum * m + lr * g / np.sqrt(v - mean**2 + epsilon)
        return w - m

    return update


def novograd(
    beta1: float = 0.95, beta2: float = 0.98, epsilon: float = 1e-8, decay: float = 0.0, *, averaging: bool = False
) -> Update:
    m, v = 0.0, None

    def update(w: np.ndarray, g: np.ndarray, lr: float, t: int) -> np.ndarray:
        nonlocal m, v
        square = (g**2).sum()
        v = square if v is None else beta2 * v + (1 - beta2) * square
        term = g / np.sqrt(v + epsilon) + decay * w
        m = beta1 * m + lr * term * (1 - beta1 if averaging else 1)
        return w - m

    return update


CASES: dict[str, tuple[Any, Callable[[], Update]]] = {
    "adam": (Adam(), adam),
    "adam_large_epsilon": (Adam(0.8, 0.99, 1e-3), lambda: adam(0.8, 0.99, 1e-3)),
    "sgd": (SGD(), momentum),
    "momentum": (Momentum(0.9), lambda: momentum(0.9)),
    "nesterov": (Momentum(0.9, use_nesterov=True), lambda: momentum(0.9, nesterov=True)),
    "rmsprop": (RMSProp(), rmsprop),
    "rmsprop_momentum": (RMSProp(0.8, 0.7, 1e-3), lambda: rmsprop(0.8, 0.7, 1e-3)),
    "rmsprop_centered": (
        RMSProp(momentum=0.5, epsilon=1e-3, centered=True),
        lambda: rmsprop(0.9, 0.5, 1e-3, centered=True),
    ),
}
NOVOGRAD: dict[str, tuple[Any, Callable[[], Update]]] = {
    "novograd": (NovoGrad(), novograd),
    "novograd_averaging": (NovoGrad(grad_averaging=True), lambda: novograd(averaging=True)),
    "novograd_all": (
        NovoGrad(0.9, 0.5, 1e-2, 0.1, grad_averaging=True),
        lambda: novograd(0.9, 0.5, 1e-2, 0.1, averaging=True),
    ),
    "novograd_decay": (NovoGrad(weight_decay=0.01), lambda: novograd(decay=0.01)),
}


def course(component: Any, reference: dict[str, np.ndarray], dtype: torch.dtype) -> Iterator[dict[str, np.ndarray]]:
    """Yield the parameters after each step of the optimizer that the component makes."""
    start = {name: torch.tensor(reference[f"start_{name}"], dtype=dtype) for name in NAMES}
    weights = {name: torch.nn.Parameter(value) for name, value in start.items()}
    rates = reference["learning_rates"]
    optimizer = component.get_optimizer(float(rates[0]))(weights.values())
    for i, rate in enumerate(rates):
        optimizer.param_groups[0]["lr"] = float(rate)
        for name in NAMES:
            weights[name].grad = torch.tensor(reference[f"gradients_{name}"][i], dtype=dtype)
        optimizer.step()
        yield {name: weights[name].detach().numpy().copy() for name in NAMES}


def in_single_precision(component: Any) -> Any:
    """Return the component with the numbers TensorFlow has: it makes float32 of decays and epsilons first."""
    args = {k: float(np.float32(v)) if isinstance(v, float) else v for k, v in component.args.items()}
    return type(component)(**args)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", CASES)
def test_equals_tensorflow(case: str, dtype: torch.dtype, reference: dict[str, np.ndarray]) -> None:
    precision = str(dtype).removeprefix("torch.")
    single = dtype == torch.float32 or case.startswith("adam")  # whose powers of beta TensorFlow keeps in float32
    tolerance = 1e-6 if single else 1e-13
    component = CASES[case][0]
    if dtype == torch.float64:
        component = in_single_precision(component)
    for i, ours in enumerate(course(component, reference, dtype)):
        for name in NAMES:
            theirs = reference[f"{case}_{precision}_{name}"][i]
            np.testing.assert_allclose(ours[name], theirs, rtol=tolerance, atol=tolerance, err_msg=f"step {i + 1}")


@pytest.mark.parametrize("case", [*CASES, *NOVOGRAD])
def test_equals_the_formula(case: str, reference: dict[str, np.ndarray]) -> None:
    component, formula = {**CASES, **NOVOGRAD}[case]
    expected = {name: reference[f"start_{name}"] for name in NAMES}
    updates = {name: formula() for name in NAMES}
    moved = 0.0
    for i, ours in enumerate(course(component, reference, torch.float64)):
        for name in NAMES:
            gradient, rate = reference[f"gradients_{name}"][i], reference["learning_rates"][i]
            before = expected[name]
            expected[name] = updates[name](before, gradient, rate, i + 1)
            moved = max(moved, np.abs(expected[name] - before).max())
            np.testing.assert_allclose(ours[name], expected[name], rtol=1e-12, atol=1e-13, err_msg=f"step {i + 1}")
    assert moved > 5e-4


def test_small_gradients_tell_tensorflows_epsilon_from_torchs(reference: dict[str, np.ndarray]) -> None:
    """The reference would notice torch's own Adam and RMSprop."""
    for case, other in (
        ("adam", lambda lr: lambda p: torch.optim.Adam(p, lr)),
        ("rmsprop", lambda lr: lambda p: torch.optim.RMSprop(p, lr, alpha=0.9, eps=1e-10)),
    ):
        stand_in = type("StandIn", (), {"get_optimizer": staticmethod(other)})
        *_, last = course(stand_in, reference, torch.float64)
        assert np.abs(last["b"] - reference[f"{case}_float64_b"][-1]).max() > 1e-3


def test_the_archive_says_where_it_comes_from(reference: dict[str, np.ndarray]) -> None:
    assert str(reference["tensorflow_version"]).startswith("2.")
    assert ARCHIVE.stat().st_size < 50_000
