"""Weights in files: read without running anything that a file may hold."""

from __future__ import annotations

from pathlib import Path

import torch

from clara_compat.errors import ClaraError

__all__ = ["check_archive", "read_weights"]

_INSIDE = ("network", "model", "state_dict", "model_state_dict")
"""Keys under which checkpoints of several tools (ours first) keep the network's state dict."""
_MOST_PACKED = 1 << 26
"""Bytes of code in an archive."""


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
    check_archive(file)
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


def check_archive(file: str | Path) -> None:
    """Refuse a file of torch whose records unpack to far more than the file: torch packs code, but no weights.

    What is no such archive is left to who reads it.

    Args:
        file: its path.

    Raises:
        ClaraError: it would fill the memory, and no training wrote it so.
    """
    try:
        size = Path(file).stat().st_size
        archive = torch._C.PyTorchFileReader(str(file))  # noqa: SLF001 - torch.load reads with it
        held = sum(archive.get_record_size(name) for name in archive.get_all_records())
    except (OSError, RuntimeError, ValueError):
        return
    if held > size + _MOST_PACKED:
        raise ClaraError(
            f"'{file}' unpacks from {size} to {held} bytes, as nothing does that torch wrote: it is not read"
        )


def _is_weight(item: tuple[object, object]) -> bool:
    return isinstance(item[0], str) and isinstance(item[1], torch.Tensor)
