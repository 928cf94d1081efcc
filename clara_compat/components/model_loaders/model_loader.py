"""The base of all model loaders: where the network of an evaluation comes from.

Source: clara-3.1-engine facts, section 2.9.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext, Entry, Expression

__all__ = ["ModelFiles", "ModelLoader"]


@dataclass(frozen=True)
class ModelFiles:
    """The files of a trained network.

    Args:
        folder: where the training, or the export, put them.
        weights: the state dict; what network it belongs to, the bundle config of the training in ``folder`` says.
        exported: the network as TorchScript; then nothing else is needed.
        notice: what the user should know of the choice.
    """

    folder: Path
    weights: Path | None = None
    exported: Path | None = None
    notice: str = ""

    @property
    def file(self) -> Path:
        """The file that is read."""
        return self.exported or self.weights or self.folder


class ModelLoader(Component):
    """Says which files a network is made of.

    Args:
        infer_in_training_mode: predict with dropout and batch statistics as in training.
    """

    def __init__(self, infer_in_training_mode: bool = False) -> None:
        self.infer_in_training_mode = infer_in_training_mode

    def files(self, mmar: str) -> ModelFiles:
        """Look for the files.

        Args:
            mmar: folder that relative paths start from.

        Raises:
            ClaraError: they are not there, or cannot be read by this version.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say where the network is")

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the network on the device; weights are put into the entry ``network_def``.

        Args:
            context: where it stands; relative paths start from its ``mmar``.
        """
        return network_entry(self.files(context.mmar))


def network_entry(files: ModelFiles) -> Entry:
    """Return the entry of a network made of these files."""
    device = Expression("@device")
    if files.exported is not None:
        target = "clara_compat.engine.model_files.exported_network"
        return Entry(target, file=str(files.exported), device=device)
    target = "clara_compat.engine.model_files.network_with_weights"
    return Entry(target, network=Expression("@network_def"), file=str(files.file), device=device)


def below(mmar: str, path: str) -> Path:
    """Return a path of a config, which starts from the MMAR when it is relative."""
    return Path(os.path.join(mmar, path))
