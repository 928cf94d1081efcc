"""The weights a training starts from: ``MMAR_CKPT`` (fine-tuning) and ``PRETRAIN_WEIGHTS_FILE``.

Source: clara-3.1-engine facts, sections 1.2 and 1.5 (variables), README (a missing ``PRETRAIN_WEIGHTS_FILE``).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clara_compat.common.weight_files import find_weights, is_tensorflow, prefix_of
from clara_compat.config.problems import Notice
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.errors import Address, ClaraError
from clara_compat.run.module_check import made_network
from clara_compat.translate.own_modules import kind_of

__all__ = ["StartWeights", "check_start_weights", "start_weights"]

_KERAS = (".h5", ".hdf5", ".keras")


@dataclass(frozen=True)
class StartWeights:
    """What a network starts from.

    Args:
        path: file of weights (of a TensorFlow checkpoint its index), or None for new ones.
        variable: that named it.
        notices: what the user should know.
    """

    path: Path | None = None
    variable: str = ""
    notices: list[Notice] = field(default_factory=list)


def start_weights(workflow: TrainWorkflow) -> StartWeights:
    """Return the file of weights that a training starts from.

    ``MMAR_CKPT`` wins over ``PRETRAIN_WEIGHTS_FILE``. The latter usually names a Keras file that nobody has any more:
    where it cannot be used, the network starts from its normal initialisation.

    Raises:
        ClaraError: ``MMAR_CKPT`` names no weights.
    """
    checkpoint, pretrained = (_text(workflow.variables.get(name)) for name in ("MMAR_CKPT", "PRETRAIN_WEIGHTS_FILE"))
    notices: list[Notice] = []
    if checkpoint:
        place = _place(workflow, "MMAR_CKPT")
        try:
            found = find_weights(Path(checkpoint))
        except ClaraError as error:
            raise ClaraError(error.message, place) from error
        if found.notice:
            notices.append(Notice(place, found.notice))
        return StartWeights(found.path, "MMAR_CKPT", notices)
    if pretrained:
        place = _place(workflow, "PRETRAIN_WEIGHTS_FILE")
        reason = ""
        if Path(pretrained).suffix.lower() in _KERAS and os.path.exists(pretrained):
            reason = f"'{pretrained}' is a Keras file, whose weights are not read"
        else:
            try:
                found = find_weights(Path(pretrained))
            except ClaraError as error:
                reason = error.message
            else:
                if not is_tensorflow(found.path) or workflow.train.model.cls is None:
                    told = [Notice(place, found.notice)] if found.notice else []
                    return StartWeights(found.path, "PRETRAIN_WEIGHTS_FILE", told)
                reason = f"'{pretrained}' is a TensorFlow checkpoint, whose names are not known for this network"
        text = f"{reason}; the network starts from its normal initialisation"
        notices.append(Notice(place, text))
    return StartWeights(notices=notices)


def check_start_weights(workflow: TrainWorkflow) -> tuple[list[Notice], list[Notice]]:
    """Compare the weights a training starts from with its network; a network of user code is not made.

    Returns:
        What the user should know of the choice of the file, and what of it fits; the latter the run itself says too.

    Raises:
        ClaraError: the file is missing, damaged, or nothing of it fits the network.
    """
    start, model = start_weights(workflow), workflow.train.model
    if start.path is None or model.pending:
        return start.notices, []
    from clara_compat.engine.fine_tuning import match_file
    from clara_compat.tensorflow.checkpoint.reader import open_checkpoint

    place = _place(workflow, start.variable)
    try:
        if kind_of(model) in ("legacy", "module"):
            if is_tensorflow(start.path):
                open_checkpoint(prefix_of(start.path))  # whether it is whole
            text = f"whether '{start.path}' fits {model.name} is told when the run has made it: it is user code"
            return start.notices, [Notice(place, text)]
        match = match_file(start.path, made_network(workflow))
    except ClaraError as error:
        raise error if error.address else ClaraError(error.message, place) from error
    return start.notices, [Notice(place, "\n".join(match.report(str(start.path))))]


def _place(workflow: TrainWorkflow, variable: str) -> Address:
    """Return where a variable's value stands; what neither the config nor ``--set`` says is the environment's."""
    document = workflow.document
    if variable in document.data or (variable,) in document.overridden:
        return workflow.address(variable)
    return Address("environment.json", None, variable)


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
