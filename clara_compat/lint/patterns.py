"""Habits of TensorFlow 1 and old numpy that run otherwise here, or not at all, beside the symbols themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from clara_compat.lint.findings import Finding, Status
from clara_compat.lint.source import Module, at
from clara_compat.lint.table import short

__all__ = ["REMOVED_FROM_NUMPY", "pattern_findings"]

_BUILT_INS = {name: name for name in ("bool", "int", "float", "complex", "object", "str")}
REMOVED_FROM_NUMPY = {
    **_BUILT_INS,
    **dict.fromkeys(("NaN", "NAN"), "np.nan"),
    **dict.fromkeys(("Inf", "Infinity", "infty", "PINF"), "np.inf"),
    "NINF": "-np.inf",
    "float_": "np.float64",
    "complex_": "np.complex128",
    "unicode_": "np.str_",
    "string_": "np.bytes_",
    "product": "np.prod",
    "cumproduct": "np.cumprod",
    "alltrue": "np.all",
    "sometrue": "np.any",
    "round_": "np.round",
    "row_stack": "np.vstack",
    "trapz": "np.trapezoid",
    "in1d": "np.isin",
}
"""What numpy 1.24 and 2.0 took away, and what to write; clara_compat gives it back to the user's modules."""

_SESSIONS = frozenset(
    {
        *("tensorflow.Session", "tensorflow.InteractiveSession", "tensorflow.get_default_session"),
        *("tensorflow.keras.backend.get_session", "tensorflow.train.MonitoredSession"),
    }
)
_VARIABLES = frozenset(
    {
        *("tensorflow.Variable", "tensorflow.get_variable", "tensorflow.variable_scope"),
        *("tensorflow.keras.backend.variable", "tensorflow.contrib.slim.variable"),
    }
)


def pattern_findings(module: Module) -> Iterator[Finding]:
    """Yield a finding for each of these places."""
    yield from _numpy(module)
    yield from _sessions(module)
    yield from _early_variables(module)


def _numpy(module: Module) -> Iterator[Finding]:
    for node, full in module.names.chains():
        package, _, name = full.partition(".")
        name = name.partition(".")[0]
        if package == "numpy" and name in REMOVED_FROM_NUMPY:
            line, column = at(node)
            version = "1.24" if name in _BUILT_INS else "2.0"
            text = f"np.{name} was removed by numpy {version}; your components still find it here"
            yield Finding(line, column, Status.DIFFERS, text, f"numpy.{name}", "", REMOVED_FROM_NUMPY[name])


def _sessions(module: Module) -> Iterator[Finding]:
    """Find ``run`` of something that was made a session in this file."""
    held: set[str] = set()
    for node in module.nodes:
        if isinstance(node, ast.Assign) and _is_session(module, node.value):
            held.update(filter(None, (_text(target) for target in node.targets)))
        elif isinstance(node, ast.withitem) and _is_session(module, node.context_expr) and node.optional_vars:
            held.add(_text(node.optional_vars))
    found = module.table.find("tensorflow.Session")
    runs = found is not None and hasattr(found[1].value, "run")
    for call in module.calls:
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "run":
            continue
        owner = call.func.value
        if _is_session(module, owner) or _text(owner) in held - {""}:
            line, column = at(call)
            text = "run of a session: a tensor has its value at once here, so drop the session and use the tensor"
            yield Finding(line, column, Status.DIFFERS if runs else Status.FAILS, text, "tensorflow.Session")


def _is_session(module: Module, node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and module.canonical(node.func) in _SESSIONS


def _text(node: ast.AST) -> str:
    """Return ``sess`` or ``self.sess``, or an empty text for anything longer."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return ""


def _early_variables(module: Module) -> Iterator[Finding]:
    """Find variables that are made before there is a graph: at the import, or in a component's ``__init__``."""
    for call in module.calls:
        name = module.canonical(call.func)
        if name not in _VARIABLES and not _is_layer_function(name):
            continue
        place = _early_place(module, call)
        if place:
            line, column = at(call)
            text = f"{short(name)} {place}: there is no graph yet when a component is created, so make it in "
            yield Finding(line, column, Status.FAILS, f"{text}get_predictions or get_loss", name)


def _is_layer_function(name: str) -> bool:
    """Whether calling a symbol makes variables at once: ``tf.layers.conv3d``, not the class ``Conv3D``."""
    package, _, last = name.rpartition(".")
    return package in ("tensorflow.layers", "tensorflow.contrib.slim") and last.startswith(("conv", "dense", "batch"))


def _early_place(module: Module, node: ast.AST) -> str:
    for parent in module.names.inside(node):
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if parent.name != "__init__":
                return ""
            owner = module.names.parents.get(parent)
            is_layer = isinstance(owner, ast.ClassDef) and any(module.canonical(base) for base in owner.bases)
            return "" if is_layer else "in __init__"
        if isinstance(parent, ast.Lambda):
            return ""
    return "outside of any function"
