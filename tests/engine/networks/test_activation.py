"""FinalActivation and the logarithms of what it returns."""

from __future__ import annotations

import copy
import gc
import io
import pickle

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.engines import SupervisedTrainer
from monai.engines.utils import IterationEvents
from monai.inferers import SimpleInferer, SlidingWindowInferer

from clara_compat.engine import inferers
from clara_compat.engine.inferers import AutocastInferer
from clara_compat.engine.losses.cross_entropy import ClaraCrossEntropyLoss
from clara_compat.engine.networks import activation
from clara_compat.engine.networks.activation import FinalActivation, log_complements, log_probabilities
from clara_compat.engine.networks.unet import ClaraUNet


def exact(name: str, logits: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """log(p) and log(1 - p), in long double from the definition."""
    x = logits.detach().numpy().astype(np.longdouble)
    if name == "sigmoid":
        return -np.logaddexp(0, -x), -np.logaddexp(0, x)
    total = np.logaddexp.reduce(x, axis=1, keepdims=True)
    rest = [np.logaddexp.reduce(np.delete(x, c, axis=1), axis=1, keepdims=True) for c in range(x.shape[1])]
    return x - total, np.concatenate(rest, axis=1) - total


@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
@pytest.mark.parametrize("scale", [1.0, 30.0, 200.0])
@pytest.mark.parametrize("size", [(4,), (3, 2), (2, 2, 2)])
def test_logarithms_are_exact(name, scale, size):
    torch.manual_seed(0)
    logits = torch.randn(2, 3, *size).mul(scale).requires_grad_()
    p = FinalActivation(name)(logits)
    assert ((p >= 0) & (p <= 1)).all()
    for found, expected in zip((log_probabilities(p), log_complements(p)), exact(name, logits), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected.astype(np.float64), rtol=1e-5, atol=1e-6)
        (gradient,) = torch.autograd.grad(found.sum(), logits, retain_graph=True)
        assert gradient.isfinite().all()


@pytest.mark.parametrize("name", ["softmax", "sigmoid"])
def test_gradient_where_float32_has_lost_the_probability(name):
    """At logits of +-200 p is 0 or 1 in float32: its own logarithm is infinite, and clamped without a gradient."""
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    p = FinalActivation(name)(logits)
    assert p[0, 1] == 0.0 or p[0, 1] < 1e-38
    log_probabilities(p)[0, 1].backward()
    expected = [-1.0, 1.0] if name == "softmax" else [0.0, 1.0]
    assert logits.grad[0].tolist() == pytest.approx(expected, abs=1e-6)

    logits.grad = None
    log_complements(p)[0, 0].backward()
    expected = [-1.0, 1.0] if name == "softmax" else [-1.0, 0.0]
    assert logits.grad[0].tolist() == pytest.approx(expected, abs=1e-6)


FORGETTING = {
    "a user's network": lambda x: torch.softmax(x, 1),
    "a changed tensor": lambda x: FinalActivation("softmax")(x) * 1.0,
    "changed in place": lambda x: FinalActivation("softmax")(x).mul_(1.0),
    "changed through a view": lambda x: _through_a_view(FinalActivation("softmax")(x)),
    "a detached tensor": lambda x: FinalActivation("softmax")(x).detach(),
    "no gradients": lambda x: FinalActivation("softmax")(x.detach()),
    "metadata": lambda x: FinalActivation("softmax")(MetaTensor(x)).as_tensor(),
}


def _through_a_view(p: torch.Tensor) -> torch.Tensor:
    p[:, 0] += 0.0
    return p


@pytest.mark.parametrize("make", FORGETTING.values(), ids=FORGETTING)
def test_other_tensors_give_their_own_logarithm(make):
    logits = torch.tensor([[0.3, -0.2], [300.0, -300.0]], requires_grad=True)
    p = make(logits)
    tiny = np.log(np.finfo(np.float32).tiny)
    expected = np.maximum(torch.log_softmax(logits, 1).detach().numpy(), tiny)
    np.testing.assert_allclose(log_probabilities(p).detach().numpy(), expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(log_complements(p).detach().numpy(), expected[:, ::-1], rtol=1e-6, atol=1e-7)


def test_a_change_is_seen_in_the_logarithm():
    p = FinalActivation("sigmoid")(torch.zeros(1, 1, requires_grad=True))
    p.data.fill_(0.25)  # does not count as a change for autograd either
    assert log_probabilities(p).item() == pytest.approx(np.log(0.5))
    with torch.no_grad():
        p.fill_(0.25)
    assert log_probabilities(p).item() == pytest.approx(np.log(0.25))


def test_linear_is_the_identity_and_remembers_nothing():
    logits = torch.randn(2, 3, 4, requires_grad=True)
    assert FinalActivation("linear")(logits) is logits
    assert logits not in activation._ORIGINS


def test_single_softmax_channel_is_certain():
    p = FinalActivation("softmax")(torch.randn(2, 1, 3, requires_grad=True))
    assert (log_probabilities(p) == 0).all()
    assert log_complements(p).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_is_widened_first(dtype):
    logits = torch.tensor([[9.0, -9.0]], dtype=dtype, requires_grad=True)
    p = FinalActivation("softmax")(logits)
    assert p.dtype == torch.float32
    np.testing.assert_allclose(log_probabilities(p).tolist(), [[-1.523e-8, -18.0]], atol=1e-6)


def test_wide_stays_wide():
    logits = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: log_probabilities(FinalActivation("softmax")(x)), (logits,))
    assert torch.autograd.gradcheck(lambda x: log_complements(FinalActivation("softmax")(x)), (logits,))
    assert torch.autograd.gradcheck(lambda x: log_complements(FinalActivation("sigmoid")(x)), (logits,))


def test_unknown_name():
    with pytest.raises(ValueError, match="final_activation is 'sofmax' but must be one of .*did you mean 'softmax'"):
        FinalActivation("sofmax")


def test_logits_are_forgotten_with_the_probabilities():
    gc.collect()
    before = len(activation._ORIGINS)
    gc.disable()  # no cycle: counting references must be enough
    try:
        for _ in range(3):
            logits = torch.randn(1, 2, 4, requires_grad=True) * 1.0
            p = FinalActivation("softmax")(logits)
            assert len(activation._ORIGINS) == before + 1
            log_probabilities(p).sum().backward()
            del p, logits
            assert len(activation._ORIGINS) == before
    finally:
        gc.enable()


def test_copying_and_saving_take_no_logits_along():
    p = FinalActivation("softmax")(torch.randn(1, 2, 4, requires_grad=True))
    assert not p.__dict__
    for saved in (pickle.loads(pickle.dumps(p)), _saved(p), copy.deepcopy(p.detach())):
        assert torch.equal(saved, p)
        assert saved not in activation._ORIGINS


def _saved(tensor: torch.Tensor) -> torch.Tensor:
    file = io.BytesIO()
    torch.save(tensor, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize("name", activation.FINAL_ACTIVATIONS)
def test_compiled_forms(name):
    layer, x = FinalActivation(name), torch.randn(2, 3, 4, requires_grad=True)
    before = len(activation._ORIGINS)
    for other in (torch.jit.script(layer), torch.jit.trace(layer, x), torch.export.export(layer, (x,)).module()):
        torch.testing.assert_close(other(x), layer(x))
    assert len(activation._ORIGINS) == before


@pytest.fixture
def bfloat16(monkeypatch):
    monkeypatch.setattr(inferers, "native_bfloat16", lambda device: True)


@pytest.mark.parametrize("amp", [False, True])
def test_reaches_the_loss_of_a_trainer(amp, bfloat16):
    """From the network through the inferer and the trainer to the loss, and not beyond the step."""
    torch.manual_seed(0)
    network, image = ClaraUNet(2, 1, 2, [4], [4, 4, 4]), torch.rand(2, 1, 8, 8)
    with torch.no_grad():
        network.head.weight.mul_(1e4)  # p is 0 or 1 nearly everywhere
        background = network(image)[:, 0].mean().item()
    found, gradients, held, before = [], [], [], len(activation._ORIGINS)

    def loss(predictions, targets):
        origin = activation._origin(predictions)
        found.append((origin.activation, origin.logits.dtype, predictions.detach().amin().item()))
        return ClaraCrossEntropyLoss(smooth=0.0)(predictions, targets)

    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=[{"image": image, "label": torch.ones(2, 1, 8, 8)}] * 3,
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), 0.0),
        loss_function=loss,
        inferer=AutocastInferer(SimpleInferer(), "cpu", enabled=amp),
        decollate=False,
    )
    events = {
        IterationEvents.FORWARD_COMPLETED: lambda: held.append(len(activation._ORIGINS) - before),
        IterationEvents.BACKWARD_COMPLETED: lambda: gradients.append(network.head.bias.grad[1].item()),
    }
    for event, handler in events.items():
        trainer.add_event_handler(event, handler)
    trainer.run()
    assert found == [("softmax", torch.float32, 0.0)] * 3
    assert held == [1, 1, 1]
    # cross entropy's gradient by a logit is p minus the label: voxels at p = 0 count in full
    assert background > 0.1
    assert gradients == pytest.approx([-background] * 3, abs=0.02 if amp else 1e-5)
    trainer.state.output = None
    assert len(activation._ORIGINS) == before


def test_sliding_windows_and_parallel_networks_fall_back():
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1), FinalActivation("softmax"))
    image = torch.rand(1, 1, 8, 8)
    for p in (
        SlidingWindowInferer((4, 4), overlap=0.0)(image, network),
        torch.nn.DataParallel(network)(image),  # without a GPU the network itself
    ):
        torch.testing.assert_close(log_probabilities(p), p.log())
