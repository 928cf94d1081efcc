"""Clara's data lists (Decathlon style), read as they are."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clara_compat.common.files import endless, impossible
from clara_compat.errors import Address, ClaraError, suggestion

__all__ = ["describe", "item_key", "load_datalist"]

_MAX_BYTES = 500_000_000
"""A larger file is no data list."""
_PATH_FIELDS = ("image", "label")
"""Fields whose text is always a path below the base folder."""


def load_datalist(
    data_list_file_path: str | os.PathLike[str],
    data_list_key: str,
    base_dir: str | os.PathLike[str] = "",
    duplicate_count: int = 1,
) -> list[dict[str, Any]]:
    """Read one list of a Decathlon-style data list file.

    Relative paths of ``image`` and ``label`` (one path or a list of paths) are joined to ``base_dir``; the text of any
    other field is joined when a file of that name exists there. Numbers and lists of numbers are left as they are.
    Source: clara-3.1 facts, engine section 1.9.

    Args:
        data_list_file_path: JSON file with named lists of items.
        data_list_key: which list: ``training``, ``validation``, ...
        base_dir: folder that relative paths start from.
        duplicate_count: how often every item is repeated in one epoch.

    Raises:
        ClaraError: the file is missing or not JSON, the list is missing or empty, or an item is not an object.
    """
    file = os.fspath(data_list_file_path)
    content = _read(file)
    if data_list_key not in content:
        lists = [key for key, value in content.items() if isinstance(value, list)]
        raise ClaraError(
            f"there is no list '{data_list_key}' in this data list{suggestion(data_list_key, lists)} "
            f"(lists here: {', '.join(lists) or 'none'})",
            Address(file),
        )
    entries = content[data_list_key]
    if not isinstance(entries, list) or not entries:
        raise ClaraError("expected a list with at least one item", Address(file, path=data_list_key))
    items = [_item(entry, base_dir, Address(file, path=f"{data_list_key}[{i}]")) for i, entry in enumerate(entries)]
    return [dict(item) for item in items for _ in range(duplicate_count)]


def describe(item: dict[str, Any]) -> str:
    """Name an item by its files, for messages.

    Args:
        item: an entry of a data list.
    """
    texts = [f"{field} {value}" for field, value in item.items() if isinstance(value, str)]
    return ", ".join(texts) or repr(item)


def item_key(item: Mapping[str, Any]) -> str:
    """Return what items that are alike have in common.

    Args:
        item: an entry of a data list.
    """
    return repr(sorted((str(field), repr(value)) for field, value in item.items()))


def _started_from(file: str) -> str:
    """Return where a relative path was looked for: Clara took those of the data as they are, not from the MMAR."""
    return "" if Path(file).is_absolute() else f" (a relative path starts from the working folder, {Path.cwd()})"


def _read(file: str) -> dict[str, Any]:
    if (kind := endless(file)) is not None:
        raise ClaraError(f"the data list is {kind}, expected a JSON file: check DATASET_JSON", Address(file))
    if (reason := impossible(file)) is not None:
        raise ClaraError(f"the data list cannot be read ({reason}): check DATASET_JSON", Address(file))
    try:
        if Path(file).stat().st_size > _MAX_BYTES:
            raise ClaraError(f"is larger than {_MAX_BYTES // 1_000_000} MB, too large for a data list", Address(file))
        content = json.loads(Path(file).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        place = _started_from(file)
        raise ClaraError(f"the data list file does not exist: check DATASET_JSON{place}", Address(file)) from None
    except IsADirectoryError:
        raise ClaraError("the data list is a folder, expected a JSON file: check DATASET_JSON", Address(file)) from None
    except OSError as error:
        raise ClaraError(
            f"the data list cannot be read ({error.strerror}): check DATASET_JSON", Address(file)
        ) from None
    except UnicodeDecodeError:
        raise ClaraError("the data list is not UTF-8 text", Address(file)) from None
    except json.JSONDecodeError as error:
        raise ClaraError(
            f"not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}", Address(file, error.lineno)
        ) from None
    except RecursionError:
        raise ClaraError("lists and objects are nested too deeply to be read", Address(file)) from None
    except ValueError:  # a whole number of more digits than Python reads
        message = f"holds a whole number of more than {sys.get_int_max_str_digits():,} digits, which is not read"
        raise ClaraError(f"the data list {message}", Address(file)) from None
    if not isinstance(content, dict):
        raise ClaraError("expected an object with named lists at the top level", Address(file))
    return content


def _item(entry: Any, base_dir: str | os.PathLike[str], address: Address) -> dict[str, Any]:
    if isinstance(entry, str):
        entry = {"image": entry}
    if not isinstance(entry, dict):
        raise ClaraError(f"expected an item such as {{'image': ..., 'label': ...}}, got {entry!r}", address)
    return {field: _joined(field, value, base_dir) for field, value in entry.items()}


def _joined(field: str, value: Any, base_dir: str | os.PathLike[str]) -> Any:
    if isinstance(value, list):
        return [_joined(field, part, base_dir) for part in value]
    if not isinstance(value, str):
        return value
    path = os.path.join(base_dir, value)
    if field in _PATH_FIELDS:
        return path
    return path if value and field != "category" and os.path.exists(path) else value
