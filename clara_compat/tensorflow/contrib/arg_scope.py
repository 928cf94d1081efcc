"""``slim.arg_scope``: defaults of arguments for all calls inside of a ``with``."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register

__all__ = ["add_arg_scope", "arg_scope", "arg_scoped_arguments", "current_arg_scope", "has_arg_scope"]

F = TypeVar("F", bound=Callable[..., Any])
Scope = dict[Any, dict[str, Any]]

_scopes = threading.local()
_KEY = "_clara_arg_scope_key"


def current_arg_scope() -> Scope:
    """Return the defaults that hold now, by function."""
    stack: list[Scope] = _scopes.__dict__.setdefault("stack", [{}])
    return stack[-1]


def add_arg_scope(func: F) -> F:
    """Decorate a function so that :func:`arg_scope` can set defaults for it."""

    @wraps(func)
    def with_defaults(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **{**current_arg_scope().get(func, {}), **kwargs})

    setattr(with_defaults, _KEY, func)
    return with_defaults  # type: ignore[return-value]


@contextmanager
def arg_scope(list_ops_or_scope: Sequence[Any] | Mapping[Any, Any], **kwargs: Any) -> Iterator[Scope]:
    """Set defaults for functions.

    Args:
        list_ops_or_scope: the functions, or what an earlier ``with arg_scope(...) as scope`` gave, which then holds
            instead of the current defaults.
        **kwargs: the defaults; they come on top of those of the scopes around.

    Yields:
        All defaults that hold, by function.

    Raises:
        ClaraError: a function is not decorated with :func:`add_arg_scope`.
    """
    if isinstance(list_ops_or_scope, Mapping):
        if kwargs:
            raise refusal("slim.arg_scope takes a scope or defaults, not both")
        scope = dict(list_ops_or_scope)
    elif isinstance(list_ops_or_scope, list | tuple):
        scope = dict(current_arg_scope())
        for function in list_ops_or_scope:
            if not has_arg_scope(function):
                name = getattr(function, "__name__", repr(function))
                raise refusal(f"slim.arg_scope cannot set arguments of {name}: decorate it with @slim.add_arg_scope")
            key = getattr(function, _KEY)
            scope[key] = {**scope.get(key, {}), **kwargs}
    else:
        raise refusal(f"slim.arg_scope needs a list of functions, here it is given {list_ops_or_scope!r}")
    current_arg_scope()  # makes the stack of this thread
    _scopes.stack.append(scope)
    try:
        yield scope
    finally:
        _scopes.stack.pop()


def has_arg_scope(func: Any) -> bool:
    """Whether :func:`arg_scope` can set arguments of a function."""
    return hasattr(func, _KEY)


def arg_scoped_arguments(func: Any) -> tuple[str, ...]:
    """Return the names of the arguments that :func:`arg_scope` can set for a function.

    Raises:
        ClaraError: it is not decorated with :func:`add_arg_scope`.
    """
    if not has_arg_scope(func):
        raise refusal(f"{getattr(func, '__name__', func)!r} is not decorated with @slim.add_arg_scope")
    parameters = inspect.signature(getattr(func, _KEY)).parameters.values()
    return tuple(one.name for one in parameters if one.default is not inspect.Parameter.empty)


for _function in (add_arg_scope, arg_scope, arg_scoped_arguments, current_arg_scope, has_arg_scope):
    _name = _function.__name__
    register(_function, f"contrib.framework.{_name}", f"contrib.slim.{_name}", f"contrib.layers.{_name}")
