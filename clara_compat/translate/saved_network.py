"""The network of an earlier training, as its output folder says it.

A config for evaluation or export names no network: Clara's checkpoints held the graph. Here the bundle config that ran
lies beside the weights.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clara_compat.common.files import is_file
from clara_compat.components import catalogue
from clara_compat.config.stock import stock_family
from clara_compat.config.user_roots import UserRoots
from clara_compat.errors import Address, ClaraError
from clara_compat.translate.own_modules import LEGACY_NETWORK, USER_MODULE
from clara_compat.translate.places import unplaced
from clara_compat.translate.saved_user_network import NotPlainError, own_network, plain_arguments
from clara_compat.translate.stock import checked_arguments, stock_class, untrained

__all__ = ["SAVED", "SavedNetwork", "has_saved_network", "saved_label_format", "saved_network", "saved_sizes"]

SAVED = "configs/train.json"
"""Where an output folder says what ran."""
_SIZES = ("roi_size", "spatial_size", "size")
_NUMBERS = ("spatial_dims", "in_channels", "out_channels")


@dataclass(frozen=True)
class SavedNetwork:
    """What an output folder says of its network.

    Args:
        entry: ``network_def``, which may be run.
        numbers: ``spatial_dims``, ``in_channels`` and ``out_channels``, as far as they are known.
        root: folder of the user's code that the network is of; None for one of this package, of MONAI or of torch.
    """

    entry: dict[str, Any]
    numbers: dict[str, int]
    root: Path | None = None


def has_saved_network(ckpt_dir: Path) -> bool:
    """Whether a training of this package left there what it ran."""
    return os.path.exists(ckpt_dir / SAVED)


def saved_network(ckpt_dir: Path, roots: UserRoots) -> SavedNetwork:
    """Return the network of the training whose output folder this is.

    The folder may come from a stranger, and ``ConfigParser`` runs what a config says: only what the catalogue's models
    become is taken, networks of MONAI, and classes that are found in this run's own folders of user code; by the whole
    path, with plain data as arguments.

    Args:
        ckpt_dir: ``MMAR_CKPT_DIR`` of the training.
        roots: where user code may lie.

    Raises:
        ClaraError: there is none, or it is not of that kind.
    """
    file = ckpt_dir / SAVED
    config = _config(file)
    found, place = config.get("network_def"), Address(str(file), None, "network_def")
    target = found.get("_target_") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(target, str):
        raise ClaraError("has no network_def, which says what network the weights belong to", Address(str(file)))
    arguments = {name: value for name, value in found.items() if name not in ("_target_", "_desc_")}
    try:
        arguments = unplaced(arguments, config)
        entry, root = _entry(target, arguments, roots, place)
    except NotPlainError as error:
        raise ClaraError(
            f"network_def is {target}: only networks of this package, of MONAI, and of the user's own folders of code "
            "with plain values are taken from a file",
            place,
        ) from error
    except ClaraError as error:
        raise error if error.address else ClaraError(error.message, place) from error
    except RecursionError as error:
        raise ClaraError("lists and objects are nested too deeply", place) from error
    declared = config.get("network_input")
    given = {**(declared if isinstance(declared, dict) else {}), **arguments}
    numbers = {name: given[name] for name in _NUMBERS if type(given.get(name)) is int}
    return SavedNetwork(entry, numbers, root)


def _entry(
    target: str, arguments: dict[str, Any], roots: UserRoots, place: Address
) -> tuple[dict[str, Any], Path | None]:
    """Return the entry as it may be run, and the folder of the user's code that it is of."""
    if target in (LEGACY_NETWORK, USER_MODULE):
        return own_network(target, arguments, roots, place)
    if _is_stock(target):  # its weights are about to be loaded
        arguments = untrained(target, checked_arguments(target, arguments))
    elif target not in _networks():
        raise NotPlainError
    return {"_target_": target, **plain_arguments(arguments)}, None


def _networks() -> set[str]:
    """Return the paths of the networks: a prefix would admit whatever their modules import."""
    known = catalogue.components().values()
    return {cls.becomes for cls in known if catalogue.family(cls) == "models"}


def _is_stock(target: str) -> bool:
    try:
        if stock_family(target) != "models":
            return False
        stock_class(target)
    except ClaraError:
        return False
    return True


def saved_label_format(ckpt_dir: Path) -> tuple[int, ...] | None:
    """Return the classes of each label that the training's loss was told, or None when it was told none.

    Raises:
        ClaraError: the training's config is missing or cannot be read.
    """
    config = _config(ckpt_dir / SAVED)
    loss, declared = config.get("loss"), config.get("network_input")
    found = loss.get("classes_per_label") if isinstance(loss, dict) else None
    if found is None and isinstance(declared, dict):
        found = declared.get("label_format")
    if not isinstance(found, list) or not found or not all(type(n) is int and n > 0 for n in found):
        return None
    return tuple(found)


def saved_sizes(ckpt_dir: Path) -> list[tuple[int, ...]]:
    """Return the sizes, in voxels, of windows and crops in that training.

    First the one that a network which may know only one was built with, then those of the inferer.

    Raises:
        ClaraError: the training's config is missing or cannot be read.
    """
    config = _config(ckpt_dir / SAVED)
    sections = [config.get(name) for name in ("validate", "train")]
    validate, train = (section if isinstance(section, dict) else {} for section in sections)
    built = _sizes(config.get("network_input"))
    return list(dict.fromkeys([*built, *_sizes(validate.get("inferer")), *_sizes(train.get("preprocessing"))]))


def _config(file: Path) -> dict[str, Any]:
    try:
        if not is_file(file):
            raise ClaraError(
                f"{file} is missing, which says what network the weights belong to: name the folder that a training of "
                "this package wrote (MMAR_CKPT_DIR)"
            )
        content = json.loads(file.read_text(encoding="utf-8"))
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
