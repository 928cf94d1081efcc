"""From the data list to the loader: the data side of a section as bundle entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.problems import Notice
from clara_compat.errors import Address, ClaraError
from clara_compat.translate.batch_chain import check_batch_chain
from clara_compat.translate.chain import transform_chain

__all__ = ["DataSide", "data_side", "pipeline_of"]


@dataclass(frozen=True)
class DataSide:
    """The data side of a section.

    Args:
        entries: ``data``, ``preprocessing``, ``plan``, ``cache``, ``dataset``, ``dataloader`` (and
            ``batch_transform``).
        sources: where each transform came from: of the chain under the section's name, of the batch's transforms under
            that with ``.batch``, and where the pipeline stands under that with ``.pipeline``.
        notices: choices the user should know of.
        handlers: what the section's engine needs for it.
        batch: images in a full batch; None when user code may make more of one.
    """

    entries: dict[str, Any]
    sources: dict[str, list[Address]]
    notices: list[Notice] = field(default_factory=list)
    handlers: list[Entry] = field(default_factory=list)
    batch: int | None = None


def pipeline_of(spec: ComponentSpec) -> BaseImagePipeline:
    """Return the image pipeline of a section.

    Raises:
        ClaraError: it is a user's own.
    """
    component = create(spec) if spec.cls is not None else None
    if not isinstance(component, BaseImagePipeline):
        raise ClaraError(
            f"'{spec.name}' is not supported as image_pipeline: use one of the catalogue (clara-compat components "
            "pipelines lists them)",
            spec.address,
        )
    return component


def data_side(
    spec: ComponentSpec,
    chain_specs: Sequence[ComponentSpec],
    context: BundleContext,
    *,
    batch_specs: Sequence[ComponentSpec] = (),
    extra_inputs: Sequence[dict[str, Any]] = (),
    carried: Sequence[str] = (),
    single_thread: bool = False,
    skips: bool = False,
) -> DataSide:
    """Translate a pipeline and its chains.

    Args:
        spec: the image pipeline.
        chain_specs: the transforms of an item.
        context: the section's.
        batch_specs: the transforms of a batch.
        extra_inputs: further network inputs, as ``BatchFields`` takes them.
        carried: fields that stay in the batch where an item has them.
        single_thread: run transforms on one torch thread.
        skips: an item that cannot be made does not end the run.

    Raises:
        ClaraError: something cannot be translated.
    """
    pipeline = pipeline_of(spec)
    section = context.section
    training = section == "train"
    chain = transform_chain(chain_specs, context)
    images = ["image", *(["label"] if pipeline.task == "segmentation" else [])]
    check_batch_chain(batch_specs, [*images, *(str(one["name"]) for one in extra_inputs)])
    batch_chain = transform_chain(batch_specs, context)
    context = replace(context, crops=chain.crops, merges=batch_chain.merges, chain_is_known=chain.is_known)
    if batch_chain.crops is not None:
        raise ClaraError("a crop that makes batches cannot stand in batch_transforms", batch_chain.sources[0])

    def ref(name: str) -> Expression:
        return Expression(f"@{section}#{name}")

    given: dict[str, Any] = {"single_thread": single_thread, "section": section}
    bad = {"on_bad_item": "replace" if training else "leave_out"} if skips else {}
    last = _last(pipeline, extra_inputs, carried, track_meta=not training)
    entries: dict[str, Any] = {
        "data": pipeline.data_entry(),
        "preprocessing": Entry("Compose", transforms=[*chain.entries, last]),
        "plan": pipeline.plan_entry(context),
        "cache": Entry(
            "clara_compat.engine.data.cache.ItemCache",
            data=ref("data"),
            transform=ref("preprocessing"),
            plan=ref("plan"),
            budget=Expression("@cache_budget"),
            section=section,
            requested=pipeline.num_cached is not None,
            num_workers=max(1, pipeline.num_workers),
            **bad,
        ),
    }
    if batch_chain.entries:
        entries["batch_transform"] = Entry("Compose", transforms=batch_chain.entries)
        given["batch_transform"] = ref("batch_transform")
    entries["dataset"] = Entry(
        "clara_compat.engine.data.dataset.SeededDataset",
        data=ref("data"),
        transform=ref("preprocessing"),
        cache=ref("cache"),
        **given,
        **bad,
    )
    entries["dataloader"] = pipeline.bundle_entry(context)
    notices = [*chain.notices, *batch_chain.notices]
    notices += [Notice(spec.address, text) for text in pipeline.notices(context)]
    replaces = training and pipeline.num_cached is not None and pipeline.replaced_fraction > 0
    short = Entry("clara_compat.engine.handlers.skip_report.ShortValidation")
    updates = Entry("clara_compat.engine.handlers.cache_updates.CacheUpdates", cache=ref("cache"))
    return DataSide(
        entries,
        {
            section: chain.sources,
            f"{section}.batch": batch_chain.sources,
            f"{section}.pipeline": [spec.address],
        },
        notices,
        [*([updates] if replaces else []), *([short] if skips and not training else [])],
        pipeline.batch_size * (chain.crops or 1) if chain.is_known else None,
    )


def _last(
    pipeline: BaseImagePipeline, extra_inputs: Sequence[dict[str, Any]], carried: Sequence[str], *, track_meta: bool
) -> Entry:
    """Return the end of the chain: the fields of a batch."""
    declared: dict[str, Any] = {"image_channels": pipeline.output_image_channels}
    if pipeline.task == "segmentation":
        declared["label_channels"] = pipeline.label_channels
    else:
        declared["labels"] = pipeline.label_format.get_number_of_labels() if pipeline.label_format else 0
    if extra_inputs:
        declared["extra_inputs"] = list(extra_inputs)
    if carried:
        declared["carried"] = list(carried)
    return Entry("clara_compat.engine.transforms.batch_fields.BatchFields", track_meta=track_meta, **declared)
