"""Time the forward and backward pass with levers, on copies of everything it changes."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from clara_compat.engine.acceleration.clock import reading
from clara_compat.engine.acceleration.levers import LeveredInferer, lay_out
from clara_compat.engine.acceleration.self_check import Agreement, agreement
from clara_compat.engine.generators import generator_states, set_generators

__all__ = ["Finding", "Subject", "cost", "kept_generators", "trial"]

_ROUNDS = 3
_GAIN = 0.95
"""A candidate must take less than this share of the time of what is chosen so far."""


@dataclass(frozen=True)
class Finding:
    """What a trial or a check found.

    Args:
        levers: chosen, by their names; none for plain computing.
        seconds: of forward and backward pass without levers and with them; None where nothing was timed.
        agreement: of the two; None without levers.
        refused: what was not taken, and why.
        is_early: whether something was refused only because the gradients point apart, as they may do in a network in
            its first state: small changes of the images turn them as far.
    """

    levers: tuple[str, ...] = ()
    seconds: tuple[float, float] | None = None
    agreement: Agreement | None = None
    refused: dict[str, str] = field(default_factory=dict)
    is_early: bool = False


class Subject:
    """A copy of a trainer's network and loss that computes gradients of its own.

    Args:
        trainer: MONAI's; nothing of it is changed.
        batch: what the trainer's ``prepare_batch`` gave: inputs and targets, and further arguments, if any.
        inferer: the trainer's own.
        levers: by their names.
    """

    def __init__(self, trainer: Any, batch: Sequence[Any], inferer: Any, levers: Sequence[str] = ()) -> None:
        copies: dict[int, Any] = {}
        # in one go: the loss may hold the network
        self.network, self.loss_function = copy.deepcopy((trainer.network, trainer.loss_function), copies)
        groups = trainer.optimizer.param_groups
        self.groups = [[copies[id(one)] for one in group["params"] if id(one) in copies] for group in groups]
        self.rate = groups[0]["lr"]
        self.inputs, self.targets = batch[:2]
        more: Any = batch[2:] or ((), {})
        self.arguments, self.options = more
        self.inferer = LeveredInferer(inferer, self.inputs.device, levers) if levers else inferer
        lay_out(self.network, channels_last="channels_last" in levers)
        self.network.train()

    def gradients(self) -> float:
        """Compute the loss of the batch and its gradients, always from the same draws, and return the loss."""
        torch.manual_seed(0)
        for parameter in (one for group in self.groups for one in group):
            parameter.grad = None
        self._tell()
        predictions = self.inferer(self.inputs, self.network, *self.arguments, **self.options)
        loss = self.loss_function(predictions, self.targets).mean()
        loss.backward()
        return float(loss.detach())

    def seconds(self) -> float:
        """Return the seconds that loss and gradients take."""
        started = reading(self.inputs.device)
        self.gradients()
        return reading(self.inputs.device) - started

    def _tell(self) -> None:
        """Tell networks and losses written for Clara what they find in their context."""
        roots = [one for one in (self.network, self.loss_function) if isinstance(one, torch.nn.Module)]
        for module in (one for root in roots for one in root.modules()):
            if hasattr(module, "step") and hasattr(module, "constrain"):
                told: Any = module
                told.step(image=self.inputs, label=self.targets, learning_rate=self.rate)


def cost(candidates: int) -> int:
    """Return how many steps a trial of so many candidates is as long as, at most.

    Args:
        candidates: how many combinations are compared.
    """
    return 2 + candidates * (1 + 2 * _ROUNDS)


def trial(
    trainer: Any, batch: Sequence[Any], inferer: Any, candidates: Sequence[tuple[str, ...]], *, timed: bool = True
) -> Finding:
    """Return the fastest of the candidates that computes what plain computing does.

    Both sides compute in turn, so that what else the machine does slows both. Nothing of the trainer changes, nor do
    the generators of random numbers.

    Args:
        trainer: MONAI's, in the middle of a run.
        batch: inputs and targets of a training step.
        inferer: the trainer's own, without levers.
        candidates: combinations of levers, the simplest first.
        timed: otherwise the last candidate that computes the same is chosen.

    Raises:
        Exception: what copying or running the user's network and loss raises.
    """
    chosen, share = Finding(), _GAIN
    refused: dict[str, str] = {}
    is_early, own = False, None
    with kept_generators(), _kept_benchmark():
        plain = Subject(trainer, batch, inferer)
        exact = plain.gradients()
        for levers in candidates:
            torch.backends.cudnn.benchmark = "cudnn_benchmark" in levers
            try:
                subject = Subject(trainer, batch, inferer, levers)
                found = agreement((exact, subject.gradients()), (plain.groups, subject.groups))
                if found.only_turned and "bf16" in levers:
                    own = _own_cosine(trainer, batch, inferer, (exact, plain)) if own is None else own
                    found = replace(found, own=own)
                rounds = range(_ROUNDS if timed and not found.objection else 0)
                pairs = [(plain.seconds(), subject.seconds()) for _ in rounds]
            except Exception as error:  # noqa: BLE001 -- whatever a user's network raises: it trains without levers
                refused[",".join(levers)] = short(error)
                continue
            if found.objection:
                refused[",".join(levers)] = found.objection
                is_early |= found.only_turned
            elif not timed:
                chosen = Finding(levers, None, found)
            else:
                before = statistics.median(one for one, _ in pairs)
                ratio = statistics.median(other / one for one, other in pairs)
                if ratio < share:
                    chosen, share = Finding(levers, (before, ratio * before), found), _GAIN * ratio
    return replace(chosen, refused=refused, is_early=is_early)


def _own_cosine(trainer: Any, batch: Sequence[Any], inferer: Any, exact: tuple[float, Subject]) -> float:
    """Return the least cosine of the gradients in float32 when images and weights are rounded to bfloat16.

    Args:
        trainer: MONAI's.
        batch: of the step.
        inferer: the trainer's own.
        exact: the loss of the exact step, and its subject with the gradients.
    """
    images = batch[0].bfloat16().to(batch[0].dtype)
    subject = Subject(trainer, (images, *batch[1:]), inferer)
    with torch.no_grad():
        for parameter in subject.network.parameters():
            parameter.copy_(parameter.bfloat16())
    loss, plain = exact
    return agreement((loss, subject.gradients()), (plain.groups, subject.groups)).cosine


@contextmanager
def kept_generators() -> Iterator[None]:
    """Put the generators of torch, numpy and Python back where they were."""
    states = generator_states()
    try:
        yield
    finally:
        set_generators(states)


@contextmanager
def _kept_benchmark() -> Iterator[None]:
    before = torch.backends.cudnn.benchmark
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def short(error: Exception) -> str:
    """Return an error as the end of a sentence."""
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}" if str(error) else type(error).__name__
