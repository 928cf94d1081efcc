"""Clara's ``ComputeAverage``: the mean of a value over the validation's batches."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.utils import CommonKeys

from clara_compat.engine.aux_ops import step_loss
from clara_compat.engine.metrics.case_metric import CaseMetric

__all__ = ["ClaraAverage"]


class ClaraAverage(CaseMetric):
    """The mean of ``output[field]`` over the batches of a validation, 0 when there is no valid one.

    Source: clara-3.1 engine facts, section 2.6; the page "Bring your own components" shows the same metric written by a
    user. A batch counts once however many cases it has; a tensor of several elements counts as their mean (assumed).

    Args:
        field: ``loss``, or the tag of an auxiliary operation.
        invalid_value: a value to leave out; what is not finite is left out in any case.
        negate_value: take minus the value, since the key metric is maximised.
        report_path: folder for the reports; none are written without it.
        name: the metric's name, for reports and messages.
        loss: for the field ``loss``: the loss function, for an engine that computes none itself.
    """

    def __init__(
        self,
        field: str,
        invalid_value: float = math.nan,
        negate_value: bool = False,
        report_path: str | os.PathLike[str] | None = None,
        name: str = "average",
        loss: Callable[..., torch.Tensor] | None = None,
    ) -> None:
        self.field_name = field
        self.invalid_value = invalid_value
        self.negate_value = negate_value
        self.loss = loss
        super().__init__(name, report_path)

    def case_values(self, output: MutableMapping[str, Any]) -> Sequence[float]:
        """Return the value of a batch in a list."""
        if self.field_name == CommonKeys.LOSS and self.loss is not None:
            found: Any = step_loss(output, self.loss)
        else:
            found = self.field(output, self.field_name)
        value = float(found.double().mean()) if isinstance(found, torch.Tensor) else float(np.mean(found))
        if value == self.invalid_value:
            value = math.nan
        return [-value if self.negate_value else value]
