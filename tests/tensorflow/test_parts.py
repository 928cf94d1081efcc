"""Layers and parameters of torch on a user's object are trained, wherever it keeps them."""

from __future__ import annotations

import copy

import pytest
import torch

from clara_compat.common.data_prop import DataProperty
from clara_compat.errors import ClaraError
from clara_compat.tensorflow.loader import component
from clara_compat.tensorflow.loss import LegacyLoss
from clara_compat.tensorflow.network import LegacyNetwork

HEAD = """
import tensorflow as tf
import torch
from torch import nn
from ai4med.components.losses.loss import Loss
from ai4med.components.models.model import Model

"""
ONES = torch.ones(1, 1, 2, 2, 2)


def network(user_folder, init: str, call: str) -> LegacyNetwork:
    body = f"        Model.__init__(self)\n        {init}\n"
    calling = f"    def get_predictions(self, x, training, ctx):\n        {call}\n"
    user_folder(mine=f"{HEAD}class Net(Model):\n    def __init__(self):\n{body}{calling}")
    return LegacyNetwork(component("mine.Net"), "Net", DataProperty(), [2, 2, 2])


@pytest.mark.parametrize(
    ("init", "call", "keys"),
    [
        ("self.w = nn.Parameter(torch.ones(1))", "return x * self.w", ["w"]),
        ("self.w = [nn.Parameter(torch.ones(1)), 3, (nn.Parameter(torch.ones(2)[:1]),)]",
         "return x * self.w[0] * self.w[2][0]", ["w_0", "w_2_0"]),
        ("self.w = {'a.b': nn.Parameter(torch.ones(1))}", "return x * self.w['a.b']", ["w_a~b"]),
        ("self.items = nn.Parameter(torch.ones(1)); self.conv = nn.Conv3d(1, 1, 1)",
         "return self.conv(x) * self.items", ["items~", "conv.weight", "conv.bias"]),
        ("self.conv = nn.Conv3d(1, 1, 1); self.bias = self.conv.bias",
         "return self.conv(x) + self.bias", ["conv.weight", "conv.bias"]),
        ("self.a, self.a_0 = [nn.Parameter(torch.ones(1))], nn.Parameter(torch.ones(1))",
         "return x * self.a[0] * self.a_0", ["a_0", "a_0~"]),
        ("self.w = None",
         "self.w = nn.Parameter(x[0, 0, 0, 0, :1] + 1) if self.w is None else self.w; return x * self.w", ["w"]),
        ("self.w = nn.Parameter(torch.ones(1))", "self.relu = nn.ReLU(); return self.relu(x * self.w)", ["w"]),
    ],
)  # fmt: skip
def test_bare_parameters_are_trained(user_folder, init, call, keys):
    net = network(user_folder, init, call)
    assert [key.removeprefix("parts.") for key in net.state_dict()] == keys
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    for _ in range(2):
        optimizer.zero_grad()
        net(ONES).mean().backward()
        optimizer.step()
    assert all(not torch.equal(before[key], value) for key, value in net.state_dict().items())
    trained = net(ONES)
    other = copy.deepcopy(net)
    net.load_state_dict(before)
    assert not torch.equal(net(ONES), trained)
    assert torch.equal(other(ONES), trained)
    assert net.double()(ONES.double()).dtype == torch.float64


def test_a_variable_of_tensorflow_is_no_part(user_folder):
    net = network(
        user_folder,
        "self.w, self.all = None, []",
        "assert self.w is None; self.w = tf.get_variable('w', []); self.all.append(self.w); return x * self.w",
    )
    assert list(net.state_dict()) == ["store.w"]
    net(ONES)
    assert list(net(ONES).shape) == [1, 1, 2, 2, 2]
    assert list(copy.deepcopy(net.eval()).state_dict()) == ["store.w"]


def test_parameters_made_in_every_call_are_refused(user_folder):
    net = network(user_folder, "pass", "self.w = nn.Parameter(torch.ones(1)); return x * self.w")
    with pytest.raises(ClaraError, match="model 'Net' makes parameters of torch anew in every call"):
        net(ONES)


def test_a_tensor_that_wants_a_gradient_is_refused(user_folder):
    with pytest.raises(ClaraError, match="model 'Net' keeps a tensor that requires a gradient as 'w': make it a torch"):
        network(user_folder, "self.w = torch.ones(1, requires_grad=True)", "return x * self.w")


def test_parameters_of_a_loss(user_folder):
    user_folder(
        mine=f"""{HEAD}
class L(Loss):
    def __init__(self):
        Loss.__init__(self)
        self.scale = nn.Parameter(torch.tensor(2.0))
    def get_loss(self, predictions, targets, build_ctx=None):
        self.distance = nn.MSELoss()
        return self.distance(predictions.mean() * self.scale, targets.mean() * 0)

class Anew(Loss):
    def get_loss(self, predictions, targets, build_ctx=None):
        self.scale = nn.Parameter(torch.tensor(2.0))
        return predictions.mean() * self.scale
"""
    )
    loss = LegacyLoss(component("mine.L"), "L", DataProperty(), (1, 2, 2, 2, 2))
    assert list(loss.state_dict()) == ["parts.scale"]
    loss(torch.full((1, 2, 2, 2, 2), 3.0), ONES).backward()
    assert next(loss.parameters()).grad.item() == 2 * 2.0 * 3.0**2
    anew = LegacyLoss(component("mine.Anew"), "Anew", DataProperty(), (1, 2, 2, 2, 2))
    with pytest.raises(ClaraError, match="loss 'Anew' makes parameters of torch anew in every call"):
        anew(torch.ones(1, 2, 2, 2, 2), ONES)


def test_components_that_a_model_holds_begin_every_call_as_the_first(user_folder):
    user_folder(
        mine=f"""{HEAD}
class Inner(Model):
    def __init__(self):
        Model.__init__(self)
        self.seen, self.owner = [], None
    def get_predictions(self, x, training, ctx):
        if not self.seen:
            self.conv = getattr(self, 'conv', None) or nn.Conv3d(1, 1, 1)
        self.seen.append(x)
        assert len(self.seen) == 1
        return self.conv(x)

class Net(Model):
    def __init__(self):
        Model.__init__(self)
        self.inner = Inner()
        self.inner.owner = [self]
    def get_predictions(self, x, training, ctx):
        return self.inner.get_predictions(x, training, ctx)
"""
    )
    net = LegacyNetwork(component("mine.Net"), "Net", DataProperty(), [2, 2, 2])
    assert list(net.state_dict()) == ["parts.inner_conv.weight", "parts.inner_conv.bias"]
    assert torch.equal(net(ONES), net(ONES))
