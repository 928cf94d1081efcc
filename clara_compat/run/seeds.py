"""The seeds of a run, from Clara's ``determinism`` or drawn anew."""

from __future__ import annotations

import secrets

from clara_compat.config.workflow import Determinism
from clara_compat.translate.bundle import Seeds

__all__ = ["seeds_of"]


def seeds_of(determinism: Determinism | None) -> Seeds:
    """Return the seeds that ``determinism`` names; what it leaves out is 0, and without it one is drawn for all.

    Clara's ``tf_seed`` seeds torch (weights, dropout), ``numpy_seed`` everything the data side draws. ``python_seed``
    is PYTHONHASHSEED, on which nothing here depends.
    """
    if determinism is None:
        return Seeds(*[secrets.randbelow(2**31)] * 4)
    numpy_seed, torch_seed, python_seed = (
        (seed or 0) % 2**63 for seed in (determinism.numpy_seed, determinism.tf_seed, determinism.random_seed)
    )
    return Seeds(data=numpy_seed, torch=torch_seed, numpy=numpy_seed, python=python_seed)
