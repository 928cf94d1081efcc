"""A network's values per class, which are no image, as user code sees them."""

from __future__ import annotations

import numpy as np
import torch

from clara_compat.engine.legacy.transform import legacy_transform


class Double:
    def transform(self, transform_ctx):
        values = transform_ctx["model"]
        assert isinstance(values, np.ndarray)
        transform_ctx["model"] = values * 2
        return transform_ctx


def test_values_are_an_array_and_come_back_as_a_tensor() -> None:
    given = torch.tensor([0.25, 0.75])
    found = legacy_transform(Double())({"model": given})["model"]
    assert isinstance(found, torch.Tensor)
    torch.testing.assert_close(found, torch.tensor([0.5, 1.5]))
    torch.testing.assert_close(given, torch.tensor([0.25, 0.75]))
