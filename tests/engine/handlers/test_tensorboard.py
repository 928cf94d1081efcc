"""The event file of a run: every step is in it, and no step waits for its loss."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest
import torch
from ignite.engine import Engine, Events
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils._python_dispatch import TorchDispatchMode

from clara_compat.engine.handlers.statistics import TrainStatistics
from clara_compat.engine.handlers.tensorboard import TensorBoardScalars


class Fetches(TorchDispatchMode):
    """Counts single values that are fetched from tensors; on a GPU each of them waits for it."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def run(folder, steps, epochs, fail_at=None, **options):
    """Train without a network: the loss of a step is its number, the learning rate a tenth of it."""

    def step(engine, batch):
        if engine.state.iteration == fail_at:
            raise ValueError("the step fails")
        engine.optimizer.param_groups[0]["lr"] = engine.state.iteration / 10
        return {"loss": torch.tensor(float(engine.state.iteration), requires_grad=True)}

    trainer = Engine(step)
    trainer.optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    trainer.state.device = torch.device("cpu")
    TrainStatistics(folder / "stats.json").attach(trainer)
    TensorBoardScalars(folder, **options).attach(trainer)
    fetches = Fetches()
    trainer.add_event_handler(Events.ITERATION_STARTED, fetches.__enter__)
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda: fetches.__exit__(None, None, None))
    with contextlib.suppress(ValueError):
        trainer.run(range(steps), max_epochs=epochs)
    if fail_at is not None:  # the step that fails does not complete: the mode would stay for all later tests
        fetches.__exit__(None, None, None)
    return fetches.count


def scalars(folder, tag):
    return EventAccumulator(str(folder)).Reload().Scalars(tag)


@pytest.mark.parametrize(("steps", "epochs", "every"), [(3, 2, 20), (45, 1, 20), (5, 2, 1)])
def test_every_step_is_written_without_waiting_for_it(tmp_path, steps, epochs, every):
    assert run(tmp_path, steps, epochs, every=every) == 0
    losses, rates = scalars(tmp_path, "train_loss"), scalars(tmp_path, "learning_rate")
    expected = list(range(1, steps * epochs + 1))
    assert [event.step for event in losses] == [event.step for event in rates] == expected
    assert [event.value for event in losses] == expected
    assert [event.value for event in rates] == pytest.approx([step / 10 for step in expected])


def test_steps_have_the_time_at_which_they_ended(tmp_path):
    started = time.time()
    run(tmp_path, 30, 1)
    times = [event.wall_time for event in scalars(tmp_path, "train_loss")]
    assert started <= times[0]
    assert times == sorted(set(times))


def test_an_interval_leaves_steps_out(tmp_path):
    run(tmp_path, 10, 1, interval=4)
    assert [event.step for event in scalars(tmp_path, "train_loss")] == [4, 8]


def test_the_steps_before_a_failure_are_written(tmp_path):
    run(tmp_path, 10, 1, fail_at=4)
    assert [event.value for event in scalars(tmp_path, "train_loss")] == [1, 2, 3]


def test_a_slow_disk_does_not_hold_the_training_up(tmp_path):
    handler = TensorBoardScalars(str(tmp_path))
    records = handler.writer._get_file_writer().event_writer._async_writer._writer
    write, may_write = records._writer.write, threading.Event()

    def slow(event):
        may_write.wait(20)
        write(event)

    records._writer.write = slow
    started = time.monotonic()
    for step in range(100):
        handler.writer.add_scalar("train_loss", step, step)
    assert time.monotonic() - started < 10
    may_write.set()
    handler.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [one.value for one in events.Scalars("train_loss")] == list(range(100))
