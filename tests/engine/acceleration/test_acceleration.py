"""What makes a training faster is chosen by a trial that changes nothing, and checked against the exact step."""

from __future__ import annotations

import copy
import logging
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from ignite.engine import Events
from monai.engines import SupervisedTrainer
from monai.inferers import SimpleInferer
from torch import nn

from clara_compat.engine import inferers
from clara_compat.engine.acceleration import handler as handlers
from clara_compat.engine.acceleration import levers, trial
from clara_compat.engine.acceleration.handler import Acceleration, sentence
from clara_compat.engine.acceleration.self_check import FLOOR, LEAST_COSINE, MOST_NOISE, Agreement
from clara_compat.engine.data.batch import prepare_batch
from clara_compat.engine.losses.dice import ClaraDiceLoss
from clara_compat.engine.networks.segresnet import ClaraSegResNet
from clara_compat.engine.optimizers.adam import TensorFlowAdam
from clara_compat.errors import ClaraError


@pytest.fixture(autouse=True)
def _bfloat16(monkeypatch):
    """Every CPU computes bfloat16, if slowly."""
    for module in (levers, inferers):
        monkeypatch.setattr(module, "native_bfloat16", lambda device: True)


class Net(nn.Module):
    """Convolution, group normalisation, dropout, and a change of the features."""

    def __init__(self, change=None):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv3d(1, 8, 3, padding=1), nn.GroupNorm(4, 8), nn.ReLU(), nn.Dropout3d(0.3))
        self.head = nn.Conv3d(8, 1, 1)
        self.change = change

    def forward(self, image):
        features = self.layers(image)
        return torch.sigmoid(self.head(features if self.change is None else self.change(features)).float())


def batches(count=3, size=8):
    generator = torch.Generator().manual_seed(1)
    labels = [(torch.rand(2, 1, size, size, size, generator=generator) > 0.6).float() for _ in range(count)]
    return [{"image": one + 0.1 * torch.randn(one.shape, generator=generator), "label": one} for one in labels]


def run(acceleration, network=None, epochs=3, loss=None, during=None):
    """Train a network and return the trainer."""
    torch.manual_seed(0)
    np.random.seed(0)
    network = Net() if network is None else network
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=epochs,
        train_data_loader=batches(),
        network=network,
        optimizer=TensorFlowAdam(network.parameters(), lr=1e-3),
        loss_function=ClaraDiceLoss() if loss is None else loss,
        prepare_batch=prepare_batch,
        inferer=SimpleInferer(),
        train_handlers=[acceleration],
        optim_set_to_none=True,
        decollate=False,
    )
    trainer.losses = []
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda e: e.losses.append(e.state.output["loss"].item()))
    if during is not None:
        trainer.add_event_handler(Events.ITERATION_STARTED, during)
    trainer.run()
    return trainer


def auto():
    return Acceleration("auto", share=math.inf, shortest=0.0)


def test_a_trial_changes_neither_weights_nor_optimiser_nor_draws(monkeypatch):
    seen = []

    def none(exact, fast):
        seen.append(fast)
        return Agreement(1.0, 1.0, 0.0)

    monkeypatch.setattr(trial, "agreement", none)
    tried = run(auto())
    drawn = torch.rand(3), np.random.rand(3)
    plain = run(Acceleration("off"))
    assert len(seen) == 3
    assert tried.losses == plain.losses
    assert torch.equal(drawn[0], torch.rand(3))
    assert (drawn[1] == np.random.rand(3)).all()
    ours, theirs = (one.optimizer.state_dict()["state"] for one in (tried, plain))
    assert all(torch.equal(ours[i][name], theirs[i][name]) for i in ours for name in ours[i])
    for one, other in zip(tried.network.parameters(), plain.network.parameters(), strict=True):
        assert torch.equal(one, other)
        assert one.stride() == other.stride()


@pytest.mark.parametrize(
    ("setting", "limit"),
    [("channels_last", 1e-5), ("bf16", 2e-2), ("bf16,channels_last", 2e-2), ("cudnn_benchmark", 0)],
)
def test_the_losses_of_a_run_with_levers(setting, limit):
    torch.manual_seed(1)
    network = ClaraSegResNet(3, 1, 2, blocks_down=(1, 1), blocks_up=(1,))
    plain, fast = (run(Acceleration(one), copy.deepcopy(network)) for one in ("off", setting))
    assert np.abs(np.subtract(plain.losses, fast.losses)).max() <= limit
    chosen = fast.state.acceleration
    assert chosen["levers"] == [one for one in setting.split(",") if one != "cudnn_benchmark"]
    nothing = "nothing that was asked for can be had here"  # cuDNN is for GPUs
    assert chosen.get("reason") == (nothing if setting == "cudnn_benchmark" else None)
    if "bf16" in setting:
        assert plain.losses != fast.losses


def test_auto_takes_the_fastest_and_says_so(monkeypatch, caplog):
    seconds = {(): 4.0, ("channels_last",): 3.9, ("bf16",): 2.0, ("bf16", "channels_last"): 1.0}

    def timed(subject):
        inferer = subject.inferer
        bf16 = isinstance(getattr(inferer, "inner", None), inferers.AutocastInferer)
        return seconds[("bf16",) * bf16 + ("channels_last",) * getattr(inferer, "lays_out", False)]

    monkeypatch.setattr(trial.Subject, "seconds", timed)
    with caplog.at_level(logging.INFO, "clara_compat"):
        trainer = run(auto())
    chosen = trainer.state.acceleration
    assert chosen["levers"] == ["bf16", "channels_last"]
    assert chosen["setting"] == "auto"
    assert chosen["seconds"] == [4.0, 1.0]
    assert (
        "accelerate: bf16,channels_last: 4.0 x faster (4 s -> 1 s for forward and backward pass), loss diff"
        in caplog.text
    )
    convolution = trainer.network.layers[0].weight
    assert convolution.is_contiguous(memory_format=torch.channels_last_3d)
    assert trainer.optimizer.state[convolution]["exp_avg"].stride() == convolution.stride()


def cancelling(features):
    return ((features + 3e4) - 3e4) * 20.0


def through_numpy(features):
    features.detach().numpy()
    return features


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (cancelling, "bf16: (the loss differs|the gradients point apart|the lengths)"),
        (through_numpy, "bf16: TypeError: "),
    ],
)
def test_a_network_that_bfloat16_changes_stays_in_float32(change, match, caplog):
    with caplog.at_level(logging.INFO, "clara_compat"):
        network = Net(change)
        fast = run(Acceleration("bf16"), copy.deepcopy(network))
    assert fast.losses == run(Acceleration("off"), network).losses
    assert fast.state.acceleration["levers"] == []
    assert "accelerate: off; not taken: " in caplog.text
    assert re.search(match, caplog.text)


TURNED, SAME = Agreement(0.0, 0.2, 0.0), Agreement(0.0, 1.0, 0.0)


def in_trials(monkeypatch, *found):
    """Have the three candidates of the trials find these; each trial finds the next."""
    agreements = iter([one for one in found for _ in range(3)])
    monkeypatch.setattr(trial, "agreement", lambda *_: next(agreements))
    monkeypatch.setattr(trial, "_own_cosine", lambda *_: 0.3)
    monkeypatch.setattr(handlers, "_TRIALS", (3, 6))
    monkeypatch.setattr(
        trial.Subject, "seconds", lambda one: 1.0 if isinstance(one.inferer, levers.LeveredInferer) else 2.0
    )


def test_gradients_that_only_point_apart_are_looked_at_again(monkeypatch, caplog):
    in_trials(monkeypatch, TURNED, SAME)
    with caplog.at_level(logging.INFO, "clara_compat"):
        trainer = run(auto())
    first, second = [text for text in caplog.messages if text.startswith("accelerate")]
    why = "bf16: the gradients point apart: the cosine between them is 0.200, below 0.85 (in float32 with rounded "
    assert why + "images and weights it is 0.300)" in first
    assert first.endswith("; tried again at step 6")
    assert second.startswith("accelerate: channels_last: 2.0 x faster")
    assert trainer.state.acceleration["levers"] == ["channels_last"]
    assert "again" not in trainer.state.acceleration


@pytest.mark.parametrize(
    ("found", "count"),
    [(Agreement(0.5, 0.2, 0.0), 1), (Agreement(0.0, 0.2, 0.5), 1), (Agreement(0.0, math.nan, 0.0), 1), (TURNED, 2)],
)
def test_other_objections_are_final_and_so_is_the_last_trial(found, count, monkeypatch, caplog):
    in_trials(monkeypatch, found, found)
    with caplog.at_level(logging.INFO, "clara_compat"):
        assert run(auto()).state.acceleration["levers"] == []
    assert len([text for text in caplog.messages if text.startswith("accelerate: off; not taken")]) == count


def test_levers_put_on_before_another_trial_can_be_taken_off(monkeypatch):
    """Weights and what the optimiser keeps of them lie as they did, and each value is where it belongs."""
    in_trials(monkeypatch, SAME, TURNED)
    monkeypatch.setattr(handlers, "_told", lambda found: {"levers": list(found.levers), "again": 6})
    trainer = run(auto())
    plain = run(Acceleration("off"))
    assert trainer.state.acceleration["levers"] == []
    for one, other in zip(trainer.network.parameters(), plain.network.parameters(), strict=True):
        assert one.stride() == other.stride()
        assert torch.allclose(one, other, atol=1e-5)
        ours, theirs = (run.optimizer.state[p]["exp_avg"] for run, p in ((trainer, one), (plain, other)))
        assert ours.stride() == one.stride()
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_what_was_chosen_stays_when_there_is_no_time_for_another_trial(monkeypatch):
    in_trials(monkeypatch, SAME)
    monkeypatch.setattr(handlers, "_told", lambda found: {"levers": list(found.levers), "again": 6})
    steps = iter([3, math.inf])
    monkeypatch.setattr(handlers, "cost", lambda _: next(steps))
    assert run(Acceleration("auto", share=1.0, shortest=0.0)).state.acceleration["levers"] == ["channels_last"]


def test_a_resumed_training_makes_the_trial_that_was_to_come(monkeypatch):
    in_trials(monkeypatch, SAME)
    again = auto()
    again.load_state_dict({"chosen": {"levers": [], "again": 500}})
    assert run(again).state.acceleration["levers"] == ["channels_last"]


def test_how_far_float32_turns_gradients_when_images_and_weights_are_rounded(monkeypatch):
    """Against gradients of a linear network by numpy: loss mean((xw - t)^2), gradient 2 mean((xw - t) x)."""
    monkeypatch.setattr(handlers, "_TRIALS", (3,))
    generator = torch.Generator().manual_seed(3)
    image, target = (torch.randn(4, 5, generator=generator) for _ in range(2))
    network = nn.Linear(5, 5, bias=False)
    trainer = SimpleNamespace(
        network=network,
        loss_function=nn.MSELoss(),
        optimizer=torch.optim.SGD(network.parameters(), 0.1),
    )
    batch = (image, (image @ network.weight.T + 3e-3 * target).detach())
    with trial.kept_generators():
        plain = trial.Subject(trainer, batch, SimpleInferer())
        found = trial._own_cosine(trainer, batch, SimpleInferer(), (plain.gradients(), plain))

    def gradient(x, w):
        return (2 * (x @ w.T - batch[1].double().numpy()).T @ x / target.numel()).ravel()

    rounded = [one.bfloat16().double().numpy() for one in (image, network.weight.detach())]
    one, other = gradient(*(one.detach().double().numpy() for one in (image, network.weight))), gradient(*rounded)
    expected = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert 0.1 < expected < 0.99
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("own", [None, 1.0, 0.999, 0.97, 0.95, 0.93, 0.5, 0.0, -0.4, math.nan])
def test_the_least_cosine(own):
    expected = LEAST_COSINE
    if own is not None and 0 < own < 1:
        across = MOST_NOISE * np.sqrt(1 - own**2) / own
        expected = min(LEAST_COSINE, max(FLOOR, 1 / np.sqrt(1 + across**2)))
    assert Agreement(0.0, 1.0, 0.0, own).least_cosine == pytest.approx(expected)
    assert not Agreement(0.0, expected + 1e-6, 0.0, own).objection
    assert "point apart" in Agreement(0.0, expected - 1e-6, 0.0, own).objection


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Agreement(0.02, 0.95, 0.1), ""),
        (Agreement(math.nan, 1.0, 0.0), "loss or gradients are no numbers"),
        (Agreement(0.0, 1.0, math.inf), "loss or gradients are no numbers"),
        (Agreement(0.021, 1.0, 0.0), "the loss differs by 2.1%, more than 2%"),
        (Agreement(0.0, 0.949, 0.0), "the gradients point apart: the cosine between them is 0.949, below 0.95"),
        (Agreement(0.0, 1.0, 0.11), "the lengths of the gradients differ by 11%, more than 10%"),
    ],
)
def test_what_speaks_against_a_candidate(found, words):
    assert found.objection == words


def test_when_nothing_is_faster(monkeypatch, caplog):
    in_trials(monkeypatch, SAME)
    monkeypatch.setattr(trial.Subject, "seconds", lambda one: 2.0)
    with caplog.at_level(logging.INFO, "clara_compat"):
        run(auto())
    assert "accelerate: off: nothing was faster" in caplog.messages


def test_a_normalisation_over_several_processes_is_left_alone(monkeypatch):
    """The first process alone would wait for the others in it."""
    monkeypatch.setattr(handlers, "size", lambda: 2)
    for network, reason in (
        (nn.SyncBatchNorm(1), "the network's normalisation waits for the other processes"),
        (nn.BatchNorm3d(1), ""),
    ):
        engine = SimpleNamespace(network=nn.Sequential(network))
        assert Acceleration("bf16")._objection(engine, [("bf16",)]) == reason


@pytest.mark.parametrize(("device", "modes"), [("cpu", 1), ("meta", 0)])
def test_kernels_for_a_cpu_cost_nothing_elsewhere(device, modes):
    """``meta`` stands for a GPU."""
    seen = []

    def network(image):
        seen.append(torch.overrides._len_torch_function_stack())
        return image

    found = levers.LeveredInferer(SimpleInferer(), torch.device(device), ("channels_last",))(
        torch.empty(1, 2, 3, 3, 3, device=device), network
    )
    assert seen == [modes]
    assert found.is_contiguous(memory_format=torch.channels_last_3d)


def test_a_network_is_compiled_once_and_computes_the_same(monkeypatch):
    """With the back end that generates no code: the tracing is what other levers could disturb."""
    compiled = []

    def compiling(network, compile_=torch.compile):
        compiled.append(network)
        return compile_(network, backend="eager")

    monkeypatch.setattr(torch, "compile", compiling)
    network = Net()
    plain, fast = (run(Acceleration(one), copy.deepcopy(network), epochs=1) for one in ("off", "channels_last,compile"))
    assert fast.state.acceleration["levers"] == ["channels_last", "compile"]
    assert len(compiled) == 2  # the trial's copy, and the network once for all steps
    assert compiled[1] is fast.network
    assert np.abs(np.subtract(plain.losses, fast.losses)).max() < 1e-5


def test_a_network_that_cannot_be_copied_trains_as_it_is():
    class Single(Net):
        def __deepcopy__(self, memo):
            raise TypeError("there is one of me")

    assert run(auto(), Single()).state.acceleration["reason"] == "TypeError: there is one of me"


def test_a_short_run_is_left_alone(caplog):
    with caplog.at_level(logging.INFO, "clara_compat"):
        trainer = run(Acceleration())
    assert trainer.state.acceleration["levers"] == []
    assert "accelerate: off: what is left of the run, 7 steps of " in caplog.text
    assert trainer.state.acceleration["told"].endswith("is too short for a trial")


def test_a_loss_that_is_no_number_is_computed_anew_in_float32(caplog):
    class Fragile(Net):
        broken = False

        def forward(self, image):
            found = super().forward(image)
            reduced = torch.is_autocast_enabled("cpu")
            return found * (math.nan if self.broken and reduced else 1.0)

    def during(engine):
        engine.network.broken = engine.state.iteration == 4

    trainer = run(Acceleration("bf16"), Fragile(), during=during)
    assert np.isfinite(trainer.losses).all()
    assert trainer.state.acceleration["told"] == "off: the loss was no number at step 4"
    assert "accelerate: off: the loss was no number at step 4" in caplog.text


def test_a_resumed_training_goes_on_with_what_was_chosen(monkeypatch):
    first = Acceleration("bf16,channels_last")
    run(first)
    monkeypatch.setattr(handlers, "trial", None)
    again = Acceleration("auto")
    again.load_state_dict(copy.deepcopy(first.state_dict()))
    assert run(again).state.acceleration["levers"] == ["bf16", "channels_last"]
    off = Acceleration("off")
    off.load_state_dict(first.state_dict())
    assert run(off).state.acceleration["levers"] == []


def test_an_optimiser_of_another_layout_is_aligned():
    """As in a checkpoint of a run with channels_last that goes on without it."""
    network = nn.Conv3d(3, 4, 2)
    optimizer = TensorFlowAdam(network.parameters())
    network(torch.ones(1, 3, 2, 2, 2)).sum().backward()
    optimizer.step()
    state = optimizer.state[network.weight]
    before = state["exp_avg"].clone()
    state["exp_avg"] = state["exp_avg"].contiguous(memory_format=torch.channels_last_3d)
    levers.align(optimizer)
    assert state["exp_avg"].stride() == network.weight.stride()
    assert torch.equal(state["exp_avg"], before)


def test_the_first_process_chooses_for_all(monkeypatch):
    monkeypatch.setattr(handlers, "from_first", lambda choose: {"levers": ["bf16"], "reason": "told"})
    trainer = run(Acceleration("auto"))
    assert trainer.state.acceleration["levers"] == ["bf16"]
    assert isinstance(trainer.inferer, levers.LeveredInferer)


def test_a_process_that_goes_back_to_float32_comes_to_the_next_trial():
    """With another answer on one of several processes, the others would wait for it there."""
    handler = Acceleration("auto")
    handler._chosen = {"levers": ["bf16"], "again": 50}
    handler._is_on, handler._inferer = True, lambda image, network: image
    engine = SimpleNamespace(
        state=SimpleNamespace(iteration=7, output={"loss": torch.tensor(math.nan), "image": torch.ones(1), "label": 0}),
        network=nn.Conv3d(1, 1, 1),
        loss_function=lambda prediction, label: prediction,
    )
    handler._look(engine)
    assert engine.state.output["loss"] == 1
    assert handler._chosen == {"levers": [], "reason": "the loss was no number at step 7", "again": 50}


@pytest.mark.parametrize("setting", ["fast", "bf16,", ""])
def test_other_settings(setting):
    if setting == "bf16,":
        assert Acceleration(setting).asked == ("bf16",)
        return
    with pytest.raises(ClaraError, match="accelerate is '.*', expected auto, off, or levers with commas"):
        Acceleration(setting)


def test_in_words():
    told = {
        "levers": ["bf16"],
        "seconds": [0.41, 0.16],
        "loss_difference": 3.1e-4,
        "cosine": 0.9991,
        "refused": {"a": "b"},
    }
    assert sentence(told) == (
        "bf16: 2.6 x faster (0.41 s -> 0.16 s for forward and backward pass), loss differs by 0.0003, cosine of the "
        "gradients 0.9991; not taken: a: b"
    )
    assert sentence({"levers": []}) == "off"
