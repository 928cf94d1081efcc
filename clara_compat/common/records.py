"""What a run leaves for its report: names of files, and what stands in them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CASES", "PAGE", "SkippedItem"]

CASES = "validation_cases.json"
"""The cases of the best validation, in MMAR_CKPT_DIR."""

PAGE = "report.html"
"""The training report, in MMAR_CKPT_DIR."""


@dataclass(frozen=True)
class SkippedItem:
    """What statistics and reports say of an item that a run went on without.

    Args:
        files: of the item.
        reason: why it could not be made.
        section: ``train`` or ``validate``.
        times: how often it was skipped.
    """

    files: str
    reason: str
    section: str
    times: int
