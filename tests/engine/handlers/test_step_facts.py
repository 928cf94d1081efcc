import torch
from ignite.engine import Engine
from torch import nn

from clara_compat.engine.handlers.step_facts import StepFacts


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.told = []

    def step(self, image=None, label=None, learning_rate=None):
        self.told.append((image, label, learning_rate))

    @torch.no_grad()
    def constrain(self):
        self.weight.clamp_(min=0)


class Wrapper(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module


def run(network, others, batches):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)

    def step(engine, batch):
        if isinstance(batch, dict):
            assert network.told[-1][1] is batch["label"]  # before the forward pass, fetched once
        optimizer.param_groups[0]["lr"] /= 2

    engine = Engine(step)
    engine.state.device = torch.device("cpu")
    StepFacts(others, optimizer).attach(engine)
    engine.run(batches, max_epochs=1)


def batch(number):
    return {"image": torch.full((1, 1), float(-number)), "label": torch.full((1, 1), float(number))}


def test_every_step_is_told_and_taken_back():
    network, loss = Network(), Network()
    run(network, [network, loss], [batch(1), batch(2)])
    assert network.told == loss.told
    assert [(image, label, rate) for image, label, rate in network.told[::2]] == [(-1.0, 1.0, 0.5), (-2.0, 2.0, 0.25)]
    assert network.told[1::2] == [(None, None, None)] * 2


def test_wrappers_are_looked_through_and_failed_items_left_to_the_step():
    network = Network()
    run(network, [Wrapper(Wrapper(network))], ["failed", batch(1)])
    assert [label is None for _, label, _ in network.told] == [True, False, True]


def test_constraints_hold_after_each_step_of_the_optimizer():
    network = Network()
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    seen = []

    def step(engine, batch):
        seen.append(network.weight.item())
        network.weight.grad = torch.full_like(network.weight, batch["image"].item())
        optimizer.step()

    engine = Engine(step)
    engine.state.device = torch.device("cpu")
    StepFacts([network], optimizer).attach(engine)
    engine.run([batch(2), batch(-3)], max_epochs=1)
    assert [*seen, network.weight.item()] == [0, 2, 0]
