"""What of a trainer's handlers goes into a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from ignite.engine import Engine

__all__ = ["HasState", "before_saving", "goes_on", "keep", "kept_states", "restore", "settle"]


class HasState(Protocol):
    """Something that a checkpoint can hold."""

    def state_dict(self) -> Mapping[str, Any]:
        """Return tensors and plain data."""

    def load_state_dict(self, state: Mapping[str, Any]) -> Any:
        """Go on from where another one was, before the engine's other handlers start.

        Args:
            state: what the other one's :meth:`state_dict` returned.
        """


@dataclass
class _Kept:
    things: dict[str, HasState] = field(default_factory=dict)
    pending: list[Callable[[Engine], Any]] = field(default_factory=list)


_of: WeakKeyDictionary[Engine, _Kept] = WeakKeyDictionary()


def keep(engine: Engine, name: str, thing: HasState) -> None:
    """Have the state of something in the checkpoints of a trainer. Handlers call this when they are attached.

    Handlers that gather over an epoch empty themselves when one begins, but for one that :func:`goes_on`.

    Args:
        engine: the trainer.
        name: under which it is found again.
        thing: whose state it is.
    """
    _of.setdefault(engine, _Kept()).things[name] = thing


def before_saving(engine: Engine, finish: Callable[[Engine], Any]) -> None:
    """Have something done before a checkpoint counts the steps so far as done, such as writing what waits.

    Args:
        engine: the trainer.
        finish: called with the trainer; what it raises keeps the checkpoint from being written.
    """
    _of.setdefault(engine, _Kept()).pending.append(finish)


def settle(engine: Engine) -> None:
    """Do what :func:`before_saving` asked for.

    Args:
        engine: the trainer.
    """
    for finish in _of.get(engine, _Kept()).pending:
        finish(engine)


def kept_states(engine: Engine) -> dict[str, Mapping[str, Any]]:
    """Return the states by name.

    Args:
        engine: the trainer.
    """
    return {name: thing.state_dict() for name, thing in _of.get(engine, _Kept()).things.items()}


def restore(engine: Engine, states: Mapping[str, Mapping[str, Any]]) -> None:
    """Give states back to those that are there; others are of handlers that the config has no more.

    Args:
        engine: the trainer.
        states: what :func:`kept_states` returned.
    """
    for name, thing in _of.get(engine, _Kept()).things.items():
        if name in states:
            thing.load_state_dict(states[name])


def goes_on(engine: Engine) -> bool:
    """Whether the epoch that starts is one that was interrupted: what was gathered over it is to be kept.

    Args:
        engine: the trainer.
    """
    return bool(engine.state.iteration % (engine.state.epoch_length or 1))
