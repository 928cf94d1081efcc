"""Outside the mask an image is zero, whatever stood there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.engine.transforms.mask_image import MaskImaged
from clara_compat.errors import ClaraError


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


@pytest.mark.parametrize("shape", [(2, 4, 4), (1, 4, 5), (1, 1, 4), (1, 4, 4, 4)])
def test_a_mask_that_does_not_fit(shape: tuple[int, ...]) -> None:
    item = {"image": MetaTensor(torch.ones(3, 4, 4), meta={"filename_or_obj": "a.nii"}), "mask": torch.ones(shape)}
    with pytest.raises(
        ClaraError, match=r"'mask' has the shape \(.*\) and field 'image' \(3, 4, 4\): .*no file, a.nii"
    ):
        MaskImaged("image", "mask")(item)


def test_the_metadata_stay_and_the_image_is_left_alone(oblique_affine: np.ndarray) -> None:
    image = MetaTensor(torch.ones(1, 4, 4), affine=torch.from_numpy(oblique_affine), meta={"filename_or_obj": "a.nii"})
    out = MaskImaged("image", "mask")({"image": image, "mask": torch.zeros(1, 4, 4)})["image"]
    assert (float(out.sum()), float(image.sum())) == (0, 16)
    assert torch.equal(out.affine, image.affine)
    assert out.meta["filename_or_obj"] == "a.nii"
