"""Results that would take the place of what they were made from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clara_compat.components.writers._case_writer import CaseWriter
from clara_compat.config.arguments import create
from clara_compat.config.evaluate_workflow import EvaluateWorkflow
from clara_compat.errors import ClaraError

__all__ = ["ReplacedInputs"]


class ReplacedInputs:
    """Finds results that would take the place of a file of the data list.

    Args:
        workflow: the resolved config.
        items: of the data list.
    """

    def __init__(self, workflow: EvaluateWorkflow, items: Sequence[Mapping[str, Any]]) -> None:
        self.mmar = workflow.mmar
        specs = workflow.writers if workflow.settings.output_infer_result else []
        made = [(spec, create(spec)) for spec in specs if spec.cls is not None]
        self.writers = [(spec, component) for spec, component in made if isinstance(component, CaseWriter)]
        values = (value for item in items for value in item.values()) if self.writers else ()
        parts = (part for value in values for part in (value if isinstance(value, list) else [value]))
        self.given = {os.path.realpath(part) for part in parts if isinstance(part, str) and "\0" not in part}

    def problems(self, item: Mapping[str, Any]) -> Iterator[ClaraError]:
        """Find the results of one item that would do so."""
        if item.get("image") in (None, "", []):
            return
        for spec, writer in self.writers:
            try:
                path = self.mmar / writer.files.path(item["image"])
            except ClaraError:  # the item has no name, which is said elsewhere
                continue
            if os.path.realpath(path) in self.given:
                text = f"'{path}' would take the place of a file of the data list: choose another write_path or field"
                yield ClaraError(text, spec.address)
