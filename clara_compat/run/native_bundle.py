"""The configs of a bundle in plain MONAI, and the weights that fit them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clara_compat.common.files import replacing
from clara_compat.common.weight_files import is_tensorflow
from clara_compat.config.user_files import files_of
from clara_compat.run.migrated_configs import Configs
from clara_compat.run.migration_code import is_plain
from clara_compat.translate.native.evaluate import native_evaluate
from clara_compat.translate.native.native import Difference
from clara_compat.translate.native.native_config import NativeConfig
from clara_compat.translate.native.train import native_train
from clara_compat.translate.validation_run import native_validation_run

__all__ = ["NativeBundle", "native_bundle", "rename_weights"]

logger = logging.getLogger("clara_compat")

_FILES = "$sorted(str(file) for file in pathlib.Path(@dataset_dir).iterdir() if not file.name.startswith('.'))"


@dataclass(frozen=True)
class NativeBundle:
    """What the configs of a bundle became.

    Args:
        configs: by name.
        differences: for each what differs from the exact config.
        weights: what is cut off the names in the exact weights to make them fit; None where they do not.
    """

    configs: dict[str, dict[str, Any]]
    differences: dict[str, list[Difference]]
    weights: str | None

    @property
    def starts(self) -> bool:
        """Whether the training starts from the weights that the exact one starts from."""
        return "start_weights" in self.configs.get("train", {})


def native_bundle(found: Configs) -> NativeBundle:
    """Make the configs of a bundle run with MONAI and torch only.

    Args:
        found: the exact configs.

    Raises:
        ClaraError: something has no counterpart.
    """
    portable = list(_portable(found))
    native = {name: _native(name, config, found, portable) for name, config in found.configs.items()}
    configs = {name: one.config for name, one in native.items()}
    if "inference" in configs:
        configs["inference"]["imports"] = [*configs["inference"].get("imports", []), "$import pathlib"]
        configs["inference"]["images"] = _FILES
    differences = {name: one.differences for name, one in native.items()}
    return NativeBundle(configs, differences, next((one.weights for one in native.values()), None))


def _native(name: str, config: Mapping[str, Any], found: Configs, portable: list[str]) -> NativeConfig:
    if name == "train":
        return native_train(config, portable=portable)
    if "step" in config:
        return native_evaluate(config, portable=portable)
    trained = native_train(found.configs["train"], portable=portable)
    of_validation = [one for one in trained.differences if not one.entry.startswith(("train#", "optimizer"))]
    return NativeConfig(native_validation_run(trained.config), of_validation, trained.weights)


def _portable(found: Configs) -> Iterator[str]:
    """Return the paths of the user's torch modules that need no more than their own file, and nothing of Clara."""
    for user in found.classes:
        files = [file for file in files_of([user], found.roots).values() if file.name != "__init__.py"]
        if user.is_module and len(files) == 1 and is_plain(files[0]):
            yield user.path


def rename_weights(file: Path, cut: str) -> bool:
    """Cut off the beginning of the names in a file of weights.

    Args:
        file: a state dict, or a checkpoint with one; rewritten in place.
        cut: the beginning.

    Returns:
        Whether the file is one whose names are known.

    Raises:
        ClaraError: it is damaged, or holds something else.
    """
    import torch

    from clara_compat.engine.weights import read_weights

    if is_tensorflow(file) or file.suffix != ".pt":
        return False
    renamed = {name.removeprefix(cut): value for name, value in read_weights(file).items()}
    with replacing(file) as stream:
        torch.save(renamed, stream)
    return True
