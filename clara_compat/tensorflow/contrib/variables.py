"""slim's way to make variables and to find them again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import torch

from clara_compat.tensorflow.contrib.arg_scope import add_arg_scope
from clara_compat.tensorflow.graph import current
from clara_compat.tensorflow.operands import tensor_name
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register
from clara_compat.tensorflow.scopes import GraphKeys, get_variable
from clara_compat.tensorflow.variable_scope import VariableScope

__all__ = ["filter_variables", "get_model_variables", "get_variables", "model_variable", "variable"]


@add_arg_scope
def variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Sequence[str] | None = None,
    caching_device: Any = None,
    device: Any = None,
    **ignored: Any,
) -> torch.Tensor:
    """Return a variable of the current scope; see :func:`~clara_compat.tensorflow.scopes.get_variable`."""
    return get_variable(
        name, shape, dtype, initializer, regularizer=regularizer, trainable=trainable, collections=collections
    )


@add_arg_scope
def model_variable(
    name: str,
    shape: Any = None,
    dtype: Any = "float32",
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Sequence[str] | None = None,
    caching_device: Any = None,
    device: Any = None,
    **ignored: Any,
) -> torch.Tensor:
    """Return a variable of the current scope that is one of the model's: :func:`get_model_variables` gives it."""
    wanted = [*(collections or ()), GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES]
    return variable(name, shape, dtype, initializer, regularizer, trainable, wanted)


def get_variables(
    scope: str | VariableScope | None = None, suffix: str | None = None, collection: str = GraphKeys.GLOBAL_VARIABLES
) -> list[torch.Tensor]:
    """Return the variables of a collection, in the order they were made.

    Args:
        scope: a regular expression at the beginning of a name; None: all.
        suffix: a regular expression at the end of a name; None: all.
        collection: its name.
    """
    pattern = scope.name if isinstance(scope, VariableScope) else scope or ""
    if suffix is not None:
        pattern += f".*{suffix if ':' in suffix else f'{suffix}:'}"
    found = current("a collection").collected(collection)
    return [one for one in found if re.match(pattern, tensor_name(one))]


def get_model_variables(scope: str | VariableScope | None = None, suffix: str | None = None) -> list[torch.Tensor]:
    """Return the variables of slim's layers."""
    return get_variables(scope, suffix, GraphKeys.MODEL_VARIABLES)


def get_local_variables(scope: str | VariableScope | None = None, suffix: str | None = None) -> list[torch.Tensor]:
    """Return the variables that are local to a process."""
    return get_variables(scope, suffix, GraphKeys.LOCAL_VARIABLES)


def get_trainable_variables(scope: str | VariableScope | None = None, suffix: str | None = None) -> list[torch.Tensor]:
    """Return the variables that optimizers change."""
    return get_variables(scope, suffix, GraphKeys.TRAINABLE_VARIABLES)


def get_variables_by_name(given_name: str, scope: str | None = None) -> list[torch.Tensor]:
    """Return the variables whose name without its scopes is the given one."""
    return get_variables(scope, f"/{given_name}:|^{given_name}:")


def get_variables_by_suffix(suffix: str, scope: str | None = None) -> list[torch.Tensor]:
    """Return the variables whose name ends so."""
    return get_variables(scope, suffix)


def get_unique_variable(var_op_name: str) -> torch.Tensor:
    """Return the variable of a full name.

    Raises:
        ClaraError: there is none.
    """
    for one in get_variables(re.escape(var_op_name)):
        if tensor_name(one) == f"{var_op_name}:0":
            return one
    raise refusal(f"there is no variable '{var_op_name}'")


def get_variable_full_name(var: torch.Tensor) -> str:
    """Return the name of a variable without ``:0``."""
    return tensor_name(var).removesuffix(":0")


def get_variables_to_restore(
    include: Sequence[str] | None = None, exclude: Sequence[str] | None = None
) -> list[torch.Tensor]:
    """Return the variables of some scopes that are not of others."""
    found = get_variables() if include is None else [one for scope in include for one in get_variables(scope)]
    left_out = {id(one) for scope in exclude or () for one in get_variables(scope)}
    return [one for one in found if id(one) not in left_out]


def filter_variables(
    var_list: Iterable[torch.Tensor],
    include_patterns: Sequence[str] | None = None,
    exclude_patterns: Sequence[str] | None = None,
    reg_search: bool = True,
) -> list[torch.Tensor]:
    """Return the variables that one of the patterns finds and none of the others.

    Args:
        var_list: the variables.
        include_patterns: regular expressions; None: all.
        exclude_patterns: regular expressions.
        reg_search: find a pattern anywhere in a name rather than at its beginning.
    """
    find = re.search if reg_search else re.match

    def named(variable: torch.Tensor, patterns: Sequence[str]) -> bool:
        return any(find(pattern, tensor_name(variable)) for pattern in patterns)

    found = [one for one in var_list if include_patterns is None or named(one, include_patterns)]
    return [one for one in found if not named(one, exclude_patterns or ())]


for _name in (
    *("filter_variables", "get_local_variables", "get_model_variables", "get_trainable_variables"),
    *("get_unique_variable", "get_variable_full_name", "get_variables", "get_variables_by_name"),
    *("get_variables_by_suffix", "get_variables_to_restore", "model_variable", "variable"),
):
    register(globals()[_name], f"contrib.framework.{_name}", f"contrib.slim.{_name}")
