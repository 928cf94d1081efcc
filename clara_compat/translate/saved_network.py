"""The network of an earlier training, as its output folder says it.

A config for evaluation or export names no network: Clara's checkpoints held the graph. Here the bundle config that ran
lies beside the weights.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clara_compat.components import catalogue
from clara_compat.errors import Address, ClaraError

__all__ = ["has_saved_network", "saved_label_format", "saved_network_def", "saved_sizes"]

_BUNDLE = "configs/train.json"
_SIZES = ("roi_size", "spatial_size", "size")


def has_saved_network(ckpt_dir: Path) -> bool:
    """Whether a training of this package left there what it ran."""
    return (ckpt_dir / _BUNDLE).exists()


def saved_network_def(ckpt_dir: Path) -> dict[str, Any]:
    """Return the entry ``network_def`` of the training whose output folder this is.

    The folder may come from a stranger, and ``ConfigParser`` runs what a config says: only what the catalogue's models
    become is taken, by its whole path, with plain data as arguments.

    Args:
        ckpt_dir: ``MMAR_CKPT_DIR`` of the training.

    Raises:
        ClaraError: there is none, or it is not of that kind.
    """
    file = ckpt_dir / _BUNDLE
    found = _config(file).get("network_def")
    target = found.get("_target_") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(target, str):
        raise ClaraError("has no network_def, which says what network the weights belong to", Address(str(file)))
    arguments = {name: value for name, value in found.items() if name not in ("_target_", "_desc_")}
    try:
        unsafe = target not in _networks() or any(_unsafe(arguments))
    except RecursionError as error:
        raise ClaraError("lists and objects are nested too deeply", Address(str(file), None, "network_def")) from error
    if unsafe:
        raise ClaraError(
            f"network_def is {target}: only networks of this package with plain values are taken from a file",
            Address(str(file), None, "network_def"),
        )
    return {"_target_": target, **arguments}


def _networks() -> set[str]:
    """Return the paths of the networks: a prefix would admit whatever their modules import."""
    known = catalogue.components().values()
    return {cls.becomes for cls in known if catalogue.family(cls) == "models"}


def saved_label_format(ckpt_dir: Path) -> tuple[int, ...] | None:
    """Return the classes of each label that the training's loss was told, or None when it was told none.

    Raises:
        ClaraError: the training's config is missing or cannot be read.
    """
    loss = _config(ckpt_dir / _BUNDLE).get("loss")
    found = loss.get("classes_per_label") if isinstance(loss, dict) else None
    if not isinstance(found, list) or not found or not all(type(n) is int and n > 0 for n in found):
        return None
    return tuple(found)


def saved_sizes(ckpt_dir: Path) -> list[tuple[int, ...]]:
    """Return the sizes, in voxels, of windows and crops in that training: those of the inferer first.

    Raises:
        ClaraError: the training's config is missing or cannot be read.
    """
    config = _config(ckpt_dir / _BUNDLE)
    sections = [config.get(name) for name in ("validate", "train")]
    validate, train = (section if isinstance(section, dict) else {} for section in sections)
    return list(dict.fromkeys([*_sizes(validate.get("inferer")), *_sizes(train.get("transform"))]))


def _config(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ClaraError(
            f"{file} is missing, which says what network the weights belong to: name the folder that a training of "
            "this package wrote (MMAR_CKPT_DIR)"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ClaraError(f"cannot be read: {error}", Address(str(file))) from error
    return content if isinstance(content, dict) else {}


def _sizes(value: Any) -> Iterator[tuple[int, ...]]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name in _SIZES and isinstance(item, list) and item and all(type(n) is int and n > 0 for n in item):
                yield tuple(item)
            yield from _sizes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _sizes(item)


def _unsafe(value: Any) -> Iterator[Any]:
    """Find what ``ConfigParser`` would take for more than data."""
    if isinstance(value, str) and (value.startswith(("$", "@", "%")) or "#" in value or "::" in value):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _unsafe(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if not name.isidentifier() or name.startswith("_"):
                yield name
            yield from _unsafe(item)
