"""What a user's line cannot mean, said at that line."""

from __future__ import annotations

import pytest
import torch

from clara_compat.errors import ClaraError


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tf.cast(x, 'float33')", "'float33' is no data type; did you mean 'float32'"),
        ("tf.cast(x, object())", r"<object object at .*> is no data type"),
        ("tf.reshape(x, ['a', 'b'])", r"\['a', 'b'\] is no shape: "),
        ("tf.map_fn(lambda one: one, x[:0])", "tf.map_fn and its like need an item at least"),
    ],
)
def test_it_is_one_sentence_with_its_place(user_module, line, words):
    module = user_module(f"import tensorflow as tf\ndef f(x):\n    return {line}\n")
    with pytest.raises(ClaraError, match=rf"user\.py:3: {words}"):
        module.f(torch.ones(2, 3))
