"""What an export does with networks that are not so easy, and what it writes for servers."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from torch import nn

from clara_compat.engine.export import onnx_file as onnx_module
from clara_compat.engine.export import tensorrt_plan
from clara_compat.engine.export.compare import difference
from clara_compat.engine.export.onnx_file import check_libraries, onnx_file
from clara_compat.engine.export.probe import at_one_size, probe
from clara_compat.engine.export.torchscript import torchscript_file
from clara_compat.engine.export.triton import check_name, model_config
from clara_compat.errors import ClaraError


class OneSize(nn.Module):
    """Takes images of one size only."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layer = nn.Linear(size * size, 2)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.layer(image.flatten(1))


class Unscriptable(nn.Module):
    """What TorchScript's compiler does not know, but tracing does."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image * sum(x for x in (1.0, 2.0))  # a generator


class Baked(nn.Module):
    """Makes the size of its first image a part of what is traced."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image + torch.from_numpy(np.arange(image.shape[-1], dtype=np.float32))


def run(exported, image):
    return torch.jit.load(io.BytesIO(exported.content))(image)


@pytest.mark.parametrize(("size", "hints"), [(96, []), (40, [(7, 7), (40, 40)])])
def test_the_one_size_is_found(size, hints):
    network = OneSize(size).eval()
    probed = probe(network, 1, 2, None, hints)
    assert (probed.size, probed.any_size) == ((size, size), False)
    assert [tuple(image.shape) for image in probed.inputs] == [(1, 1, size, size), (2, 1, size, size)]
    image = torch.rand(5, 1, size, size)
    for exported in (torchscript_file(network, probed), onnx_file(network, probed, "A", "B")):
        assert not exported.any_size
        assert exported.difference <= 1e-5
    assert torch.allclose(run(torchscript_file(network, probed), image), network(image))


def test_a_wanted_size_is_part_of_the_comparison():
    probed = probe(nn.Conv2d(1, 1, 3, padding=1).eval(), 1, 2, (20, 30))
    assert probed.size == (20, 30)
    assert [tuple(image.shape) for image in probed.inputs] == [(1, 1, 32, 32), (2, 1, 64, 64), (1, 1, 20, 30)]


def test_sizes_that_a_network_does_not_take():
    network = OneSize(40).eval()
    with pytest.raises(ClaraError, match=r"no input size is found .*: say it with --trtis_input_shape"):
        probe(network, 1, 2, None)
    with pytest.raises(ClaraError, match=r"the network does not take an image of \[32, 32\] voxels: mat1 and mat2"):
        probe(network, 1, 2, (32, 32))


def test_huge_hints_are_not_tried():
    seen = []
    network = nn.Conv3d(1, 1, 1)
    network.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[2:].numel()))
    assert probe(network.eval(), 1, 3, None, [(100_000,) * 3]).size == (32, 32, 32)
    assert max(seen) <= 2**25


def test_a_network_that_gives_no_tensor():
    class Pair(nn.Module):
        def forward(self, image):
            return image, image

    with pytest.raises(ClaraError, match="the network gives a tuple, expected one tensor"):
        probe(Pair().eval(), 1, 2, (32, 32))


def test_what_cannot_be_scripted_is_traced():
    network = Unscriptable().eval()
    exported = torchscript_file(network, probe(network, 1, 2, None))
    image = torch.rand(3, 1, 17, 9)
    assert exported.any_size
    assert torch.equal(run(exported, image), network(image))


def test_what_is_traced_for_one_size_is_said_to_be():
    network = Baked().eval()
    exported = torchscript_file(network, probe(network, 1, 2, (48, 40)))
    image = torch.rand(3, 1, 48, 40)
    assert not exported.any_size
    assert torch.equal(run(exported, image), network(image))


def test_a_file_that_gives_something_else_is_refused():
    probed = probe(nn.Identity().eval(), 1, 2, None)
    assert difference(lambda image: image + 5e-5, probed, "X") == pytest.approx(5e-5, rel=0.01)
    for wrong, message in (
        (lambda image: image + 1e-2, r"the X file differs from the network by 0.01 for an input of \[1, 1, 32, 32\], "),
        (lambda image: image * float("nan"), "differs from the network by nan"),
        (lambda image: image[:, :, 1:], r"the X file gives \[1, 1, 31, 32\] for an input of \[1, 1, 32, 32\], the net"),
        (_fails_on_two, r"the X file does not take an input of \[2, 1, 64, 64\]: no$"),
    ):
        with pytest.raises(ClaraError, match=message):
            difference(wrong, probed, "X")


def test_the_networks_own_rounding_is_no_difference():
    class Large(nn.Module):
        def forward(self, image):
            return torch.cos(1e4 * image)

    probed = probe(Large().eval(), 1, 2, None)
    rounding = probed.rounding()
    assert 1e-4 < rounding < 1e-2
    assert difference(lambda image: torch.cos(1e4 * image) + 2 * rounding, probed, "X") > 1e-4
    with pytest.raises(ClaraError, match="differs from the network"):
        difference(lambda image: torch.cos(1e4 * image) + 20 * rounding, probed, "X")


def test_sizes_that_the_exporter_must_know_to_be_multiples():
    class Halves(nn.Module):
        divisor = 4

        def forward(self, image):
            small = nn.functional.avg_pool2d(nn.functional.avg_pool2d(image, 2), 2)
            return nn.functional.interpolate(small, scale_factor=4, mode="bilinear") + image

    network = Halves().eval()
    exported = onnx_file(network, probe(network, 1, 2, None), "A", "B")
    assert exported.any_size
    assert exported.difference <= 1e-5


def _fails_on_two(image: torch.Tensor) -> torch.Tensor:
    if len(image) == 2:
        raise RuntimeError("no\nmore")
    return image


def test_onnx_that_torch_cannot_write_is_told():
    class SingularValues(nn.Module):
        def forward(self, image):
            return torch.linalg.svdvals(image)

    network = SingularValues().eval()
    with pytest.raises(ClaraError, match="torch cannot write SingularValues as ONNX: "):
        onnx_file(network, probe(network, 1, 2, None), "A", "B")


def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(onnx_module, "find_spec", lambda name: None)
    with pytest.raises(
        ClaraError, match=r"ONNX needs onnx and onnxscript: install with pip install 'clara-compat\[export\]', or leave"
    ):
        check_libraries()


def _triton_config() -> type:
    """The part of Triton's published ``model_config.proto`` that is used, with its field numbers."""
    file = descriptor_pb2.FileDescriptorProto(name="model_config.proto", package="inference", syntax="proto3")
    kinds = file.enum_type.add(name="DataType")
    for number, name in ((0, "TYPE_INVALID"), (11, "TYPE_FP32")):
        kinds.value.add(name=name, number=number)
    field = descriptor_pb2.FieldDescriptorProto
    for kind in ("ModelInput", "ModelOutput"):
        tensor = file.message_type.add(name=kind)
        tensor.field.add(name="name", number=1, type=field.TYPE_STRING, label=1)
        tensor.field.add(name="data_type", number=2, type=field.TYPE_ENUM, type_name=".inference.DataType", label=1)
        tensor.field.add(
            name="dims", number=4 if kind == "ModelInput" else 3, type=field.TYPE_INT64, label=field.LABEL_REPEATED
        )
    config = file.message_type.add(name="ModelConfig")
    config.field.add(name="name", number=1, type=field.TYPE_STRING, label=1)
    config.field.add(name="platform", number=2, type=field.TYPE_STRING, label=1)
    config.field.add(name="max_batch_size", number=4, type=field.TYPE_INT32, label=1)
    for name, number, kind in (("input", 5, "ModelInput"), ("output", 6, "ModelOutput")):
        config.field.add(name=name, number=number, type=field.TYPE_MESSAGE, type_name=f".inference.{kind}", label=3)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("inference.ModelConfig"))


def test_the_configuration_is_one_of_triton():
    text = model_config(
        "spleen", max_batch_size=4, input_name="IN", input_dims=[1, -1, 96, 64], output_name="OUT", output_dims=[2, 3]
    )
    config = text_format.Parse(text, _triton_config()())
    assert (config.name, config.platform, config.max_batch_size) == ("spleen", "onnxruntime_onnx", 4)
    [image], [predictions] = config.input, config.output
    assert (image.name, image.data_type, list(image.dims)) == ("IN", 11, [1, -1, 96, 64])
    assert (predictions.name, predictions.data_type, list(predictions.dims)) == ("OUT", 11, [2, 3])


@pytest.mark.parametrize("name", ["", "../up", "a b", 'a"', ".hidden", "a/b", "-flag"])
def test_names_that_cannot_be_written(name):
    with pytest.raises(ClaraError, match="--trtis_model_name is '.*', expected a name of letters, digits and"):
        check_name(name, "--trtis_model_name")


def _probed():
    network = nn.Conv2d(1, 1, 1).eval()
    return at_one_size(network, probe(network, 1, 2, (32, 48)))


def test_the_command_that_makes_a_plan():
    line = tensorrt_plan.trtexec_line("m.onnx", "m.plan", "IN", _probed(), 4, "FP16")
    assert line == (
        "trtexec --onnx=m.onnx --saveEngine=m.plan --minShapes=IN:1x1x32x48 --optShapes=IN:1x1x32x48 "
        "--maxShapes=IN:4x1x32x48 --fp16"
    )


def test_a_plan_needs_a_gpu(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ClaraError, match="TensorRT is installed but torch sees no GPU"):
        tensorrt_plan.plan_file(b"", _probed(), "IN", 4, "FP32")


class _Builder:
    """A double of ``tensorrt.Builder``: its plan is the ONNX file, and refuses without a profile."""

    def __init__(self, log):
        self.calls = []

    def create_network(self, flags):
        assert flags == 1
        return SimpleNamespace()

    def create_builder_config(self):
        return SimpleNamespace(set_flag=self.calls.append, add_optimization_profile=self.calls.append)

    def create_optimization_profile(self):
        return SimpleNamespace(set_shape=lambda *given: self.calls.append(given))

    def build_serialized_network(self, network, config):
        assert self.calls[0] == "FP16"
        assert self.calls[1] == ("IN", (1, 1, 32, 48), (1, 1, 32, 48), (4, 1, 32, 48))
        return memoryview(network.content) if network.content != b"unbuildable" else None


class _Parser:
    def __init__(self, network, log):
        self.network = network

    def parse(self, content):
        self.network.content = content
        return content != b"unreadable"

    def get_error(self, index):
        return "In node 0: unsupported"


def test_a_plan_is_built_and_compared(monkeypatch: pytest.MonkeyPatch):
    """With doubles of TensorRT and of the GPU: the real library needs both."""
    double = SimpleNamespace(
        Logger=type("Logger", (), {"ERROR": 1, "__init__": lambda self, level: None}),
        Builder=_Builder,
        OnnxParser=_Parser,
        NetworkDefinitionCreationFlag=SimpleNamespace(EXPLICIT_BATCH=0),
        BuilderFlag=SimpleNamespace(FP16="FP16"),
        Runtime=lambda log: SimpleNamespace(deserialize_cuda_engine=lambda content: content),
    )
    monkeypatch.setitem(sys.modules, "tensorrt", double)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    probed = _probed()
    outputs = iter(probed.outputs)
    monkeypatch.setattr(tensorrt_plan, "_runner", lambda *given: lambda image: next(outputs) + 1e-3)
    plan = tensorrt_plan.plan_file(b"graph", probed, "IN", 4, "FP16")
    assert plan.content == b"graph"
    assert plan.difference == pytest.approx(1e-3, rel=0.01)
    with pytest.raises(ClaraError, match="TensorRT does not take the ONNX file: In node 0: unsupported"):
        tensorrt_plan.plan_file(b"unreadable", probed, "IN", 4, "FP16")
    with pytest.raises(ClaraError, match="TensorRT could not build the plan"):
        tensorrt_plan.plan_file(b"unbuildable", probed, "IN", 4, "FP16")
