from __future__ import annotations

import io
import sys

import nibabel
import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor

from clara_compat.engine.item_context import ItemKey, current_item
from clara_compat.engine.readers.nifti import read_nifti
from clara_compat.engine.transforms.save_nifti import SaveNiftid
from clara_compat.errors import ClaraError


@pytest.fixture
def key():
    token = current_item.set(ItemKey(seed=1, epoch=2, position=7, index=3))
    yield
    current_item.reset(token)


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def scan(size=(1, 4, 5, 6), dtype=torch.float32, file="/data/case_1.nii.gz"):
    affine = torch.tensor([[0, -2, 0, 5], [1.5, 0, 0, 6], [0, 0, -3, 7], [0, 0, 0, 1.0]])
    values = torch.arange(float(np.prod(size))).reshape(size).to(dtype)
    return MetaTensor(values, affine=affine, meta={"filename_or_obj": file})


def test_what_is_written(tmp_path, key):
    item = {"image": scan(), "label": scan((2, 4, 5, 6), torch.int64), "other": "x"}
    out = SaveNiftid(["image", "label"], tmp_path / "new" / "folder")(item)
    assert out == item
    assert names(tmp_path / "new" / "folder") == ["case_1_image_e2_i7.nii.gz", "case_1_label_e2_i7.nii.gz"]
    image, label = (nibabel.load(tmp_path / f"new/folder/case_1_{f}_e2_i7.nii.gz") for f in ("image", "label"))
    np.testing.assert_array_equal(image.get_fdata(), item["image"].numpy()[0])
    np.testing.assert_array_equal(label.get_fdata(), np.moveaxis(item["label"].numpy(), 0, -1))
    np.testing.assert_allclose(image.affine, item["image"].affine)
    assert image.get_data_dtype() == np.float32
    assert label.get_data_dtype() == np.int32


@pytest.mark.parametrize(
    ("tensor", "shape", "dtype"),
    [
        (scan((1, 4, 5)), (4, 5), np.float32),
        (scan((3, 4, 5)), (4, 5, 1, 3), np.float32),
        (scan((1, 4, 5, 6), torch.bool), (4, 5, 6), np.uint8),
        (scan((1, 4, 5, 6), torch.float16), (4, 5, 6), np.float32),
        (scan((1, 4, 5), torch.int64) + 2**40, (4, 5), np.float64),
        (torch.rand(1, 4, 5, 6), (4, 5, 6), np.float32),
    ],
)
def test_shapes_and_types(tmp_path, key, tensor, shape, dtype):
    SaveNiftid("image", tmp_path)({"image": tensor})
    (file,) = tmp_path.iterdir()
    image = nibabel.load(file)
    assert image.shape == shape
    assert image.get_data_dtype() == dtype
    assert file.name.startswith("case_1_" if isinstance(tensor, MetaTensor) else "item_")


def test_a_plane_with_channels_is_none_of_a_volume_when_it_is_read_again(tmp_path, key):
    SaveNiftid("image", tmp_path)({"image": scan((3, 4, 5))})
    (file,) = tmp_path.iterdir()
    read = read_nifti(str(file), "float32")
    assert (read.shape_format, read.data.shape) == ("HWC", (3, 4, 5))


def test_without_a_run_the_files_are_numbered(tmp_path):
    transform = SaveNiftid("image", tmp_path)
    for _ in range(2):
        transform({"image": scan(file="a.b.nii")})
    assert names(tmp_path) == ["a.b_image_n1.nii.gz", "a.b_image_n2.nii.gz"]


def test_workers_do_not_overwrite_each_other(tmp_path):
    data = Dataset([{"image": scan()}] * 4, SaveNiftid("image", tmp_path, interrupt=True))
    for _ in DataLoader(data, num_workers=2):
        pass
    assert names(tmp_path) == [f"case_1_image_w{w}_n{n}.nii.gz" for w in (0, 1) for n in (1, 2)]


def test_a_failed_write_leaves_nothing(tmp_path, key, monkeypatch):
    def fail(image, stream):
        stream.write(b"half")
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(nibabel.Nifti1Image, "to_stream", fail)
    with pytest.raises(ClaraError, match=r"case_1_image_e2_i7.nii.gz' cannot be written: Input/output error"):
        SaveNiftid("image", tmp_path)({"image": scan()})
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be(tmp_path, key):
    (tmp_path / "file").write_text("")
    with pytest.raises(ClaraError, match=r"file/case_1_image_e2_i7.nii.gz' cannot be written: File exists"):
        SaveNiftid("image", tmp_path / "file")({"image": scan()})


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("terminal", "interrupt", "waits"), [(True, True, 1), (True, False, 0), (False, True, 0)])
def test_interrupt(tmp_path, key, monkeypatch, terminal, interrupt, waits):
    asked = []
    monkeypatch.setattr("builtins.input", asked.append)
    monkeypatch.setattr(sys, "stdin", Terminal() if terminal else io.StringIO())
    SaveNiftid("image", tmp_path, interrupt=interrupt)({"image": scan()})
    assert len(asked) == waits
    assert all("press Enter" in text for text in asked)


def test_an_item_that_is_only_looked_at_leaves_no_file(tmp_path):
    token = current_item.set(ItemKey(seed=1, epoch=0, position=0, index=0))
    SaveNiftid("image", tmp_path)({"image": scan()})
    current_item.reset(token)
    assert names(tmp_path) == []
