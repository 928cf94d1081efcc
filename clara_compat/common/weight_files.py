"""Which file of weights a Clara name means: ``model.ckpt`` was a TensorFlow checkpoint, here it is ``model.pt``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from clara_compat.errors import ClaraError, suggestion

__all__ = ["WeightsFile", "find_weights"]

_PARTS = re.compile(r"\.(index|meta|data-\d+-of-\d+)$")
_NAMES = {"model_final": "final_model"}
"""Clara's names of checkpoints whose weights have another name here."""


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights.

    Args:
        path: the file.
        notice: what the user should know of the choice; empty when it is the file they named.
    """

    path: Path
    notice: str = ""


def find_weights(named: Path) -> WeightsFile:
    """Return the file of weights that a path means; it exists.

    The path is that file, or a checkpoint as Clara names it: ``models/model.ckpt`` (best) is ``models/model.pt``,
    ``models/model_final.ckpt`` is ``models/final_model.pt``, and a folder is ``model.ckpt`` in it. The best weights of
    a training that had no validation are its last.

    Args:
        named: path of a file, of a TensorFlow checkpoint (with or without the ending of one of its parts), or a folder.

    Raises:
        ClaraError: there is no such file, or only a checkpoint of TensorFlow.
    """
    part = _PARTS.search(named.name)
    if named.is_file() and part is None:
        return WeightsFile(named)
    prefix = named / "model" if named.is_dir() else named.with_name(named.name[: part.start()] if part else named.name)
    stem = prefix.name.removesuffix(".ckpt").removesuffix(".pt")
    name = _NAMES.get(stem, stem)
    found = prefix.with_name(f"{name}.pt")
    if found.is_file():
        return WeightsFile(found)
    last = prefix.with_name("final_model.pt")
    if name == "model" and last.is_file():
        return WeightsFile(
            last, f"there is no {found}, as the training had no validation: {last.name} is taken, its last weights"
        )
    tensorflow = [path for path in _siblings(prefix) if path.name.startswith(f"{prefix.name}.") and _is_part(path)]
    if tensorflow:
        raise ClaraError(
            f"'{tensorflow[0].with_name(prefix.name)}' is a TensorFlow checkpoint, whose weights are not read yet: "
            "name a model.pt that a training of this package wrote"
        )
    raise ClaraError(f"the weights '{named}' do not exist{_elsewhere(found) or ': train first, or name other weights'}")


def _is_part(path: Path) -> bool:
    return _PARTS.search(path.name) is not None


def _siblings(path: Path) -> list[Path]:
    return sorted(path.parent.iterdir()) if path.parent.is_dir() else []


def _elsewhere(missing: Path) -> str:
    """Return where weights of that name are, or which names are like it, as the end of a sentence."""
    siblings = _siblings(missing)
    kept = [path / missing.name for path in siblings if path.name.startswith("previous_")]
    kept = sorted((path for path in kept if path.is_file()), key=lambda path: path.stat().st_mtime)
    if kept:
        return f"; those of an earlier run are in {kept[-1]}"
    return suggestion(missing.name, [path.name for path in siblings if path.suffix == ".pt"])
