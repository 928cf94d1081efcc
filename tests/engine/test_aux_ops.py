"""Auxiliary operations in a MONAI trainer; in an evaluator see metrics/test_average.py."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from ignite.engine import Events
from monai.data import MetaTensor
from monai.engines import SupervisedTrainer

from clara_compat.engine.aux_ops import AuxiliaryOutputs, NegLoss, step_loss


class Brightness:
    """An operation of several tags that is not averaged."""

    do_summary = do_print = False

    def __call__(self, output):
        return {"mean": output["image"].mean(), "max": output["image"].max()}


class Rare:
    """An operation that has a number in every other step, and a value per case."""

    do_summary, do_print = True, False

    def __init__(self):
        self.step = 0

    def __call__(self, output):
        self.step += 1
        return {
            "rare": torch.tensor([self.step if self.step % 2 else torch.nan]),
            "cases": output["image"].mean((1, 2, 3)),
        }


def test_in_a_trainer():
    torch.manual_seed(0)
    data = [{"image": torch.rand(2, 1, 8, 8), "label": torch.zeros(2, 1, 8, 8)} for _ in range(3)]
    layer = torch.nn.Conv2d(1, 1, 1)
    calls = []

    def loss(pred, label):
        calls.append(1)
        return (pred - label).square()  # the trainer takes the mean

    operations = [NegLoss("negloss", loss), NegLoss("quiet", loss, do_summary=False), Brightness(), Rare()]
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=2,
        train_data_loader=data,
        network=layer,
        optimizer=torch.optim.SGD(layer.parameters(), lr=0.1),
        loss_function=loss,
        train_handlers=[AuxiliaryOutputs(operations)],
        decollate=False,
    )
    steps, epochs = [], []

    @trainer.on(Events.ITERATION_COMPLETED)
    def step(engine):
        output = engine.state.output
        assert not output["negloss"].requires_grad
        assert output["max"] == output["image"].max()
        steps.append((output["loss"].item(), output["negloss"].item(), output["quiet"].item()))

    @trainer.on(Events.EPOCH_COMPLETED)
    def epoch(engine):
        epochs.append(dict(engine.state.metrics))

    trainer.run()
    assert len(calls) == 6  # the trainer's own loss is used
    losses, negative, quiet = np.array(steps).T
    assert (negative == -losses).all()
    assert (quiet == -losses).all()
    assert [list(metrics) for metrics in epochs] == [["negloss", "quiet", "rare"]] * 2
    assert [metrics["rare"] for metrics in epochs] == [2.0, 5.0]  # of 1, nan, 3 and nan, 5, nan
    assert (trainer.state.unsummarised, trainer.state.unprinted) == ({"quiet"}, {"rare", "cases"})
    expected = [-losses[:3].mean(), -losses[3:].mean()]
    assert [metrics["negloss"] for metrics in epochs] == pytest.approx(expected, rel=1e-6)
    assert expected[1] > expected[0]


def test_loss_of_an_evaluator_is_computed_once_without_gradient():
    calls = []

    def loss(pred, label):
        calls.append(type(pred))
        return pred - label

    output = {"pred": MetaTensor(torch.ones(2, 1, 4, requires_grad=True)), "label": torch.zeros(2, 1, 4)}
    first, second = step_loss(output, loss), step_loss(output, loss)
    assert first.item() == second.item() == 1.0
    assert not first.requires_grad
    assert calls == [torch.Tensor]


def test_an_epoch_that_was_interrupted_is_averaged_as_a_whole(tmp_path):
    def engine(iteration):
        return SimpleNamespace(state=SimpleNamespace(output={}, iteration=iteration, epoch_length=3, metrics={}))

    class Given:
        do_summary, do_print = False, True

        def __init__(self, number):
            self.number = number

        def __call__(self, output):
            return {"given": torch.tensor(self.number), "cases": torch.ones(2)}

    before, after = AuxiliaryOutputs([Given(1.0)]), AuxiliaryOutputs([Given(7.0)])
    before._reset(engine(0))
    for _ in range(2):
        before._compute(engine(0), keep=True)
    torch.save(before.state_dict(), tmp_path / "state.pt")
    after.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    resumed = engine(2)
    after._reset(resumed)
    after._compute(resumed, keep=True)
    after._average(resumed)
    assert resumed.state.metrics == {"given": 3.0}
    assert (resumed.state.unsummarised, resumed.state.unprinted) == ({"given", "cases"}, set())
    following = engine(3)
    after._reset(following)
    after._compute(following, keep=True)
    after._average(following)
    assert following.state.metrics == {"given": 7.0}
