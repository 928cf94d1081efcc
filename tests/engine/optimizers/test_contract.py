"""What every optimizer of the engine keeps to, as torch's own do."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import pytest
import torch

from clara_compat.engine.optimizers.adam import TensorFlowAdam
from clara_compat.engine.optimizers.novograd import ClaraNovoGrad
from clara_compat.engine.optimizers.rmsprop import TensorFlowRMSprop

Make = Callable[..., torch.optim.Optimizer]
OPTIMIZERS: dict[str, Make] = {
    "adam": TensorFlowAdam,
    "adam_foreach": lambda params, **more: TensorFlowAdam(params, fused=False, **more),
    "rmsprop": lambda params, **more: TensorFlowRMSprop(params, momentum=0.9, centered=True, eps=1e-3, **more),
    "novograd": lambda params, **more: ClaraNovoGrad(params, weight_decay=0.01, **more),
}


def network() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2)).double()


def train(net: torch.nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> list[torch.Tensor]:
    for i in steps:
        image = torch.randn(5, 3, generator=torch.Generator().manual_seed(i), dtype=torch.float64)
        optimizer.zero_grad()
        net(image).square().mean().backward()
        optimizer.step()
    return [weight.detach().clone() for weight in net.parameters()]


@pytest.fixture(params=OPTIMIZERS)
def make(request: pytest.FixtureRequest) -> Make:
    return OPTIMIZERS[request.param]


def test_a_resumed_training_is_the_same(make: Make) -> None:
    net = network()
    whole = train(net, make(net.parameters(), lr=0.01), range(8))
    net = network()
    optimizer = make(net.parameters(), lr=0.01)
    train(net, optimizer, range(5))
    stream = io.BytesIO()
    torch.save(optimizer.state_dict(), stream)
    stream.seek(0)
    again = make(net.parameters(), lr=0.5)
    again.load_state_dict(torch.load(stream, weights_only=True))
    assert again.param_groups[0]["lr"] == 0.01
    resumed = train(net, again, range(5, 8))
    assert all(torch.equal(one, other) for one, other in zip(whole, resumed, strict=True))


def test_a_copy_goes_on_alike(make: Make) -> None:
    net = network()
    optimizer = make(net.parameters(), lr=0.01)
    train(net, optimizer, range(3))
    other_net, other = copy.deepcopy((net, optimizer))
    one, two = train(net, optimizer, range(3, 5)), train(other_net, other, range(3, 5))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_groups_have_their_own_settings(make: Make) -> None:
    net = network()
    groups = [{"params": net[0].parameters()}, {"params": net[2].parameters(), "lr": 0.0}]
    before = [weight.detach().clone() for weight in net.parameters()]
    after = train(net, make(groups, lr=0.01), range(2))
    changed = [not torch.equal(one, other) for one, other in zip(before, after, strict=True)]
    assert changed == [True, True, False, False]


def test_parameters_without_a_gradient_stay(make: Make) -> None:
    used, unused = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
    optimizer = make([used, unused], lr=0.1)
    used.grad = torch.ones(3)
    optimizer.step()
    assert torch.equal(unused, torch.ones(3))
    assert not torch.equal(used, torch.ones(3))
    assert unused not in optimizer.state


def test_a_closure_computes_the_loss(make: Make) -> None:
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    optimizer = make([weight], lr=0.1)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 4.0
    assert weight.item() < 2.0


def test_the_gradients_are_left_as_they_are(make: Make) -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    weight.grad = torch.full((3,), 2.0)
    make([weight], lr=0.1).step()
    assert torch.equal(weight.grad, torch.full((3,), 2.0))


def test_sparse_gradients_are_refused(make: Make) -> None:
    table = torch.nn.Embedding(4, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match="sparse gradients"):
        make(table.parameters(), lr=0.1).step()


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "adam"])  # no fused kernel without a device
def test_a_step_never_waits_for_the_device(name: str) -> None:
    """A tensor of the meta device has no value: whatever asks for one fails there."""
    weights = [torch.nn.Parameter(torch.empty(shape, device="meta")) for shape in ((3, 4), (5,))]
    optimizer = OPTIMIZERS[name](weights, lr=0.1)
    for _ in range(3):
        for weight in weights:
            weight.grad = torch.empty_like(weight)
        optimizer.step()
    assert len(optimizer.state) == 2


def test_adam_goes_on_from_torchs_own_state() -> None:
    net, other = network(), network()
    theirs = torch.optim.Adam(net.parameters(), lr=0.01)
    train(net, theirs, range(4))
    ours = TensorFlowAdam(net.parameters(), lr=0.01)
    ours.load_state_dict(theirs.state_dict())
    assert ours.param_groups[0]["step"] == 4
    reference = TensorFlowAdam(other.parameters(), lr=0.01)
    train(other, reference, range(4))
    for one, two in zip(train(net, ours, range(4, 6)), train(other, reference, range(4, 6)), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=1e-5)  # epsilon differed in the first four steps


def test_adams_group_shows_tensorflows_epsilon() -> None:
    net = network()
    optimizer = TensorFlowAdam(net.parameters(), eps=1e-3)
    train(net, optimizer, range(2))
    assert optimizer.param_groups[0]["eps"] == 1e-3


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (TensorFlowAdam, {"betas": (1.0, 0.9)}, "beta1 is 1.0 but must be at least 0 and below 1"),
        (TensorFlowAdam, {"eps": -1.0}, "eps is -1.0 but must be at least 0$"),
        (TensorFlowRMSprop, {"decay": 1.0}, "decay is 1.0 but must be at least 0 and below 1"),
        (TensorFlowRMSprop, {"momentum": -0.1}, "momentum is -0.1"),
        (ClaraNovoGrad, {"betas": (0.9, -1.0)}, "beta2 is -1.0"),
        (ClaraNovoGrad, {"lr": -1.0}, "lr is -1.0"),
        (ClaraNovoGrad, {"eps": float("nan")}, "eps is nan"),
        (ClaraNovoGrad, {"weight_decay": -1.0}, "weight_decay is -1.0 but must be at least 0$"),
    ],
)
def test_values_out_of_range(make: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make([torch.nn.Parameter(torch.zeros(1))], **options)
