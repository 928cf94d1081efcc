"""The names of what makes a training faster."""

from __future__ import annotations

from clara_compat.errors import suggestion

__all__ = ["AUTO", "GPU_DATA", "LEVERS", "OFF", "levers_of"]

AUTO, OFF = "auto", "off"
GPU_DATA = "gpu_data"

LEVERS = ("bf16", "channels_last", "cudnn_benchmark", "compile", GPU_DATA)
"""``bf16``: the forward pass in bfloat16 where that is safe (autocast); weights, loss and optimiser stay float32.
``channels_last``: the channels of a voxel lie side by side in memory. ``cudnn_benchmark``: cuDNN tries its algorithms
for each shape. ``compile``: ``torch.compile``. ``gpu_data``: the transforms behind the last one that needs the CPU run
on the GPU, and cached items lie there as far as they fit."""


def levers_of(text: str | bool) -> tuple[str, ...] | None:
    """Return the levers that a setting names, in the order of :data:`LEVERS`; None for ``auto``, none for ``off``.

    Args:
        text: ``auto``, ``off``, or names with commas between them; true is ``auto``, false ``off``.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(text, bool):
        return None if text else ()
    words = [word.strip() for word in text.split(",") if word.strip()]
    if words == [AUTO]:
        return None
    if words == [OFF]:
        return ()
    unknown = [word for word in words if word not in LEVERS]
    if unknown or not words:
        hint = suggestion(unknown[0], (AUTO, OFF, *LEVERS)) if unknown else ""
        raise ValueError(f"auto, off, or levers with commas between them ({', '.join(LEVERS)}){hint}")
    return tuple(lever for lever in LEVERS if lever in words)
