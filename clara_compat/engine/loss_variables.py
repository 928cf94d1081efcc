"""The trained variables of a loss, which a checkpoint keeps beside the network's."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch

from clara_compat.common.weight_files import is_tensorflow, prefix_of
from clara_compat.engine.matching import tensorflow_names

__all__ = ["load_loss_into"]

logger = logging.getLogger("clara_compat")


def load_loss_into(loss: torch.nn.Module, path: str | Path, network: torch.nn.Module | None = None) -> torch.nn.Module:
    """Give a loss its variables out of a checkpoint, where it has any and the file holds them by name and shape.

    ``checkpoint.pt`` of a training holds them under ``loss``. A checkpoint of TensorFlow holds them, and what was
    converted from one, beside the network's: there they are found by TensorFlow's names, but never under a name that
    is the network's. Layers that count themselves (``conv3d_7``) went on counting from the network in TensorFlow and
    begin anew here, so they are not found. What is not there leaves the loss as it is, which is said.

    Args:
        loss: changed in place, on whatever device it is.
        path: of the weights that the network starts from, which have been read before.
        network: the network of the same training.

    Returns:
        The same loss.
    """
    own = loss.state_dict()
    if not own:
        return loss
    names = tensorflow_names(loss)
    names = {tensor: name for tensor, name in names.items() if name not in set(tensorflow_names(network).values())}
    found = _of_tensorflow(names, path) if is_tensorflow(path) else _saved(names, path)
    taken = {
        name: found[name]
        for name, value in own.items()
        if isinstance(found.get(name), torch.Tensor) and found[name].shape == value.shape
    }
    loss.load_state_dict(taken, strict=False)
    level = logging.INFO if len(taken) == len(own) else logging.WARNING
    logger.log(level, "variables of the loss in %s: %d of its %d tensors are taken over", path, len(taken), len(own))
    return loss


def _saved(names: dict[str, str], path: str | Path) -> dict[str, Any]:
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, dict):
        return {}
    kept = content.get("loss")
    return kept if isinstance(kept, dict) else {tensor: content.get(name) for tensor, name in names.items()}


def _of_tensorflow(names: dict[str, str], path: str | Path) -> dict[str, Any]:
    from clara_compat.tensorflow.checkpoint.reader import open_checkpoint

    checkpoint = open_checkpoint(prefix_of(path))
    held = checkpoint.variables
    return {
        tensor: torch.from_numpy(checkpoint.read(name))
        for tensor, name in names.items()
        if name in held and held[name].storage is not None
    }
