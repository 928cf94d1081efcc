"""What writes the results of an evaluation, and whether those of an earlier one can take their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.evaluate_workflow import EvaluateWorkflow
from clara_compat.errors import ClaraError
from clara_compat.translate.chain import component_entry, user_component
from clara_compat.translate.metrics import metric_fields

__all__ = ["Inference", "evaluation_writers", "inference_writers", "lost_field", "made"]

_NIFTI = "clara_compat.engine.transforms.write_results.WriteNiftid"
_IN_FILE_GRID = "clara_compat.engine.transforms.write_in_file_grid.WriteInFileGridd"
_NOT_IN_FILE_GRID = ("use_identity", "revert_canonical")


@dataclass(frozen=True)
class Inference:
    """Images in place of a data list, and results in the grid of their files.

    Args:
        images: their files.
        file: the one file to write, or None for files named after the images.
    """

    images: Sequence[str]
    file: Path | None = None


def evaluation_writers(workflow: EvaluateWorkflow, context: BundleContext) -> list[Entry]:
    """Return the workflow's writers; none when neither results are wanted nor earlier ones are taken."""
    settings = workflow.settings
    if not settings.output_infer_result and settings.overwrite_previous_result:
        return []
    return [_writer(spec, context) for spec in workflow.writers]


def inference_writers(
    workflow: EvaluateWorkflow, context: BundleContext, inference: Inference, folder: Path
) -> list[Entry]:
    """Return the workflow's writers, its NIfTI files in the grids of the images' files, all of them in ``folder``.

    A workflow without writers gives the field ``model``.

    Raises:
        ClaraError: one file is wanted, and the workflow does not write one.
    """
    model = Entry(_NIFTI, keys=["model"], output_dir=str(folder))
    entries = [_writer(spec, context) for spec in workflow.writers] or [model]
    masks = [entry for entry in entries if entry.target == _NIFTI]
    if inference.file is not None and len(masks) != 1:
        fields = ", ".join(entry.arguments["keys"][0] for entry in masks) or "none"
        raise ClaraError(
            f"'{inference.file}' is one file, but the config writes {len(masks)} (fields: {fields}): give a folder"
        )
    for entry in entries:
        if "output_dir" in entry.arguments:
            entry.arguments["output_dir"] = str(folder)
        elif "file" in entry.arguments:
            entry.arguments["file"] = str(folder / Path(entry.arguments["file"]).name)
    for entry in masks:
        entry.target = _IN_FILE_GRID
        entry.arguments = {name: value for name, value in entry.arguments.items() if name not in _NOT_IN_FILE_GRID}
        if inference.file is not None:
            entry.arguments["file"] = str(inference.file)
    return entries


def lost_field(workflow: EvaluateWorkflow) -> tuple[ComponentSpec, str] | None:
    """Return a metric, and a field of the prediction it reads that no writer keeps; None when all are kept."""
    kept = {getattr(made(spec), "field", None) or spec.args.get("field") for spec in workflow.writers}
    predicted = {name for spec in workflow.post_transforms for name in _outputs(spec)} | {"model"}
    for spec in workflow.val_metrics:
        lost = next((name for name in metric_fields(spec).values() if name in predicted - kept), None)
        if lost is not None:
            return spec, lost
    return None


def made(spec: ComponentSpec) -> Component | None:
    """Return the component of the catalogue, or None for the user's own."""
    return create(spec) if spec.cls is not None else None


def _writer(spec: ComponentSpec, context: BundleContext) -> Entry:
    if spec.cls is None:
        target = "clara_compat.engine.legacy.writer.LegacyWriter"
        return Entry(target, writer=user_component(spec), name=spec.name)
    return component_entry(spec, context)


def _outputs(spec: ComponentSpec) -> list[str]:
    """Return the fields that a transform makes or changes, by the arguments that name them."""
    component = made(spec)
    found = [*getattr(component, "label_names", ()), *getattr(component, "channel_names", ())]
    return [str(name) for name in (*found, *getattr(component, "fields", ()))]
