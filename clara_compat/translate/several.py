"""What a config has for a run on several processes: nothing of it without ``multi_gpu``."""

from __future__ import annotations

from clara_compat.components.entry import Entry, Expression
from clara_compat.translate.bundle import DEVICE

__all__ = ["device_of", "meeting", "parting", "together"]

_PLACE = "clara_compat.engine.distributed"


def device_of(*, multi_gpu: bool) -> Expression:
    """Return the entry ``device``: of several processes each has chosen its GPU when they met.

    Args:
        multi_gpu: the config's setting.
    """
    here = "torch.device('cuda', torch.cuda.current_device())"
    own = Expression(f"${here} if torch.cuda.is_available() else torch.device('cpu')")
    return own if multi_gpu else DEVICE


def meeting(*, multi_gpu: bool) -> list[Entry]:
    """Return what comes first of all in ``initialize``: the processes meet.

    Args:
        multi_gpu: the config's setting.
    """
    return [Entry(f"{_PLACE}.processes.start")] if multi_gpu else []


def parting(*, multi_gpu: bool) -> list[Entry]:
    """Return the list ``finalize``: the processes take leave.

    Args:
        multi_gpu: the config's setting.
    """
    return [Entry(f"{_PLACE}.processes.end")] if multi_gpu else []


def together(*, multi_gpu: bool) -> list[Entry]:
    """Return the trainer's first handler: the processes make one step of their steps.

    Args:
        multi_gpu: the config's setting.
    """
    parts = {"network": Expression("@network"), "optimizer": Expression("@optimizer")}
    return [Entry(f"{_PLACE}.training.TrainTogether", **parts)] if multi_gpu else []
