"""A user's Clara auxiliary operation on the fields of a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np
import torch
from monai.utils import CommonKeys

from clara_compat.common.blame import users_code
from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.data_format import DataFormat
from clara_compat.common.data_prop import DataProperty
from clara_compat.common.graph_component import GraphComponent
from clara_compat.engine.aux_ops import step_loss
from clara_compat.engine.legacy.arrays import laid_out, on_host
from clara_compat.engine.tensors import plain
from clara_compat.errors import ClaraError

__all__ = ["LegacyAuxOp", "run_entry"]

_FIELDS = (CommonKeys.IMAGE, CommonKeys.LABEL, CommonKeys.PRED, CommonKeys.LOSS, "model")


class LegacyAuxOp:
    """Calls ``get_output_tensors(predictions, label, build_ctx)`` of a user's operation in every step.

    An ``AuxiliaryOperation`` is asked by its ``build(build_ctx)``, which may be the user's own.

    Code in a module that imports torch (or MONAI) gets tensors without gradient, any other numpy arrays: the two cannot
    be told apart by what the code says, and operators such as ``predictions * label`` work on both. The layout is the
    one the pipeline declares. ``build_ctx`` holds the data property, model input, label input, model output, loss,
    whether this is training, and the learning rate of the moment (clara-3.1 engine facts, section 2.0).

    Args:
        operation: the user's object.
        name: its class, for messages.
        data_property: what the pipeline says about its data.
        loss: the loss function, for an evaluator, which computes no loss itself.
        optimizer: knows the learning rate.
        is_train: whether the step trains.
        final_activation: what the predictions have gone through, when it is known: operations of the catalogue do not
            apply it twice.
    """

    def __init__(
        self,
        operation: Any,
        name: str,
        data_property: DataProperty,
        loss: Callable[..., torch.Tensor],
        optimizer: torch.optim.Optimizer | None = None,
        is_train: bool = False,
        final_activation: str | None = None,
    ) -> None:
        method = getattr(operation, "get_output_tensors", None)
        if not callable(method):
            raise ClaraError(
                f"auxiliary operation '{name}' has no method get_output_tensors(predictions, label, build_ctx)"
            )
        self.operation = operation
        self.name = name
        self.data_property = data_property
        self.loss = loss
        self.optimizer = optimizer
        self.is_train = is_train
        self.final_activation = final_activation
        methods = (method, getattr(operation, "build", None))
        self.takes_tensors = any({"torch", "monai"} & set(_imports(one)) for one in methods)
        self.do_summary = bool(getattr(operation, "do_summary", True))
        self.do_print = bool(getattr(operation, "do_print", True))

    def __call__(self, output: MutableMapping[str, Any]) -> dict[str, torch.Tensor]:
        """Return the user's values by tag, as tensors."""
        context = _StepContext(
            {
                BuildContext.KEY_LOSS: lambda: self._handed(step_loss(output, self.loss)),
                BuildContext.KEY_MODEL_INPUT: lambda: self._handed(output[CommonKeys.IMAGE]),
                BuildContext.KEY_LABEL_INPUT: lambda: self._handed(output[CommonKeys.LABEL]),
                BuildContext.KEY_MODEL_OUTPUT: lambda: self._handed(output[CommonKeys.PRED]),
            },
            self.final_activation,
        )
        context[BuildContext.KEY_DATA_PROP] = self.data_property
        context[BuildContext.KEY_IS_TRAIN] = self.is_train
        if self.optimizer is not None:
            context[BuildContext.KEY_LEARNING_RATE] = self.optimizer.param_groups[0]["lr"]
        with users_code(f"auxiliary operation '{self.name}'"):
            found = self._run(context)
        if not isinstance(found, Mapping):
            raise ClaraError(
                f"auxiliary operation '{self.name}': get_output_tensors returned a {type(found).__name__}, expected a "
                "dictionary of values by tag"
            )
        return {str(tag): self._taken(str(tag), value, output) for tag, value in found.items()}

    def _run(self, context: BuildContext) -> Any:
        if isinstance(self.operation, GraphComponent):  # its build may be the user's own
            return self.operation.build(context)
        predictions, label = context[BuildContext.KEY_MODEL_OUTPUT], context[BuildContext.KEY_LABEL_INPUT]
        return self.operation.get_output_tensors(predictions, label, context)

    def _handed(self, value: torch.Tensor) -> Any:
        return laid_out(plain(value).detach() if self.takes_tensors else on_host(value), self.data_property)

    def _taken(self, tag: str, value: Any, output: Mapping[str, Any]) -> torch.Tensor:
        if tag in _FIELDS or tag in output:
            raise ClaraError(
                f"auxiliary operation '{self.name}' gives a value of the tag '{tag}', which is taken: choose another"
            )
        try:
            return value.detach() if isinstance(value, torch.Tensor) else torch.tensor(np.asarray(value))
        except TypeError as error:
            raise ClaraError(
                f"auxiliary operation '{self.name}' gives a {type(value).__name__} under the tag '{tag}', expected a "
                "number, an array or a tensor"
            ) from error


class _StepContext(BuildContext):
    """A build context whose objects are made when somebody asks for them: the loss costs time, arrays a transfer.

    Args:
        made: what makes the objects, by their keys.
        final_activation: what the predictions have gone through.
    """

    def __init__(self, made: Mapping[str, Callable[[], Any]], final_activation: str | None) -> None:
        super().__init__()
        self._made = made
        self.final_activation = final_activation

    def __contains__(self, key: object) -> bool:
        return key in self._made or f"_{key}" in self._made or super().__contains__(key)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*super().__iter__(), *self._made)))

    def __missing__(self, key: Any) -> Any:
        name = key if key in self._made else f"_{key}"
        if name not in self._made:
            return super().__missing__(key)
        if not dict.__contains__(self, name):
            self[name] = self._made[name]()
        return self[name]


def run_entry(entry: Any, predictions: Any, label: Any, build_ctx: BuildContext) -> dict[str, Any]:
    """Run a built-in operation for a user's subclass that calls ``super().get_output_tensors``.

    Args:
        entry: its bundle entry: an object whose ``made()`` makes the operation.
        predictions: network output, channel-first unless the data property of ``build_ctx`` says otherwise.
        label: labels.
        build_ctx: the objects of the step.

    Returns:
        The values by tag: arrays when ``predictions`` is one, otherwise tensors.
    """
    operation = entry.made()
    last = getattr(build_ctx.get(BuildContext.KEY_DATA_PROP), "data_format", None) == DataFormat.CHANNELS_LAST
    output = {}
    for field, value in ((CommonKeys.PRED, predictions), (CommonKeys.LABEL, label)):
        tensor = torch.as_tensor(value)
        output[str(field)] = tensor.movedim(-1, 1) if last and tensor.ndim > 2 else tensor
    found = operation(output)
    return dict(found) if isinstance(predictions, torch.Tensor) else {tag: one.numpy() for tag, one in found.items()}


def _imports(method: Any) -> list[str]:
    """Return the top-level packages of the modules that the module of a method has at hand."""
    names = getattr(getattr(method, "__func__", method), "__globals__", {})
    modules = (getattr(value, "__name__", None) or getattr(value, "__module__", None) for value in names.values())
    return [name.partition(".")[0] for name in modules if isinstance(name, str)]
