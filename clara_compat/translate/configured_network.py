"""The network of an MMAR whose weights no training of this package made.

A TensorFlow checkpoint, or what was converted from one, has no bundle config beside it that says its network; the
training config of the same MMAR does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clara_compat.common.files import is_file
from clara_compat.config.workflow import TrainWorkflow, load_train_workflow
from clara_compat.errors import ClaraError
from clara_compat.translate.own_modules import building_size, network_def_entry
from clara_compat.translate.render import render
from clara_compat.translate.saved_network import SavedNetwork
from clara_compat.translate.section_data import section_context

__all__ = ["ConfiguredNetwork", "configured_network", "network_of"]

_CONFIG = "config/config_train.json"


@dataclass(frozen=True)
class ConfiguredNetwork:
    """What a training config says of its network.

    Args:
        file: the config.
        network: what is known of the network.
        size: of the training's crops or of the validation's windows, in voxels.
        label_format: classes per label of a classification, or None.
    """

    file: Path
    network: SavedNetwork
    size: tuple[int, ...]
    label_format: tuple[int, ...] | None = None

    def notice(self, folder: Path) -> str:
        """Return what the user should know.

        Args:
            folder: of the weights.
        """
        return f"{folder} does not say what network the weights belong to: it is taken from {self.file}"


def configured_network(mmar: Path, ckpt_dir: Path, *, user_code: bool = True) -> ConfiguredNetwork | None:
    """Return the network of ``config/config_train.json``, or None when the MMAR has no such file.

    Args:
        mmar: the MMAR, whose code is about to be run as its user asked.
        ckpt_dir: where the weights are.
        user_code: whether the config may name user code.

    Raises:
        ClaraError: the config must be mended, or its model cannot be translated.
    """
    file = mmar / _CONFIG
    if not is_file(file):
        return None
    return network_of(load_train_workflow(file, mmar=mmar, user_code=user_code), ckpt_dir)


def network_of(workflow: TrainWorkflow, ckpt_dir: Path) -> ConfiguredNetwork:
    """Return the network of a training config.

    Args:
        workflow: the resolved config.
        ckpt_dir: where the weights are, or will be.

    Raises:
        ClaraError: its model cannot be translated.
    """
    model = workflow.train.model
    if model.pending:
        raise ClaraError(f"'{model.name}' is Clara's and does not run yet: use one that does", model.address)
    context = section_context(workflow, "train", ckpt_dir)
    entry = network_def_entry(workflow, context, alone=True)
    numbers = {"spatial_dims": context.spatial_dims, "in_channels": context.in_channels}
    outputs = entry.arguments.get("out_channels")
    if type(outputs) is int:
        numbers["out_channels"] = outputs
    size = tuple(building_size(workflow, context))
    root = None if model.user is None else model.user.root
    return ConfiguredNetwork(workflow.file, SavedNetwork(render(entry), numbers, root), size, context.label_format)
