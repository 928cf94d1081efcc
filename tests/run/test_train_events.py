"""Optimizers, learning rate policies, handlers and early ends, through real small trainings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from clara_compat import check, train
from clara_compat.errors import ClaraError

Make = Callable[..., Path]

RECORDER = """
    import math
    from ai4med.common.train_handler import TrainHandler
    from ai4med.components.lr_policies.lr_policy import LRPolicy


    class Recorder(TrainHandler):
        def __init__(self, note="x"):
            TrainHandler.__init__(self)
            self.note = note

        def record(self, event, ctx, *more):
            ctx.events = getattr(ctx, "events", [])
            ctx.events.append((event, ctx.current_epoch, ctx.current_iteration, *more))

        def start_train(self, ctx):
            assert math.isnan(ctx.current_train_loss)
            self.record("start_train", ctx, ctx.total_epochs, ctx.total_steps, ctx.current_learning_rate)

        def end_train(self, ctx):
            self.record("end_train", ctx)
            ctx.summary_writer.add_scalar("mine", 7.0, ctx.current_iteration)

        def start_epoch(self, ctx):
            self.record("start_epoch", ctx)

        def end_epoch(self, ctx):
            self.record("end_epoch", ctx, dict(ctx.train_summaries_dict))

        def start_iteration(self, ctx):
            self.record("start_iteration", ctx, ctx.current_learning_rate)

        def end_iteration(self, ctx):
            self.record("end_iteration", ctx, ctx.current_train_loss)

        def key_metric_computed(self, ctx):
            self.record(
                "key_metric_computed", ctx, dict(ctx.validation_summaries_dict), ctx.best_validation_epoch,
                ctx.best_validation_metric,
            )


    class Halving(LRPolicy):
        def __init__(self, factor=0.5):
            LRPolicy.__init__(self)
            self.factor = factor

        def evaluate(self, train_ctx):
            train_ctx.events.append(("evaluate", train_ctx.current_epoch, train_ctx.current_iteration))
            return train_ctx.current_learning_rate * (self.factor if train_ctx.current_iteration > 1 else 1)
"""


@pytest.fixture
def with_code(small_mmar: Make) -> Make:
    """Make an MMAR whose ``train`` section is changed and whose custom folder has the module ``mine``."""

    def make(code: str = "", top: dict[str, Any] | None = None, **section: Any) -> Path:
        mmar = small_mmar(lambda config: (config.update(top or {}), config["train"].update(section)))
        (mmar / "custom").mkdir()
        (mmar / "custom/mine.py").write_text(dedent(code))
        return mmar

    return make


def bundle(mmar: Path) -> dict[str, Any]:
    return json.loads((mmar / "models/configs/train.json").read_text())


def test_events_come_in_claras_order_with_a_true_context(with_code: Make) -> None:
    handlers = [{"path": "mine.Recorder", "args": {"note": "$1 @x"}}, {"name": "StatsHandler"}]
    mmar = with_code(RECORDER, handlers=handlers, lr_policy={"path": "mine.Halving"})
    result = train(mmar)
    events = result.parser.get_parsed_content("train#events").context.events
    epochs = [
        [
            ("start_epoch", epoch),
            *[(name, epoch) for _ in range(2) for name in ("evaluate", "start_iteration", "end_iteration")],
            ("key_metric_computed", epoch),
            ("end_epoch", epoch),
        ]
        for epoch in (1, 2)
    ]
    assert [event[:2] for event in events] == [("start_train", 0), *epochs[0], *epochs[1], ("end_train", 2)]
    assert events[0][2:] == (0, 2, 4, 1e-3)
    assert [event[2] for event in events if event[0] == "end_iteration"] == [1, 2, 3, 4]
    rates = [event[3] for event in events if event[0] == "start_iteration"]
    np.testing.assert_allclose(rates, [1e-3, 5e-4, 2.5e-4, 1.25e-4])
    losses = [event[3] for event in events if event[0] == "end_iteration"]
    stats = result.stats
    assert [np.mean(losses[:2]), np.mean(losses[2:])] == pytest.approx([epoch["loss"] for epoch in stats["epochs"]])
    for event, epoch in zip([event for event in events if event[0] == "end_epoch"], stats["epochs"], strict=True):
        assert event[3] == {"loss": epoch["loss"], **epoch["train_metrics"]}
    for event, epoch in zip([e for e in events if e[0] == "key_metric_computed"], stats["epochs"], strict=True):
        assert event[3] == epoch["metrics"]
    assert events[-3][4:] == (stats["best_epoch"], stats["best_value"])
    assert [epoch["learning_rate"] for epoch in stats["epochs"]] == pytest.approx([5e-4, 1.25e-4])
    board = EventAccumulator(str(mmar / "models")).Reload()
    assert [event.value for event in board.Scalars("mine")] == [7.0]
    assert [event.value for event in board.Scalars("learning_rate")] == pytest.approx(rates)
    assert len(list((mmar / "models").glob("events.out.*"))) == 1


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"name": "ReducePoly", "args": {"poly_power": 0.99}}, [1e-3, 1e-3 * 0.5**0.99]),
        ({"name": "ReduceLRPoly", "args": {"power": 2}}, [1e-3, 2.5e-4]),
        ({"name": "ReduceCosine", "args": {"rate": 0.3}}, [6e-4, 3e-4]),
        ({"name": "DecayOnStep", "args": {"decay_ratio": 0.1, "decay_freq": 3}}, [1e-3, 1e-4]),
        ({"name": "ReduceOnPlateau", "args": {"plateau_count_trigger": 1}}, None),
    ],
)
def test_built_in_policies_set_the_learning_rate(
    with_code: Make, policy: dict[str, Any], expected: list[float] | None
) -> None:
    mmar = with_code(top={"num_training_epoch_per_valid": 1}, lr_policy=policy)
    stats = train(mmar).stats
    checkpoint = torch.load(mmar / "models/checkpoint.pt", weights_only=True)
    metrics = [epoch["metrics"]["mean_dice"] for epoch in stats["epochs"]]
    assert [epoch["learning_rate"] for epoch in stats["epochs"]] == pytest.approx(expected or [1e-3, 1e-3])
    assert checkpoint["optimizer"]["param_groups"][0]["lr"] == pytest.approx((expected or [1e-3, 1e-3])[-1])
    assert checkpoint["events"]["key_metrics"] == metrics
    assert checkpoint["events"]["best_validation_metric"] == max(metrics)


def test_training_ends_when_the_metric_does_not_improve(with_code: Make, caplog: pytest.LogCaptureFixture) -> None:
    code = """
        import numpy as np
        from ai4med.components.metric import Metric
        from ai4med.libs.metrics.metric_list import MetricList
        from ai4med.components.lr_policies.reduce_on_plateau import ReduceOnPlateau

        class Falling(MetricList):
            value = 1.0
            def get(self):
                Falling.value -= 0.1
                return Falling.value

        class Key(Metric):
            def __init__(self, name):
                Metric.__init__(self, Falling(name), "model", is_key_metric=True)

        class Floor(ReduceOnPlateau):
            def evaluate(self, ctx):
                return max(ReduceOnPlateau.evaluate(self, ctx), 2e-4)
    """
    mmar = with_code(
        code,
        {"epochs": 9},
        handlers=[{"name": "EarlyStop", "args": {"val_times_threshold": 3}}],
        lr_policy={"path": "mine.Floor", "args": {"plateau_count_trigger": "1", "reduction_rate": 0.4}},
    )
    result = train(mmar, overrides={"validate.metrics": [{"path": "mine.Key", "args": {"name": "key"}}]})
    stats = result.stats
    assert [epoch["learning_rate"] for epoch in stats["epochs"]] == pytest.approx([1e-3, 1e-3, 4e-4, 2e-4])
    assert (stats["best_epoch"], len(stats["epochs"]), stats["steps"]) == (1, 4, 8)
    assert {"model", "final_model", "checkpoint"} <= set(result.paths)
    assert "the training ends after epoch 4: handler 'EarlyStop' asked for it" in caplog.text


def test_training_ends_at_the_threshold(with_code: Make, caplog: pytest.LogCaptureFixture) -> None:
    result = train(with_code(top={"epochs": 5, "stop_threshold": "0.0"}))
    assert len(result.stats["epochs"]) == 1
    assert "mean_dice is 0." in caplog.text
    assert "and has reached stop_threshold 0" in caplog.text
    assert result.paths["final_model"].is_file()


def test_a_threshold_that_is_not_reached(with_code: Make, caplog: pytest.LogCaptureFixture) -> None:
    assert len(train(with_code(top={"stop_threshold": 1.5})).stats["epochs"]) == 2
    assert "the training ends" not in caplog.text


def test_a_handler_can_end_the_training_after_the_epoch(with_code: Make, caplog: pytest.LogCaptureFixture) -> None:
    code = """
        class Enough:
            def end_iteration(self, ctx):
                if ctx.current_train_loss < 100:
                    ctx.stop_training = True
    """
    stats = train(with_code(code, handlers=[{"path": "mine.Enough"}])).stats
    assert (len(stats["epochs"]), stats["steps"]) == (1, 2)
    assert "the training ends after epoch 1: handler 'Enough' asked for it" in caplog.text


@pytest.mark.parametrize(
    ("code", "section", "message"),
    [
        (
            "class Bad:\n    def start_epoch(self, ctx):\n        return ctx.nothing\n",
            {"handlers": [{"path": "mine.Bad"}]},
            r"handler 'Bad', start_epoch: .*mine.py:3: AttributeError: 'TrainContext' object has no",
        ),
        (
            "class Bad:\n    def evaluate(self, ctx):\n        return 1 / 0\n",
            {"lr_policy": {"path": "mine.Bad"}},
            r"learning rate policy 'Bad': .*mine.py:3: ZeroDivisionError",
        ),
        (
            "class Bad:\n    def evaluate(self, ctx):\n        return None\n",
            {"lr_policy": {"path": "mine.Bad"}},
            r"policy 'Bad' returned None before step 1: evaluate must return the learning rate, a number that is at",
        ),
        (
            "class Bad:\n    def evaluate(self, ctx):\n        return -0.1\n",
            {"lr_policy": {"path": "mine.Bad"}},
            "policy 'Bad' returned -0.1 before step 1",
        ),
        (
            "class Bad:\n    def get_optimizer(self, lr):\n        return lr\n",
            {"optimizer": {"path": "mine.Bad"}},
            r"optimizer 'Bad': get_optimizer\(lr\) led to a float, expected something that makes a torch optimizer",
        ),
        (
            "class Bad:\n    def get_optimizer(self, lr):\n        return list\n",
            {"optimizer": {"path": "mine.Bad"}},
            r"optimizer 'Bad': TypeError: list\(\) takes no keyword arguments",
        ),
        (
            "class Bad:\n    def get_optimizer(self, lr):\n        return lambda params: list(params)\n",
            {"optimizer": {"path": "mine.Bad"}},
            r"optimizer 'Bad': get_optimizer\(lr\) led to a list, expected",
        ),
        (
            "class Bad:\n    def get_optimizer(self, lr):\n        return lr['x']\n",
            {"optimizer": {"path": "mine.Bad"}},
            r"optimizer 'Bad': .*mine.py:3: TypeError",
        ),
    ],
)
def test_errors_of_users_code_name_class_and_line(
    with_code: Make, code: str, section: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClaraError, match=message):
        train(with_code(code, **section))


OPTIMIZERS = """
    import functools
    import tensorflow as tf
    import torch
    from ai4med.components.optimizers.adam import Adam
    from ai4med.components.optimizers.optimizer import Optimizer


    class Same(Adam):
        pass


    class Epsilon(Adam):
        def __init__(self, epsilon):
            Adam.__init__(self, epsilon=epsilon, beta1=0.8)


    class Slow(Adam):
        def get_optimizer(self, lr):
            return Adam.get_optimizer(self, lr * 0.1)


    class Decoupled(Optimizer):
        def __init__(self, weight_decay=0.0):
            Optimizer.__init__(self, weight_decay=weight_decay)

        def get_optimizer(self, lr):
            return functools.partial(torch.optim.AdamW, lr=lr, **self.args)


    class Bare(Optimizer):
        def get_optimizer(self, lr):
            return torch.optim.RMSprop


    class Old(Optimizer):
        def get_optimizer(self, lr):
            return tf.train.AdamOptimizer(lr)
"""
WITHOUT_TENSORFLOW = OPTIMIZERS.replace("    import tensorflow as tf\n", "")


@pytest.mark.parametrize(
    ("path", "args", "kind", "expected"),
    [
        ("mine.Same", {"beta1": "0.8"}, "TensorFlowAdam", {"lr": 1e-3, "betas": (0.8, 0.999)}),
        ("mine.Epsilon", {"epsilon": 0.1}, "TensorFlowAdam", {"lr": 1e-3, "eps": 0.1}),
        ("mine.Slow", {}, "TensorFlowAdam", {"lr": 2.5e-5}),
        ("mine.Decoupled", {"weight_decay": 0.1}, "AdamW", {"lr": 2.5e-4, "weight_decay": 0.1}),
        ("mine.Bare", {}, "RMSprop", {"lr": 2.5e-4}),
    ],
)
def test_users_optimizers_train(
    with_code: Make, path: str, args: dict[str, Any], kind: str, expected: dict[str, Any]
) -> None:
    policy = {"lr_policy": {"name": "ReducePoly", "args": {"poly_power": 2}}} if expected["lr"] < 1e-3 else {}
    mmar = with_code(WITHOUT_TENSORFLOW, optimizer={"path": path, "args": args}, **policy)
    result = train(mmar)
    optimizer = result.parser.get_parsed_content("optimizer")
    assert type(optimizer).__name__ == kind
    group = {name: optimizer.param_groups[0][name] for name in expected}
    group["lr"] = pytest.approx(group["lr"])
    assert {n: tuple(v) if isinstance(v, (list, tuple)) else v for n, v in group.items()} == expected
    assert len(optimizer.state) == len(list(result.network.parameters()))


def test_a_subclass_that_changes_nothing_needs_no_users_code(with_code: Make) -> None:
    mmar = with_code(OPTIMIZERS, optimizer={"path": "mine.Same"})
    train(mmar, overrides={"epochs": 1})
    assert bundle(mmar)["optimizer"]["_target_"].endswith("TensorFlowAdam")


def test_what_check_says(with_code: Make) -> None:
    mmar = with_code(
        OPTIMIZERS + RECORDER,
        optimizer={"path": "mine.Old"},
        handlers=[{"path": "mine.Recorder"}],
        lr_policy={"path": "mine.Halving"},
    )
    report = check(mmar / "config/config_train.json")
    assert report.passed
    [limit] = report.limits
    assert (
        "'Old' is written with TensorFlow, which optimizers cannot use yet: write it with numpy or torch"
        in limit.message
    )
    rows = {row.component: row.fidelity for row in report.rows if row.component.startswith("mine.")}
    assert rows == {"mine.Old": "not yet", "mine.Halving": "user code", "mine.Recorder": "user code"}
    with pytest.raises(ClaraError, match="'.*Old' is written with TensorFlow"):
        train(mmar)


def test_what_waits_for_a_metric_that_never_comes_is_said(with_code: Make) -> None:
    mmar = with_code(
        top={"stop_threshold": 0.9},
        handlers=[{"name": "EarlyStop", "args": {"val_times_threshold": 3}}],
        lr_policy={"name": "ReduceOnPlateau", "args": {"plateau_count_trigger": 1}},
    )
    config = mmar / "config/config_train.json"

    def told(**overrides: Any) -> list[str]:
        notices = check(config, overrides=overrides).notices
        return [notice.text for notice in notices if "has no effect" in notice.text]

    assert told() == []
    assert told(num_training_epoch_per_valid=5, validate_at_end=False) == [
        f"{name} has no effect: this run computes no key metric"
        for name in ("ReduceOnPlateau", "EarlyStop", "stop_threshold")
    ]
