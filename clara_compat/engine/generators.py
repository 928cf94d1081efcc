"""The states of all random generators of a process, as plain data."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

__all__ = ["generator_states", "set_generators"]


def generator_states() -> dict[str, Any]:
    """Return what torch, CUDA (each device), ``numpy.random`` and ``random`` would draw next.

    Tensors and plain data only: a file of them loads with ``weights_only``.
    """
    name, keys, position, has_gauss, gauss = np.random.get_state()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": {
            "name": str(name),
            "keys": torch.from_numpy(np.asarray(keys).astype(np.int64)),
            "position": int(position),
            "has_gauss": int(has_gauss),
            "gauss": float(gauss),
        },
        "python": random.getstate(),
    }


def set_generators(states: Mapping[str, Any]) -> None:
    """Have all generators draw what they would have drawn next.

    Args:
        states: what :func:`generator_states` returned; devices that are not there any more are left out.
    """
    torch.set_rng_state(states["torch"].cpu())
    if torch.cuda.is_available():
        for device, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(state.cpu(), device)
    of_numpy = states["numpy"]
    keys = of_numpy["keys"].cpu().numpy().astype(np.uint32)
    np.random.set_state((of_numpy["name"], keys, of_numpy["position"], of_numpy["has_gauss"], of_numpy["gauss"]))
    version, words, gauss = states["python"]
    random.setstate((version, tuple(words), gauss))
