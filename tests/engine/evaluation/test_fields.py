"""What of the fields of cases metrics see, and what a report keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from clara_compat.engine.evaluation.fields import batch_of, small
from clara_compat.errors import ClaraError


def test_fields_become_batches() -> None:
    items = [{"image": torch.full((1, 2), float(i)), "age": i, "name": f"case{i}", "row": [i, 2]} for i in (3, 4)]
    batch = batch_of([{**items[0], "only": 1}, items[1]])
    found = {name: value.tolist() for name, value in batch.items()}
    assert found == {"image": [[[3.0, 3.0]], [[4.0, 4.0]]], "age": [[3.0], [4.0]], "row": [[3.0, 2.0], [4.0, 2.0]]}


def test_fields_of_different_sizes() -> None:
    with pytest.raises(ClaraError, match="the fields 'label' of a batch differ in size: set batch_size to 1"):
        batch_of([{"label": torch.zeros(1, 2)}, {"label": torch.zeros(1, 3)}])


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (0.5, 0.5),
        ("a", "a"),
        ([1, 2], [1, 2]),
        (torch.tensor([1.0, 2.0]), [1.0, 2.0]),
        (np.array(3), 3),
        (torch.zeros(1, 2), None),
        (np.zeros((2, 2)), None),
        ({"a": 1}, None),
    ],
)
def test_what_a_report_keeps(value: Any, kept: Any) -> None:
    assert small(value) == kept
