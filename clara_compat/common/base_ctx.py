"""The shared base of the context classes.

Source: Clara 3.1 API page of ``ai4med.common`` (``BuildContext`` derives from ``dlmed.common.ctx.BaseContext``);
clara-3.1-transforms facts, section 2.4.
"""

from __future__ import annotations

from typing import Any

from clara_compat.errors import suggestion

__all__ = ["BaseContext"]


class BaseContext(dict[str, Any]):
    """A dictionary that says what it holds when a key is missing.

    ``get``, ``must_get`` and ``is_reserved`` are documented; that the class is a ``dict`` and what ``must_set``
    refuses are assumed.
    """

    _item = "item"
    """What an entry is called in messages."""

    def __missing__(self, key: Any) -> Any:
        holds = ", ".join(sorted(str(name) for name in self)) or "nothing"
        hint = suggestion(key, [str(name) for name in self]) if isinstance(key, str) else ""
        raise KeyError(f"{type(self).__name__} has no {self._item} {key!r}; it holds {holds}{hint}")

    def must_get(self, key: str) -> Any:
        """Return an item that has to be there.

        Args:
            key: name of the item.

        Raises:
            KeyError: there is none; the message lists what there is.
        """
        return self[key]

    def must_set(self, key: Any, value: Any) -> None:
        """Set an item, replacing an earlier one.

        Args:
            key: name of the item.
            value: anything.

        Raises:
            TypeError: the key is not a string.
            ValueError: the key is empty.
        """
        if not isinstance(key, str):
            raise TypeError(f"the key of a {type(self).__name__} must be a string, got {key!r}")
        if not key:
            raise ValueError(f"the key of a {type(self).__name__} must not be empty")
        self[key] = value

    @staticmethod
    def is_reserved(key: str) -> bool:
        """Whether a key is reserved for the framework: it begins with an underscore.

        Args:
            key: name of an item.
        """
        return key.startswith("_")
