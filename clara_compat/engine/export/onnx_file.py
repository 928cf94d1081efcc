"""A network as ONNX.

MONAI's ``convert_to_onnx`` is not used: it has no names for axes of any size with torch's present exporter, and it
leaves the paths of this machine's Python files in the file.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any

import torch

from clara_compat.engine.export.compare import Exported, difference
from clara_compat.engine.export.probe import Probe, at_one_size
from clara_compat.errors import ClaraError

__all__ = ["check_libraries", "onnx_file"]

_OPSET = 18
"""The oldest that torch's exporter writes, so that older servers read it too."""
_AXES = {2: ("height", "width"), 3: ("depth", "height", "width")}


def check_libraries() -> None:
    """Raise when the libraries that write ONNX are not there.

    Raises:
        ClaraError: with the command that installs them.
    """
    missing = [name for name in ("onnx", "onnxscript") if find_spec(name) is None]
    if missing:
        raise ClaraError(
            f"ONNX needs {' and '.join(missing)}: install with pip install 'clara-compat[export]', or leave ONNX out "
            "with --no-onnx"
        )


def onnx_file(network: torch.nn.Module, probed: Probe, input_name: str, output_name: str) -> Exported:
    """Return a network as ONNX, compared with it in ONNX Runtime (in ONNX's own evaluator where that is missing).

    The number of items is free, and the spatial size too where the network allows it.

    Args:
        network: in evaluation mode, on the CPU.
        probed: inputs to compare on.
        input_name: of the image.
        output_name: of the predictions.

    Raises:
        ClaraError: the libraries are missing, torch cannot write the network, or the file does not give what the
            network gives.
    """
    axes = _AXES[probed.inputs[0].ndim - 2]
    divisor = getattr(network, "divisor", None)
    ways: list[tuple[Any, ...]] = [axes] if probed.any_size else []
    if probed.any_size and isinstance(divisor, int):  # where the exporter must know that sizes can be halved
        ways.append(tuple(divisor * torch.export.Dim(name, min=1) for name in axes))
    for sizes in ways:
        with suppress(ClaraError):  # the exporter has made the size of the example a part of the network
            return _compared(_content(network, probed, input_name, output_name, sizes), probed, input_name)
    probed = at_one_size(network, probed)
    return _compared(_content(network, probed, input_name, output_name), probed, input_name)


def _compared(content: bytes, probed: Probe, input_name: str) -> Exported:
    return Exported(content, difference(_runner(content, input_name), probed, "ONNX"), probed.any_size)


def _content(
    network: torch.nn.Module, probed: Probe, input_name: str, output_name: str, sizes: Sequence[Any] = ()
) -> bytes:
    """Write the network; ``sizes`` are the spatial axes that are free, by name or as multiples of a dimension."""
    image = probed.inputs[1]  # of two items: one of a single item would fix their number
    free = {0: torch.export.Dim("batch") if sizes and not isinstance(sizes[0], str) else "batch"}
    axes = free | {2 + axis: size for axis, size in enumerate(sizes)}
    try:
        with _quiet():
            program = torch.onnx.export(
                network,
                (image,),
                input_names=[input_name],
                output_names=[output_name],
                opset_version=_OPSET,
                dynamo=True,
                dynamic_shapes=(axes,),
                verbose=False,
            )
    except Exception as error:  # torch raises what its many parts raise
        reason = str(error).strip().partition("\n")[0]
        raise ClaraError(f"torch cannot write {type(network).__name__} as ONNX: {reason}") from error
    if program is None:
        raise ClaraError(f"torch gave no ONNX of {type(network).__name__}")
    model: Any = program.model_proto
    _forget_sources(model)
    return model.SerializeToString()


def _forget_sources(model: Any) -> None:
    """Take out where in which file each node was made: paths of this machine."""
    for graph in (model.graph, *model.functions):
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ""


def _runner(content: bytes, input_name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    if find_spec("onnxruntime") is not None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session: Any = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    else:
        import onnx
        from onnx.reference import ReferenceEvaluator

        session = ReferenceEvaluator(onnx.load_from_string(content))
    return lambda image: torch.as_tensor(session.run(None, {input_name: image.numpy()})[0])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch's remarks on its own parts from the terminal."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
