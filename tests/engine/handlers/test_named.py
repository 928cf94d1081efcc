"""Handlers that stand elsewhere in a config."""

from __future__ import annotations

from ignite.engine import Engine, Events

from clara_compat.engine.handlers.named import NamedHandlers


class Tells:
    def __init__(self, name: str, told: list[str]) -> None:
        self.name, self.told = name, told

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.EPOCH_COMPLETED, lambda: self.told.append(self.name))


def test_they_are_attached_in_their_order() -> None:
    told: list[str] = []
    engine = Engine(lambda *_: None)
    for handler in (Tells("a", told), NamedHandlers([Tells("b", told), Tells("c", told)]), Tells("d", told)):
        handler.attach(engine)
    engine.run([1], max_epochs=2)
    assert told == list("abcdabcd")
