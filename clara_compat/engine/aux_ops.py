"""Auxiliary operations: further values of a step, for the epoch's statistics and for metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol

import torch
from ignite.engine import Engine, Events
from monai.engines import Trainer
from monai.engines.utils import IterationEvents
from monai.utils import CommonKeys

from clara_compat.engine.distributed.gather import everybody, size
from clara_compat.engine.distributed.shares import means_of_all
from clara_compat.engine.handlers.kept import goes_on, keep
from clara_compat.engine.step_values import StepValues
from clara_compat.engine.tensors import plain

__all__ = ["AuxOp", "AuxiliaryOutputs", "NegLoss", "step_loss"]


class AuxOp(Protocol):
    """Computes tagged values from the fields of a step."""

    do_summary: bool
    """Average single numbers over a training epoch, for TensorBoard."""
    do_print: bool
    """The same, for the console."""

    def __call__(self, output: MutableMapping[str, Any]) -> Mapping[str, torch.Tensor]:
        """Return the values by tag. ``output`` has ``image``, ``label``, ``pred`` and, in training, ``loss``."""


class AuxiliaryOutputs:
    """Computes the auxiliary operations of every step and puts their values where metrics find them.

    After the model has run, each value stands in ``engine.state.output`` under its tag; a validation metric names the
    tag as its ``field`` (clara-3.1 engine facts, sections 2.6 and 2.7). On a trainer the means over the epoch stand in
    ``engine.state.metrics`` too when the epoch completes: attach this handler before those that read them. Values that
    are not finite are left out of them, as are values of several elements; which of them TensorBoard and the console
    leave out stands in ``engine.state.unsummarised`` and ``engine.state.unprinted``. The values stay on the device
    until then, so no step waits for it.

    Args:
        ops: the operations, in the order of computation.

    Example::

        SupervisedEvaluator(..., val_handlers=[AuxiliaryOutputs([NegLoss("negloss", loss)])], decollate=False)
    """

    def __init__(self, ops: Sequence[AuxOp]) -> None:
        self.ops = list(ops)
        self._values: dict[str, StepValues] = {}
        self._hidden: dict[str, set[str]] = {"unsummarised": set(), "unprinted": set()}
        self._single: set[str] = set()  # tags that were single numbers here

    def attach(self, engine: Engine) -> None:
        """Attach to a MONAI trainer or evaluator."""
        engine.add_event_handler(IterationEvents.MODEL_COMPLETED, self._compute, isinstance(engine, Trainer))
        if isinstance(engine, Trainer):
            engine.add_event_handler(Events.EPOCH_STARTED, self._reset)
            engine.add_event_handler(Events.EPOCH_COMPLETED, self._average)
            keep(engine, "auxiliary", self)

    def state_dict(self) -> dict[str, Any]:
        """Return the values (n,) of the epoch so far by tag, the tags that are not shown, those of single numbers."""
        return {
            "values": {tag: values.all() for tag, values in self._values.items()},
            "hidden": {name: sorted(tags) for name, tags in self._hidden.items()},
            "single": sorted(self._single),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another training stopped, before this one starts.

        Args:
            state: what :meth:`state_dict` of the other one returned.
        """
        self._values = {tag: StepValues(values) for tag, values in state["values"].items()}
        self._hidden = {name: set(tags) for name, tags in state["hidden"].items()}
        self._single = set(state["single"])

    def _reset(self, engine: Engine) -> None:
        if not goes_on(engine):
            self._values = {}
            self._hidden = {name: set() for name in self._hidden}
            self._single = set()

    @torch.no_grad()
    def _compute(self, engine: Engine, keep: bool) -> None:
        output = engine.state.output
        single: dict[str, torch.Tensor] = {}
        several = size() > 1
        for op in self.ops:
            values = op(output)
            output.update(values)
            if not keep or not (op.do_summary or op.do_print):
                continue
            # several processes have to tell of the same tags: one may be a single number on some only
            single |= {tag: value for tag, value in values.items() if value.numel() == 1 or several}
            self._single |= {tag for tag, value in values.items() if value.numel() == 1}
            for unwanted, shown in (("unsummarised", op.do_summary), ("unprinted", op.do_print)):
                if not shown:
                    self._hidden[unwanted].update(values)
        for tag, value in (means_of_all(single, engine) if several else single).items():
            self._values.setdefault(tag, StepValues()).append(value)

    def _average(self, engine: Engine) -> None:
        engine.state.unsummarised, engine.state.unprinted = self._hidden["unsummarised"], self._hidden["unprinted"]
        known = set().union(*everybody(self._single))
        for tag, values in self._values.items():
            if tag in known:
                found = values.all()
                engine.state.metrics[tag] = found[found.isfinite()].mean().item()


class NegLoss:
    """Minus the step's loss, so that a loss can be a key metric, which is maximised.

    Args:
        tag: name of the value.
        loss: the loss function, for an evaluator, which computes no loss itself.
        do_summary: average the values over a training epoch, for TensorBoard.
        do_print: the same, for the console.
    """

    def __init__(
        self, tag: str, loss: Callable[..., torch.Tensor], do_summary: bool = True, do_print: bool = True
    ) -> None:
        self.tag = tag
        self.loss = loss
        self.do_summary = do_summary
        self.do_print = do_print

    def __call__(self, output: MutableMapping[str, Any]) -> dict[str, torch.Tensor]:
        """Return minus the loss of the step."""
        return {self.tag: -step_loss(output, self.loss)}


def step_loss(output: MutableMapping[str, Any], loss: Callable[..., torch.Tensor]) -> torch.Tensor:
    """Return the loss of a step, a scalar without gradient.

    Args:
        output: fields of the step. A trainer's has the loss; to an evaluator's it is added and so computed once.
        loss: called with prediction and label when the output has no loss yet.
    """
    if CommonKeys.LOSS not in output:
        pred, label = (plain(output[key]) for key in (CommonKeys.PRED, CommonKeys.LABEL))
        with torch.no_grad():
            tell = getattr(loss, "step", None)  # a loss written for Clara may use the image
        if tell is not None:
            tell(image=output[CommonKeys.IMAGE].to(pred.device))
        output[CommonKeys.LOSS] = loss(pred, label.to(pred.device)).mean()
        if tell is not None:
            tell(image=None)
    return plain(output[CommonKeys.LOSS]).detach()
