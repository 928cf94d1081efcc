"""The auxiliary operations of a workflow: their tags, and their bundle entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clara_compat.components.aux_ops.native import NativeOperation
from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.errors import ClaraError
from clara_compat.translate.chain import component_entry, user_component

__all__ = ["Tags", "data_property", "operation_tags", "translate_operations"]


@dataclass(frozen=True)
class Tags:
    """What auxiliary operations put beside the fields of a step.

    Args:
        names: their tags.
        complete: no operation is the user's own, whose tags are only known when it has run.
        of_the_items: what the transforms may have put into an item.
    """

    names: tuple[str, ...] = ()
    complete: bool = True
    of_the_items: frozenset[str] = frozenset()


def operation_tags(specs: Sequence[ComponentSpec], channels: int | None = None) -> Tags:
    """Return the tags of the operations.

    Args:
        specs: the operations.
        channels: channels of the network's output, against which built-in ones are checked; None when not known.

    Raises:
        ClaraError: two operations have the same tag, or one does not fit the network.
    """
    owners: dict[str, ComponentSpec] = {}
    for spec in specs:
        operation = create(spec) if spec.cls is not None else None
        if not isinstance(operation, NativeOperation):
            continue
        if channels is not None:
            try:
                operation.check_channels(channels)
            except ClaraError as error:
                raise ClaraError(f"{spec.name}: {error.message}", spec.address) from None
        for tag in operation.tags:
            if tag in owners:
                raise ClaraError(
                    f"the tag '{tag}' is given by {owners[tag].name} (line {owners[tag].address.line}) already: choose "
                    "another",
                    spec.address,
                )
            owners[tag] = spec
    return Tags(tuple(owners), all(spec.cls is not None for spec in specs))


def translate_operations(
    specs: Sequence[ComponentSpec], context: BundleContext, pipeline: BaseImagePipeline
) -> list[Entry]:
    """Return the entries of the operations, for the engine of one section.

    Args:
        specs: the operations.
        context: of the section.
        pipeline: of the section, for what a user's own operation is told of the data.
    """
    return [
        _user_operation(spec, context, pipeline) if spec.cls is None else component_entry(spec, context)
        for spec in specs
    ]


def data_property(pipeline: BaseImagePipeline) -> Entry:
    """Return what user code is told of a pipeline's data."""
    labels = pipeline.label_format
    return Entry(
        "clara_compat.common.data_prop.DataProperty",
        task=pipeline.task,
        data_format=pipeline.output_data_format,
        num_data_dims=pipeline.spatial_dims,
        num_channels=pipeline.output_image_channels,
        num_label_channels=max(1, pipeline.label_channels),
        crop_size=pipeline.output_crop_size,
        label_format=None
        if labels is None
        else Entry("clara_compat.common.label_format.LabelFormat", classes_per_label=labels.classes_per_label),
    )


def _user_operation(spec: ComponentSpec, context: BundleContext, pipeline: BaseImagePipeline) -> Entry:
    return Entry(
        "clara_compat.engine.legacy.aux_op.LegacyAuxOp",
        operation=user_component(spec),
        name=spec.name,
        data_property=data_property(pipeline),
        loss=context.loss,
        optimizer=Expression("@optimizer"),
        is_train=context.section == "train",
        final_activation=context.final_activation,
    ).placed(spec.address)
