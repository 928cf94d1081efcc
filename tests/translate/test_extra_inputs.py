"""``extra_inputs`` as they are declared, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from clara_compat.errors import Address, ClaraError
from clara_compat.translate.extra_inputs import extra_inputs


def at(*path: str | int) -> Address:
    return Address("c.json", 3, "extra_inputs" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path))


def test_what_the_config_says() -> None:
    declared = [
        {
            "args": {
                "name": "age",
                "shape": [1],
                "source_dtype": "float64",
                "target_dtype": "tf.float32",
                "data_key": "patient_age",
            },
            "for_train": True,
            "for_val": False,
        },
        {"args": {"name": "kind", "data_key": "kind"}},
    ]
    age = {"name": "age", "data_key": "patient_age", "dtype": "float32", "shape": [1]}
    kind = {"name": "kind", "data_key": "kind", "dtype": "float32", "shape": None}
    assert extra_inputs(declared, "train", at) == [age, kind]
    assert extra_inputs(declared, "validate", at) == [kind]
    assert extra_inputs(None, "train", at) == []


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"name": "x"}, r"c.json:3 extra_inputs: extra_inputs is .*, expected a list"),
        (["age"], r"extra_inputs\[0\]: is 'age', expected \{\"args\": \{\"name\""),
        ([{"args": {}}], r"extra_inputs\[0\].args: the extra input needs a 'name' and a 'data_key'"),
        ([{"args": {"name": "image"}}], "cannot be called 'image': that is an input already"),
        ([{"args": {"name": "x", "target_dtype": "string"}}], "the extra input 'x': 'string' is not a data type"),
        ([{"args": {"name": "x", "shape": "3"}}], "the extra input 'x' has the shape '3', expected whole numbers"),
    ],
)
def test_what_is_refused(declared: Any, message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        extra_inputs(declared, "train", at)
