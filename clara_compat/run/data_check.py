"""What can be known about the data before the first batch: files, headers, sizes along the chain."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clara_compat.common.files import endless
from clara_compat.components.component import Component
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline
from clara_compat.components.transforms.loader import ImageLoader
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.engine.data.datalist import describe, load_datalist
from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.errors import Address, ClaraError, suggestion
from clara_compat.run.network_check import SizeCheck

__all__ = ["check_data", "file_problems", "follow", "the_first"]

Chain = Sequence[tuple[ComponentSpec, Component | None]]

_MOST = 5
"""Problems of one data list that are spelled out; the rest is counted."""


def check_data(
    pipeline_spec: ComponentSpec,
    chain: Sequence[ComponentSpec],
    check_size: SizeCheck | None = None,
    batch_chain: Sequence[ComponentSpec] = (),
    compares: ComponentSpec | None = None,
) -> list[ClaraError]:
    """Look at every file of a pipeline's data list, reading headers only.

    Found are: a missing list or key, missing files, unreadable headers, label and image of different shapes, a class
    label that is none, a field that no transform has loaded, a crop larger than a scan, other axes or channels than the
    pipeline declares, an image and a label that end in different sizes, and a size the network cannot take (sizes are
    followed through the chains up to the first transform of the user's own).

    Args:
        pipeline_spec: the image pipeline.
        chain: its transforms.
        check_size: of the image at the end of the chain.
        batch_chain: the transforms of a batch.
        compares: what compares the prediction, which is as large as the image, with the label voxel by voxel.

    Returns:
        The problems, worst first come.
    """
    pipeline = create(pipeline_spec) if pipeline_spec.cls is not None else None
    if not isinstance(pipeline, BaseImagePipeline):
        return []
    try:
        items = load_datalist(pipeline.data_list_file_path, pipeline.data_list_key, pipeline.data_file_base_dir)
    except ClaraError as error:
        return [error]
    walk = _Walk(pipeline, pipeline_spec.address, _made(chain), _made(batch_chain), check_size, compares)
    problems: dict[str, ClaraError] = {}
    if pipeline_spec.section.startswith("train"):
        try:
            EpochPlan(
                items,
                shuffle=False,
                seed=0,
                items_per_category=pipeline.items_per_category,
                category_weights=pipeline.category_weights,
                sampling=pipeline.sampling,
            )
        except ClaraError as error:
            problems[error.message] = ClaraError(error.message, pipeline_spec.address)
    seen: set[str] = set()
    for number, item in enumerate(items):
        if repr(item) in seen:
            continue
        seen.add(repr(item))
        for problem in walk.problems(item, f"{pipeline.data_list_key}[{number}]"):
            place = problem.address or Address(pipeline.data_list_file_path)
            problems.setdefault(problem.message, ClaraError(problem.message, place))
    return the_first(list(problems.values()), pipeline.data_list_file_path)


def the_first(problems: Sequence[ClaraError], source: str) -> list[ClaraError]:
    """Return the first problems of a data list, and how many more there are in it.

    Args:
        problems: all of them.
        source: where the items come from.
    """
    found = list(problems[:_MOST])
    if len(problems) > _MOST:
        found.append(ClaraError(f"... and {len(problems) - _MOST} more problems of this kind in {source}"))
    return found


@dataclass(frozen=True)
class _Walk:
    """Follows the items of a section from headers alone; the arguments are those of :func:`check_data`."""

    pipeline: BaseImagePipeline
    address: Address
    chain: Chain
    batch_chain: Chain
    check_size: SizeCheck | None
    compares: ComponentSpec | None

    def problems(self, item: Mapping[str, Any], where: str) -> Iterator[ClaraError]:
        """Find what is wrong with one item of the data list."""
        for field in ("image", "label"):
            if item.get(field) in (None, "", []):
                yield ClaraError(f"{where} has no '{field}' ({describe(dict(item))})")
                return
        images = ("image", "label") if self.pipeline.task == "segmentation" else ("image",)
        if self.pipeline.task == "classification":
            yield from _class_label(item["label"], self.pipeline, where)
        if problems := file_problems(item, images, where):
            yield from problems
            return
        told = describe(dict(item))
        try:
            geometry = follow(self.chain, item, {})
            if geometry is None:
                return
            found = list(self._of_item(geometry, images, told))
            yield from found
            if not found and self.batch_chain:
                in_batch = {field: geometry[field] for field in images}
                geometry = follow(self.batch_chain, item, in_batch, fields_are_known=False)
                found = [] if geometry is None else list(self._of_batch(geometry, told))
                yield from found
        except ClaraError as error:
            yield ClaraError(f"{error.message} ({told})", error.address)
            return
        if geometry is None or found:
            return
        both = all(field in geometry for field in ("image", "label"))
        if self.compares is not None and both and geometry["image"].size != geometry["label"].size:
            sizes = " and ".join(f"{list(geometry[field].size)} of the {field}" for field in images)
            yield ClaraError(
                f"{self.compares.name} compares the prediction, which is as large as the image, with the label, but at "
                f"the end of the transforms there are {sizes} voxels: name both fields in what resizes or crops one "
                f"({told})",
                self.compares.address,
            )
        if self.check_size is not None:
            try:
                self.check_size(f"{where} ({told})", geometry["image"].size)
            except ClaraError as error:
                yield error

    def _of_item(self, geometry: Mapping[str, Geometry], images: Sequence[str], told: str) -> Iterator[ClaraError]:
        """Compare the end of the chain with what the pipeline declares, and so the network expects."""
        for field in images:
            if field not in geometry:
                place = self.chain[0][0].address
                yield ClaraError(f"'{field}' is never loaded: add it to the fields of LoadNifti", place)
            else:
                for message in _declared(field, geometry[field], self.pipeline, told):
                    yield ClaraError(message, self.address)

    def _of_batch(self, geometry: Mapping[str, Geometry], told: str) -> Iterator[ClaraError]:
        """Compare the image at the end of the batch's transforms with what the network takes."""
        image, pipeline = geometry["image"], self.pipeline
        if (len(image.size), image.channels) != (pipeline.spatial_dims, pipeline.output_image_channels):
            yield ClaraError(
                f"'image' has {image.channels} channels and {len(image.size)} spatial axes at the end of "
                f"batch_transforms, but the network takes {pipeline.output_image_channels} channels (output_image_"
                f"channels of the image pipeline) and {pipeline.spatial_dims} axes: change channels and axes in "
                f"pre_transforms, and declare them ({told})",
                self.batch_chain[0][0].address,
            )


def _made(specs: Sequence[ComponentSpec]) -> Chain:
    return [(spec, create(spec) if spec.cls is not None else None) for spec in specs]


def follow(
    chain: Chain, item: Mapping[str, Any], geometry: Mapping[str, Geometry], *, fields_are_known: bool = True
) -> dict[str, Geometry] | None:
    """Follow the images of an item through a chain, reading headers only.

    Args:
        chain: the transforms and, of the catalogue's, the components.
        item: of a data list.
        geometry: of the fields in front of the chain.
        fields_are_known: there are no other fields than these.

    Returns:
        The geometry behind it, or None when code of the user's own has a part in it.

    Raises:
        ClaraError: a transform cannot run on this item, at its address.
    """
    known = dict(geometry)
    for spec, component in chain:
        if not isinstance(component, NativeTransform):
            return None  # what the user's own code does to the item is not known
        try:
            if isinstance(component, ImageLoader):
                _check_fields(component.used_fields(), item, spec, "the data list has")
                known |= component.load_geometry(item)
                _check_equal_shapes(known)
            else:
                if fields_are_known:
                    _check_fields(component.used_fields(), known, spec, "loaded are")
                known = component.propagate(known)
        except ClaraError as error:
            raise ClaraError(error.message, error.address or spec.address) from error
    return known


def file_problems(item: Mapping[str, Any], fields: Sequence[str], where: str) -> list[ClaraError]:
    """Return a sentence for each path of an item where there is no file or folder.

    Args:
        item: of a data list.
        fields: those that hold a path or a list of paths.
        where: the item stands.
    """
    found = []
    for path in _paths(item, fields):
        kind = endless(path)
        if kind is not None or not os.path.exists(path):
            what = "does not exist" if kind is None else f"is {kind}, expected a file"
            found.append(ClaraError(f"{path} {what} (named by {where}): check DATA_ROOT and the data list"))
    return found


def _class_label(label: Any, pipeline: BaseImagePipeline, where: str) -> Iterator[ClaraError]:
    numbers = label if isinstance(label, list) else [label]
    if not all(isinstance(one, (int, float)) for one in numbers):
        yield ClaraError(f"{where} has the label {label!r:.200}, expected a class: a number or a list of numbers")
    elif pipeline.label_format and len(numbers) != pipeline.label_format.get_number_of_labels():
        yield ClaraError(
            f"{where} has {len(numbers)} numbers in its label, but output_label_format describes "
            f"{pipeline.label_format.get_number_of_labels()} labels"
        )
    elif pipeline.label_format:
        for i, (number, classes) in enumerate(zip(numbers, pipeline.label_format.classes_per_label, strict=True)):
            if number > max(classes, 2) - 1:
                yield ClaraError(
                    f"{where} has {number} as label {i}, which has {max(classes, 2)} classes by output_label_format: "
                    f"expected 0 to {max(classes, 2) - 1} (a negative number is no class and adds nothing to the loss)"
                )


def _declared(field: str, geometry: Geometry, pipeline: BaseImagePipeline, item: str) -> Iterator[str]:
    """Compare the end of the chain with what the pipeline declares, and so the network expects."""
    if len(geometry.size) != pipeline.spatial_dims:
        yield (
            f"'{field}' has {len(geometry.size)} spatial axes, but the image pipeline declares {pipeline.spatial_dims} "
            f"(output_crop_size, output_data_dims): mend one of them ({item})"
        )
    argument, declared = "output_image_channels", pipeline.output_image_channels
    if field == "label":
        argument, declared = "output_label_channels", pipeline.label_channels
    if geometry.channels != declared:
        yield (
            f"'{field}' has {geometry.channels} channels at the end of the transforms, but {argument} of the image "
            f"pipeline is {declared}: mend one of them ({item})"
        )


def _check_fields(fields: Sequence[str], known: Mapping[str, Any], spec: ComponentSpec, told: str) -> None:
    for field in fields:
        if field not in known:
            raise ClaraError(
                f"{spec.name} works on the field '{field}', which is not there{suggestion(field, known)} "
                f"({told} {', '.join(known) or 'none'})",
                spec.address,
            )


def _paths(item: Mapping[str, Any], fields: Sequence[str]) -> list[str]:
    found: list[str] = []
    for field in fields:
        value = item[field]
        found += [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, str)]
    return found


def _check_equal_shapes(geometry: Mapping[str, Geometry]) -> None:
    """Compare image and label as they were loaded."""
    sizes = [geometry[field].original for field in ("image", "label") if field in geometry]
    if len(sizes) == 2 and None not in sizes and sizes[0] != sizes[1]:
        raise ClaraError(
            f"image and label have different shapes, {sizes[0]} and {sizes[1]} voxels: they must be of the same grid"
        )
