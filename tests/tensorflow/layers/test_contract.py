"""What is true of every layer: its output's shape, both layouts, later passes, tracing, saving."""

import copy

import pytest
import torch
from torch import nn

from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.layers.base import Layer
from clara_compat.tensorflow.namespace import all_symbols
from clara_compat.tensorflow.store import VariableStore

V1, V2, V3, FLAT = (2, 8, 4), (2, 8, 6, 4), (2, 8, 6, 4, 4), (2, 6)

LAYERS = {
    "Conv1D": ({"filters": 3, "kernel_size": 3, "strides": 2}, V1, (2, 3, 3)),
    "Conv2D": ({"filters": 3, "kernel_size": (3, 2), "padding": "same", "strides": 2}, V2, (2, 4, 3, 3)),
    "Conv3D": ({"filters": 3, "kernel_size": 3, "padding": "same", "activation": "relu"}, V3, (2, 8, 6, 4, 3)),
    "Conv2DTranspose": ({"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"}, V2, (2, 16, 12, 3)),
    "Conv3DTranspose": ({"filters": 3, "kernel_size": 2, "strides": 2}, V3, (2, 16, 12, 8, 3)),
    "SeparableConv1D": ({"filters": 3, "kernel_size": 3}, V1, (2, 6, 3)),
    "SeparableConv2D": ({"filters": 3, "kernel_size": 3, "depth_multiplier": 2}, V2, (2, 6, 4, 3)),
    "DepthwiseConv2D": ({"kernel_size": 3, "padding": "same"}, V2, V2),
    "Dense": ({"units": 5}, FLAT, (2, 5)),
    "BatchNormalization": ({}, V3, V3),
    "LayerNormalization": ({}, V2, V2),
    "MaxPooling1D": ({}, V1, (2, 4, 4)),
    "MaxPooling2D": ({"pool_size": 3, "strides": 2, "padding": "same"}, V2, (2, 4, 3, 4)),
    "MaxPooling3D": ({"pool_size": (2, 2, 1)}, V3, (2, 4, 3, 4, 4)),
    "AveragePooling1D": ({}, V1, (2, 4, 4)),
    "AveragePooling2D": ({}, V2, (2, 4, 3, 4)),
    "AveragePooling3D": ({"padding": "same", "pool_size": 3}, V3, (2, 3, 2, 2, 4)),
    "GlobalMaxPooling1D": ({}, V1, (2, 4)),
    "GlobalMaxPooling2D": ({}, V2, (2, 4)),
    "GlobalMaxPooling3D": ({}, V3, (2, 4)),
    "GlobalAveragePooling1D": ({}, V1, (2, 4)),
    "GlobalAveragePooling2D": ({}, V2, (2, 4)),
    "GlobalAveragePooling3D": ({}, V3, (2, 4)),
    "UpSampling1D": ({}, V1, (2, 16, 4)),
    "UpSampling2D": ({"interpolation": "bilinear"}, V2, (2, 16, 12, 4)),
    "UpSampling3D": ({"size": (1, 2, 3)}, V3, (2, 8, 12, 12, 4)),
    "ZeroPadding1D": ({}, V1, (2, 10, 4)),
    "ZeroPadding2D": ({"padding": (1, 2)}, V2, (2, 10, 10, 4)),
    "ZeroPadding3D": ({}, V3, (2, 10, 8, 6, 4)),
    "Cropping1D": ({}, V1, (2, 6, 4)),
    "Cropping2D": ({"cropping": ((1, 0), (2, 1))}, V2, (2, 7, 3, 4)),
    "Cropping3D": ({}, V3, (2, 6, 4, 2, 4)),
    "Activation": ({"activation": "tanh"}, V2, V2),
    "ReLU": ({}, V2, V2),
    "LeakyReLU": ({}, V2, V2),
    "PReLU": ({}, V2, V2),
    "ELU": ({}, V2, V2),
    "ThresholdedReLU": ({}, V2, V2),
    "Softmax": ({}, V2, V2),
    "Dropout": ({"rate": 0.5}, V2, V2),
    "SpatialDropout1D": ({"rate": 0.5}, V1, V1),
    "SpatialDropout2D": ({"rate": 0.5}, V2, V2),
    "SpatialDropout3D": ({"rate": 0.5}, V3, V3),
    "GaussianNoise": ({"stddev": 0.1}, V2, V2),
    "GaussianDropout": ({"rate": 0.5}, V2, V2),
    "AlphaDropout": ({"rate": 0.5}, V2, V2),
    "ActivityRegularization": ({"l2": 0.1}, V2, V2),
    "Flatten": ({}, V2, (2, 192)),
    "Reshape": ({"target_shape": (4, -1)}, V2, (2, 4, 48)),
    "Permute": ({"dims": (2, 1)}, V1, (2, 4, 8)),
    "RepeatVector": ({"n": 3}, FLAT, (2, 3, 6)),
    "Lambda": ({"function": torch.exp}, V2, V2),
    "InputLayer": ({"input_shape": (6,)}, FLAT, FLAT),
}
"""Arguments, the shape that comes in and the one that goes out, channels last."""

MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot")
OTHERS = ("Layer", "Model", "TimeDistributed", *MERGING)
SPATIAL = [
    name
    for name in LAYERS
    if name.startswith(("Conv2", "Conv3", "Max", "Average", "Global", "Up", "Zero", "Crop", "Spatial", "Sep", "Depth"))
    and LAYERS[name][1] != V1
]


class Net(nn.Module):
    """One function over a store, built at once."""

    def __init__(self, function, shape):
        super().__init__()
        self.store, self.function = VariableStore(), function
        with torch.no_grad(), entered(Graph(self.store, training=False, building=True)):
            self.example = function(torch.zeros(shape))

    def forward(self, x):
        with entered(Graph(self.store, training=self.training)):
            return self.function(x)


def anew(cls, **arguments):
    """Return what makes a layer in every pass, and calls it."""

    def call(x):
        layer = cls(**arguments)
        return layer(x)

    return call


def test_every_layer_is_in_the_table():
    prefix = "tensorflow.keras.layers."
    found = {
        one.value.__name__
        for name, one in all_symbols().items()
        if name.startswith(prefix) and isinstance(one.value, type) and issubclass(one.value, Layer)
    }
    assert found == {*LAYERS, *OTHERS}


@pytest.mark.parametrize("name", LAYERS)
def test_shape_second_pass_state_and_trace(kl, name):
    arguments, given, wanted = LAYERS[name]
    torch.manual_seed(1)
    net = Net(anew(getattr(kl, name), **arguments), given).eval()
    names = list(net.store)
    x = torch.rand(given)
    y = net(x)
    assert tuple(net.example.shape) == wanted == tuple(y.shape)
    assert list(net.store) == names
    other = copy.deepcopy(net)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    other.load_state_dict(net.state_dict())
    assert torch.equal(other(x), y)
    traced = torch.jit.trace(net, x)
    z = torch.rand(given)
    torch.testing.assert_close(traced(z), net(z))
    net.train()(x.requires_grad_()).sum().backward()
    assert x.grad is not None
    assert all(parameter.grad is not None for parameter in net.parameters())


@pytest.mark.parametrize("name", SPATIAL)
def test_channels_first_is_the_same_on_the_moved_tensor(kl, name):
    arguments, given, _ = LAYERS[name]
    cls = getattr(kl, name)
    last = Net(anew(cls, **arguments), given).eval()
    first = Net(lambda x: cls(**arguments, data_format="channels_first")(x.movedim(-1, 1)), given).eval()
    first.load_state_dict(last.state_dict())
    x = torch.rand(given)
    y = last(x)
    torch.testing.assert_close(first(x).movedim(1, -1) if y.ndim > 2 else first(x), y)


@pytest.mark.parametrize("name", ["Conv3D", "BatchNormalization", "UpSampling3D", "Conv3DTranspose", "MaxPooling3D"])
def test_export(kl, name):
    arguments, given, _ = LAYERS[name]
    net = Net(anew(getattr(kl, name), **arguments), given).eval()
    x = torch.rand(given)
    exported = torch.export.export(net, (x,), strict=False)
    torch.testing.assert_close(exported.module()(x), net(x))


@pytest.mark.parametrize("name", MERGING)
def test_merging_layers_and_their_functions_agree(passes, kl, name):
    x, y = torch.rand(2, 3, 4), torch.rand(2, 3, 4)
    options = {"axes": 2} if name == "Dot" else {"axis": 1} if name == "Concatenate" else {}
    found = passes.build(lambda: getattr(kl, name)(**options)([x, y]))
    assert torch.equal(found, passes.run(lambda: getattr(kl, name.lower())([x, y], **options)))


def test_convolutions_run_in_bfloat16_under_autocast(kl):
    net = Net(lambda x: kl.BatchNormalization()(kl.Conv3D(2, 1)(x), training=True), V3)
    with torch.autocast("cpu", torch.bfloat16):
        found = Net(anew(kl.Conv3D, filters=2, kernel_size=1), V3)(torch.rand(V3))
        assert found.dtype == torch.bfloat16
        assert torch.isfinite(net(torch.rand(V3)).float()).all()
    assert net.store["batch_normalization/moving_mean"].dtype == torch.float32


def test_kernels_lie_in_memory_as_torch_wants_them(kl):
    net = Net(anew(kl.Conv3D, filters=3, kernel_size=2), V3)
    kernel = net.store["conv3d/kernel"]
    assert tuple(kernel.shape) == (2, 2, 2, 4, 3)
    assert kernel.permute(4, 3, 0, 1, 2).is_contiguous()


@pytest.mark.parametrize("name", [name for name in LAYERS if name not in ("InputLayer", "ActivityRegularization")])
def test_a_config_makes_the_same_layer(passes, kl, name):
    arguments, given, _ = LAYERS[name]
    cls = getattr(kl, name)

    def run():
        layer = cls(name="mine", **arguments)
        return layer(x), cls.from_config({**layer.get_config(), "name": "other"})(x)

    x = torch.rand(given)
    passes.build(run)
    with torch.no_grad():
        for variable in passes.store:
            if variable.startswith("other/"):
                passes.store[variable].copy_(passes.store[variable.replace("other/", "mine/")])
    assert torch.equal(*passes.run(run))
