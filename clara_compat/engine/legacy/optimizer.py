"""A user's Clara optimizer as a torch optimizer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from clara_compat.common.blame import users_code
from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.graph_component import GraphComponent
from clara_compat.errors import ClaraError

__all__ = ["legacy_optimizer"]


def legacy_optimizer(optimizer: Any, params: Iterable[torch.nn.Parameter], lr: float) -> torch.optim.Optimizer:
    """Make the torch optimizer of a user's ``Optimizer``.

    Its ``get_optimizer(lr)`` returns something that takes the parameters, such as
    ``functools.partial(torch.optim.AdamW, lr=lr, weight_decay=0.01)`` or what ``super().get_optimizer(lr)`` of a
    built-in gives, or a class of torch optimizers, which is made with the learning rate. An ``Optimizer`` is asked by
    its ``build(build_ctx)``, which may be the user's own.

    Args:
        optimizer: the user's object.
        params: of the network.
        lr: the initial learning rate.

    Raises:
        ClaraError: ``get_optimizer`` is missing, fails, or returns something else.
    """
    name = type(optimizer).__name__
    if not callable(getattr(optimizer, "get_optimizer", None)):
        raise ClaraError(f"optimizer '{name}' has no get_optimizer(lr): derive it from Optimizer")
    with users_code(f"optimizer '{name}'"):
        if isinstance(optimizer, GraphComponent):  # its build may be the user's own
            known = {BuildContext.KEY_LEARNING_RATE: lr, BuildContext.KEY_IS_TRAIN: True}
            factory = optimizer.build(BuildContext(known))
        else:
            factory = optimizer.get_optimizer(lr)
    if not callable(factory):
        raise _misfit(name, factory)
    with users_code(f"optimizer '{name}'"):
        made = factory(params, lr=lr) if isinstance(factory, type) else factory(params)
    if not isinstance(made, torch.optim.Optimizer):
        raise _misfit(name, made)
    return made


def _misfit(name: str, value: Any) -> ClaraError:
    return ClaraError(
        f"optimizer '{name}': get_optimizer(lr) led to a {type(value).__name__}, expected something that makes a torch "
        "optimizer of the parameters: return functools.partial(torch.optim.AdamW, lr=lr), or what get_optimizer of a "
        "built-in returns"
    )
