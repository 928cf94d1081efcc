"""What the figures of a training say, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean, median

from clara_compat.report.training.data import CaseSet, Training

__all__ = ["findings"]

_FALL = 0.02
"""Loss of the key metric after its best value that is worth a word."""
_UNEVEN = 1.1
"""Median quotient of predicted and true volume, or its inverse, that is worth a word."""


def findings(training: Training) -> list[str]:
    """Return sentences that help to explain the values of a training."""
    return [*_of_the_course(training), *(_of_the_cases(training.cases) if training.cases is not None else ())]


def _of_the_course(training: Training) -> Iterator[str]:
    losses = [epoch.loss for epoch in training.epochs if epoch.loss is not None]
    if len(losses) > 1 and losses[-1] >= losses[0]:
        yield f"The training loss has not fallen: {losses[0]:.4g} in the first epoch, {losses[-1]:.4g} in the last."
    key, best, value = training.key_metric, training.best_epoch, training.best_value
    validated = [
        (epoch.number, found)
        for epoch in training.validated
        if key is not None and (found := (epoch.metrics or {}).get(key)) is not None
    ]
    if training.epochs and not training.validated:
        yield "No epoch was validated: nothing says how the network does on cases it was not trained on."
    if len(validated) < 2 or best is None or value is None:
        return
    last, at_last = validated[-1]
    if best == last:
        yield f"The last validation was the best one: longer training may raise {key} further."
    elif value - at_last > _FALL:
        yield (
            f"After its best value, {value:.4f} after epoch {best}, {key} fell to {at_last:.4f} after epoch {last}: "
            "model.pt holds the weights of the best epoch, final_model.pt those of the last."
        )


def _of_the_cases(cases: CaseSet) -> Iterator[str]:
    name, values = cases.ranked_by, [] if cases.ranked_by is None else cases.values
    if name is not None and len(values) < len(cases.cases):
        undefined = len(cases.cases) - len(values)
        words = "1 case of {} has" if undefined == 1 else f"{undefined} cases of {{}} have"
        yield (
            f"{words.format(len(cases.cases))} no value of {name}, as the label has none of the classes or the metric "
            "is not defined; the mean leaves that out."
        )
    if name is not None and len(values) > 2:
        without = fmean(values[1:])
        if without - fmean(values) > _FALL:
            yield (
                f"The worst case, {cases.worst_first[0].name}, weighs much: without it the mean of {name} would be "
                f"{without:.4f} rather than {fmean(values):.4f}."
            )
    yield from _of_the_classes(cases)
    yield from _of_the_volumes(cases)


def _of_the_classes(cases: CaseSet) -> Iterator[str]:
    means = {}
    for index, name in enumerate(cases.classes):
        found = [case.dice[index] for case in cases.cases if index < len(case.dice)]
        known = [one for one in found if one is not None]
        if known:
            means[name] = fmean(known)
    if len(means) > 1:
        worst, best = (pick(means, key=means.__getitem__) for pick in (min, max))
        yield (
            f"Of {len(means)} classes, {worst} has the smallest Dice ({means[worst]:.4f} over its cases) and {best} "
            f"the largest ({means[best]:.4f})."
        )


def _of_the_volumes(cases: CaseSet) -> Iterator[str]:
    for index, name in enumerate(cases.classes):
        pairs = [case.voxels[index] for case in cases.cases if index < len(case.voxels)]
        quotients = [one.prediction / one.label for one in pairs if one.label]
        if not quotients:
            continue
        found = median(quotients)
        what = "Prediction" if len(cases.classes) == 1 else f"Prediction of {name}"
        if found >= _UNEVEN:
            more = sum(one > 1 for one in quotients)
            yield (
                f"{what} is larger than the label in {more} of {len(quotients)} cases (median {found:.2f} times its "
                "volume): too much is found."
            )
        elif found <= 1 / _UNEVEN:
            less = sum(one < 1 for one in quotients)
            yield (
                f"{what} is smaller than the label in {less} of {len(quotients)} cases (median {found:.2f} times its "
                "volume): some is missed."
            )
