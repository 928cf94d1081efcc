"""Which variables of a checkpoint belong to the training, not to the network.

Source: how TensorFlow's optimizers name what they keep: a slot is named after its variable with the optimizer's name
behind it (``conv3d/kernel/Adam_1``), and counters stand by themselves (``beta1_power``, ``global_step``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from clara_compat.tensorflow.checkpoint.bundle import Entry

__all__ = ["belongs_to_training"]

_SLOT = re.compile(
    r"(Adam|AdamW|Adamax|Adagrad|Adadelta|Ftrl|LARS|LAMB|Momentum|NovoGrad|RMSProp|ExponentialMovingAverage)\w*"
    r"|[mv]"
)
_COUNTER = re.compile(
    r"(beta[12]_power|global_step|learning_rate|lr|iterations?|iter|decay|momentum|save_counter|loss_scale|good_steps)"
    r"(_\d+)?"
)
_OBJECT = "/.ATTRIBUTES/VARIABLE_VALUE"
"""Ends the names in checkpoints of TensorFlow 2, which are paths of objects."""


def belongs_to_training(name: str, variables: Mapping[str, Entry]) -> bool:
    """Whether a variable is an optimizer's slot, a counter, or a learning rate.

    Args:
        name: of the variable.
        variables: all variables of the checkpoint.
    """
    *above, last = name.removesuffix(_OBJECT).split("/")
    if ".OPTIMIZER_SLOT" in above or above[:1] == ["optimizer"]:
        return True
    if _COUNTER.fullmatch(last):
        return not variables[name].shape
    return _SLOT.fullmatch(last) is not None and (len(last) > 1 or "/".join(above) in variables)
