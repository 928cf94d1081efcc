"""The seeds of a run, from Clara's ``determinism`` or drawn anew."""

from __future__ import annotations

import secrets

from clara_compat.config.workflow import Determinism
from clara_compat.translate.bundle import Seeds

__all__ = ["seeds_of"]


def seeds_of(determinism: Determinism | None) -> Seeds:
    """Return the seeds that ``determinism`` names; what it leaves out is 0, and without it all are drawn at random.

    Clara's ``tf_seed`` seeds torch (weights, dropout), ``numpy_seed`` everything the data side draws. ``python_seed``
    is PYTHONHASHSEED, on which nothing here depends.
    """
    if determinism is None:
        return Seeds(*(secrets.randbelow(2**31) for _ in range(4)))
    numpy_seed = determinism.numpy_seed or 0
    return Seeds(data=numpy_seed, torch=determinism.tf_seed or 0, numpy=numpy_seed, python=determinism.random_seed or 0)
