"""What a validation's metrics read besides prediction, label, loss and the tags of auxiliary operations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from clara_compat.config.components import ComponentSpec
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.translate.aux_ops import Tags, operation_tags
from clara_compat.translate.metrics import FIELDS, metric_fields

__all__ = ["carried_fields", "named_fields", "with_fields_of_the_chain"]


def carried_fields(workflow: TrainWorkflow) -> list[str]:
    """Return the fields that the validation's batches keep for its metrics, where an item has them.

    Those that metrics name, unless every step has them or an operation makes them.
    """
    if workflow.validate is None:
        return []
    named = {field for spec in workflow.validate.metrics for field in metric_fields(spec).values()}
    known = {*FIELDS, *operation_tags(workflow.train.aux_ops).names}
    return sorted(named - known)


def with_fields_of_the_chain(tags: Tags, chain: Sequence[ComponentSpec]) -> Tags:
    """Return the tags, and all that the transforms of an item name: metrics can read it. User code may make any."""
    return replace(
        tags, of_the_items=named_fields(chain), complete=tags.complete and all(spec.cls is not None for spec in chain)
    )


def named_fields(chain: Sequence[ComponentSpec]) -> frozenset[str]:
    """Return all that may be a field among the arguments of transforms: each text, and each word of a list in one."""
    texts = [text for spec in chain for text in _texts(spec.args)]
    return frozenset([*texts, *(word.strip() for text in texts for word in text.split(","))])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
