"""What is changed in the source of a user's module before it is compiled.

User code sees plain torch tensors, which know nothing of TensorFlow's attributes and operators. Only in modules of the
user, those places that could differ become calls of helpers (:mod:`clara_compat.tensorflow.operands`), which leave
everything but tensors alone:

- ``x.shape``, ``x.get_shape``, ``x.dtype``, ``x.name`` and a few more attributes that are read;
- arithmetic and comparisons, where an operand may be a numpy array or a list;
- ``x += y``, which makes a new tensor in TensorFlow and would change the old one in torch;
- subscripts, where a step may be negative;
- ``print``, and values in texts, which may be tensors (:mod:`clara_compat.tensorflow.telling`).

That costs a Python loop over voxels a multiple of its time, so it is done only where tensors can be: a module that uses
nothing of TensorFlow or Keras and defines no model or loss (or writes them with torch), and a class with a
``transform`` of its own, are left as they are written. Lines and columns stay.
"""

from __future__ import annotations

import ast
from typing import Any, TypeVar

from clara_compat.tensorflow import operands, telling

__all__ = ["HELPERS", "rewritten"]

_N = TypeVar("_N", bound=ast.AST)

HELPERS: dict[str, Any] = {
    "__clara_attribute__": operands.attribute,
    "__clara_binary__": operands.binary,
    "__clara_mixed__": operands.mixed,
    "__clara_augmented__": operands.augmented,
    "__clara_augment_attribute__": operands.augment_attribute,
    "__clara_augment_item__": operands.augment_item,
    "__clara_item__": operands.item,
    "__clara_slice__": slice,
    "__clara_told__": telling.told,
    "__clara_print__": telling.printed,
    "__clara_formatter__": telling.formatter,
}
"""What a rewritten module finds among its built-in names."""

_PACKAGES = frozenset({"keras", "tensorflow", "tf_slim"})

_OPERATORS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


def rewritten(tree: ast.Module) -> ast.Module:
    """Return the tree of a user's module with the helpers' calls in it."""
    if not _uses_tensorflow(tree) and not _is_of_tensors(tree):
        return tree
    return ast.fix_missing_locations(
        _Rewriter("__clara_mixed__" if _uses_torch(tree) else "__clara_binary__").visit(tree)
    )


def _uses_tensorflow(tree: ast.Module) -> bool:
    """Whether a name that comes from TensorFlow or Keras occurs beyond its import: many files only import them."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {_bound(alias) for alias in node.names if alias.name.partition(".")[0] in _PACKAGES}
        elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").partition(".")[0] in _PACKAGES:
            if node.names[0].name == "*":
                return True
            names |= {_bound(alias) for alias in node.names}
    return any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(tree))


def _is_of_tensors(tree: ast.Module) -> bool:
    """Whether a model or a loss is defined here, which may get by with operators; those of torch do not count."""
    if _uses_torch(tree):
        return False
    methods = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return bool({"get_predictions", "get_loss"} & methods)


def _uses_torch(tree: ast.Module) -> bool:
    modules = {(node.module or "") for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return bool({"torch", "monai"} & {module.partition(".")[0] for module in modules})


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


class _Rewriter(ast.NodeTransformer):
    def __init__(self, binary: str) -> None:
        self._binary = binary

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        if any(isinstance(part, ast.FunctionDef) and part.name == "transform" for part in node.body):
            return node
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load) or node.attr not in operands.ATTRIBUTES:
            return node
        return _call("__clara_attribute__", node, node.value, ast.Constant(node.attr))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        sign = _OPERATORS.get(type(node.op))
        if _is_text(node.left):  # "..." % values
            node.right = _call("__clara_told__", node.right, node.right)
        if sign is None or _is_text(node.left):
            return node
        return _call(self._binary, node, ast.Constant(sign), node.left, node.right)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        sign = _OPERATORS.get(type(node.ops[0]))
        if len(node.ops) != 1 or sign is None or _is_text(node.comparators[0]):
            return node
        return _call(self._binary, node, ast.Constant(sign), node.left, node.comparators[0])

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Tell tensors as TensorFlow does, in ``print``, ``str``, ``repr`` and the method ``format``."""
        self.generic_visit(node)
        function = node.func
        if isinstance(function, ast.Name) and function.id == "print":
            node.func = ast.copy_location(ast.Name("__clara_print__", ast.Load()), function)
        elif isinstance(function, ast.Name) and function.id in ("str", "repr") and len(node.args) == 1:
            node.args = [_call("__clara_told__", node, node.args[0])]
        elif isinstance(function, ast.Attribute) and function.attr == "format":
            node.func = _call("__clara_formatter__", function, function.value)
        return node

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.expr:
        """Tell a tensor in an f-string as TensorFlow does."""
        self.generic_visit(node)
        node.value = _call("__clara_told__", node, node.value)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load) or _is_plain(node.slice):
            return node
        return _call("__clara_item__", node, node.value, _as_value(node.slice))

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        self.generic_visit(node)
        sign = _OPERATORS.get(type(node.op))
        if sign is None:
            return node
        target = node.target
        if isinstance(target, ast.Name):
            read = ast.copy_location(ast.Name(target.id, ast.Load()), target)
            value = _call("__clara_augmented__", node, ast.Constant(sign), read, node.value)
            return ast.copy_location(ast.Assign([target], value), node)
        if isinstance(target, ast.Attribute):
            name = ast.Constant(target.attr)
            call = _call("__clara_augment_attribute__", node, ast.Constant(sign), target.value, name, node.value)
        else:
            key = _as_value(target.slice)
            call = _call("__clara_augment_item__", node, ast.Constant(sign), target.value, key, node.value)
        return ast.copy_location(ast.Expr(call), node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        """Leave the annotation alone."""
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """Leave the annotation alone."""
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        """Leave the annotation of what is returned alone."""
        returns, node.returns = node.returns, None
        self.generic_visit(node)
        node.returns = returns
        return node


def _call(name: str, place: _N, *arguments: ast.expr) -> ast.Call:
    return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), list(arguments), []), place)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _is_plain(key: ast.expr) -> bool:
    """Whether a subscript is a literal, which means the same on every tensor."""
    if isinstance(key, ast.Constant):
        return True
    return isinstance(key, ast.UnaryOp) and isinstance(key.operand, ast.Constant)


def _as_value(key: ast.expr) -> ast.expr:
    """Return a subscript as an expression: slices become calls of ``slice``."""
    if isinstance(key, ast.Slice):
        parts = [part or ast.Constant(None) for part in (key.lower, key.upper, key.step)]
        return _call("__clara_slice__", key, *parts)
    if isinstance(key, ast.Tuple):
        return ast.copy_location(ast.Tuple([_as_value(part) for part in key.elts], ast.Load()), key)
    return key
