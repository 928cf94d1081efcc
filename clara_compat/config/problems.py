"""Collecting everything the user should know, instead of stopping at the first thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from clara_compat.errors import Address, ClaraError, printable, suggestion

__all__ = ["MOST", "ConfigErrors", "Notice", "Problems"]


@dataclass(frozen=True)
class Notice:
    """Something odd in the user's files that does not stop the run.

    Args:
        address: where it stands.
        text: one sentence.
    """

    address: Address
    text: str

    def __str__(self) -> str:
        return f"{self.address}: {printable(self.text)}"


class ConfigErrors(ClaraError):
    """Several errors found in one go; prints one per line.

    Args:
        errors: at least one error, in the order found.
    """

    def __init__(self, errors: Sequence[ClaraError]) -> None:
        self.errors = list(errors)
        super().__init__("")
        self.message = "\n".join(str(error) for error in self.errors)
        self.args = (self.errors,)


MOST = 20
"""Unknown keys of one object that are told one by one: each is compared with all that are known."""


class Problems:
    """The errors and notices found so far."""

    def __init__(self) -> None:
        self.errors: list[ClaraError] = []
        self.notices: list[Notice] = []

    def error(self, message: str, address: Address | None = None) -> None:
        """Remember an error."""
        self.errors.append(ClaraError(message, address))

    def take(self, error: ClaraError) -> None:
        """Remember an error that was raised; several at once are taken one by one."""
        self.errors.extend(error.errors if isinstance(error, ConfigErrors) else [error])

    def notice(self, text: str, address: Address) -> None:
        """Remember a notice."""
        self.notices.append(Notice(address, text))

    def ignored(
        self, keys: Sequence[str], known: Iterable[str], address: Callable[..., Address], owner: str = ""
    ) -> None:
        """Remember that keys of an object are ignored: the first ones each, with the nearest that is known.

        Args:
            keys: that nobody reads.
            known: those that somebody does.
            address: gives the address of a key, and without one that of the object.
            owner: whose keys they are; empty for the whole file.
        """
        of = f" of {owner}" if owner else ""
        known = list(known)
        for key in keys[:MOST]:
            self.notice(f"the key '{key}'{of} is ignored{suggestion(key, known)}", address(key))
        if len(keys) > MOST:
            self.notice(f"{len(keys) - MOST:,} further keys{of} are ignored", address())

    def raise_any(self) -> None:
        """Raise what was found.

        Raises:
            ClaraError: when one error was found.
            ConfigErrors: when several were.
        """
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            raise ConfigErrors(self.errors)
