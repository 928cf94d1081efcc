"""Weights in files: read without running anything that a file may hold."""

from __future__ import annotations

from pathlib import Path

import torch

from clara_compat.errors import ClaraError

__all__ = ["read_weights"]

_INSIDE = ("network", "model", "state_dict", "model_state_dict")
"""Keys under which checkpoints of several tools (ours first) keep the network's state dict."""


def read_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """Return the state dict in a file, on the CPU.

    The file is a state dict (``model.pt``, ``final_model.pt``) or a checkpoint that holds one under ``network``,
    ``model``, ``state_dict`` or ``model_state_dict``. It is read with ``weights_only``: a file from a stranger cannot
    run code.

    Args:
        path: the file.

    Raises:
        ClaraError: the file is missing, damaged, or holds something else, such as a checkpoint of TensorFlow's first
            format.
    """
    file = Path(path)
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ClaraError(f"the weights '{file}' cannot be read: {error.strerror or error}") from error
    except Exception as error:  # of whatever kind: torch raises a dozen for damaged files
        from clara_compat.tensorflow.checkpoint.reader import check_format

        check_format(file)
        raise ClaraError(f"'{file}' is damaged or no file of weights: expected one that torch.save wrote") from error
    inside = next((content[key] for key in _INSIDE if key in content), content) if isinstance(content, dict) else None
    if not isinstance(inside, dict) or not inside or not all(map(_is_weight, inside.items())):
        raise ClaraError(f"'{file}' holds no weights by name: expected a state dict, such as model.pt of a training")
    return dict(inside)


def _is_weight(item: tuple[object, object]) -> bool:
    return isinstance(item[0], str) and isinstance(item[1], torch.Tensor)
