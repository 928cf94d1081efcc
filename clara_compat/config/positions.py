"""Reading JSON so that every value keeps its line.

The standard library's decoder does the reading, hence its grammar and its messages; only its two container parsers
are wrapped, to note where each key and each list element begins.
"""

from __future__ import annotations

import json
import json.decoder
import json.scanner
import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clara_compat.common.files import endless, is_folder
from clara_compat.config.json_slips import slip
from clara_compat.config.paths import JSONPath, format_path
from clara_compat.config.problems import Notice
from clara_compat.errors import Address, ClaraError, nearest

__all__ = ["MAX_BYTES", "Located", "read_json"]

MAX_BYTES = 10_000_000
"""A larger file is no config (and would be read slowly)."""
_MAX_VALUES = 100_000
"""More of them are no config either, whatever they take in bytes: each is held with its place."""

COMMAND_LINE = "--set"
"""Stands for the file in the address of a value that came from an override."""

_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""What only an escape in a JSON string makes: characters that steer a terminal, and halves of characters."""
_SPACE = re.compile(r"[ \t\n\r]*")
_COMMA = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")


@dataclass
class _Node:
    """Where one value stands: the offset of its key (or of itself, in a list), where it ends, and its parts."""

    offset: int
    end: int
    children: dict[str | int, _Node] = field(default_factory=dict)
    repeated: list[tuple[str, int, int]] = field(default_factory=list)


class Located:
    """A parsed document that knows the line of each of its values.

    Args:
        data: the document as plain Python.
        file: the file's name as the user gave it.
        root: positions of the values.
        text: what the file holds.
        line_starts: offsets at which the lines begin.
        notices: oddities found while reading.
        overridden: paths whose values came from ``--set``; they and what is below them have no line.
    """

    def __init__(
        self,
        data: dict[str, Any],
        file: str,
        root: _Node,
        text: str,
        line_starts: list[int],
        notices: Iterable[Notice] = (),
        overridden: frozenset[JSONPath] = frozenset(),
    ) -> None:
        self.data = data
        self.file = file
        self.notices = list(notices)
        self.overridden = overridden
        self._root = root
        self._text = text
        self._line_starts = line_starts

    def address(self, *path: str | int) -> Address:
        """Where the value at ``path`` stands; for one that is not in the file, the line of its nearest parent."""
        node, line = self._root, self.line(self._root.offset)
        if any(path[: depth + 1] in self.overridden for depth in range(len(path))):
            return Address(COMMAND_LINE, None, format_path(path))
        for part in path:
            if part not in node.children:
                break
            node = node.children[part]
            line = self.line(node.offset)
        return Address(self.file, line, format_path(path))

    def with_data(self, data: dict[str, Any], overridden: Iterable[JSONPath] = ()) -> Located:
        """The same positions around changed data of the same shape; ``overridden`` paths came from ``--set``."""
        return Located(
            data,
            self.file,
            self._root,
            self._text,
            self._line_starts,
            self.notices,
            self.overridden | frozenset(overridden),
        )

    def written(self, *path: str | int) -> str:
        """Return what stands at ``path`` as the file has it, its key included; empty for what the file does not have.

        Further lines lose the indentation of the line it begins on.
        """
        node = self._root
        for part in path:
            if part not in node.children:
                return ""
            node = node.children[part]
        before = self._text[self._text.rfind("\n", 0, node.offset) + 1 : node.offset]
        indent = before[: len(before) - len(before.lstrip())]
        first, *lines = self._text[node.offset : node.end].splitlines()
        return "\n".join([first, *(line.removeprefix(indent) for line in lines)])

    def line(self, offset: int) -> int:
        """1-based line of a character of the file."""
        return bisect_right(self._line_starts, offset)


def read_json(path: str | Path, shown: str | None = None) -> Located:
    """Parse a JSON file with positions.

    Args:
        path: the file to read; UTF-8, with or without a byte order mark.
        shown: name of the file in messages; ``path`` when None.

    Raises:
        ClaraError: when the file is missing, a folder, unreadable, too large, not UTF-8, not valid JSON
            (with line and column), nested too deeply, or not an object at the top.
    """
    name = shown if shown is not None else str(path)
    text = _read_text(Path(path), name)
    line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
    decoder = _PositionDecoder()
    try:
        data = decoder.decode(text)
    except json.JSONDecodeError as error:
        message = f"not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}{slip(text, error)}"
        raise ClaraError(message, Address(name, error.lineno)) from error
    except ClaraError as error:
        raise ClaraError(error.message, Address(name)) from error
    except RecursionError as error:
        raise ClaraError("lists and objects are nested too deeply to be read", Address(name)) from error
    except ValueError as error:  # a whole number of more digits than Python reads
        message = f"holds a whole number of more than {sys.get_int_max_str_digits():,} digits, which is not read"
        raise ClaraError(message, Address(name)) from error
    root = _Node(_end(_SPACE, text, 0), len(text.rstrip()), decoder.children, decoder.repeated)
    if not isinstance(data, dict):
        kind = "a list" if isinstance(data, list) else f"the value {text.strip()[:40]}"
        raise ClaraError(f"holds {kind} at the top level, expected an object {{ ... }}", Address(name, 1))
    document = Located(data, name, root, text, line_starts)
    _refuse_no_text(document)
    document.notices.extend(_repetitions(document, root, ()))
    return document


def _read_text(path: Path, name: str) -> str:
    if (kind := endless(path)) is not None:
        raise ClaraError(f"is {kind}, expected a JSON file", Address(name))
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        names = [entry.name for entry in path.parent.iterdir()] if is_folder(path.parent) else []
        found = nearest(path.name, (entry for entry in names if entry.endswith(path.suffix or ".json")))
        hint = f"; did you mean '{path.parent / found}'?" if found else ""
        raise ClaraError(f"there is no such file{hint}", Address(name)) from error
    except IsADirectoryError as error:
        raise ClaraError("is a folder, expected a JSON file", Address(name)) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ClaraError(f"cannot be read: {reason}", Address(name)) from error
    if len(content) > MAX_BYTES:
        raise ClaraError(f"is larger than {MAX_BYTES // 1_000_000} MB, too large for a config file", Address(name))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8 text (byte {error.start + 1}); save it as UTF-8"
        raise ClaraError(message, Address(name, line)) from error


class _PositionDecoder(json.JSONDecoder):
    """The standard decoder on the pure-Python scanner, noting positions.

    After each container, ``children`` and ``repeated`` describe that container; after ``decode`` the outermost one.
    """

    def __init__(self) -> None:
        super().__init__()
        self._values = 0
        self.children: dict[str | int, _Node] = {}
        self.repeated: list[tuple[str, int, int]] = []
        self.parse_object = self._object
        self.parse_array = self._array
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]

    def _object(
        self, s_and_end: tuple[str, int], strict: bool, scan_once: Any, hook: Any, pairs_hook: Any, memo: Any
    ) -> tuple[dict[str, Any], int]:
        text, begin = s_and_end
        nodes: list[_Node] = []
        scan = self._noting(scan_once, nodes, begin, text)
        pairs, end = json.decoder.JSONObject(s_and_end, strict, scan, None, list, memo)  # type: ignore[attr-defined]
        children: dict[str | int, _Node] = {}
        repeated = []
        for (key, _), node in zip(pairs, nodes, strict=True):
            if key in children:
                repeated.append((key, children[key].offset, node.offset))
            children[key] = node
        self.children, self.repeated = children, repeated
        return dict(pairs), end

    def _array(self, s_and_end: tuple[str, int], scan_once: Any) -> tuple[list[Any], int]:
        text, begin = s_and_end
        nodes: list[_Node] = []
        scan = self._noting(scan_once, nodes, begin, text)
        values, end = json.decoder.JSONArray(s_and_end, scan)  # type: ignore[attr-defined]
        self.children, self.repeated = dict(enumerate(nodes)), []
        return values, end

    def _noting(
        self, scan_once: Any, nodes: list[_Node], begin: int, text: str
    ) -> Callable[[str, int], tuple[Any, int]]:
        """Wrap ``scan_once`` for one container whose inside begins at ``begin``; each value adds a node to ``nodes``.

        The item's offset follows from the end of the item before it: both a key and a bare element stand after
        white space and, except the first, a comma.
        """
        item = _end(_SPACE, text, begin)

        def scan(string: str, index: int) -> tuple[Any, int]:
            nonlocal item
            self._values += 1
            if self._values > _MAX_VALUES:
                raise ClaraError(f"holds more than {_MAX_VALUES:,} values, too many for a config file")
            self.children, self.repeated = {}, []
            value, end = scan_once(string, index)
            nodes.append(_Node(item, end, self.children, self.repeated))
            comma = _COMMA.match(string, end)
            item = comma.end() if comma else end
            return value, end

        return scan


def _refuse_no_text(document: Located) -> None:
    """Raise at the first text, or key, that no file name, no terminal and no other program could take.

    Raises:
        ClaraError: there is one.
    """
    pending: list[tuple[JSONPath, Any]] = [((), document.data)]
    while pending:
        path, value = pending.pop()
        below: list[tuple[str | int, Any]] = []
        if isinstance(value, (dict, list)):
            below = list(value.items() if isinstance(value, dict) else enumerate(value))
            pending += [((*path, part), item) for part, item in below]
        for text in (value, *(key for key, _ in below)):
            if isinstance(text, str) and (found := _NO_TEXT.search(text)):
                message = f"holds the character {found[0]!a}, which is no text: remove it"
                raise ClaraError(message, document.address(*path))


def _repetitions(document: Located, node: _Node, path: JSONPath) -> Iterator[Notice]:
    for key, first, last in node.repeated:
        text = f"'{key}' stands twice in this object (line {document.line(first)} as well); the last one counts"
        yield Notice(Address(document.file, document.line(last), format_path((*path, key))), text)
    for key_or_index, child in node.children.items():
        yield from _repetitions(document, child, (*path, key_or_index))


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
