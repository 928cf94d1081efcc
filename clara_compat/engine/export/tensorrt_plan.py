"""A network as a plan of TensorRT, where that library is installed.

Its interface: TensorRT 10's Python documentation (``Builder``, ``OnnxParser``, ``IExecutionContext``).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch

from clara_compat.engine.export.compare import TOLERANCE, Exported, difference
from clara_compat.engine.export.probe import Probe
from clara_compat.errors import ClaraError

__all__ = ["is_installed", "plan_file", "trtexec_line"]

_TOLERANCES = {"FP32": 1e-3, "FP16": 1e-2}
"""Largest differences that pass; TensorRT multiplies in TF32 where the GPU has it."""


def is_installed() -> bool:
    """Whether Python finds TensorRT."""
    return find_spec("tensorrt") is not None


def trtexec_line(onnx: str, plan: str, input_name: str, probed: Probe, max_batch_size: int, precision: str) -> str:
    """Return the command that makes the plan on a machine with TensorRT.

    Args:
        onnx: path of the ONNX file.
        plan: path of the plan.
        input_name: of the network's input.
        probed: what is known of the network.
        max_batch_size: the most images at once.
        precision: ``FP32`` or ``FP16``.
    """
    smallest, usual, largest = ("x".join(map(str, shape)) for shape in _profile(probed, max_batch_size))
    half = " --fp16" if precision == "FP16" else ""
    return (
        f"trtexec --onnx={onnx} --saveEngine={plan} --minShapes={input_name}:{smallest} "
        f"--optShapes={input_name}:{usual} --maxShapes={input_name}:{largest}{half}"
    )


def plan_file(onnx: bytes, probed: Probe, input_name: str, max_batch_size: int, precision: str) -> Exported:
    """Build the plan of an ONNX file for this machine's GPU and compare it with the network.

    Args:
        onnx: content of the file.
        probed: inputs of the one size the plan is for, with the network's outputs.
        input_name: of the image.
        max_batch_size: images that a call may have.
        precision: ``FP32`` or ``FP16``.

    Raises:
        ClaraError: there is no GPU, TensorRT refuses, or the plan does not give what the network gives.
    """
    if not torch.cuda.is_available():
        raise ClaraError("TensorRT is installed but torch sees no GPU, which a plan is made for")
    trt: Any = import_module("tensorrt")
    log = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(onnx):
        raise ClaraError(f"TensorRT does not take the ONNX file: {parser.get_error(0)}")
    config = builder.create_builder_config()
    if precision == "FP16":
        config.set_flag(trt.BuilderFlag.FP16)
    profile = builder.create_optimization_profile()
    profile.set_shape(input_name, *_profile(probed, max_batch_size))
    config.add_optimization_profile(profile)
    built = builder.build_serialized_network(network, config)
    if built is None:
        raise ClaraError("TensorRT could not build the plan; its own lines above say why")
    content = bytes(built)
    engine = trt.Runtime(log).deserialize_cuda_engine(content)
    found = difference(_runner(trt, engine, input_name), probed, "TensorRT", _TOLERANCES.get(precision, TOLERANCE))
    return Exported(content, found, any_size=False)


def _profile(probed: Probe, max_batch_size: int) -> list[tuple[int, ...]]:
    one = (probed.inputs[0].shape[1], *probed.size)
    return [(number, *one) for number in (1, 1, max_batch_size)]


def _runner(trt: Any, engine: Any, input_name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    context = engine.create_execution_context()
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    [output_name] = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.OUTPUT]

    def run(image: torch.Tensor) -> torch.Tensor:
        given = image.cuda().contiguous()
        context.set_input_shape(input_name, tuple(given.shape))
        made = torch.empty(tuple(context.get_tensor_shape(output_name)), device="cuda")
        context.set_tensor_address(input_name, given.data_ptr())
        context.set_tensor_address(output_name, made.data_ptr())
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        if not context.execute_async_v3(stream.cuda_stream):
            raise RuntimeError("TensorRT could not run the plan")
        stream.synchronize()
        return made.cpu()

    return run
