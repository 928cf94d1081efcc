"""Checking a component's arguments before anything runs, and making the component.

The constructor's signature is the whole truth: names, which are required, types.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from functools import cache
from itertools import islice
from reprlib import Repr
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from clara_compat.components.component import Component
from clara_compat.config.problems import MOST, Problems
from clara_compat.config.spec import ComponentSpec
from clara_compat.config.variables import because_of
from clara_compat.errors import ClaraError, nearest

__all__ = ["argument_problems", "bind_arguments", "check_arguments", "convert", "create", "describe"]

_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    dict: "an object",
    list: "a list",
    tuple: "a list",
    type(None): "null",
}
_PLURALS = {int: "whole numbers", float: "numbers", bool: "true or false", str: "texts", dict: "objects"}
_LONGEST = 100
"""Characters of a name, and names, that are compared: more of them are no slip, and take long."""
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60


class _Misfit(Exception):
    """A value that does not fit its annotation; the text says what was expected."""


def check_arguments(specs: Iterable[ComponentSpec], problems: Problems) -> None:
    """Check the arguments of all components and make the built-in ones, collecting every error.

    What a ``ref`` refers to is checked at its own place only.
    """
    for spec in specs:
        if spec.ref is not None:
            continue
        found = argument_problems(spec)
        if not found and (spec.cls or spec.base) is not None:
            try:
                create(spec)
            except ClaraError as error:
                found = [error]
        for each in found:
            problems.take(each)


def bind_arguments(spec: ComponentSpec) -> dict[str, Any]:
    """Convert the arguments of a built-in component to what its constructor asks for.

    Raises:
        ClaraError: an unknown argument (with the nearest name), a missing one, or one of the wrong type; all of them
            at once as :class:`~clara_compat.config.problems.ConfigErrors`.
    """
    bound, problems = _bind(spec)
    problems.raise_any()
    return bound


def argument_problems(spec: ComponentSpec) -> list[ClaraError]:
    """Everything wrong with the arguments of a component, built-in or the user's."""
    return _bind(spec)[1].errors if (spec.cls or spec.base) is not None else _user_problems(spec)


def create(spec: ComponentSpec) -> Component:
    """Make a built-in component; of a user's class that takes over a built-in's constructor, that built-in.

    Raises:
        ClaraError: as :func:`bind_arguments`; what the constructor itself refuses, at the element's address.
    """
    arguments = bind_arguments(spec)
    try:
        return (spec.cls or spec.base)(**arguments)  # type: ignore[misc]
    except ClaraError as error:
        if error.address is not None:
            raise
        raise ClaraError(f"{spec.name}: {error.message}", spec.address) from error
    except (TypeError, ValueError) as error:
        raise ClaraError(f"{spec.name}: {error}", spec.address) from error


def convert(value: Any, annotation: Any) -> Any:
    """Convert a JSON value to an annotated type, as leniently as Clara and no more.

    ``"false"`` is a bool, ``3.0`` and ``"3"`` are whole numbers; true is no number and a list is no single value.

    Raises:
        ValueError: it does not fit; the text says what was expected.
    """
    try:
        return _convert(value, annotation)
    except _Misfit as error:
        raise ValueError(f"is {shown(value)}, expected {error}") from error


def describe(annotation: Any) -> str:
    """An annotation in words: ``a list of numbers``."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(describe(part) for part in arguments)
    if origin is Literal:
        return "one of " + ", ".join(sorted(map(repr, arguments)))  # typing may hand out an equal one in another order
    if origin in (list, tuple) and arguments:
        inner = _PLURALS.get(arguments[0]) or describe(arguments[0])
        return f"a list of {inner}"
    return _WORDS.get(origin or annotation) or str(getattr(annotation, "__name__", annotation))


def shown(value: Any) -> str:
    """A JSON value for a message, cut when long."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else _SHORT.repr(value)


def _bind(spec: ComponentSpec) -> tuple[dict[str, Any], Problems]:
    """Bind as far as possible, with everything that is wrong."""
    cls: Any = spec.cls or spec.base
    if cls is None:
        raise ClaraError(f"'{spec.name}' is the user's own class and is not made from the catalogue", spec.address)
    problems = Problems()
    parameters, annotations, takes_any = _signature(cls)
    missing = [
        name
        for name, parameter in parameters.items()
        if parameter.default is inspect.Parameter.empty and name not in spec.args
    ]
    bound: dict[str, Any] = {}
    unknown = 0
    for name, value in spec.args.items():
        if name in parameters:
            try:
                bound[name] = _convert(value, annotations.get(name, Any))
            except _Misfit as error:
                because = because_of(spec.undefined[name]) if name in spec.undefined else ""
                message = f"argument '{name}' of {spec.name} is {shown(value)}{because}, expected {error}"
                problems.error(message, spec.arg_address(name))
        elif takes_any:
            bound[name] = value
        else:
            unknown += 1
            if unknown <= MOST:
                problems.error(_unknown(spec, name, list(parameters), missing), spec.arg_address(name))
    _tell_rest(spec, unknown, problems)
    for name in missing:
        problems.error(
            f"{spec.name} needs the argument '{name}', {describe(annotations.get(name, Any))}", spec.arg_address(name)
        )
    return bound, problems


def _user_problems(spec: ComponentSpec) -> list[ClaraError]:
    """Check the arguments of a user's class against its source."""
    user = spec.user
    if user is None or user.signature is None:
        return []
    problems = Problems()
    place = f"{spec.name} ({user.file}:{user.init_line})"
    names = [argument.name for argument in user.signature]
    missing = [argument.name for argument in user.signature if argument.required and argument.name not in spec.args]
    unknown = [name for name in spec.args if name not in names]
    others = [name for name in names if name not in spec.args]
    for name in unknown[:MOST]:
        problems.error(
            f"{place} has no argument '{name}'{_meant(name, others, missing, spec.args)}", spec.arg_address(name)
        )
    _tell_rest(spec, len(unknown), problems)
    for name in missing:
        problems.error(f"{place} needs the argument '{name}'", spec.arg_address(name))
    return problems.errors


def _tell_rest(spec: ComponentSpec, unknown: int, problems: Problems) -> None:
    """Count the unknown arguments that are too many to be told one by one."""
    if unknown > MOST:
        problems.error(f"{spec.name} has no {unknown - MOST:,} further arguments that are given here", spec.address)


def _unknown(spec: ComponentSpec, name: str, parameters: list[str], missing: list[str]) -> str:
    """What is wrong with an argument that a built-in component's constructor does not take."""
    if spec.cls is not None and spec.cls.undocumented:
        return (
            f"argument '{name}' of {spec.name} is not understood: how Clara used it is not documented "
            f"(understood: {', '.join(parameters)})"
        )
    others = [other for other in parameters if other not in spec.args]
    return f"{spec.name} has no argument '{name}'{_meant(name, others, missing, spec.args)}"


def _meant(name: str, others: list[str], missing: list[str], given: Iterable[str]) -> str:
    """Which argument was probably meant: a near twin, else the likeliest missing one, else the nearest.

    Args:
        name: the unknown name.
        others: arguments that are not given.
        missing: those of them that are required.
        given: what is given; a name is looked for here only when nothing else is near.
    """

    def likeness(other: str) -> float:
        if max(len(name), len(other)) > _LONGEST:
            return 0.0
        return SequenceMatcher(None, name.casefold(), other.casefold()).ratio()

    twin = max(others, key=likeness, default=None)
    if twin is None or likeness(twin) < 0.8:
        twin = max(missing, key=likeness, default=None) or nearest(name, others)
    if twin is None:
        double = max((other for other in islice(given, _LONGEST) if other != name), key=likeness, default=None)
        if double is not None and likeness(double) >= 0.8:
            return f"; did you mean '{double}', which is given as well?"
    if not others:
        return "; it takes no further argument"
    return f"; did you mean '{twin}'?" if twin else f"; it also takes {', '.join(others)}"


@cache
def _signature(cls: Any) -> tuple[Mapping[str, inspect.Parameter], Mapping[str, Any], bool]:
    """Named parameters of a constructor, their types, and whether it takes any further keyword."""
    if cls.__init__ is object.__init__:
        return {}, {}, False
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    open_ended = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    named = {
        parameter.name: parameter
        for parameter in parameters
        if parameter.kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    }
    return named, get_type_hints(cls.__init__), open_ended


def _convert(value: Any, annotation: Any) -> Any:
    if annotation is Any or annotation is object:
        return value
    if _holds_bool(value) and not _allows_bool(annotation):
        raise _Misfit(describe(annotation))
    try:
        return _adapter(annotation).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"[{part}]" for part in first["loc"] if isinstance(part, int))
        at = f" (at {where})" if where and isinstance(value, (list, tuple)) else ""
        raise _Misfit(describe(annotation) + at) from error


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))


def _holds_bool(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_holds_bool(item) for item in value)
    return isinstance(value, bool)


def _allows_bool(annotation: Any) -> bool:
    if annotation in (bool, Any, object, list, dict, tuple):
        return True
    if get_origin(annotation) is Literal:
        return any(isinstance(choice, bool) for choice in get_args(annotation))
    return any(_allows_bool(part) for part in get_args(annotation))
