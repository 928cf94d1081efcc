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

__all__ = ["saved_network_def"]

_BUNDLE = "configs/train.json"


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
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ClaraError(
            f"{file} is missing, which says what network the weights belong to: name the folder that a training of "
            "this package wrote (MMAR_CKPT_DIR)"
        ) from None
    except (OSError, ValueError) as error:
        raise ClaraError(f"cannot be read: {error}", Address(str(file))) from error
    found = content.get("network_def") if isinstance(content, dict) else None
    target = found.get("_target_") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(target, str):
        raise ClaraError("has no network_def, which says what network the weights belong to", Address(str(file)))
    arguments = {name: value for name, value in found.items() if name not in ("_target_", "_desc_")}
    if target not in _networks() or any(_unsafe(arguments)):
        raise ClaraError(
            f"network_def is {target}: only networks of this package with plain values are taken from a file",
            Address(str(file), None, "network_def"),
        )
    return {"_target_": target, **arguments}


def _networks() -> set[str]:
    """Return the paths of the networks: a prefix would admit whatever their modules import."""
    known = catalogue.components().values()
    return {cls.becomes for cls in known if catalogue.family(cls) == "models"}


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
