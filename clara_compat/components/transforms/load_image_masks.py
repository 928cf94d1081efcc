"""Clara's ``LoadImageMasks``."""

from __future__ import annotations

from clara_compat.components.component import assumed
from clara_compat.components.transforms._picture_loader import PictureLoader

__all__ = ["LoadImageMasks"]


class LoadImageMasks(PictureLoader):
    """Replace the path of a picture that holds a mask in each field by the image.

    Source: clara-3.1-transforms facts, section 4.1 (the name only).

    Args:
        fields: fields that hold paths, or lists of paths, which give one channel each.
    """

    undocumented = True
    fidelity = assumed(
        "nothing but the name is known: a mask is read as LoadPng reads it, but a file with a palette gives the "
        "indices, which are its classes"
    )
    palette_indices = True

    def __init__(self, fields: str | list[str]) -> None:
        super().__init__(fields)
