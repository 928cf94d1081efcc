"""What of handlers goes into checkpoints."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events

from clara_compat.engine.checkpoint_files import write_checkpoint
from clara_compat.engine.handlers.checkpoints import Checkpoints
from clara_compat.engine.handlers.interruption import Interruption, StopRequest
from clara_compat.engine.handlers.kept import before_saving, goes_on, keep, kept_states, restore, settle
from clara_compat.engine.handlers.training_state import TrainingState
from clara_compat.errors import ClaraError


class Thing:
    def __init__(self, value: int) -> None:
        self.value = value

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value = state["value"]


def engine() -> Engine:
    return Engine(lambda _, batch: batch)


def test_states_by_name() -> None:
    first, second, other = engine(), engine(), engine()
    thing = Thing(3)
    keep(first, "thing", thing)
    keep(first, "gone", Thing(4))
    assert kept_states(first) == {"thing": {"value": 3}, "gone": {"value": 4}}
    assert kept_states(other) == {}
    again, new = Thing(0), Thing(7)
    keep(second, "thing", again)
    keep(second, "new", new)
    restore(second, kept_states(first))
    assert (again.value, new.value) == (3, 7)


def test_what_waits_is_done_before_saving() -> None:
    one, done = engine(), []
    before_saving(one, done.append)
    settle(one)
    settle(engine())
    assert done == [one]


def test_an_epoch_that_goes_on() -> None:
    one, found = engine(), []
    one.add_event_handler(Events.EPOCH_STARTED, lambda e: found.append(goes_on(e)))
    one.load_state_dict({"iteration": 2, "epoch_length": 3, "max_epochs": 3})
    one.run([0, 1, 2])
    assert found == [True, False, False]


@pytest.mark.parametrize("value", ["perhaps", 1, None])
def test_resume_is_a_switch(value: Any) -> None:
    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    for right in (True, "true", "True", False, "false"):
        assert Checkpoints("x", network, optimizer, resume=right).resume == (str(right).lower() == "true")
    with pytest.raises(ClaraError, match=f"resume is {value!r}, expected true or false"):
        Checkpoints("x", network, optimizer, resume=value)


def test_a_loader_that_cannot_start_within_an_epoch_starts_it_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As one of a user's own engine."""
    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    state = TrainingState(network, optimizer)
    first = engine()
    first.run([0, 1, 2], max_epochs=2)
    content = state.content(first)
    content["trainer"]["iteration"] = 5
    write_checkpoint(content, tmp_path)
    steps: list[int] = []
    second: Any = Engine(lambda one, _: steps.append(one.state.iteration))
    second.data_loader = [0, 1, 2]
    Checkpoints(str(tmp_path), network, optimizer, resume=True).attach(second)
    second.run(second.data_loader, max_epochs=2)
    assert steps == [4, 5, 6]
    assert "the data loader cannot start within an epoch: epoch 2 begins anew" in caplog.text


def test_who_shares_the_training_decides_where_it_stops() -> None:
    """As with several processes, which have to stop at the same step."""

    class AtThird(Interruption):
        def stop_asked(self) -> bool:
            return one.state.iteration == 3

    one, interruption = engine(), AtThird()
    interruption.watch(one, interruption.stop_asked)
    with pytest.raises(StopRequest):
        one.run(range(5))
    assert one.state.iteration == 3


@pytest.mark.parametrize("moment", ["ended early", "failed"])
def test_a_signal_is_only_noted_when_nothing_is_waited_for(moment: str) -> None:
    """After the data came to an end before the epoch did, and after an error: what is saved then is not cut off."""
    one, interruption, found = engine(), Interruption(), []

    def end(_: Engine) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        found.append(interruption.number)

    def failing() -> Any:
        yield 0
        if moment == "failed":
            raise ValueError("no data")

    def fail(_: Engine, error: BaseException) -> None:
        if not found:  # Ignite tells an error twice
            assert interruption.finish() is None
            end(one)
        raise error

    interruption.watch(one)
    one.add_event_handler(Events.DATALOADER_STOP_ITERATION, lambda e: e.terminate_epoch())
    one.add_event_handler(Events.COMPLETED, end)
    one.add_event_handler(Events.EXCEPTION_RAISED, fail)
    interruption.install()
    try:
        with suppress(ValueError):
            one.run(failing(), max_epochs=1, epoch_length=2)
    finally:
        interruption.restore()
    assert found == [signal.SIGTERM]
