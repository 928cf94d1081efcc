"""A user's Clara metric as an Ignite metric."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine
from ignite.metrics import Metric as IgniteMetric
from monai.utils import CommonKeys

from clara_compat.common.blame import users_code
from clara_compat.common.data_prop import DataProperty
from clara_compat.engine.aux_ops import step_loss
from clara_compat.engine.distributed.gather import from_first, size, to_first
from clara_compat.engine.distributed.shares import own_images
from clara_compat.engine.legacy.arrays import laid_out, on_host
from clara_compat.engine.metrics.case_metric import file_names
from clara_compat.errors import ClaraError, suggestion

__all__ = ["LegacyMetric"]


class LegacyMetric(IgniteMetric):
    """Feeds a Clara ``Metric`` (or a bare ``MetricList``) with numpy values during validation.

    For every case ``update(value, label_value, filename, data_prop)`` is called: a field with one value per
    batch (an auxiliary operation's tag, the loss) as a float, an image-like field as the case's array, (C, spatial...)
    or, where the pipeline declares channels last, (spatial..., C). The array is the metric's own. ``get()`` is the
    validation's value; the report is written when the metric has a ``report_path``. What Clara passed as ``data_prop``
    is not documented (`assumed`: the data property of a build context).

    Nothing is known of what the metric keeps. So of several processes the first one feeds it with the cases of all, in
    the order of one process, and tells the others the value.

    Args:
        metric: the user's object.
        name: name of the metric, for messages.
        loss: the loss function, for a metric of the field ``loss``: an evaluator computes none itself.
        data_prop: what the pipeline says about its data.
    """

    def __init__(
        self,
        metric: Any,
        name: str,
        loss: Callable[..., torch.Tensor] | None = None,
        data_prop: DataProperty | None = None,
    ) -> None:
        self.name = name
        self.metric = metric
        self.field = _engine_field(getattr(metric, "field", "model"))
        self.label_field = getattr(metric, "label_field", None)
        self.loss = loss
        self.data_prop = data_prop
        missing = [method for method in ("update", "get", "reset") if not callable(getattr(metric, method, None))]
        if missing:
            raise ClaraError(
                f"metric '{name}': {type(metric).__name__} has no {' and '.join(f'{one}()' for one in missing)}, "
                "derive it from Metric or MetricList"
            )
        super().__init__()

    @property
    def is_local(self) -> bool:
        """Whether the metric has been fed with the cases of this process, and no others."""
        return size() == 1

    def reset(self) -> None:
        """Forget the cases of the last validation."""
        with users_code(f"metric '{self.name}'"):
            self.metric.reset()

    def iteration_completed(self, engine: Engine) -> None:
        """Hand the batch's values over, case by case.

        Args:
            engine: the evaluator.
        """
        cases: Iterable[tuple[Any, Any, str]] = self._fed(engine) if own_images(engine) else ()
        if size() > 1:
            cases = to_first(list(cases))
        for value, label, name in cases:
            with users_code(f"metric '{self.name}'"):
                self.metric.update(value, label, name, self.data_prop)

    def _fed(self, engine: Engine) -> Iterator[tuple[Any, Any, str]]:
        """Yield value, label value and file of every case of the batch."""
        values = self._cases(engine, self.field)
        labels: Sequence[Any] = [None] * len(values)
        if self.label_field is not None and len(values) == len(found := self._cases(engine, self.label_field)):
            labels = found
        names = file_names(engine.state.batch)
        for i, (value, label) in enumerate(zip(values, labels, strict=True)):
            yield _own(value), _own(label), names[i] if i < len(names) else ""

    def update(self, output: Any) -> None:
        """Not used: :meth:`iteration_completed` reads the engine itself.

        Args:
            output: of the engine.
        """

    def compute(self) -> float:
        """Return the metric's value and write its report."""
        return from_first(self._computed)

    def _computed(self) -> float:
        with users_code(f"metric '{self.name}'"):
            value = float(self.metric.get())
            if callable(getattr(self.metric, "generate_report", None)):
                self.metric.generate_report()
        return value

    def _cases(self, engine: Engine, field: str) -> Sequence[Any]:
        """Return the cases of a batched tensor as one array, or a single number as a list of one float."""
        value = self._value(engine, field)
        if not isinstance(value, torch.Tensor):
            return list(value) if isinstance(value, (list, tuple)) else [value]
        array: Any = laid_out(on_host(value), self.data_prop)
        return [float(array)] if array.ndim == 0 else array

    def _value(self, engine: Engine, field: str) -> Any:
        if field == CommonKeys.LOSS and self.loss is not None:
            return step_loss(engine.state.output, self.loss)
        for source in (engine.state.output, engine.state.batch):
            if field in source:
                return source[field]
        known = [*sorted({*engine.state.output, *engine.state.batch} - {CommonKeys.PRED}), "model"]
        raise ClaraError(
            f"metric '{self.name}' reads field '{field}', which nothing produces{suggestion(field, known)} "
            f"(fields here: {', '.join(known)})"
        )


def _engine_field(field: str) -> str:
    return str(CommonKeys.PRED) if field == "model" else field


def _own(case: Any) -> Any:
    """Return a case as numbers that user code may change: a copy of float32."""
    if isinstance(case, np.generic):
        return np.float32(case)
    return np.array(case, dtype=np.float32, order="C") if isinstance(case, np.ndarray) else case
