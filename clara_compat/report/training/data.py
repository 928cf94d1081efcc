"""What a training report shows, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clara_compat.common.records import SkippedItem

if TYPE_CHECKING:
    from clara_compat.report.preview import Layer, Picture

__all__ = ["CaseFigures", "CaseSet", "Configuration", "Epoch", "Part", "ShownCase", "Training", "Voxels"]


@dataclass(frozen=True)
class Epoch:
    """One epoch of a training.

    Args:
        number: from 1.
        loss: mean of its steps.
        learning_rate: after its last step.
        seconds: of its steps.
        validation_seconds: of the validation after it.
        train_metrics: means of the auxiliary operations over its steps.
        metrics: of the validation after it; None where there was none.
    """

    number: int
    loss: float | None = None
    learning_rate: float | None = None
    seconds: float | None = None
    validation_seconds: float | None = None
    train_metrics: Mapping[str, float | None] = field(default_factory=dict)
    metrics: Mapping[str, float | None] | None = None


@dataclass(frozen=True)
class Voxels:
    """What was counted of a class in a case.

    Args:
        both: voxels that are predicted and true.
        prediction: voxels that are predicted.
        label: voxels that are true.
    """

    both: int
    prediction: int
    label: int


@dataclass(frozen=True)
class CaseFigures:
    """The figures of a case.

    Args:
        name: of the case.
        metrics: by name; None where a metric is not defined.
        dice: by class; None where the label has none of it.
        voxels: by class.
        voxel_mm3: volume of a voxel; None where it is not known.
        scores: of a classification, by output.
        truth: whether each class is the case's: 1, 0, or None where that is not known.
        error: how wrong the case is, where the metrics have no value of it: of a classification the mean distance
            between scores and truth, else the share of wrong voxels.
    """

    name: str
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    dice: Sequence[float | None] = ()
    voxels: Sequence[Voxels] = ()
    voxel_mm3: float | None = None
    scores: Sequence[float | None] = ()
    truth: Sequence[float | None] = ()
    error: float | None = None


@dataclass(frozen=True)
class ShownCase:
    """A case with its picture.

    Args:
        case: its figures.
        place: which slice it is, in words.
        picture: the slice, without layers.
        label: its classes, of the picture's shape.
        prediction: the same classes as predicted.
    """

    case: CaseFigures
    place: str
    picture: Picture
    label: Sequence[Layer] = ()
    prediction: Sequence[Layer] = ()


@dataclass(frozen=True)
class CaseSet:
    """The cases of a validation or of an evaluation.

    Args:
        metrics: over all cases, by name.
        cases: as they came.
        ranked_by: metric whose smallest values are the worst; None when it has no values of cases, then their errors
            rank them.
        epoch: after which they were validated.
        dice: metric that ``dice`` of the cases belongs to.
        classes: names of its classes.
        shown: the worst of them, worst first.
    """

    metrics: Mapping[str, float | None]
    cases: Sequence[CaseFigures]
    ranked_by: str | None
    epoch: int | None = None
    dice: str | None = None
    classes: Sequence[str] = ()
    shown: Sequence[ShownCase] = ()

    @property
    def worst_first(self) -> list[CaseFigures]:
        """The cases by what ranks them; those without a value come last, in the order they came."""
        values = [(self._rank(case), case) for case in self.cases]
        known = sorted(((value, case) for value, case in values if value is not None), key=lambda pair: pair[0])
        return [case for _, case in known] + [case for value, case in values if value is None]

    @property
    def measure(self) -> str | None:
        """What ranks the cases, in words; None when nothing does."""
        if self.ranked_by is not None:
            return self.ranked_by
        if all(case.error is None for case in self.cases):
            return None
        return "distance from the truth" if any(case.scores for case in self.cases) else "share of wrong voxels"

    @property
    def values(self) -> list[float]:
        """What ranks the cases, worst first."""
        found = (self.value(case) for case in self.worst_first)
        return [value for value in found if value is not None]

    def value(self, case: CaseFigures) -> float | None:
        """Return what ranks a case."""
        return case.error if self.ranked_by is None else case.metrics.get(self.ranked_by)

    def _rank(self, case: CaseFigures) -> float | None:
        """Return what is smallest for the worst case."""
        value = self.value(case)
        return -value if value is not None and self.ranked_by is None else value


@dataclass(frozen=True)
class Part:
    """A part of the configuration.

    Args:
        title: what it is.
        name: what it is in a word, such as the name of a class.
        text: the entry.
        steps: of a chain, each transform's name and arguments.
    """

    title: str
    name: str = ""
    text: str = ""
    steps: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Configuration:
    """What was trained, and how.

    Args:
        facts: name and value.
        parts: network, loss and so on.
    """

    facts: Sequence[tuple[str, str]] = ()
    parts: Sequence[Part] = ()


@dataclass(frozen=True)
class Training:
    """Everything that the page shows.

    Args:
        name: of the legacy config, or of the folder.
        folder: that was read.
        epochs: in their order.
        steps: of all epochs.
        key_metric: that chooses the best model.
        best_epoch: its epoch.
        best_value: its value.
        cases: of the best validation.
        evaluation: the cases of an evaluation.
        evaluation_facts: name and value.
        evaluation_picture: PNG file with its worst, median and best case.
        configuration: what was trained.
        skipped: items that the run went on without.
        warnings: of the run.
        remarks: what could not be shown, a sentence each.
    """

    name: str
    folder: str
    epochs: Sequence[Epoch] = ()
    steps: int | None = None
    key_metric: str | None = None
    best_epoch: int | None = None
    best_value: float | None = None
    cases: CaseSet | None = None
    evaluation: CaseSet | None = None
    evaluation_facts: Sequence[tuple[str, str]] = ()
    evaluation_picture: bytes | None = None
    configuration: Configuration = field(default_factory=Configuration)
    skipped: Sequence[SkippedItem] = ()
    warnings: Sequence[str] = ()
    remarks: Sequence[str] = ()

    @property
    def seconds(self) -> float:
        """Of all epochs and validations."""
        return sum((epoch.seconds or 0.0) + (epoch.validation_seconds or 0.0) for epoch in self.epochs)

    @property
    def validated(self) -> list[Epoch]:
        """The epochs that were validated."""
        return [epoch for epoch in self.epochs if epoch.metrics is not None]
