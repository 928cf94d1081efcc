"""Tensors where TensorFlow 1 refused them and torch does not: as conditions, and as what items are assigned to."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from clara_compat.lint.findings import Finding, Status
from clara_compat.lint.source import Module, at

__all__ = ["tensor_findings"]

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)
_TENSOR_ARGUMENTS = {"get_predictions": (0,), "get_loss": (0, 1), "get_output_tensors": (0, 1), "call": (0,)}
"""Arguments after ``self`` that are tensors, by the name of the method."""
_NO_TENSORS = frozenset(
    {
        *("shape", "int_shape", "rank", "ndim", "size", "get_collection", "trainable_variables", "global_variables"),
        *("Session", "InteractiveSession", "ConfigProto", "get_session", "get_variable_scope", "variable_scope"),
        *("name_scope", "arg_scope", "device", "as_dtype", "Graph", "get_default_graph", "learning_phase", "epsilon"),
        *("floatx", "image_data_format", "split", "unstack", "moments", "top_k", "meshgrid", "Variable"),
    }
)
"""Symbols whose result is no tensor, or several."""
_PACKAGES = ("tensorflow.initializers", "tensorflow.keras.initializers", "tensorflow.keras.regularizers")
_CONDITIONS = (ast.If, ast.While, ast.IfExp, ast.Assert)


def tensor_findings(module: Module) -> Iterator[Finding]:
    """Yield a finding for each of these places."""
    for node in module.nodes:
        if isinstance(node, _Function):
            yield from _in_function(module, node)


def _in_function(module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Finding]:
    given = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)][1:]
    own = list(_own_nodes(function))
    tensors = _tensors(module, own, [given[i] for i in _TENSOR_ARGUMENTS.get(function.name, ()) if i < len(given)])
    training = given[1] if function.name == "get_predictions" and len(given) > 1 else None
    for node in own:
        if isinstance(node, _CONDITIONS):
            line, column = at(node.test)
            if training is not None and _is_name(node.test, training):
                text = (
                    f"if {training}: it is True or False here; TensorFlow handed a tensor, for which tf.cond was made"
                )
                yield Finding(line, column, Status.DIFFERS, text)
            elif _is_tensor_condition(module, node.test, tensors):
                text = "a tensor as a condition, which TensorFlow 1 refuses: its value is read here, and an exported"
                instead = "torch.where(condition, a, b)"
                yield Finding(line, column, Status.DIFFERS, f"{text} network keeps one branch", "", "", instead)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and _is_one_of(node.value, tensors):
            line, column = at(node)
            text = (
                "an item of a tensor is assigned, which TensorFlow 1 refuses: here the tensor itself changes, and its"
            )
            instead = "torch.where or torch.cat"
            yield Finding(line, column, Status.DIFFERS, f"{text} gradient may be lost", "", "", instead)


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function, those of functions and classes in it left out."""
    pending = [function]
    while pending:
        for child in ast.iter_child_nodes(pending.pop()):
            yield child
            if not isinstance(child, (*_Function, ast.ClassDef, ast.Lambda)):
                pending.append(child)


def _tensors(module: Module, own: list[ast.AST], arguments: list[str]) -> set[str]:
    """Return the names that hold nothing but tensors in a function, as far as each assignment shows."""
    tensors = set(arguments)
    others: set[str] = set()
    for node in own:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            (tensors if _makes_tensor(module, node.value) else others).add(node.targets[0].id)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            parent = module.names.parents.get(node)
            if not isinstance(parent, (ast.Assign, ast.AugAssign)):
                others.add(node.id)
    return tensors - others


def _makes_tensor(module: Module, value: ast.AST) -> bool:
    if not isinstance(value, ast.Call):
        return False
    layer = isinstance(value.func, ast.Call)  # Conv3D(8, 3)(x)
    name = module.canonical(value.func.func if isinstance(value.func, ast.Call) else value.func)
    package, _, last = name.rpartition(".")
    if not name or last in _NO_TENSORS or package in _PACKAGES:
        return False
    return layer or last[:1].islower()


def _is_tensor_condition(module: Module, test: ast.expr, tensors: set[str]) -> bool:
    pending: list[ast.expr] = [test]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.BoolOp):
            pending += node.values
        elif isinstance(node, ast.UnaryOp):
            pending.append(node.operand)
        elif isinstance(node, ast.Compare):
            if all(isinstance(one, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)) for one in node.ops):
                pending += [node.left, *node.comparators]
        elif _is_one_of(node, tensors) or _makes_tensor(module, node):
            return True
    return False


def _is_one_of(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _is_name(node: ast.expr, name: str) -> bool:
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) else node
    return isinstance(inner, ast.Name) and inner.id == name
