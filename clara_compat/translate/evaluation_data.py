"""What an evaluation looks at: a data list, or some images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clara_compat.components.entry import Entry, Expression
from clara_compat.config.evaluate_workflow import EvaluateWorkflow
from clara_compat.errors import ClaraError
from clara_compat.translate.evaluation_writers import Inference

__all__ = ["data_entry", "data_list", "data_source"]


def data_source(inference: Inference | None) -> dict[str, Any]:
    """Return where the images come from, for the top of the config.

    Args:
        inference: images in place of the data list.
    """
    if inference is None:
        return {"dataset_dir": Expression("@DATA_ROOT")}
    images = [str(image) for image in inference.images]
    return {"dataset_dir": str(Path(images[0]).absolute().parent) if images else "", "images": images}


def data_entry(workflow: EvaluateWorkflow, inference: Inference | None) -> Entry:
    """Return the entry of the items.

    Raises:
        ClaraError: DATASET_JSON is not set.
    """
    if inference is not None:
        return Entry("clara_compat.engine.evaluation.cases.image_items", images=Expression("@images"))
    return Entry("clara_compat.engine.data.datalist.load_datalist", **data_list(workflow))


def data_list(workflow: EvaluateWorkflow) -> dict[str, Any]:
    """Return which list of which file is evaluated, as ``load_datalist`` takes it.

    Raises:
        ClaraError: DATASET_JSON is not set.
    """
    file = workflow.variables.get("DATASET_JSON")
    if not file:
        raise ClaraError(
            "DATASET_JSON is not set, which names the data list: give it in environment.json, or with "
            "--set DATASET_JSON=/data/dataset.json DATA_ROOT=/data",
            workflow.address(),
        )
    return {
        "data_list_file_path": str(file),
        "data_list_key": workflow.settings.DATA_LIST_KEY,
        "base_dir": str(workflow.variables.get("DATA_ROOT") or ""),
    }
