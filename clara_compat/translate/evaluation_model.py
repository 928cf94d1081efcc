"""The network of an evaluation: which files it is made of."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clara_compat.components.model_loaders.checkpoint_loader import CheckpointLoader
from clara_compat.components.model_loaders.frozen_graph_model_loader import FrozenGraphModelLoader
from clara_compat.components.model_loaders.model_loader import ModelFiles, ModelLoader
from clara_compat.config.arguments import create
from clara_compat.config.evaluate_workflow import EvaluateWorkflow
from clara_compat.config.user_roots import UserRoots
from clara_compat.errors import ClaraError
from clara_compat.translate.configured_network import configured_network
from clara_compat.translate.saved_network import SavedNetwork, has_saved_network, saved_label_format, saved_network

__all__ = ["Model", "find_model"]


@dataclass(frozen=True)
class Model:
    """The network of an evaluation.

    Args:
        files: what it is made of.
        training_mode: predict in training mode.
        network: what is known of the network; None of an exported one that no training stands beside.
        label_format: classes per label of a classification, or None.
    """

    files: ModelFiles
    training_mode: bool = False
    network: SavedNetwork | None = None
    label_format: tuple[int, ...] | None = None

    @property
    def entries(self) -> dict[str, Any]:
        """The entry that makes the network; none for an exported one."""
        return {} if self.network is None or self.files.exported is not None else {"network_def": self.network.entry}

    @property
    def code(self) -> list[str]:
        """The folder of the user's code that the network is of, if it is."""
        root = None if self.network is None or self.files.exported is not None else self.network.root
        return [] if root is None else [os.path.abspath(root)]  # noqa: PTH100 -- resolve() would follow the user's links

    def number(self, name: str) -> int | None:
        """Return ``spatial_dims``, ``in_channels`` or ``out_channels`` of the network, or None."""
        return None if self.network is None else self.network.numbers.get(name)


def find_model(workflow: EvaluateWorkflow, model: str | os.PathLike[str] | None = None) -> Model:
    """Find the network of a workflow.

    Beside weights that no training of this package made, the MMAR's training config says what network they are of.

    Args:
        workflow: the resolved config.
        model: an output folder of a training, or an exported network, in place of what the config names.

    Raises:
        ClaraError: there is none that can be used, at the address of the model loader.
    """
    spec = workflow.model_loader
    loader, address = _loader(workflow, model), None if spec is None or model is not None else spec.address
    configured = None
    try:
        files = loader.files(str(workflow.mmar))
        _check_allowed(files, workflow.roots)
        if files.exported is None and not has_saved_network(files.folder):
            configured = configured_network(workflow.mmar, files.folder, user_code=workflow.roots.allowed)
        network: SavedNetwork | None
        if configured is not None:
            files = replace(files, notice=_joined(files.notice, configured.notice(files.folder)))
            network, label_format = configured.network, configured.label_format
        else:
            known = saved_network if files.exported is None else _known_of
            network = known(files.folder, workflow.roots)
            label_format = None if network is None else saved_label_format(files.folder)
    except ClaraError as error:
        raise error if error.address else ClaraError(error.message, address) from error
    training_mode = loader.infer_in_training_mode or workflow.settings.infer_in_training_mode
    return Model(files, training_mode and files.exported is None, network, label_format)


def _loader(workflow: EvaluateWorkflow, model: str | os.PathLike[str] | None) -> ModelLoader:
    if model is not None:
        path = os.path.abspath(model)  # noqa: PTH100 -- resolve() would follow the user's links
        if not os.path.isfile(path):  # noqa: PTH113 -- Path.is_file raises where a folder may not be entered
            return CheckpointLoader(path)
        if path.endswith(".pt"):
            folder, name = os.path.split(path)
            return CheckpointLoader(folder, checkpoint_file_prefix=name)
        return FrozenGraphModelLoader(path)
    if workflow.model_loader is None:
        return CheckpointLoader(str(workflow.ckpt_dir))
    component = create(workflow.model_loader)
    if not isinstance(component, ModelLoader):
        raise ClaraError(f"'{workflow.model_loader.name}' is no model loader", workflow.model_loader.address)
    return component


def _check_allowed(files: ModelFiles, roots: UserRoots) -> None:
    if files.exported is not None and not roots.allowed:
        raise ClaraError(
            f"'{files.exported}' is TorchScript, a program, which is not run with --no-user-code: leave that out if "
            "you trust the file, or name the folder of the training (CheckpointLoader, or infer --model)"
        )


def _joined(*notices: str) -> str:
    return "; ".join(notice for notice in notices if notice)


def _known_of(folder: Path, roots: UserRoots) -> SavedNetwork | None:
    """Return what the training beside an exported network says of it, or None when that cannot be used."""
    try:
        return saved_network(folder, roots)
    except ClaraError:
        return None
