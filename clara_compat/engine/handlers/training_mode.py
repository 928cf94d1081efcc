"""Validation with the network in training mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.networks.utils import train_mode

__all__ = ["KeepStatistics"]


class KeepStatistics:
    """Puts a network's buffers back after every validation, and keeps gradients off in it.

    With an evaluator of mode ``train`` batch normalisation uses the statistics of the batch, as Clara's
    ``infer_in_training_mode`` asks for (clara-3.1 engine facts, section 1.5). There the running statistics were only
    updated by the training step; torch updates them in every forward pass. MONAI's mode ``train`` turns gradients on,
    which would hold all features of a scan.

    Args:
        network: whose buffers are kept.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        self.network = network
        self._kept: dict[str, torch.Tensor] = {}

    def attach(self, engine: Engine) -> None:
        """Attach to an evaluator, ahead of handlers that save the network."""
        engine.add_event_handler(Events.STARTED, self._keep)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._restore)

    def _keep(self, engine: Engine) -> None:
        if engine.mode is train_mode:
            engine.mode = _training_without_gradients
        self._kept = {name: buffer.clone() for name, buffer in self.network.named_buffers()}

    def _restore(self, engine: Engine) -> None:
        for name, buffer in self.network.named_buffers():
            buffer.copy_(self._kept[name])


@contextmanager
def _training_without_gradients(*networks: torch.nn.Module) -> Iterator[Any]:
    with train_mode(*networks) as trained, torch.no_grad():
        yield trained
