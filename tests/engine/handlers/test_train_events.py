"""The context of a training, its learning rates, and what a resumed training takes over."""

from __future__ import annotations

import io
import logging
import math
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events

from clara_compat.common.train_ctx import TrainContext
from clara_compat.common.train_handler import TrainHandler
from clara_compat.engine.handlers.train_events import TrainEvents
from clara_compat.engine.lr_policies import CosineDecay, PlateauDecay, PolynomialDecay, StepDecay

METRICS = [0.5, 0.4, math.nan, 0.6, 0.6, 0.5, 0.6, 0.1]
STEPS = 3


class Loss:
    """A loss of which is counted how often its value is fetched."""

    fetched = 0

    def detach(self) -> Loss:
        return self

    def __float__(self) -> float:
        self.fetched += 1
        return 0.25


class Run:
    """A training of ``STEPS`` steps and one validation per epoch, without a network."""

    def __init__(self, optimizer: torch.optim.Optimizer, rate: float, **options: Any) -> None:
        self.loss, self.rates = Loss(), []
        self.trainer = Engine(lambda engine, batch: {"loss": self.loss})
        self.evaluator = Engine(lambda engine, batch: None)
        self.evaluator.state.key_metric_name = "dice"
        self.evaluator.state.best_metric_epoch, self.evaluator.state.best_metric = 1, 0.5
        self.evaluator.add_event_handler(Events.EPOCH_COMPLETED, self._measure)
        self.trainer.add_event_handler(Events.EPOCH_COMPLETED, self._validate)
        self.optimizer = optimizer
        self.events = TrainEvents(optimizer, rate, self.evaluator, **options)
        self.events.attach(self.trainer)
        self.trainer.add_event_handler(Events.ITERATION_COMPLETED, self._note)

    def _measure(self, evaluator: Engine) -> None:
        evaluator.state.metrics = {"dice": METRICS[self.trainer.state.epoch - 1]}

    def _validate(self, trainer: Engine) -> None:
        trainer.state.epoch_loss = 0.25
        self.evaluator.run([0], max_epochs=1)

    def _stop(self, trainer: Engine) -> None:
        trainer.terminate()

    def _note(self, trainer: Engine) -> None:
        self.rates.append([group["lr"] for group in self.optimizer.param_groups])

    def go(self, until: int) -> list[list[float]]:
        self.trainer.add_event_handler(Events.EPOCH_COMPLETED(once=until), self._stop)
        self.trainer.run(range(STEPS), max_epochs=len(METRICS))
        return self.rates


def optimizer(*rates: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([{"params": [torch.nn.Parameter(torch.ones(1))], "lr": rate} for rate in rates])


class Compounding:
    """A user's policy that goes on from the current learning rate."""

    def evaluate(self, ctx: TrainContext) -> float:
        return ctx.current_learning_rate * 0.9


@pytest.mark.parametrize(
    "policy", [PlateauDecay(2, 0.5), StepDecay(0.5, 4), CosineDecay(), PolynomialDecay(), Compounding(), None]
)
def test_a_resumed_training_has_the_same_learning_rates(policy: Any) -> None:
    whole = Run(optimizer(0.1), 0.1, policy=policy)
    whole.go(8)
    first = Run(optimizer(0.1), 0.1, policy=policy)
    first.go(4)
    stream = io.BytesIO()
    state = {
        "optimizer": first.optimizer.state_dict(),
        "trainer": dict(first.trainer.state_dict()),
        "events": first.events.state_dict(),
    }
    torch.save(state, stream)
    stream.seek(0)
    state = torch.load(stream, weights_only=True)
    second = Run(optimizer(0.1), 0.1, policy=policy)
    second.optimizer.load_state_dict(state["optimizer"])
    second.trainer.load_state_dict(state["trainer"])
    second.events.load_state_dict(state["events"])
    second.go(8)
    assert len(first.rates) == len(second.rates) == 4 * STEPS
    for resumed, expected in zip(first.rates + second.rates, whole.rates, strict=True):
        assert resumed == pytest.approx(expected, rel=1e-14)
    assert second.events.context.key_metrics == pytest.approx(METRICS, nan_ok=True)


def test_groups_keep_their_proportions() -> None:
    run = Run(optimizer(0.1, 0.01, 0.0), 0.1, policy=PolynomialDecay(1.0))
    rates = run.go(2)
    assert rates[0] == [0.1, pytest.approx(0.01), 0.0]
    assert rates[-1] == pytest.approx([0.1 * 7 / 8, 0.01 * 7 / 8, 0.0])


@pytest.mark.parametrize(("reads", "fetched"), [(False, 0), (True, 1)])
def test_the_loss_is_fetched_only_when_it_is_read(reads: bool, fetched: int) -> None:
    class Reader(TrainHandler):
        def end_epoch(self, ctx: TrainContext) -> None:
            if reads and ctx.current_epoch == 1:
                assert ctx.current_train_loss == ctx.current_train_loss == 0.25

    run = Run(optimizer(0.1), 0.1, handlers=[Reader()])
    run.go(2)
    assert run.loss.fetched == fetched


@pytest.mark.parametrize(("threshold", "epochs"), [(0.5, 1), (0.55, 4), (0.9, 8), (None, 8)])
def test_the_threshold_of_the_key_metric(threshold: float | None, epochs: int) -> None:
    run = Run(optimizer(0.1), 0.1, stop_threshold=threshold)
    run.go(8)
    assert run.trainer.state.epoch == epochs


class Enough:
    """A user's policy that ends the training."""

    def evaluate(self, ctx: TrainContext) -> float:
        ctx.stop_training = ctx.current_epoch == 2
        return 0.1


class Impatient(TrainHandler):
    def start_epoch(self, ctx: TrainContext) -> None:
        ctx.stop_training = ctx.current_epoch == 2


@pytest.mark.parametrize(
    ("options", "epoch", "reason"),
    [
        ({"policy": Enough()}, 2, "stop_training was set"),
        ({"handlers": [Impatient()]}, 2, "handler 'Impatient' asked for it"),
        ({"stop_threshold": 0.6}, 4, "dice is 0.6000 and has reached stop_threshold 0.6"),
    ],
)
def test_why_a_training_ends_early_is_told(
    options: dict[str, Any], epoch: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    run = Run(optimizer(0.1), 0.1, **options)
    with caplog.at_level(logging.INFO, "clara_compat"):
        run.trainer.run(range(STEPS), max_epochs=len(METRICS))
    assert [record.getMessage() for record in caplog.records] == [f"the training ends after epoch {epoch}: {reason}"]


def test_a_validation_without_a_key_metric_fires_nothing() -> None:
    class Counter(TrainHandler):
        count = 0

        def key_metric_computed(self, ctx: TrainContext) -> None:
            self.count += 1

    counter = Counter()
    run = Run(optimizer(0.1), 0.1, handlers=[counter], stop_threshold=0.0)
    run.evaluator.state.key_metric_name = None
    run.go(2)
    assert counter.count == 0
    assert run.events.context.key_metrics == []
    assert run.events.context.validation_summaries_dict == {"dice": 0.4}


def test_handlers_need_only_the_events_they_want() -> None:
    class Plain:
        def __init__(self) -> None:
            self.seen: list[Any] = []

        def end_train(self, ctx: TrainContext) -> None:
            self.seen.append((ctx.current_epoch, ctx.current_iteration, ctx.total_steps))

    plain = Plain()
    Run(optimizer(0.1), 0.1, handlers=[plain]).go(2)
    assert plain.seen == [(2, 2 * STEPS, len(METRICS) * STEPS)]


def test_the_context_before_a_training() -> None:
    ctx = TrainContext()
    assert math.isnan(ctx.current_train_loss)
    ctx.current_train_loss = torch.tensor(2.0)
    assert ctx.current_train_loss == 2.0
    assert type(ctx.current_train_loss) is float
    assert (ctx.key_metrics, ctx.stop_training, ctx.best_validation_epoch) == ([], False, 0)


class Asks(TrainHandler):
    """Asks for the end of the training within the second epoch."""

    def end_iteration(self, ctx: TrainContext) -> None:
        if ctx.current_iteration == STEPS + 1:
            ctx.stop_training = True


def test_who_asked_for_the_end_is_known_after_an_interruption(caplog: pytest.LogCaptureFixture) -> None:
    first, second = Run(optimizer(0.1), 0.1, handlers=[Asks()]), Run(optimizer(0.1), 0.1)
    state: dict[str, Any] = {}
    step = Events.ITERATION_COMPLETED(once=STEPS + 1)
    first.trainer.add_event_handler(step, lambda _: state.update(first.events.state_dict()))
    first.go(2)
    second.events.load_state_dict(state)
    second.trainer.load_state_dict({"iteration": STEPS + 1, "epoch_length": STEPS, "max_epochs": len(METRICS)})
    caplog.clear()
    with caplog.at_level(logging.INFO):
        second.trainer.run(range(STEPS))
    assert second.trainer.state.epoch == 2
    assert "the training ends after epoch 2: handler 'Asks' asked for it" in caplog.text
