from __future__ import annotations

import math
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from monai.data import MetaTensor, decollate_batch, list_data_collate
from monai.transforms import Compose, Flipd, RandZoomd, Resized, ScaleIntensityRanged

from clara_compat.engine import properties


def same(one, other):
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and (one.dtype, one.shape, one.tobytes()) == (
            other.dtype,
            other.shape,
            other.tobytes(),
        )
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and (
        one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other))
    )


def image(spacing=(2.0, 3.0, 4.0)):
    return MetaTensor(torch.zeros(1, 6, 5, 4), affine=torch.diag(torch.tensor([*spacing, 1.0], dtype=torch.float64)))


VALUES = {
    "text": "a 'b' \"c\" {()} é",
    "none": None,
    "flag": True,
    "number": -3,
    "infinite": float("inf"),
    "nan": float("nan"),
    "tuple": (1, (2.5, "x"), ()),
    "list": [1, [None, (3,)]],
    "dictionary": {"a": (1, 2), 3: "x", "()": [1], (1, 2): None},
    "()": [1, 2],
    "ndarray": np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2],
    "big_endian": np.arange(3, dtype=">i2"),
    "no_axes": np.array(2.5),
    "empty": np.zeros((0, 3)),
    "texts": np.array(["a", "bc"]),
    "booleans": np.array([True, False]),
    "scalar": np.float32(0.1),
    "half": np.float64(0.5),
    "boolean": np.bool_(True),
    "bytes": b"\x00\xff",
}


@pytest.mark.parametrize("name", VALUES)
def test_value_comes_back_as_it_was(name):
    tensor = image()
    properties.write(tensor, {name: VALUES[name]})
    assert isinstance(tensor.meta[properties.KEY], str)
    assert same(properties.read(tensor)[name], VALUES[name])


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.text().filter(lambda name: name != "spacing"),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
            | hnp.arrays(hnp.integer_dtypes() | hnp.floating_dtypes(), hnp.array_shapes(min_dims=0, min_side=0)),
            lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        ),
    )
)  # fmt: skip
def test_any_nesting_comes_back(values):
    tensor = image()
    properties.write(tensor, values)
    found = properties.read(tensor)
    del found["spacing"]
    assert same(found, values)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (torch.zeros(2), "a Tensor is none of"),
        ([Path("x")], "Path is none of"),
        (np.array([object()]), "type object does not hold numbers"),
        ({"deep": {1, 2}}, "a set is none of"),
    ],
)
def test_what_cannot_be_stored_is_named(value, reason):
    tensor = image()
    with pytest.raises(TypeError, match=f"property 'my_property' cannot be stored: .*{reason}"):
        properties.update(tensor, my_property=value)


def test_no_properties():
    assert properties.read(image()) == {}
    assert properties.read(torch.zeros(1, 2, 2)) == {}


def test_update_keeps_the_others():
    tensor = image()
    properties.write(tensor, {"a": 1, "b": (2,)})
    properties.update(tensor, b=[3], c=None)
    assert properties.read(tensor) == {"a": 1, "b": [3], "c": None, "spacing": (2.0, 3.0, 4.0)}


def test_values_survive_transforms_collation_and_pickling():
    items = []
    for i in range(3):
        tensor = image()
        properties.write(
            tensor, {"file_name": f"{i}.nii", "none": None, "list": list(range(i)), "array": np.eye(i + 1)}
        )
        items.append({"image": tensor})
    chain = Compose([
        Flipd("image", 0),
        Resized("image", (3, 3, 3)),
        RandZoomd("image", prob=1.0, keep_size=True),
        ScaleIntensityRanged("image", 0, 1, 0, 2),
    ])  # fmt: skip
    chain.set_random_state(0)
    items = pickle.loads(pickle.dumps([chain(item) for item in items]))
    batch = list_data_collate(items)
    assert batch["image"].shape == (3, 1, 3, 3, 3)
    for i, item in enumerate(decollate_batch(batch)):
        found = properties.read(item["image"])
        assert found["file_name"] == f"{i}.nii"
        assert found["none"] is None
        assert found["list"] == list(range(i))
        assert same(found["array"], np.eye(i + 1))


class TestSpacing:
    def test_of_the_affine_is_not_stored_and_follows_it(self):
        tensor = image()
        properties.write(tensor, {"spacing": np.array([2.0, 3.0, 4.0], np.float32)})
        assert "spacing" not in tensor.meta[properties.KEY]
        half = Resized("image", (3, 5, 8))({"image": tensor})["image"]
        assert properties.read(half)["spacing"] == pytest.approx((4.0, 3.0, 2.0))

    def test_another_one_is_stored_and_changes_with_the_affine(self):
        tensor = image()
        properties.write(tensor, {"spacing": (1.0, 1.0, 5.0)})
        assert properties.read(tensor)["spacing"] == (1.0, 1.0, 5.0)
        scaled = properties.carry(
            torch.zeros(1, 3, 5, 4), tensor, tensor.affine @ torch.diag(torch.tensor([2.0, 1, 1, 1])).double()
        )
        assert properties.read(scaled)["spacing"] == (2.0, 1.0, 5.0)
        assert properties.read(tensor)["spacing"] == (1.0, 1.0, 5.0)

    def test_has_one_number_per_spatial_axis(self):
        flat = MetaTensor(torch.zeros(1, 6, 5), affine=torch.diag(torch.tensor([2.0, 3.0, 9.0, 1.0])))
        properties.write(flat, {})
        assert properties.read(flat)["spacing"] == (2.0, 3.0)


def test_carry_leaves_the_source_alone():
    tensor = image()
    properties.write(tensor, {"a": 1})
    out = properties.carry(torch.ones(1, 2, 2, 2), tensor, torch.eye(4, dtype=torch.float64) * 2, a=2)
    out.meta["new"] = 1
    assert properties.read(tensor) == {"a": 1, "spacing": (2.0, 3.0, 4.0)}
    assert "new" not in tensor.meta
    assert tensor.affine[0, 0] == 2
    assert properties.read(out)["a"] == 2
    assert out.shape == (1, 2, 2, 2)
    assert type(properties.carry(torch.ones(1), torch.ones(2))) is torch.Tensor


def test_a_dressed_tensor_has_metadata_of_its_own():
    source = MetaTensor(torch.zeros(1, 2, 2), affine=torch.eye(4) * 2, applied_operations=[{"class": "Flip"}])
    properties.write(source, {"file_name": "a.nii"})
    data = torch.ones(1, 3, 3)
    out = properties.dressed(data, source)
    assert type(out) is MetaTensor
    assert out.data_ptr() == data.data_ptr()
    assert (properties.read(out), out.applied_operations) == (properties.read(source), source.applied_operations)
    out.affine[0, 0] = 5
    out.meta["mine"] = 1
    out.applied_operations.append({})
    assert (float(source.affine[0, 0]), source.meta.get("mine"), len(source.applied_operations)) == (2.0, None, 1)
