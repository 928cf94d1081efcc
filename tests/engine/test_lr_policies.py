"""Learning rate policies equal closed formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from clara_compat.common.train_ctx import TrainContext
from clara_compat.engine.lr_policies import CosineDecay, PlateauDecay, PolynomialDecay, StepDecay, plateaus

INITIAL, EPOCHS, STEPS = 0.02, 10, 3  # steps per epoch
nan = math.nan


def course(policy: object, key_metrics: list[float] | None = None) -> np.ndarray:
    """Return the learning rate of every step, (epochs, steps)."""
    ctx = TrainContext(initial_learning_rate=INITIAL, total_epochs=EPOCHS, total_steps=EPOCHS * STEPS)
    rates = np.empty((EPOCHS, STEPS))
    for epoch, step in np.ndindex(EPOCHS, STEPS):
        ctx.current_epoch, ctx.current_iteration = epoch + 1, epoch * STEPS + step + 1
        ctx.key_metrics = (key_metrics or [])[:epoch]
        ctx.current_learning_rate = rates[epoch, step] = policy.evaluate(ctx)
    return rates


@pytest.mark.parametrize(("ratio", "every"), [(0.5, 4), (0.9, 1), (0.1, 100)])
def test_decay_on_step(ratio: float, every: int) -> None:
    rate, expected = INITIAL, []
    for step in range(EPOCHS * STEPS):
        if step and step % every == 0:
            rate *= ratio
        expected.append(rate)
    np.testing.assert_allclose(course(StepDecay(ratio, every)).ravel(), expected, rtol=1e-13)


@pytest.mark.parametrize("rate", [0.5, 0.3])
def test_reduce_cosine(rate: float) -> None:
    done = np.arange(EPOCHS)[:, None] / EPOCHS
    expected = np.broadcast_to(INITIAL * rate * (1 + np.cos(np.pi * done)), (EPOCHS, STEPS))
    np.testing.assert_allclose(course(CosineDecay(rate)), expected, rtol=1e-13)
    assert course(CosineDecay(rate))[0, 0] == pytest.approx(INITIAL * 2 * rate)


@pytest.mark.parametrize("power", [0.9, 0.99, 1.0, 2.0, 0.0])
def test_reduce_poly(power: float) -> None:
    left = 1 - np.arange(EPOCHS)[:, None] / EPOCHS
    rates = course(PolynomialDecay(power))
    np.testing.assert_allclose(rates, np.broadcast_to(INITIAL * left**power, (EPOCHS, STEPS)), rtol=1e-13)
    assert rates[0, 0] == INITIAL
    assert (rates > 0).all()


def test_reduce_on_plateau() -> None:
    metrics = [0.1, 0.3, 0.3, 0.2, 0.4, nan, 0.4, 0.1, 0.4]  # one validation per epoch
    reductions = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 3])  # in the epoch after the second that is not better
    np.testing.assert_allclose(
        course(PlateauDecay(2, 0.1), metrics), np.repeat(INITIAL * 0.1 ** reductions[:, None], STEPS, 1), rtol=1e-13
    )


@pytest.mark.parametrize(
    ("values", "patience", "found"),
    [
        ([], 1, 0),
        ([0.5], 1, 0),
        ([0.5, 0.5], 1, 1),
        ([0.5, 0.4, 0.6, 0.6, 0.6], 2, 1),
        ([0.5, 0.4, 0.3, 0.2, 0.1], 2, 2),
        ([nan, nan, 0.1], 2, 1),
        ([nan, -1.0, -2.0], 2, 0),
        ([0.5, nan, nan, nan], 3, 1),
    ],
)
def test_plateaus(values: list[float], patience: int, found: int) -> None:
    assert plateaus(values, patience) == found
