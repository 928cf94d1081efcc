"""The seeds and switches of a run, set before anything is built."""

from __future__ import annotations

import random

import numpy as np
import torch
from monai.utils import set_determinism

from clara_compat.common.launch import launched
from clara_compat.engine.acceleration.memory import keep_freed_memory
from clara_compat.engine.distributed.gather import size
from clara_compat.errors import ClaraError

__all__ = ["seed_run"]


def seed_run(
    torch_seed: int, numpy_seed: int, random_seed: int, *, deterministic: bool, tf32: bool | None = None
) -> None:
    """Seed the process, choose between reproducible and fast kernels, and keep freed memory for the next step.

    Must run before the network is built: the initial weights are drawn from torch's generator.

    Args:
        torch_seed: Clara's ``tf_seed``: weights and dropout.
        numpy_seed: seed of ``numpy.random``.
        random_seed: seed of ``random``.
        deterministic: reproducible cuDNN kernels and no autotuning.
        tf32: allow TF32 on Ampere and later; None leaves torch's choice.

    Raises:
        ClaraError: several processes were started, and the config (of a bundle) has nothing for them.
    """
    launch = launched()
    if launch is not None and launch.size > size():
        raise ClaraError(
            f"{launch.by} started {launch.size} processes, but the config was written without multi_gpu: each would do "
            "the whole run and write the same files; migrate with --set multi_gpu=true, or start one process without "
            f"{launch.by}"
        )
    keep_freed_memory()
    if deterministic:
        set_determinism(seed=torch_seed)
    torch.manual_seed(torch_seed)
    np.random.seed(numpy_seed % 2**32)
    random.seed(random_seed)
    if tf32 is not None:
        torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.allow_tf32 = tf32
