"""What a checkpoint holds besides weights."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from ignite.engine import Engine

from clara_compat.engine.handlers.training_state import Place, TrainingState
from clara_compat.errors import ClaraError


@pytest.fixture
def threads() -> Iterator[int]:
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


def made(rate: float = 0.1, best: tuple[float, int] = (-1.0, -1)) -> tuple[TrainingState, Engine]:
    network = torch.nn.Linear(1, 1)
    metric = {"key_metric_name": "dice", "best_metric": best[0], "best_metric_epoch": best[1]}
    evaluator: Any = SimpleNamespace(state=SimpleNamespace(**metric))
    state = TrainingState(network, torch.optim.SGD(network.parameters(), rate), evaluator)
    engine = Engine(lambda _, batch: batch)
    engine.run([0, 1, 2], max_epochs=2)
    return state, engine


def test_the_threads_of_before_count(threads: int) -> None:
    """The last bits of sums depend on how many there are."""
    state, engine = made()
    torch.set_num_threads(threads + 1)
    content = state.content(engine)
    torch.set_num_threads(threads)
    state.apply(engine, content)
    assert torch.get_num_threads() == threads + 1


def test_the_best_metric_goes_on_and_a_rate_that_the_config_changed_is_the_configs() -> None:
    first, engine = made(best=(0.75, 2))
    first.optimizer.param_groups[0]["lr"] = 0.02  # as a policy leaves it
    content = first.content(engine)
    same, _ = made()
    assert same.apply(engine, content) == Place(2)
    assert same.evaluator is not None
    assert (same.evaluator.state.best_metric, same.evaluator.state.best_metric_epoch) == (0.75, 2)
    assert same.optimizer.param_groups[0]["lr"] == 0.02
    other, _ = made(rate=0.5)
    other.apply(engine, content)
    assert other.optimizer.param_groups[0]["lr"] == 0.5


def test_an_epoch_of_another_length_begins_anew() -> None:
    state, engine = made()
    content = state.content(engine, pending=True)
    content["trainer"]["iteration"] = 5
    assert state.apply(engine, content) == Place(1, 2, pending=True)
    assert engine.state.iteration == 5
    engine.state.epoch_length = 4
    assert state.apply(engine, content).steps == 0
    assert engine.state.iteration == 4


def test_another_key_metric_has_no_best_model_yet(caplog: pytest.LogCaptureFixture) -> None:
    state, engine = made(best=(0.75, 2))
    content = state.content(engine)
    content["best"]["name"] = "auc"
    other, _ = made()
    other.apply(engine, content)
    assert other.evaluator is not None
    assert other.evaluator.state.best_metric_epoch == -1
    assert "the key metric was auc and is dice: the best model is chosen anew" in caplog.text


def test_an_optimizer_of_other_parameters_is_refused() -> None:
    state, engine = made()
    content = state.content(engine)
    content["optimizer"]["param_groups"] = []
    with pytest.raises(ClaraError, match=r"optimizer is of other parameters than this one's \(.*start a new training"):
        state.apply(engine, content)


def test_a_state_that_no_file_can_hold_is_refused() -> None:
    state, engine = made()
    state.optimizer.state[state.network.weight] = {"own": state}
    told = r"a checkpoint cannot hold a .*\.TrainingState, which the state of .* or the optimizer 'SGD' has: return"
    with pytest.raises(ClaraError, match=told):
        state.content(engine)


def test_a_data_list_is_read_for_the_first_checkpoint_only(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    digests = "clara_compat.engine.handlers.training_state.data_digests"
    monkeypatch.setattr(digests, lambda *engines: read.append(engines) or {"train": "1"})
    state, engine = made()
    assert [state.content(engine)["data"] for _ in range(2)] == [{"train": "1"}] * 2
    assert read == [(engine, state.evaluator)]
