"""The data side of one section of a workflow: for the whole config, or as a bundle config of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from clara_compat.components.entry import BundleContext, Expression
from clara_compat.config.components import ComponentSpec
from clara_compat.config.workflow import TrainSection, TrainWorkflow
from clara_compat.errors import ClaraError
from clara_compat.translate.bundle import Bundle, Seeds, initialize
from clara_compat.translate.data_side import DataSide, data_side, pipeline_of
from clara_compat.translate.extra_inputs import extra_inputs
from clara_compat.translate.places import DATA_PLACES, Places
from clara_compat.translate.render import render
from clara_compat.translate.validation_fields import carried_fields

__all__ = [
    "SectionName",
    "SectionSpecs",
    "places_of",
    "section_context",
    "section_data",
    "section_specs",
    "translate_section_data",
]

SectionName = Literal["train", "validate"]

_KEPT = ("data", "preprocessing", "plan")


@dataclass(frozen=True)
class SectionSpecs:
    """What a section's data side is made of.

    Args:
        pipeline: the image pipeline.
        chain: the transforms of an item.
        batch_chain: the transforms of a batch.
    """

    pipeline: ComponentSpec
    chain: Sequence[ComponentSpec]
    batch_chain: Sequence[ComponentSpec] = ()

    @property
    def all(self) -> list[ComponentSpec]:
        """All of them."""
        return [self.pipeline, *self.chain, *self.batch_chain]


def section_specs(workflow: TrainWorkflow, section: SectionName) -> SectionSpecs:
    """Return the components of a section's data side.

    Raises:
        ClaraError: the config has no such section.
    """
    found = workflow.train if section == "train" else workflow.validate
    if found is None:
        raise ClaraError("this config has no section 'validate': leave --section out", workflow.address())
    batch_chain = found.batch_transforms if isinstance(found, TrainSection) else ()
    return SectionSpecs(found.image_pipeline, found.pre_transforms, batch_chain)


def section_context(workflow: TrainWorkflow, section: SectionName, ckpt_dir: Path) -> BundleContext:
    """Return what a section's entries may depend on.

    Raises:
        ClaraError: the section is missing, or its pipeline is not of the catalogue.
    """
    pipeline = pipeline_of(section_specs(workflow, section).pipeline)
    size = pipeline.output_crop_size
    return BundleContext(
        spatial_dims=pipeline.spatial_dims,
        in_channels=pipeline.output_image_channels,
        crop_size=tuple(size) if size else None,
        label_format=None if pipeline.label_format is None else tuple(pipeline.label_format.classes_per_label),
        section=section,
        mmar=str(workflow.mmar),
        debug_dir=str(ckpt_dir / "debug"),
    )


def section_data(workflow: TrainWorkflow, section: SectionName, ckpt_dir: Path) -> DataSide:
    """Translate the data side of a section.

    Raises:
        ClaraError: the section is missing, or something of its data side cannot be translated.
    """
    specs = section_specs(workflow, section)
    declared = [
        one
        for value, address in (
            (workflow.document.data.get("extra_inputs"), workflow.address),
            (specs.pipeline.args.get("extra_inputs"), specs.pipeline.arg_address),
        )
        for one in extra_inputs(value, section, partial(address, "extra_inputs"))
    ]
    side = data_side(
        specs.pipeline,
        specs.chain,
        section_context(workflow, section, ckpt_dir),
        batch_specs=specs.batch_chain,
        extra_inputs=declared,
        carried=carried_fields(workflow) if section == "validate" else (),
        single_thread=workflow.settings.determinism is not None,
        skips=workflow.settings.on_bad_item == "skip",
    )
    side.entries["data"] = places_of(workflow, ckpt_dir).listed(side.entries["data"])
    return side


def places_of(workflow: TrainWorkflow, ckpt_dir: Path) -> Places:
    """Return the paths that stand at the top of the config of a training.

    The data's are Clara's variables; where a config does without, those of the training's pipeline.

    Args:
        workflow: the resolved config.
        ckpt_dir: where the outputs go.
    """
    listed = pipeline_of(workflow.train.image_pipeline).data_entry().arguments
    data = {name: str(workflow.variables.get(name) or listed[argument]) for name, argument in DATA_PLACES.items()}
    return Places({"bundle_root": str(workflow.mmar), "ckpt_dir": str(ckpt_dir), **data})


def translate_section_data(workflow: TrainWorkflow, section: SectionName, seeds: Seeds, ckpt_dir: Path) -> Bundle:
    """Translate what makes the items of a section: data list, transforms, order of the items.

    The transforms are the very entries of the whole config, ``BatchFields`` at their end included. The config has
    ``SECTION#data``, ``SECTION#preprocessing`` and ``SECTION#plan``; ``run`` only makes them.

    Args:
        workflow: the resolved config.
        section: ``train`` or ``validate``.
        seeds: of the run.
        ckpt_dir: where a run would put its outputs.

    Raises:
        ClaraError: the section is missing, or something of its data side cannot be translated.
    """
    side = section_data(workflow, section, ckpt_dir)
    places = places_of(workflow, ckpt_dir)
    config: dict[str, Any] = {
        **places.paths,
        "dataset_dir": Expression("@DATA_ROOT"),
        "seed": seeds.data,
        "user_code": list(workflow.user_roots),
        section: places.placed({name: side.entries[name] for name in _KEPT}),
        "initialize": initialize(seeds),
        "run": [Expression(f"@{section}#{name}") for name in _KEPT],
        "finalize": [],
    }
    return Bundle({name: render(value) for name, value in config.items()}, side.sources, side.notices)
