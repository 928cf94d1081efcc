"""Networks and losses of MONAI and torch that a config names by their path, as bundle entries.

The classes are imported to look at them: a path has gone through
:func:`~clara_compat.config.stock.stock_family` before.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from clara_compat.components.entry import Entry, Expression
from clara_compat.config.components import ComponentSpec
from clara_compat.errors import ClaraError, suggestion
from clara_compat.translate.render import is_safe_key

__all__ = ["REFUSED", "REFUSED_ARGUMENTS", "checked_arguments", "downloads", "stock_class", "stock_entry", "untrained"]

REFUSED = {
    "PerceptualLoss": "it downloads code and runs it",
    "Transchex": "it downloads what its arguments name",
}
"""Classes, by the one name that all of their aliases share."""
REFUSED_ARGUMENTS = {"pretrained_url": "it is downloaded from, wherever that is"}
_PRETRAINED = "pretrained"
"""MONAI's argument that has a network download its first weights, from addresses that MONAI knows."""


def stock_class(path: str) -> type:
    """Import the network or loss that a path names.

    Raises:
        ClaraError: there is none of that name.
    """
    from torch import nn
    from torch.nn.modules.loss import _Loss

    module_name, _, name = path.rpartition(".")
    module = importlib.import_module(module_name)
    base: type = _Loss if module_name == "torch.nn" else nn.Module

    def fits(found: Any) -> bool:
        return isinstance(found, type) and issubclass(found, base) and found is not base

    cls = getattr(module, name, None)
    if not isinstance(cls, type) or not fits(cls):
        what = "network" if module_name.endswith("nets") else "loss"
        known = [one for one, value in vars(module).items() if fits(value)]
        raise ClaraError(f"{module_name} has no {what} '{name}'{suggestion(name, known)}")
    if cls.__name__ in REFUSED:
        raise ClaraError(f"'{path}' is refused: {REFUSED[cls.__name__]}")
    return cls


def downloads(entry: Entry) -> bool:
    """Whether a network downloads its first weights when it is made."""
    known = inspect.signature(stock_class(entry.target)).parameters.get(_PRETRAINED)
    return known is not None and bool(entry.arguments.get(_PRETRAINED, known.default))


def untrained(path: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a network of MONAI with which it does not download its first weights."""
    knows = _PRETRAINED in inspect.signature(stock_class(path)).parameters
    return {**arguments, **({_PRETRAINED: False} if knows else {})}


def stock_entry(spec: ComponentSpec, image: Mapping[str, int] | None = None) -> Entry:
    """Return the entry of a network or loss: the class itself, with the arguments of the config.

    Lists become tensors where the class takes nothing else (the weights of classes).

    Args:
        spec: with a path of MONAI or torch.
        image: of a network, what the pipeline says of the image by the names of MONAI's arguments; what the config
            leaves out of them is put in.

    Raises:
        ClaraError: there is no such class, or it does not take the arguments.
    """
    try:
        cls = stock_class(spec.dotted)
    except ClaraError as error:
        raise ClaraError(error.message, spec.address) from error
    parameters = inspect.signature(cls).parameters
    takes_any = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    named = [one for one in parameters.values() if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    names = [one.name for one in named]
    for name in spec.args:
        if name in REFUSED_ARGUMENTS:
            raise ClaraError(_refusal(spec.dotted, name), spec.arg_address(name))
        if name not in names and (not takes_any or not is_safe_key(name)):
            others = [other for other in names if other not in spec.args]
            hint = suggestion(name, others) or f"; it also takes {', '.join(others)}"
            raise ClaraError(f"{spec.dotted} has no argument '{name}'{hint}", spec.arg_address(name))
    given = {name: value for name, value in (image or {}).items() if name in names} | spec.args
    for name, value in (image or {}).items():
        if name in given and given[name] != value:
            raise ClaraError(
                f"{name} is {given[name]}, but the image pipeline gives {value}: leave it out, or mend one of the two",
                spec.arg_address(name),
            )
    for one in named:
        if one.default is one.empty and one.name not in given:
            raise ClaraError(f"{spec.dotted} needs the argument '{one.name}'", spec.arg_address(one.name))
    annotations = {one.name: str(one.annotation) for one in named}
    return Entry(spec.dotted, **{name: _converted(value, annotations.get(name, "")) for name, value in given.items()})


def checked_arguments(path: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments, none of which is refused.

    Raises:
        ClaraError: one of them is.
    """
    for name in arguments:
        if name in REFUSED_ARGUMENTS:
            raise ClaraError(_refusal(path, name))
    return arguments


def _refusal(path: str, name: str) -> str:
    return f"the argument '{name}' of {path} is refused in a config: {REFUSED_ARGUMENTS[name]}"


def _converted(value: Any, annotation: str) -> Any:
    """Return a list of numbers as a tensor for an argument that is annotated as one and as no sequence."""
    if not isinstance(value, list) or "Tensor" not in annotation or "Sequence" in annotation:
        return value
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in value):
        return value
    return Expression(f"$torch.tensor({[float(one) for one in value]!r})")
