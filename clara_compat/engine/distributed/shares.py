"""Which part of a step is this process' own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from ignite.engine import Engine
from monai.utils import CommonKeys

from clara_compat.engine.data.sampler import EpochSampler

__all__ = ["means_of_all", "own_images"]


def own_images(engine: Engine) -> int:
    """Return how many images of the engine's batch count as this process' own.

    Args:
        engine: whose batch is a dictionary with ``image``; of another one nothing is known, and all of it counts.
    """
    batch: Any = engine.state.batch
    images = batch.get(CommonKeys.IMAGE) if isinstance(batch, Mapping) else None
    count = len(images) if isinstance(images, torch.Tensor) else 1
    loader = getattr(engine, "data_loader", None)
    if getattr(loader, "fills", False):
        return 0
    sampler = getattr(loader, "sampler", None)
    if isinstance(sampler, EpochSampler) and engine.state.epoch_length:
        return count if sampler.share((engine.state.iteration - 1) % engine.state.epoch_length) else 0
    return count


def means_of_all(values: Mapping[str, torch.Tensor], engine: Engine) -> dict[str, torch.Tensor]:
    """Return the means over the images of all processes, without waiting for the device.

    What is not finite, or no single number, on a process is left out; nan is the mean where it is so on all.

    Args:
        values: of this step, by the same names on every process: means over its own images.
        engine: the trainer.
    """
    if not values:
        return {}
    device = engine.state.device  # a value may have been made on the host
    nothing = torch.full((), torch.nan, dtype=torch.float64, device=device)
    numbers = (value.detach() for value in values.values())
    told = torch.stack([one.reshape(()).to(device).double() if one.numel() == 1 else nothing for one in numbers])
    count = getattr(engine.state, "share", None)
    counted = told.isfinite() * float(own_images(engine) if count is None else count)
    sums = torch.stack([torch.where(counted > 0, told, 0.0) * counted, counted])
    dist.all_reduce(sums)
    return dict(zip(values, sums[0] / sums[1], strict=True))
