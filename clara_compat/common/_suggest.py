"""A hint for a mistyped name.

``common`` imports nothing else of ours, hence these few lines beside :func:`clara_compat.errors.suggestion`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return ``"; did you mean 'X'?"`` for the candidate most like ``name`` (case is ignored), or an empty string."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.5)
    return f"; did you mean '{by_folded[found[0]]}'?" if found else ""
