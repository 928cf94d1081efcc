"""Learning rate policies: schedulers of torch with the same curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clara_compat.translate.native.native import Native
from clara_compat.translate.native.native_config import target_of

__all__ = ["KEY_METRIC", "POLICIES", "native_policy"]

_ENGINE = "clara_compat.engine.lr_policies"
STEP, COSINE, POLYNOMIAL, PLATEAU = (
    f"{_ENGINE}.{name}" for name in ("StepDecay", "CosineDecay", "PolynomialDecay", "PlateauDecay")
)
POLICIES = (STEP, COSINE, POLYNOMIAL, PLATEAU)
"""The policies that have a native form."""

KEY_METRIC = "$lambda engine: engine.state.metrics[engine.state.key_metric_name]"
"""The value of the key metric of an evaluator."""

_SCHEDULERS = "torch.optim.lr_scheduler"


def native_policy(policy: Mapping[str, Any], name: str = "@lr_scheduler") -> tuple[dict[str, Any], Native, bool]:
    """Return what stands in the place of a policy.

    Args:
        policy: one of :data:`POLICIES`.
        name: reference to the scheduler.

    Returns:
        The scheduler, the handler that steps it, and whether the evaluator has that handler, not the trainer.
    """
    target, given = target_of(policy), {"optimizer": "@optimizer"}
    handler: dict[str, Any] = {"_target_": "LrScheduleHandler", "lr_scheduler": name, "print_lr": True}
    if target == STEP:
        scheduler = {"step_size": policy["every"], "gamma": policy["ratio"]}
        found = {"_target_": f"{_SCHEDULERS}.StepLR", **given, **scheduler}
        return found, Native([{**handler, "print_lr": False, "epoch_level": False}]), False
    if target == COSINE and policy["rate"] == 0.5:
        found = {"_target_": f"{_SCHEDULERS}.CosineAnnealingLR", **given, "T_max": "@epochs"}
        return found, Native([handler]), False
    if target == COSINE:
        curve = f"$lambda epoch: {policy['rate']!r} * (1 + math.cos(math.pi * epoch / @epochs))"
        found = {"_target_": f"{_SCHEDULERS}.LambdaLR", **given, "lr_lambda": curve}
        return found, Native([handler], imports=["import math"]), False
    if target == POLYNOMIAL:
        scheduler = {"total_iters": "@epochs", "power": policy["power"]}
        return {"_target_": f"{_SCHEDULERS}.PolynomialLR", **given, **scheduler}, Native([handler]), False
    found = {
        "_target_": f"{_SCHEDULERS}.ReduceLROnPlateau",
        **given,
        "mode": "max",
        "factor": policy["ratio"],
        "patience": policy["patience"] - 1,
        "threshold": 0.0,
        "eps": 0.0,
    }
    return found, Native([{**handler, "step_transform": KEY_METRIC}]), True
