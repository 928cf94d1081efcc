"""Assertions. They look at the data in every step, not on the made-up ones of a building pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from clara_compat.tensorflow.convert import as_tensor, tensors
from clara_compat.tensorflow.graph import running
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.shapes import sizes

__all__: list[str] = []


def _building() -> bool:
    graph = running()
    return graph is not None and graph.building


def _told(data: Any, message: str | None) -> str:
    parts = [message or ""] if data is None else [str(one) for one in ([message] if message else []) + list(data)]
    return " ".join(part for part in parts if part)


@symbol("Assert", "debugging.Assert")
def tf_assert(condition: Any, data: Any, summarize: Any = None, name: str | None = None) -> None:
    """Refuse data for which a condition is false.

    Raises:
        ClaraError: it is.
    """
    if not _building() and not bool(as_tensor(condition).all()):
        raise refusal(f"the assertion failed: {_told(data, None)}")


def _compared(sign: str, function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Callable[..., None]:
    def compare(
        x: Any, y: Any, data: Any = None, summarize: Any = None, message: str | None = None, name: str | None = None
    ) -> None:
        first, second = tensors(x, y)
        if not _building() and not bool(function(first, second.to(first.device)).all()):
            raise refusal(f"the assertion x {sign} y failed: {_told(data, message)}".rstrip(": "))

    return compare


for _name, _sign, _function in (
    ("assert_equal", "==", torch.eq),
    ("assert_none_equal", "!=", torch.ne),
    ("assert_less", "<", torch.lt),
    ("assert_less_equal", "<=", torch.le),
    ("assert_greater", ">", torch.gt),
    ("assert_greater_equal", ">=", torch.ge),
    ("assert_near", "≈", lambda x, y: torch.isclose(x, y, rtol=1e-5, atol=1e-5)),
):
    register(_compared(_sign, _function), _name, f"debugging.{_name}")


def _signed(what: str, function: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., None]:
    def check(
        x: Any, data: Any = None, summarize: Any = None, message: str | None = None, name: str | None = None
    ) -> None:
        if not _building() and not bool(function(as_tensor(x)).all()):
            raise refusal(f"the assertion that all values are {what} failed: {_told(data, message)}".rstrip(": "))

    return check


for _name, _what, _test in (
    ("assert_positive", "positive", lambda x: x > 0),
    ("assert_negative", "negative", lambda x: x < 0),
    ("assert_non_negative", "not negative", lambda x: x >= 0),
    ("assert_non_positive", "not positive", lambda x: x <= 0),
):
    register(_signed(_what, _test), _name, f"debugging.{_name}")


def _ranked(what: str, function: Callable[[int, list[int]], bool]) -> Callable[..., None]:
    def check(x: Any, rank: Any, *_: Any, message: str | None = None, **__: Any) -> None:
        tensor = as_tensor(x)
        if not function(tensor.ndim, sizes(rank)):
            raise refusal(
                f"a tensor of the shape {list(tensor.shape)} has not {what} {rank} axes. {message or ''}".rstrip()
            )

    return check


register(_ranked("exactly", lambda ndim, ranks: ndim == ranks[0]), "assert_rank", "debugging.assert_rank")
register(
    _ranked("at least", lambda ndim, ranks: ndim >= ranks[0]), "assert_rank_at_least", "debugging.assert_rank_at_least"
)
register(_ranked("one of", lambda ndim, ranks: ndim in ranks), "assert_rank_in", "debugging.assert_rank_in")


@symbol("debugging.check_numerics", "check_numerics", "verify_tensor_all_finite", "debugging.assert_all_finite")
def check_numerics(tensor: Any = None, message: str = "", name: str | None = None, t: Any = None, x: Any = None) -> Any:
    """Return a tensor whose values are all finite.

    Raises:
        ClaraError: they are not.
    """
    found = as_tensor(next(one for one in (tensor, t, x) if one is not None))
    if not _building() and not bool(torch.isfinite(found).all()):
        raise refusal(f"a tensor has values that are not finite. {message}".rstrip())
    return found
