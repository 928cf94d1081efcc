"""Clara's ``TRTISModelLoader``."""

from __future__ import annotations

from clara_compat.components.component import approximate
from clara_compat.components.model_loaders.model_loader import ModelFiles, ModelLoader
from clara_compat.errors import ClaraError

__all__ = ["TRTISModelLoader"]


class TRTISModelLoader(ModelLoader):
    """Asks an inference server for predictions (clara-3.1 engine facts, section 2.9).

    Args:
        model_spec_file_name: description of the served model.
    """

    fidelity = approximate("no inference server is asked: a config that wants one is told what to use in its place")
    becomes = "an error that says what to use"

    def __init__(self, model_spec_file_name: str) -> None:
        super().__init__()
        self.model_spec_file_name = model_spec_file_name

    def files(self, mmar: str) -> ModelFiles:
        """Refuse: the network would be on a server.

        Raises:
            ClaraError: always.
        """
        raise ClaraError(
            "inference by a server is not supported: use CheckpointLoader with the folder of the training, or "
            "FrozenGraphModelLoader with the exported network (and TFScanWindowInferer)"
        )
