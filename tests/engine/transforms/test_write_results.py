from __future__ import annotations

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import SaveImage
from PIL import Image

from clara_compat.engine import properties
from clara_compat.engine.transforms.load_nifti import LoadNiftid
from clara_compat.engine.transforms.write_results import WriteNiftid, WritePngd
from clara_compat.errors import ClaraError


def labels(size, affine, name="data/case_3.nii.gz", channels=1, **known):
    values = torch.from_numpy(np.random.default_rng(0).integers(0, 4, (channels, *size)).astype(np.float32))
    tensor = MetaTensor(values, affine=torch.from_numpy(affine.copy()))
    tensor.meta["filename_or_obj"] = name
    properties.write(tensor, known)
    return tensor


@pytest.mark.parametrize("channels", [1, 3])
def test_nifti(tmp_path, oblique_affine, channels):
    """The same file as MONAI's own writer makes; the case is named after the image, also for fields without a file."""
    image = labels((4, 5, 6), oblique_affine, channels=channels)
    item = {"image": image, "pred": MetaTensor(image.as_tensor(), affine=image.affine), "note": "kept"}
    out = WriteNiftid(["image", "pred"], tmp_path, ["image", "model"], dtype="uint8")(item)
    assert out == item
    assert sorted(str(f.relative_to(tmp_path)) for f in tmp_path.rglob("*.*")) == [
        "case_3/case_3_image.nii.gz",
        "case_3/case_3_model.nii.gz",
    ]
    SaveImage(tmp_path / "monai", output_postfix="model", output_dtype=np.uint8, print_log=False)(image)
    expected = nibabel.load(tmp_path / "monai" / "case_3" / "case_3_model.nii.gz")
    for name in ("image", "model"):
        found = nibabel.load(tmp_path / "case_3" / f"case_3_{name}.nii.gz")
        assert (found.shape, found.get_data_dtype()) == (expected.shape, expected.get_data_dtype())
        np.testing.assert_array_equal(found.get_fdata(), expected.get_fdata())
        np.testing.assert_allclose(found.affine, expected.affine, atol=1e-4)


def test_identity_and_the_loaders_turn(tmp_path, oblique_affine):
    values = np.random.default_rng(0).integers(0, 9, (4, 5, 6)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, oblique_affine[:, [1, 2, 0, 3]]), tmp_path / "a.nii")
    item = LoadNiftid("image", as_closest_canonical=True)({"image": str(tmp_path / "a.nii")})
    WriteNiftid("image", tmp_path / "back", revert_canonical=True)(item)
    WriteNiftid("image", tmp_path / "identity", use_identity=True)(item)
    back = nibabel.load(tmp_path / "back" / "a" / "a_image.nii.gz")
    np.testing.assert_array_equal(back.get_fdata(), values)
    np.testing.assert_allclose(back.affine, oblique_affine[:, [1, 2, 0, 3]], atol=1e-4)
    identity = nibabel.load(tmp_path / "identity" / "a" / "a_image.nii.gz")
    np.testing.assert_array_equal(identity.get_fdata(), item["image"].numpy()[0])
    np.testing.assert_array_equal(identity.affine, np.eye(4))
    with pytest.raises(ClaraError, match="'pred' does not say how its file was oriented"):
        WriteNiftid("pred", tmp_path, revert_canonical=True)({"pred": MetaTensor(torch.zeros(1, 2, 2)), **item})


def test_png(tmp_path):
    image = labels((5, 7), np.eye(4), "pictures/a.png")
    WritePngd("image", tmp_path)({"image": image})
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a" / "a_image.png")), image.numpy()[0])


def test_names(tmp_path):
    first, second = (labels((4, 4), np.eye(4), f"{folder}/scan.nii") for folder in "ab")
    write = WriteNiftid("image", tmp_path)
    write({"image": first})
    write({"image": first})  # the same case once more, as in a second validation
    with pytest.raises(ClaraError, match="'b/scan.nii' would overwrite those of 'a/scan.nii'"):
        write({"image": second})
    with pytest.raises(ClaraError, match="neither 'image' nor 'pred' says which file it comes from"):
        WriteNiftid("pred", tmp_path)({"pred": torch.zeros(1, 2, 2)})
    with pytest.raises(ValueError, match="argument 2 is"):
        WriteNiftid(["image", "pred"], tmp_path, names="model")
    assert WriteNiftid("pred", tmp_path, allow_missing_keys=True)({}) == {}
