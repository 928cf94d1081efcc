"""The activation a Clara network ends in."""

from __future__ import annotations

import torch
from torch import nn

from clara_compat.errors import suggestion

__all__ = ["FINAL_ACTIVATIONS", "FinalActivation"]

FINAL_ACTIVATIONS = ("softmax", "sigmoid", "linear")


class FinalActivation(nn.Module):
    """Softmax over the channels, sigmoid, or nothing; always in float32 or wider.

    Clara's networks end in their own activation (clara-3.1 engine facts, section 2.1), so losses and metrics receive
    probabilities. Under autocast the last convolution yields bfloat16 or float16, whose 8 or 11 significant bits are
    too few for a loss that takes ``1 - p`` or ``log(p)``: the values are widened first.

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
        if logits.dtype in [torch.bfloat16, torch.float16]:
            logits = logits.float()
        if self.name == "softmax":
            return torch.softmax(logits, dim=1)
        if self.name == "sigmoid":
            return torch.sigmoid(logits)
        return logits

    def extra_repr(self) -> str:
        """Show the name in the printed network."""
        return self.name
