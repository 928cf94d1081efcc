"""Channels looked for on the last axis where they are the first: the trap of the documentation's own network."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from clara_compat.lint.findings import Finding, Status
from clara_compat.lint.source import Module, at
from clara_compat.lint.table import short

__all__ = ["channel_findings"]

_FIRST = "channels_first"
_AXES = {
    "tensorflow.keras.layers.Concatenate": (0, True),
    "tensorflow.keras.layers.concatenate": (1, True),
    "tensorflow.keras.backend.concatenate": (1, True),
    "tensorflow.concat": (1, False),
    "tensorflow.nn.softmax": (1, True),
    "tensorflow.nn.log_softmax": (1, True),
    "tensorflow.keras.layers.Softmax": (0, True),
    "tensorflow.keras.activations.softmax": (1, True),
    "tensorflow.keras.backend.softmax": (1, True),
    "tensorflow.argmax": (1, False),
    "tensorflow.keras.backend.argmax": (1, True),
    "tensorflow.keras.layers.BatchNormalization": (0, True),
    "tensorflow.layers.batch_normalization": (1, True),
}
"""Symbols that work along an axis: at which position it is given, and whether it is the last one by default."""
_JOIN = frozenset(name for name in _AXES if name.lower().endswith(("concatenate", "concat")))
_FLAT = ("Dense", "dense", "Flatten", "flatten", "fully_connected", "GlobalAveragePooling3D", "GlobalAveragePooling2D")
"""Where these are used, tensors of (N, features) are to be expected, whose last axis is the channels."""
_FIX = "pass 1 for channels_first, -1 for channels_last"


def channel_findings(module: Module) -> Iterator[Finding]:
    """Yield a finding for each call that takes the last axis in code whose ``data_format`` is channels_first."""
    flat = {owner for call in module.calls if _last(call.func) in _FLAT for owner in _owners(module, call)}
    for call in module.calls:
        owners = _owners(module, call)
        if not any(_is_channels_first(owner) for owner in owners) or _is_decided(module, call):
            continue
        line, column = at(call)
        keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        layout = keywords.get("data_format")
        last = isinstance(layout, ast.Constant) and layout.value != _FIRST
        if "channel_axis" in keywords and "data_format" in keywords and _is_minus_one(keywords["channel_axis"]):
            if not last:
                text = f"channel_axis=-1 is given together with data_format, whose default is {_FIRST}: the channels "
                text += f"are axis 1 then, and what is joined on axis -1 does not fit, in TensorFlow as here; {_FIX}"
                yield Finding(line, column, Status.FAILS, text)
            continue
        name = module.canonical(call.func)
        if name not in _AXES or not _takes_last_axis(call, keywords, name):
            continue
        if name in _JOIN:
            text = f"{short(name)} joins the last axis, where {_FIRST} (the default here) has the channels on axis 1;"
            yield Finding(line, column, Status.DIFFERS, f"{text} {_FIX}", name, "", "torch.cat([a, b], dim=1)")
        elif not flat.intersection(owners):
            text = f"{short(name)} works along the last axis, where {_FIRST} (the default here) has the channels on"
            yield Finding(line, column, Status.DIFFERS, f"{text} axis 1, in TensorFlow as here; {_FIX}", name)


def _owners(module: Module, node: ast.AST) -> list[ast.AST]:
    """Return the functions and the class around a node."""
    return [one for one in module.names.inside(node) if isinstance(one, (ast.FunctionDef, ast.ClassDef))]


def _is_channels_first(owner: ast.AST) -> bool:
    """Whether a function, or the ``__init__`` of a class, has channels_first as its default."""
    if isinstance(owner, ast.ClassDef):
        return any(
            isinstance(one, ast.FunctionDef) and one.name == "__init__" and _is_default(one) for one in owner.body
        )
    return isinstance(owner, ast.FunctionDef) and _is_default(owner)


def _is_default(function: ast.FunctionDef) -> bool:
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    pairs = [
        *zip(positional[::-1], given.defaults[::-1], strict=False),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    return any(
        argument.arg == "data_format" and isinstance(default, ast.Constant) and default.value == _FIRST
        for argument, default in pairs
    )


def _is_decided(module: Module, node: ast.AST) -> bool:
    """Whether a condition around a node looks at the data format."""
    for parent in module.names.inside(node):
        if isinstance(parent, (ast.If, ast.IfExp)):
            words = {getattr(one, "id", getattr(one, "attr", getattr(one, "value", ""))) for one in _names(parent.test)}
            if any("format" in word or "channel" in word for word in words if isinstance(word, str)):
                return True
    return False


def _names(test: ast.expr) -> Iterator[ast.AST]:
    return (one for one in ast.walk(test) if isinstance(one, (ast.Name, ast.Attribute, ast.Constant)))


def _takes_last_axis(call: ast.Call, keywords: dict[str, ast.expr], name: str) -> bool:
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(
        one.arg is None for one in call.keywords
    ):
        return False
    given = keywords.get("axis", keywords.get("dim"))
    if given is not None:
        return _is_minus_one(given)
    position, by_default = _AXES[name]
    return _is_minus_one(call.args[position]) if len(call.args) > position else by_default


def _is_minus_one(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
        and node.operand.value == 1
    )


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
