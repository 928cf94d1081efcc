"""What an engine keeps of its last batch, and what a validation in training mode leaves behind."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from monai.engines import SupervisedEvaluator
from monai.engines.utils import IterationEvents

from clara_compat.engine.handlers.release import ReleaseOutput
from clara_compat.engine.handlers.training_mode import KeepStatistics
from clara_compat.engine.metrics.average import ClaraAverage


def test_a_prediction_is_gone_before_the_next_one_is_made():
    made: list[weakref.ref] = []
    alive: list[int] = []

    def infer(image, network):
        gc.collect()
        alive.append(sum(one() is not None for one in made))
        prediction = image + 1
        made.append(weakref.ref(prediction))
        return prediction

    data = [{"image": torch.full((1, 1, 4), float(n)), "label": torch.zeros(1, 1, 4)} for n in range(3)]
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=data,
        network=torch.nn.Identity(),
        inferer=infer,
        key_val_metric={"mean": ClaraAverage("pred")},
        val_handlers=[ReleaseOutput()],
        decollate=False,
    )
    evaluator.run()
    assert alive == [0, 0, 0]
    assert evaluator.state.metrics["mean"] == 2.0
    assert evaluator.state.output is evaluator.state.batch is None


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_statistics_after_a_validation_in_training_mode(mode):
    torch.manual_seed(0)
    network = torch.nn.BatchNorm1d(2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train(mode == "eval")  # the other one
    seen = []
    data = [{"image": 5 + 3 * torch.randn(64, 2), "label": torch.zeros(64, 1)} for _ in range(2)]
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=data,
        network=network,
        val_handlers=[KeepStatistics(network)],
        mode=mode,
        decollate=False,
    )
    evaluator.add_event_handler(
        IterationEvents.FORWARD_COMPLETED, lambda engine: seen.append(engine.state.output["pred"])
    )
    evaluator.run()
    evaluator.run()
    assert len(seen) == 4
    assert network.training == (mode == "eval")
    assert torch.is_grad_enabled()
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all((abs(pred.mean().item()) < 1e-5) == (mode == "train") for pred in seen)
    assert not any(pred.requires_grad for pred in seen)
