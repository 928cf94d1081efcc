"""What an epoch of a pipeline will be: steps, batches, and what is cached of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from clara_compat.components.component import Component
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline
from clara_compat.components.transforms.loader import ImageLoader
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.components.transforms.transformer import Transformer
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.user_code import UserClass
from clara_compat.engine.data.budget import CacheBudget
from clara_compat.engine.data.datalist import item_key, load_datalist
from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.errors import ClaraError
from clara_compat.translate.chain import built_in_base

__all__ = ["DataSummary", "summarise"]

_FLOAT = 4

_Made = tuple[ComponentSpec, Component | None]
"""A transform, and what a built-in one says of itself."""


@dataclass(frozen=True)
class DataSummary:
    """The data side of a section, in numbers.

    Args:
        section: ``train`` or ``validate``.
        items: entries of the data list, repetitions included.
        scans: different entries among them.
        items_per_epoch: of one epoch.
        items_per_step: entries of the data list that make a step.
        crops: what a batching crop makes of one of them; 1 without.
        steps: steps per epoch.
        cached_up_to: last transform whose result is cached, or an empty text when nothing is.
        cached_scans: how many are held at a time.
        cached_bytes: what they take, or None when only the user's code knows.
        place: ``memory``, ``disk``, ``nowhere`` or, without a size, ``memory or disk``.
    """

    section: str
    items: int
    scans: int
    items_per_epoch: int
    items_per_step: int
    crops: int
    steps: int
    cached_up_to: str
    cached_scans: int
    cached_bytes: int | None
    place: str


def summarise(
    pipeline_spec: ComponentSpec, chain: Sequence[ComponentSpec], section: str, budget: CacheBudget
) -> DataSummary | None:
    """Describe the data side of a section without reading a voxel; None when its data list cannot be used.

    Args:
        pipeline_spec: the image pipeline.
        chain: its transforms.
        section: ``train`` or ``validate``.
        budget: what the caches of the run share; what this section takes is taken from it.
    """
    pipeline = create(pipeline_spec) if pipeline_spec.cls is not None else None
    if not isinstance(pipeline, BaseImagePipeline):
        return None
    training = section == "train"
    options: dict[str, Any] = {
        "items_per_category": pipeline.items_per_category,
        "category_weights": pipeline.category_weights,
        "sampling": pipeline.sampling,
        "replace_percent": pipeline.replaced_fraction,
    }
    try:
        data = load_datalist(
            pipeline.data_list_file_path,
            pipeline.data_list_key,
            pipeline.data_file_base_dir,
            pipeline.duplicate_count,
        )
        plan = EpochPlan(data, shuffle=False, seed=0, cached=pipeline.num_cached, **(options if training else {}))
    except ClaraError:  # the check of the data says it
        return None
    made = [(spec, create(spec) if spec.cls is not None else None) for spec in chain]
    prefix = _prefix(made)
    crops = math.prod(getattr(component, "batches", None) or 1 for _, component in made)
    held = {item_key(data[i]) for epoch in (1, 2) for i in plan.window(epoch)}
    size = _item_bytes(prefix, data[0]) if prefix else 0
    total = None if size is None else size * len(held)
    place = _place(total, budget) if prefix and not budget.is_off else "nowhere"
    cached = place != "nowhere"
    return DataSummary(
        section=section,
        items=len(data),
        scans=len(set(map(item_key, data))),
        items_per_epoch=len(plan),
        items_per_step=pipeline.batch_size,
        crops=crops,
        steps=math.ceil(len(plan) / pipeline.batch_size),
        cached_up_to=prefix[-1][0].name if cached else "",
        cached_scans=len(held) if cached else 0,
        cached_bytes=total if cached else 0,
        place=place,
    )


def _prefix(chain: Sequence[_Made]) -> list[_Made]:
    """Return the transforms that run once per scan."""

    def runs_once(made: _Made) -> bool:
        spec, component = made
        if isinstance(component, NativeTransform):
            return component.is_deterministic() and component.cacheable
        return spec.user is None or _says_deterministic(spec.user)

    return list(takewhile(runs_once, chain))


def _says_deterministic(user: UserClass) -> bool:
    """Whether a user's transform will say it is deterministic, as far as its source tells."""
    if user.deterministic is not None:
        return user.deterministic
    base = built_in_base(user)
    return base is None or getattr(base, "is_deterministic", None) is Transformer.is_deterministic


def _item_bytes(prefix: Sequence[_Made], item: dict[str, Any]) -> int | None:
    """Return the bytes of an item behind the prefix (float32), or None when user code or a damaged file hides it."""
    geometry: dict[str, Geometry] = {}
    try:
        for _, component in prefix:
            if not isinstance(component, NativeTransform):
                return None
            if isinstance(component, ImageLoader):
                geometry |= component.load_geometry(item)
            else:
                geometry = component.propagate(geometry)
    except ClaraError:
        return None
    return sum(_FLOAT * one.channels * math.prod(one.size) for one in geometry.values())


def _place(total: int | None, budget: CacheBudget) -> str:
    if total is None:
        return "memory or disk"
    if budget.reserve(total):
        return "memory"
    return "disk" if budget.reserve_disk(total) else "nowhere"
