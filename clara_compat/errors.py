"""The errors a user can mend: one sentence with an address.

Every message says what is wrong, where (file, line, JSON path), what was found, what was expected and how to fix it.
Commands print such an error without a traceback and exit with 2.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Address", "ClaraError", "nearest", "printable", "suggestion"]

_LONGEST = 2_000
_UNSHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that steer a terminal, that turn the direction of what is read, or that are none."""


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
        return printable(f"{place} {self.path}".rstrip())


class ClaraError(Exception):
    """Something the user can mend.

    Args:
        message: one sentence: what is wrong, what was expected, how to fix it. It may quote what a stranger wrote, so
            it is kept as :func:`printable` gives it.
        address: where; put in front of the message.
    """

    def __init__(self, message: str, address: Address | None = None) -> None:
        self.message = printable(message)
        self.address = address
        super().__init__(self.message, address)

    def __str__(self) -> str:
        return f"{self.address}: {self.message}" if self.address else self.message


def printable(text: str) -> str:
    """Return a text that may hold a stranger's words as a terminal can show it: the middle of a long one left out.

    Args:
        text: a message, or a part of one.
    """
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"
    return _UNSHOWN.sub(lambda found: ascii(found[0])[1:-1], text)


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like ``name`` (case is ignored), or None when none is similar.

    Args:
        name: the word that is not known.
        candidates: the words that are.
    """
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.5)
    return by_folded[found[0]] if found else None


def suggestion(name: str, candidates: Iterable[str]) -> str:
    """Return ``"; did you mean 'X'?"`` for the nearest candidate, or an empty string.

    Args:
        name: the word that is not known.
        candidates: the words that are.
    """
    found = nearest(name, candidates)
    return f"; did you mean '{found}'?" if found else ""
