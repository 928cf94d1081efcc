"""The errors a user can mend: one sentence with an address.

Every message says what is wrong, where (file, line, JSON path), what was found, what was expected and how to fix it.
Commands print such an error without a traceback and exit with 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Address", "ClaraError", "nearest", "suggestion"]


@dataclass(frozen=True)
class Address:
    """Where in the user's files something stands.

    Args:
        file: file name as the user gave it.
        line: 1-based line in that file, when known.
        path: JSON path such as ``train.pre_transforms[3].args.size``; empty for the whole file.
    """

    file: str
    line: int | None = None
    path: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place} {self.path}".rstrip()


class ClaraError(Exception):
    """Something the user can mend.

    Args:
        message: one sentence: what is wrong, what was expected, how to fix it.
        address: where; put in front of the message.
    """

    def __init__(self, message: str, address: Address | None = None) -> None:
        self.message = message
        self.address = address
        super().__init__(message, address)

    def __str__(self) -> str:
        return f"{self.address}: {self.message}" if self.address else self.message


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like ``name`` (case is ignored), or None when none is similar."""
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.5)
    return by_folded[found[0]] if found else None


def suggestion(name: str, candidates: Iterable[str]) -> str:
    """Return ``"; did you mean 'X'?"`` for the nearest candidate, or an empty string."""
    found = nearest(name, candidates)
    return f"; did you mean '{found}'?" if found else ""
