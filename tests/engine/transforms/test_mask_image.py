"""Outside the mask an image is zero, whatever stood there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from clara_compat.engine.transforms.mask_image import MaskImaged


@pytest.mark.parametrize("dtype", [torch.float32, torch.int16])
@pytest.mark.parametrize("channels", [1, 2])
def test_against_numpy(dtype: torch.dtype, channels: int) -> None:
    rng = np.random.default_rng(0)
    image, mask = rng.normal(0, 50, (2, 5, 6, 4)), rng.integers(0, 3, (channels, 5, 6, 4)) - 1
    tensor = torch.from_numpy(image).to(dtype)
    out = MaskImaged("image", "mask")({"image": tensor, "mask": torch.from_numpy(mask)})["image"]
    np.testing.assert_array_equal(out.numpy(), np.where(mask > 0, tensor.numpy(), 0))
    assert out.dtype == dtype


def test_what_is_no_number_is_masked_too() -> None:
    image = torch.tensor([[float("inf"), float("nan"), 5.0]])[None]
    out = MaskImaged("image", "mask")({"image": image, "mask": torch.tensor([[[0, 0, 1]]])})["image"]
    assert out.flatten().tolist() == [0.0, 0.0, 5.0]
