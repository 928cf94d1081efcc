"""Which entries of a bundle config each component of a legacy config became."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from clara_compat.config.components import ComponentSpec
from clara_compat.config.evaluate_workflow import EvaluateWorkflow
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.translate.bundle import Bundle
from clara_compat.translate.chain import component_entries
from clara_compat.translate.render import literal
from clara_compat.translate.section_data import SectionName, section_context

__all__ = ["MISSING", "entries_of_components", "entry_at"]

MISSING = object()
"""Stands for an entry that a config does not have."""

_DATA = ("data", "plan", "dataset", "dataloader")
_OPERATIONS = "AuxiliaryOutputs"


def entries_of_components(workflow: TrainWorkflow | EvaluateWorkflow, bundle: Bundle) -> list[tuple[str, ...]]:
    """Return for each of ``workflow.specs`` the ids of its entries: ``train#preprocessing#transforms#2``.

    A component that left no entry has none, such as ``StatsHandler``.
    """
    placed = _training(workflow, bundle) if isinstance(workflow, TrainWorkflow) else _evaluation(workflow, bundle)
    by_spec = {id(spec): list(ids) for spec, ids in placed}
    found = [by_spec.get(id(spec), []) for spec in workflow.specs]
    return [tuple(one for one in ids if entry_at(bundle.config, one) not in (MISSING, None)) for ids in found]


def entry_at(config: Any, entry: str) -> Any:
    """Return the entry with an id, or ``MISSING``."""
    for part in entry.split("#"):
        if isinstance(config, dict) and part in config:
            config = config[part]
        elif isinstance(config, list) and part.isdecimal() and int(part) < len(config):
            config = config[int(part)]
        else:
            return MISSING
    return config


def _training(workflow: TrainWorkflow, bundle: Bundle) -> Iterator[tuple[ComponentSpec, Iterable[str]]]:
    train, validate = workflow.train, workflow.validate
    yield train.loss, ("loss_def", "loss")
    yield train.optimizer, ("optimizer",)
    yield train.model, ("network_def", "network_input", "network")
    if train.lr_policy is not None:
        yield train.lr_policy, ("train#events#policy",)
    yield from _handlers(workflow)
    for index, spec in enumerate(train.aux_ops):
        sections = ("train", "validate")
        yield spec, [f"{place}#ops#{index}" for name in sections for place in _operations(bundle.config, name)]
    yield from _chain(train.pre_transforms, bundle, "train", "train#preprocessing#transforms")
    yield from _chain(train.batch_transforms, bundle, "train.batch", "train#batch_transform#transforms")
    yield train.image_pipeline, _pipeline(bundle, "train")
    if validate is not None:
        yield from _chain(validate.pre_transforms, bundle, "validate", "validate#preprocessing#transforms")
        yield validate.image_pipeline, _pipeline(bundle, "validate")
        if validate.inferer is not None:
            yield validate.inferer, ("validate#inferer",)
        places = ("validate#key_metric", "validate#additional_metrics")
        yield from _metrics(validate.metrics, bundle, places)


def _evaluation(workflow: EvaluateWorkflow, bundle: Bundle) -> Iterator[tuple[ComponentSpec, Iterable[str]]]:
    if workflow.inferer is not None:
        yield workflow.inferer, ("inferer",)
    if workflow.model_loader is not None:
        yield workflow.model_loader, ("network_def", "network")
    yield from _chain(workflow.pre_transforms, bundle, "pre_transforms", "preprocessing#transforms")
    yield from _chain(workflow.post_transforms, bundle, "post_transforms", "postprocessing#transforms")
    yield from _chain(workflow.label_transforms, bundle, "label_transforms", "label_preprocessing#transforms")
    yield from _metrics(workflow.val_metrics, bundle, ("metrics",))
    for index, spec in enumerate(workflow.writers):
        yield spec, (f"writers#{index}",)


def _chain(
    specs: Sequence[ComponentSpec], bundle: Bundle, source: str, place: str
) -> Iterator[tuple[ComponentSpec, list[str]]]:
    """Yield the transforms of a chain; one may have become several entries."""
    addresses = bundle.sources.get(source, [])
    for spec in specs:
        yield spec, [f"{place}#{index}" for index, address in enumerate(addresses) if address == spec.address]


def _pipeline(bundle: Bundle, section: SectionName) -> list[str]:
    """Return the entries of an image pipeline; the last transform, which makes the batch's fields, is its own."""
    last = len(bundle.sources.get(section, []))
    return [f"{section}#{name}" for name in _DATA] + [f"{section}#preprocessing#transforms#{last}"]


def _handlers(workflow: TrainWorkflow) -> Iterator[tuple[ComponentSpec, list[str]]]:
    context = section_context(workflow, "train", Path())
    begin = 0
    for spec in workflow.train.handlers:
        count = 1 if spec.cls is None else len(component_entries(spec, context))
        yield spec, [f"train#events#handlers#{index}" for index in range(begin, begin + count)]
        begin += count


def _operations(config: Any, section: str) -> Iterator[str]:
    """Yield where the auxiliary operations of a section are."""
    handlers = entry_at(config, f"{section}#handlers")
    for index, handler in enumerate(handlers if isinstance(handlers, list) else []):
        if isinstance(handler, dict) and str(handler.get("_target_")).endswith(_OPERATIONS):
            yield f"{section}#handlers#{index}"


def _metrics(
    specs: Sequence[ComponentSpec], bundle: Bundle, places: Sequence[str]
) -> Iterator[tuple[ComponentSpec, list[str]]]:
    """Yield metrics, which stand in a mapping by their names, or in an entry that has names and metrics as lists."""
    for spec in specs:
        name = str(spec.args.get("name", spec.name))
        yield spec, [one for place in places for one in _metric(bundle.config, place, name)]


def _metric(config: Any, place: str, name: str) -> Iterator[str]:
    found = entry_at(config, place)
    if not isinstance(found, dict):
        return
    if "_target_" not in found:
        if name in found:
            yield f"{place}#{name}"
        return
    names = found.get("names")
    yield from (f"{place}#metrics#{index}" for index, one in enumerate(names or []) if one == literal(name))
