"""The activation a Clara network ends in, and the logarithms of what comes out of it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.weak import WeakTensorKeyDictionary

from clara_compat.errors import suggestion

__all__ = ["FINAL_ACTIVATIONS", "FinalActivation", "log_complements", "log_likelihoods", "log_probabilities", "widened"]

FINAL_ACTIVATIONS = ("softmax", "sigmoid", "linear")


class FinalActivation(nn.Module):
    """Softmax over the channels, sigmoid, or nothing; always in float32 or wider.

    Clara's networks end in their own activation (clara-3.1 engine facts, section 2.1), so losses and metrics receive
    probabilities. Under autocast the last convolution yields bfloat16 or float16, whose 8 or 11 significant bits are
    too few for a loss that takes ``1 - p`` or ``log(p)``: the values are widened first.

    While training, the logits are remembered beside the probabilities for as long as these live:
    :func:`log_probabilities` and :func:`log_complements` take the logarithms from them.

    Args:
        name: ``softmax``, ``sigmoid`` or ``linear``; case is ignored.

    Raises:
        ValueError: when ``name`` is another one.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = str(name).lower()
        if self.name not in FINAL_ACTIVATIONS:
            raise ValueError(
                f"final_activation is '{name}' but must be one of {', '.join(FINAL_ACTIVATIONS)}"
                f"{suggestion(str(name), FINAL_ACTIVATIONS)}"
            )

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the activated values of ``logits`` (N, C, spatial...), same shape."""
        logits = widened(logits)
        if self.name == "linear":
            return logits
        probabilities = torch.softmax(logits, dim=1) if self.name == "softmax" else torch.sigmoid(logits)
        if not torch.jit.is_scripting():
            _remember(probabilities, self.name, logits)
        return probabilities

    def extra_repr(self) -> str:
        """Show the name in the printed network."""
        return self.name


def widened(values: torch.Tensor) -> torch.Tensor:
    """Return values of 16 bits, which autocast leaves, in float32; others as they are.

    Args:
        values: any tensor.
    """
    return values.float() if values.dtype in [torch.bfloat16, torch.float16] else values  # a list: TorchScript


def log_probabilities(predictions: torch.Tensor) -> torch.Tensor:
    """Return log(p) of every channel, exact and with an exact gradient also where p has run to 0 or 1 in float32.

    This needs the very tensor that a :class:`FinalActivation` returned while gradients were on. Of any other tensor (of
    a user's network, changed in between, computed without gradients, sent through ``DataParallel`` or a compiled or
    traced network) the logarithm itself is taken, of no less than the smallest normal number: still finite, but
    without a gradient where p is below that.

    Args:
        predictions: probabilities (N, C, spatial...), float32 or wider.
    """
    origin = _origin(predictions)
    if origin is None:
        return _log(predictions)
    return F.log_softmax(origin.logits, dim=1) if origin.activation == "softmax" else F.logsigmoid(origin.logits)


def log_complements(predictions: torch.Tensor) -> torch.Tensor:
    """Return log(1 - p) of every channel, under the conditions of :func:`log_probabilities`.

    Args:
        predictions: probabilities (N, C, spatial...), float32 or wider.
    """
    origin = _origin(predictions)
    if origin is None or (origin.activation == "softmax" and predictions.shape[1] == 1):  # there p is 1 everywhere
        return _log(1.0 - predictions)
    if origin.activation == "sigmoid":
        return F.logsigmoid(-origin.logits)
    scores = F.log_softmax(origin.logits, dim=1)
    rest = (torch.cat([scores[:, :c], scores[:, c + 1 :]], dim=1) for c in range(scores.shape[1]))
    return torch.stack([torch.logsumexp(others, dim=1) for others in rest], dim=1)


def log_likelihoods(predictions: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return log(p) where ``mask`` is true and log(1 - p) elsewhere, under the conditions of :func:`log_probabilities`.

    Args:
        predictions: probabilities (N, C, spatial...), float32 or wider.
        mask: booleans of the same shape.
    """
    origin = _origin(predictions)
    if origin is None:
        return _log(torch.where(mask, predictions, 1.0 - predictions))
    if origin.activation == "sigmoid":
        return F.logsigmoid(torch.where(mask, origin.logits, -origin.logits))
    return torch.where(mask, log_probabilities(predictions), log_complements(predictions))


class _Origin(NamedTuple):
    """Where probabilities came from: ``activation`` of ``logits``, as long as they still have this ``version``."""

    activation: str
    logits: torch.Tensor
    version: int


_ORIGINS = WeakTensorKeyDictionary()
"""Origins by the probabilities. An attribute of the tensor would be copied, pickled and saved with it."""


def _remember(probabilities: torch.Tensor, activation: str, logits: torch.Tensor) -> None:
    if torch.compiler.is_compiling() or torch.jit.is_tracing():
        return
    if type(probabilities) is torch.Tensor and probabilities.requires_grad:
        _ORIGINS[probabilities] = _Origin(activation, logits, probabilities._version)  # noqa: SLF001 - as autograd does


def _origin(probabilities: torch.Tensor) -> _Origin | None:
    """Return where probabilities came from, or None: never known, or they were changed in place since."""
    found: _Origin | None = _ORIGINS.get(probabilities)
    base = probabilities._base  # noqa: SLF001 - none but torch's own name for it
    if found is None and base is not None and _lies_as(probabilities, base):  # moved to another layout and back
        found = _ORIGINS.get(base)
    return found if found is not None and found.version == probabilities._version else None  # noqa: SLF001


def _lies_as(view: torch.Tensor, base: torch.Tensor) -> bool:
    return (view.shape, view.stride(), view.storage_offset()) == (base.shape, base.stride(), base.storage_offset())


def _log(values: torch.Tensor) -> torch.Tensor:
    return torch.log(values.clamp(min=torch.finfo(values.dtype).tiny))
