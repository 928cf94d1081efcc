"""Clara's ``CheckpointLoader``."""

from __future__ import annotations

from typing import Any

from clara_compat.common.files import is_folder
from clara_compat.common.weight_files import find_weights
from clara_compat.components.component import approximate
from clara_compat.components.model_loaders.model_loader import ModelFiles, ModelLoader, below
from clara_compat.errors import ClaraError

__all__ = ["CheckpointLoader"]


class CheckpointLoader(ModelLoader):
    """Takes the network from the output folder of a training (clara-3.1 engine facts, section 2.9).

    Args:
        checkpoint_dir: the training's MMAR_CKPT_DIR; a relative one starts from the MMAR's root.
        input_node_names: of the graph; not needed here.
        output_node_names: of the graph; not needed here.
        checkpoint_file_prefix: ``model.ckpt`` for the best weights, ``model_final.ckpt`` for the last, or the name of a
            file of weights (``model.ckpt.index`` for TensorFlow's).
        infer_in_training_mode: predict with dropout and batch statistics as in training.
    """

    fidelity = approximate(
        "reads what a training here leaves: model.ckpt is model.pt, model_final.ckpt is final_model.pt, and the "
        "network is that of configs/train.json beside them; without a best one the last is taken, with a notice; "
        "without both, a TensorFlow checkpoint is read into a network whose code was written for TensorFlow"
    )
    becomes = "torch.load(weights_only=True)"

    def __init__(
        self,
        checkpoint_dir: str,
        input_node_names: Any = None,
        output_node_names: Any = None,
        checkpoint_file_prefix: str = "model.ckpt",
        infer_in_training_mode: bool = False,
    ) -> None:
        super().__init__(infer_in_training_mode)
        self.checkpoint_dir = checkpoint_dir
        self.input_node_names = input_node_names
        self.output_node_names = output_node_names
        self.checkpoint_file_prefix = checkpoint_file_prefix

    def files(self, mmar: str) -> ModelFiles:
        """Look for the weights.

        Raises:
            ClaraError: there are none.
        """
        folder = below(mmar, self.checkpoint_dir)
        if not is_folder(folder):
            raise ClaraError(f"the folder '{folder}' does not exist: train first, or mend MMAR_CKPT_DIR")
        found = find_weights(folder / self.checkpoint_file_prefix)
        return ModelFiles(folder, weights=found.path, notice=found.notice)
