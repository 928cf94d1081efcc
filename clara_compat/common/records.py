"""Names of the files that a report is made from, and of the page itself."""

from __future__ import annotations

__all__ = ["CASES", "PAGE"]

CASES = "validation_cases.json"
"""The cases of the best validation, in MMAR_CKPT_DIR."""

PAGE = "report.html"
"""The training report, in MMAR_CKPT_DIR."""
