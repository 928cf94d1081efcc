"""Errors that say that memory ran out."""

from __future__ import annotations

import errno

import torch

__all__ = ["ran_out"]

_WORDS = (
    "can't allocate memory",  # torch, CPU
    "can't start new thread",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "std::bad_alloc",
)
"""What errors without a type of their own say."""


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory ran out, of the machine or of its GPU.

    Args:
        error: what was raised.
    """
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _WORDS)
