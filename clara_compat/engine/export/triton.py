"""What Triton Inference Server (TRTIS in Clara's time) has to know of a model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clara_compat.errors import ClaraError

__all__ = ["check_name", "model_config"]

_NAME = re.compile(r"\w[\w.:-]*", re.ASCII)


def check_name(name: str, what: str) -> None:
    """Raise when a name could not stand in a model's folder or its ``config.pbtxt``.

    Args:
        name: the name.
        what: what it is, for the message.

    Raises:
        ClaraError: it has other characters than letters, digits and ``_ . : -``.
    """
    if not _NAME.fullmatch(name):
        raise ClaraError(f"{what} is '{name}', expected a name of letters, digits and _ . : - only")


def model_config(
    name: str,
    *,
    max_batch_size: int,
    input_name: str,
    input_dims: Sequence[int],
    output_name: str,
    output_dims: Sequence[int],
) -> str:
    """Return the ``config.pbtxt`` of an ONNX model.

    Args:
        name: of the model, which is also its folder's.
        max_batch_size: images that a call may have.
        input_name: of the image.
        input_dims: channels and spatial sizes of one image; -1 for any.
        output_name: of the predictions.
        output_dims: channels and spatial sizes of the predictions for one image; -1 for any.
    """
    return (
        f'name: "{name}"\n'
        'platform: "onnxruntime_onnx"\n'
        f"max_batch_size: {max_batch_size}\n"
        f"input [\n{_tensor(input_name, input_dims)}]\n"
        f"output [\n{_tensor(output_name, output_dims)}]\n"
    )


def _tensor(name: str, dims: Sequence[int]) -> str:
    return f'  {{\n    name: "{name}"\n    data_type: TYPE_FP32\n    dims: [ {", ".join(map(str, dims))} ]\n  }}\n'
