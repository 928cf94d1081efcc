from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
import torch

from clara_compat.engine import properties
from clara_compat.engine.readers.array_file import array_header, read_array
from clara_compat.engine.transforms.load_numpy import LoadNumpyd
from clara_compat.errors import ClaraError


def save(path, array, **options):
    np.save(path, array, **options)
    return str(path)


@pytest.mark.parametrize("dtype", ["float32", "int16", ">f8", "bool"])
@pytest.mark.parametrize("layout", ["DHW", "DHWC", "CDHW", "HW", "HWC", "CHW"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_layouts(tmp_path, layout, dtype, order):
    array = np.random.default_rng(0).integers(0, 100, (7, 6, 5, 3)[: len(layout)]).astype(dtype, order=order)
    path = save(tmp_path / "a.npy", array)
    image = LoadNumpyd("image", layout)({"image": path})["image"]
    expected = array[np.newaxis] if "C" not in layout else np.moveaxis(array, layout.index("C"), 0)
    np.testing.assert_array_equal(image.numpy(), expected.astype(np.float32))
    assert image.dtype == torch.float32
    assert torch.equal(image.affine, torch.eye(4, dtype=torch.float64))
    found = properties.read(image)
    assert found["original_shape"] == array.shape
    assert found["shape_format"] == found["original_shape_format"] == layout
    assert (found["file_name"], found["file_format"]) == (path, "npy")
    assert found["spacing"] == (1.0,) * (expected.ndim - 1)
    header = array_header(path, layout)
    assert (header.channels, *header.size) == expected.shape


def test_a_list_gives_channels(tmp_path):
    paths = [save(tmp_path / f"{i}.npy", np.full((2, 3), i)) for i in range(3)]
    image = LoadNumpyd("image", "HW", dtype="uint8")({"image": paths})["image"]
    assert image[:, 0, 0].tolist() == [0, 1, 2]
    assert properties.read(image)["shape_format"] == "CHW"


def test_the_file_may_change_afterwards(tmp_path):
    path = save(tmp_path / "a.npy", np.ones((2, 3), np.float32))
    image = LoadNumpyd("image", "HW")({"image": path})["image"]
    save(tmp_path / "a.npy", np.zeros((2, 3), np.float32))
    image += 1
    assert (image == 2).all()


class Attack:
    def __reduce__(self):
        return (exec, ("raise SystemExit('the pickle ran')",))


def bad_file(folder, name):
    good = save(folder / "good.npy", np.ones((4, 4)))
    content = open(good, "rb").read()  # noqa: PTH123, SIM115
    with (folder / name).open("wb") as stream:
        if name == "objects.npy":
            np.save(stream, np.array([{"a": Attack()}] * 4, dtype=object).reshape(2, 2), allow_pickle=True)
        elif name == "pickle.npy":
            pickle.dump(Attack(), stream)
        elif name == "many.npz":
            np.savez(stream, a=np.ones(2), b=np.ones(3))
        elif name == "words.npy":
            np.save(stream, np.array([["a", "b"]]))
        elif name == "complex.npy":
            np.save(stream, np.array([[1j]]))
        elif name == "nothing.npy":
            np.save(stream, np.zeros((0, 3)))
        else:
            stream.write({"empty.npy": b"", "text.npy": b"1,2\n3,4\n", "cut.npy": content[:-20]}[name])
    return str(folder / name)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("objects.npy", r"cannot be read: it holds Python objects \(a pickle\), which can run any code"),
        ("pickle.npy", r"cannot be read: it holds Python objects \(a pickle\), which can run any code"),
        ("many.npz", r"holds several arrays \(.npz\), expected a numpy file"),
        ("words.npy", "holds values of type <U1, expected numbers"),
        ("complex.npy", "holds values of type complex128, expected numbers"),
        ("nothing.npy", r"shape \(0, 3\)"),
        ("empty.npy", "cannot be read: the file is empty"),
        ("text.npy", "it is not a numpy file"),
        ("cut.npy", "or it is damaged"),
    ],
)
def test_bad_files(tmp_path, name, what):
    path = bad_file(tmp_path, name)
    for read in (lambda: array_header(path, "HW"), lambda: read_array(path, "HW", np.float32)):
        with pytest.raises(ClaraError, match=f"'{re.escape(path)}' .*{what}") as caught:
            read()
        assert "\n" not in str(caught.value)


def test_other_mistakes(tmp_path):
    path = save(tmp_path / "a.npy", np.ones((4, 4, 4)))
    with pytest.raises(ClaraError, match=r"of shape \(4, 4, 4\), but shape format HW has 2 axes: set 'shape' to what"):
        LoadNumpyd("image", "HW")({"image": path})
    with pytest.raises(ClaraError, match="shape format NHW has a batch axis"):
        LoadNumpyd("image", "NHW")
    with pytest.raises(ClaraError, match=r"b.npy' does not exist"):
        LoadNumpyd("image", "HW")({"image": str(tmp_path / "b.npy")})
    with pytest.raises(ClaraError, match="is a folder, expected a numpy file"):
        LoadNumpyd("image", "HW")({"image": str(tmp_path)})
