"""The values of a config that say how much memory a run takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.evaluate_workflow import EvaluateWorkflow
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.errors import Address
from clara_compat.translate.data_side import pipeline_of

__all__ = ["MemoryLever", "Stage", "evaluation_levers", "training_levers"]

Stage = Literal["train", "validate", "load"]
"""When the memory is taken: in a step of the training, in a validation or an evaluation, or while scans are loaded."""


@dataclass(frozen=True)
class MemoryLever:
    """A value that takes less memory when it is changed.

    Args:
        stage: where it helps.
        name: as the config calls it.
        value: what it is now.
        address: where it stands, or would stand.
        advice: what to do with it.
    """

    stage: Stage
    name: str
    value: Any
    address: Address
    advice: str = "lower"


def training_levers(workflow: TrainWorkflow) -> list[MemoryLever]:
    """Return the levers of a training, for each stage the strongest first.

    Args:
        workflow: the resolved config.
    """
    found = [*_batch(workflow.train.image_pipeline, "train")]
    for spec in workflow.train.pre_transforms:
        if spec.cls is None or "Crop" not in spec.name:
            continue
        crop = create(spec)
        if (getattr(crop, "batches_to_gen_at_once", None) or 1) > 1:
            found.append(_argument("train", spec, "batches_to_gen_at_once", crop))
        if getattr(crop, "size", None):
            found.append(_argument("train", spec, "size", crop))
    if not workflow.settings.use_amp:
        found.append(MemoryLever("train", "use_amp", False, workflow.address("use_amp"), "turn on"))
    found += _loading(workflow.train.image_pipeline)
    if workflow.validate is not None:
        found += _batch(workflow.validate.image_pipeline, "validate")
        found += _windows(workflow.validate.inferer)
        found += _loading(workflow.validate.image_pipeline)
    budget = workflow.settings.cache_gb
    if budget != 0:
        now = "half of what is free" if budget is None else budget
        found.append(MemoryLever("load", "cache_gb", now, workflow.address("cache_gb")))
    return found


def evaluation_levers(workflow: EvaluateWorkflow) -> list[MemoryLever]:
    """Return the levers of an evaluation.

    Args:
        workflow: the resolved config.
    """
    size = workflow.settings.batch_size
    batch = [MemoryLever("validate", "batch_size", size, workflow.address("batch_size"))] if size > 1 else []
    return [*batch, *_windows(workflow.inferer)]


def _batch(spec: ComponentSpec, stage: Stage) -> Iterator[MemoryLever]:
    pipeline = pipeline_of(spec)
    if pipeline.batch_size > 1:
        yield _argument(stage, spec, "output_batch_size", pipeline)


def _loading(spec: ComponentSpec) -> Iterator[MemoryLever]:
    pipeline = pipeline_of(spec)
    if pipeline.num_workers > 0:
        yield _argument("load", spec, "num_workers", pipeline)
        if pipeline.prefetch_size > 0:
            yield _argument("load", spec, "prefetch_size", pipeline)


def _windows(spec: ComponentSpec | None) -> Iterator[MemoryLever]:
    if spec is None or spec.cls is None:
        return
    inferer = create(spec)
    if (getattr(inferer, "batch_size", None) or 1) > 1:
        yield _argument("validate", spec, "batch_size", inferer)
    if getattr(inferer, "roi_size", None):
        yield _argument("validate", spec, "roi_size", inferer)


def _argument(stage: Stage, spec: ComponentSpec, name: str, component: Any) -> MemoryLever:
    return MemoryLever(stage, name, getattr(component, name), spec.arg_address(name))
