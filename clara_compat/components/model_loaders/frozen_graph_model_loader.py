"""Clara's ``FrozenGraphModelLoader``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clara_compat.common.files import is_file
from clara_compat.components.component import approximate
from clara_compat.components.model_loaders.checkpoint_loader import CheckpointLoader
from clara_compat.components.model_loaders.model_loader import ModelFiles, ModelLoader, below
from clara_compat.errors import ClaraError

__all__ = ["FrozenGraphModelLoader"]

_WEIGHTS = ("model.pt", "final_model.pt")


class FrozenGraphModelLoader(ModelLoader):
    """Takes an exported network (clara-3.1 engine facts, section 2.9).

    Args:
        model_file_path: the frozen graph, such as ``models/model.trt.pb``: the TorchScript beside it is taken
            (``model.ts``); the file of TorchScript itself is taken, too. A relative path starts from the MMAR's root.
        input_node_names: of the graph; not needed here.
        output_node_names: of the graph; not needed here.
        infer_in_training_mode: accepted; an exported network has no training mode.
    """

    fidelity = approximate(
        "takes the TorchScript that an export here leaves beside the named .pb (model.trt.pb: model.ts); without one, "
        "the weights of a training in the same folder, with a notice; frozen graphs of TensorFlow are not read"
    )
    becomes = "torch.jit.load"

    def __init__(
        self,
        model_file_path: str,
        input_node_names: Any = None,
        output_node_names: Any = None,
        infer_in_training_mode: bool = False,
    ) -> None:
        super().__init__(infer_in_training_mode)
        self.model_file_path = model_file_path
        self.input_node_names = input_node_names
        self.output_node_names = output_node_names

    def files(self, mmar: str) -> ModelFiles:
        """Look for the exported network.

        Raises:
            ClaraError: it is not there, and no training either.
        """
        named = below(mmar, self.model_file_path)
        for candidate in _candidates(named):
            if is_file(candidate):
                return ModelFiles(named.parent, exported=candidate)
        wanted = _candidates(named)[-1].name
        if any(is_file(named.parent / name) for name in _WEIGHTS):
            prefix = "model_final.ckpt" if wanted == "model_final.ts" else "model.ckpt"
            found = CheckpointLoader(str(named.parent), checkpoint_file_prefix=prefix).files("")
            text = (
                f"'{named.parent / wanted}' does not exist: the weights of the training in that folder are used "
                f"({found.file.name}); clara-compat export writes {wanted}"
            )
            return ModelFiles(found.folder, weights=found.weights, notice=text)
        graph = ", and the frozen graph of TensorFlow that is there is not read" if is_file(named) else ""
        raise ClaraError(f"'{named.parent / wanted}' does not exist{graph}: write it with clara-compat export")


def _candidates(named: Path) -> list[Path]:
    """Return the names that the TorchScript of a frozen graph may have."""
    if named.suffix in {".ts", ".pt"}:
        return [named]
    stem = named.name.removesuffix(".pb")
    short = stem.removesuffix(".trt").removesuffix(".fzn")
    return [named.with_name(f"{name}.ts") for name in dict.fromkeys((stem, short))]
