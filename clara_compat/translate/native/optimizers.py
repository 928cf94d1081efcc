"""Optimizers: those of torch and MONAI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clara_compat.translate.native.native import Native
from clara_compat.translate.native.native_config import target_of, users_path

__all__ = ["OPTIMIZERS", "native_optimizer"]

_ENGINE = "clara_compat.engine.optimizers"
_PARAMETERS = "$@network.parameters()"

OPTIMIZERS: dict[str, tuple[str, dict[str, str], str]] = {
    f"{_ENGINE}.adam.TensorFlowAdam": (
        "torch.optim.Adam",
        {},
        "Epsilon is added after the bias of the second moment is corrected, so the first steps differ a little.",
    ),
    f"{_ENGINE}.rmsprop.TensorFlowRMSprop": (
        "torch.optim.RMSprop",
        {"decay": "alpha"},
        (
            "The mean of the squares begins at 0 instead of 1, so the first steps are larger; epsilon is outside the "
            "root, and a changed learning rate acts on past gradients, too."
        ),
    ),
    f"{_ENGINE}.novograd.ClaraNovoGrad": (
        "monai.optimizers.Novograd",
        {},
        "Epsilon is outside the root, and a changed learning rate acts on past gradients, too.",
    ),
}
"""For each optimizer what it becomes, the arguments that have another name there, and what differs."""


def native_optimizer(entry: Mapping[str, Any], penalty: float, *, learning_loss: str = "") -> Native:
    """Return what stands in the place of an optimizer.

    Args:
        entry: of the exact config.
        penalty: weight of an L2 penalty that the network added to the loss.
        learning_loss: reference to a part of the native loss whose parameters are trained, too; empty without any.
    """
    target = target_of(entry)
    own = users_path(entry)
    texts = []
    if own is not None:
        found = {"_target_": "torch.optim.Adam", "lr": entry["lr"]}
        texts.append(f"A stand-in that must be ported: {own[0]} needs Clara, so Adam is in its place.")
    else:
        now, names, text = OPTIMIZERS.get(target, (target, {}, ""))
        arguments = {names.get(name, name): value for name, value in entry.items() if name != "_target_"}
        found = {"_target_": now, **arguments}
        texts += [text] if text else []
    params = f"$[*@network.parameters(), *{learning_loss}.parameters()]" if learning_loss else _PARAMETERS
    if penalty:
        found["weight_decay"] = found.get("weight_decay", 0.0) + penalty
        texts.append(
            "The penalty on the network's kernels is weight decay, which acts on biases and normalisations, too"
            + (", and on the normalised gradient." if "Novograd" in found["_target_"] else ".")
        )
    found = {"_target_": found.pop("_target_"), "params": params, **{n: v for n, v in found.items() if n != "params"}}
    return Native([found], " ".join(texts))
