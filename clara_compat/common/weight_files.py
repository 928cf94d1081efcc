"""Which file of weights a Clara name means: ``model.ckpt`` is ``model.pt`` here, or TensorFlow's checkpoint.

A TensorFlow checkpoint is several files; its ``.index`` stands for them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from clara_compat.common.files import is_file, is_folder
from clara_compat.errors import ClaraError, suggestion

__all__ = ["WeightsFile", "find_weights", "index_of", "is_tensorflow", "prefix_of"]

_PARTS = re.compile(r"\.(index|meta|data-\d+-of-\d+)$")
_INDEX = ".index"
_NAMES = {"model_final": "final_model"}
"""Clara's names of checkpoints whose weights have another name here."""


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights.

    Args:
        path: the file; of a TensorFlow checkpoint the ``.index``.
        notice: what the user should know of the choice; empty when it is the file they named.
    """

    path: Path
    notice: str = ""


def find_weights(named: Path) -> WeightsFile:
    """Return the file of weights that a path means; it exists.

    The path is that file, or a checkpoint as Clara names it: ``models/model.ckpt`` (best) is ``models/model.pt``,
    ``models/model_final.ckpt`` is ``models/final_model.pt``, and a folder is ``model.ckpt`` in it. The best weights of
    a training that had no validation are its last. Without any of them it is the TensorFlow checkpoint of that name,
    and always so when the path is a part of one (``models/model.ckpt.index``).

    Args:
        named: path of a file, of a TensorFlow checkpoint (with or without the ending of one of its parts), or a folder.

    Raises:
        ClaraError: there is no such file, or only parts of a TensorFlow checkpoint.
    """
    part = _PARTS.search(named.name)
    if is_file(named) and part is None:
        return WeightsFile(named)
    prefix = (
        named / "model" if is_folder(named) else named.with_name(named.name[: part.start()] if part else named.name)
    )
    tensorflow = _checkpoint(prefix)
    if part is not None and tensorflow is not None:
        return WeightsFile(tensorflow)
    found = _of_this_package(prefix)
    if found is not None and tensorflow is not None:
        both = f"{found.path.name} and {tensorflow.name} are both in {found.path.parent}: {found.path.name} is taken"
        return WeightsFile(found.path, f"{both} (for the TensorFlow checkpoint name {tensorflow})")
    if found is not None:
        return found
    if tensorflow is not None:
        return WeightsFile(tensorflow)
    parts = [path for path in _siblings(prefix) if path.name.startswith(f"{prefix.name}.") and _is_part(path)]
    if parts:
        index = index_of(parts[0].with_name(_PARTS.sub("", parts[0].name)))
        raise ClaraError(
            f"'{index}' is missing, without which the TensorFlow checkpoint that {parts[0].name} is part of cannot be "
            "read: copy all of its files"
        )
    missing = prefix.with_name(f"{_name(prefix)}.pt")
    advice = _elsewhere(missing) or ": train first, or name other weights"
    raise ClaraError(f"the weights '{named}' do not exist{advice}")


def is_tensorflow(path: str | Path) -> bool:
    """Whether a file of weights is (the index of) a TensorFlow checkpoint.

    Args:
        path: the file.
    """
    return Path(path).suffix == _INDEX


def index_of(prefix: Path) -> Path:
    """Return the index of the TensorFlow checkpoint whose files have a common name.

    Args:
        prefix: the common name, such as ``models/model.ckpt``.
    """
    return prefix.with_name(prefix.name + _INDEX)


def prefix_of(index: str | Path) -> Path:
    """Return the common name of the files of a TensorFlow checkpoint.

    Args:
        index: path of its ``.index``.
    """
    return Path(index).with_suffix("")


def _checkpoint(prefix: Path) -> Path | None:
    """Return the index of the TensorFlow checkpoint ``prefix`` or ``prefix.ckpt``, or None."""
    candidates = [index_of(prefix), index_of(prefix.with_name(prefix.name.removesuffix(".pt") + ".ckpt"))]
    return next((path for path in candidates if is_file(path)), None)


def _of_this_package(prefix: Path) -> WeightsFile | None:
    """Return what a training of this package left by that name."""
    found = prefix.with_name(f"{_name(prefix)}.pt")
    if is_file(found):
        return WeightsFile(found)
    last = prefix.with_name("final_model.pt")
    if _name(prefix) == "model" and is_file(last):
        text = f"there is no {found}, as the training had no validation: {last.name} is taken, its last weights"
        return WeightsFile(last, text)
    return None


def _name(prefix: Path) -> str:
    """Return the name that a checkpoint's weights have here, without their ending."""
    stem = prefix.name.removesuffix(".ckpt").removesuffix(".pt")
    return _NAMES.get(stem, stem)


def _is_part(path: Path) -> bool:
    return _PARTS.search(path.name) is not None


def _siblings(path: Path) -> list[Path]:
    return sorted(path.parent.iterdir()) if is_folder(path.parent) else []


def _elsewhere(missing: Path) -> str:
    """Return where weights of that name are, or which names are like it, as the end of a sentence."""
    siblings = _siblings(missing)
    kept = [path / missing.name for path in siblings if path.name.startswith("previous_")]
    kept = sorted((path for path in kept if is_file(path)), key=lambda path: path.stat().st_mtime)
    if kept:
        return f"; those of an earlier run are in {kept[-1]}"
    return suggestion(missing.name, [path.name for path in siblings if path.suffix == ".pt"])
