"""What a config has for a run on several processes: nothing of it without ``multi_gpu``."""

from __future__ import annotations

from clara_compat.components.entry import Entry, Expression
from clara_compat.config.settings import EvaluateSettings, TrainSettings
from clara_compat.translate.bundle import DEVICE

__all__ = ["device_of", "meeting", "parting", "together"]


def device_of(settings: TrainSettings | EvaluateSettings) -> Expression:
    """Return the entry ``device``: of several processes each has chosen its GPU when they met.

    Args:
        settings: of the config.
    """
    here = "torch.device('cuda', torch.cuda.current_device())"
    own = Expression(f"${here} if torch.cuda.is_available() else torch.device('cpu')")
    return own if settings.multi_gpu else DEVICE


def meeting(settings: TrainSettings | EvaluateSettings) -> list[Entry]:
    """Return what comes first of all in ``initialize``: the processes meet.

    Args:
        settings: of the config.
    """
    return [Entry("clara_compat.engine.distributed.processes.start")] if settings.multi_gpu else []


def parting(settings: TrainSettings | EvaluateSettings) -> list[Entry]:
    """Return the list ``finalize``: the processes take leave.

    Args:
        settings: of the config.
    """
    return [Entry("clara_compat.engine.distributed.processes.end")] if settings.multi_gpu else []


def together(settings: TrainSettings) -> list[Entry]:
    """Return the trainer's first handler: the processes make one step of their steps.

    Args:
        settings: of the config.
    """
    parts = {"network": Expression("@network"), "optimizer": Expression("@optimizer")}
    target = "clara_compat.engine.distributed.training.TrainTogether"
    return [Entry(target, **parts)] if settings.multi_gpu else []
