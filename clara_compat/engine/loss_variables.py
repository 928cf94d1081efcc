"""The trained variables of a loss, which a checkpoint keeps beside the network's."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from clara_compat.common.weight_files import is_tensorflow

__all__ = ["load_loss_into"]

logger = logging.getLogger("clara_compat")


def load_loss_into(loss: torch.nn.Module, path: str | Path) -> torch.nn.Module:
    """Give a loss its variables out of a checkpoint, where it has any and the file holds them by name and shape.

    ``checkpoint.pt`` of a training holds them under ``loss``; a file of the network's weights alone, or a checkpoint of
    TensorFlow, leaves the loss as it is, which is said.

    Args:
        loss: changed in place, on whatever device it is.
        path: of the weights that the network starts from, which have been read before.

    Returns:
        The same loss.
    """
    own = loss.state_dict()
    if not own:
        return loss
    found = {}
    if not is_tensorflow(path):
        content = torch.load(path, map_location="cpu", weights_only=True)
        kept = content.get("loss") if isinstance(content, dict) else None
        found = kept if isinstance(kept, dict) else {}
    taken = {
        name: found[name]
        for name, value in own.items()
        if isinstance(found.get(name), torch.Tensor) and found[name].shape == value.shape
    }
    loss.load_state_dict(taken, strict=False)
    level = logging.INFO if len(taken) == len(own) else logging.WARNING
    logger.log(level, "variables of the loss in %s: %d of its %d tensors are taken over", path, len(taken), len(own))
    return loss
