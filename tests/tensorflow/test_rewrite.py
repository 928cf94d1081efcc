from __future__ import annotations

import ast
import builtins

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clara_compat.errors import ClaraError
from clara_compat.tensorflow.rewrite import HELPERS, rewritten
from clara_compat.tensorflow.shapes import TensorShape


def evaluated(source: str, **names):
    """Run rewritten statements of a module that uses TensorFlow and return the names."""
    space = {**HELPERS, "tf": None, "__builtins__": {**vars(builtins), "__import__": lambda *_: None}, **names}
    tree = rewritten(ast.parse(f"{source}\nimport tensorflow as tf; tf"))
    exec(compile(tree, "user.py", "exec"), space)
    return space


class TestAttributes:
    @pytest.mark.parametrize(
        ("expression", "value"),
        [
            ("x.shape", TensorShape([2, 3])),
            ("x.get_shape().as_list()", [2, 3]),
            ("x.shape[1].value", 3),
            ("x.get_shape()[-1].value * 2", 6),
            ("x.get_shape().ndims", 2),
            ("len(x.get_shape())", 2),
            ("x.dtype == 'float32'", True),
            ("x.dtype.name", "float32"),
            ("x.set_shape([None, 3])", None),
            ("x.name", "Tensor:0"),
            ("x.op.name", "Tensor"),
            ("x.eval().tolist()", [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]),
            ("x.numpy().shape", (2, 3)),
            ("(x.shape[0], x.shape[1])", (2, 3)),
            ("x.T.shape.as_list()", [3, 2]),
        ],
    )
    def test_a_tensor_has_tensorflows(self, expression, value):
        x = torch.arange(6, dtype=torch.float32).reshape(2, 3)
        assert evaluated(f"y = {expression}", x=x)["y"] == value

    def test_what_is_no_tensor_keeps_its_own(self):
        array = np.zeros((2, 3), np.int16)
        found = evaluated("y = (x.shape, x.dtype, T.name)", x=array, T=type("T", (), {"name": "mine"}))["y"]
        assert found == ((2, 3), np.dtype("int16"), "mine")
        assert type(found[0]) is tuple

    def test_a_shape_that_contradicts_is_refused(self):
        with pytest.raises(ClaraError, match=r"the shapes \(2, 3\) and \[2, 4\] are not compatible"):
            evaluated("x.set_shape([2, 4])", x=torch.zeros(2, 3))

    def test_a_copy_leaves_as_an_array(self):
        x = torch.zeros(2)
        evaluated("y = x.numpy()\ny[0] = 1", x=x)
        assert x.tolist() == [0, 0]


class TestOperators:
    @pytest.mark.parametrize("sign", ["+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">="])
    @pytest.mark.parametrize("swapped", [False, True])
    @pytest.mark.parametrize("other", [np.array([1.0, 2.0, 3.0]), [1.0, 2.0, 3.0], np.float64(2.0), 2.0, 3])
    def test_beside_a_tensor_everything_takes_its_type(self, sign, swapped, other):
        x = torch.tensor([3.0, 2.0, 5.0], requires_grad=True)
        expression = f"y = {'o' if swapped else 'x'} {sign} {'x' if swapped else 'o'}"
        found = evaluated(expression, x=x, o=other)["y"]
        a, b = np.array([3.0, 2.0, 5.0]), np.asarray(other)
        expected = evaluated(expression, x=a, o=b)["y"]
        assert found.dtype == torch.from_numpy(expected).dtype or found.dtype == torch.float32
        assert isinstance(found, torch.Tensor)
        assert np.allclose(found.detach().numpy(), expected)

    def test_the_gradient_passes(self):
        x = torch.ones(2, requires_grad=True)
        evaluated("y = W * x", x=x, W=np.array([2.0, 3.0]))["y"].sum().backward()
        assert x.grad.tolist() == [2, 3]

    def test_a_fraction_beside_whole_numbers_is_refused(self):
        with pytest.raises(ClaraError, match="an operation on a tensor of int32 and a value of float64"):
            evaluated("y = x * [0.5]", x=torch.ones(1, dtype=torch.int32))

    def test_tensors_are_equal_when_they_are_the_same(self):
        x, y = torch.ones(2), torch.ones(2)
        assert evaluated("r = (x == x, x == y, x != y, x == None, x != None)", x=x, y=y)["r"] == (
            True,
            False,
            True,
            False,
            True,
        )

    @pytest.mark.parametrize("sign", ["+", "-", "*", "/"])
    def test_augmented_assignment_makes_a_new_tensor(self, sign):
        x = torch.ones(2, requires_grad=True)
        kept = x * 3
        found = evaluated(f"y = x\ny {sign}= 2.0", x=kept)
        assert kept.tolist() == [3, 3]
        assert found["y"].tolist() == [evaluated(f"y = 3.0 {sign} 2.0")["y"]] * 2

    def test_augmented_assignment_changes_arrays_and_lists_in_place(self):
        array, items = np.ones(2), [1]
        evaluated(
            "a += 1\nb += [2]\nc[0] += 5\nd.x -= 1", a=array, b=items, c=array, d=(d := type("D", (), {"x": 3})())
        )
        assert array.tolist() == [7, 2]
        assert items == [1, 2]
        assert d.x == 2

    def test_an_owner_is_evaluated_once(self):
        calls = []
        evaluated("f()[0] += 1\nf()[g()] *= 2", f=lambda: calls.append(1) or [1, 2], g=lambda: calls.append(2) or 1)
        assert calls == [1, 1, 2]

    def test_text_is_formatted(self):
        assert evaluated("y = '%s of %d' % (a, 3)", a="one")["y"] == "one of 3"
        assert evaluated("y = a % 3", a="%d")["y"] == "3"


class TestSubscripts:
    @pytest.mark.parametrize(
        "key",
        [
            "::-1",
            ":, ::-1",
            "..., ::-2",
            "None, 0",
            "0, ..., None",
            "-1",
            "1:",
            ":, 1:-1",
            "..., 0",
            "::-1, None, ::-1",
        ],
    )
    def test_of_tensors_are_those_of_numpy(self, key):
        array = np.arange(24).reshape(2, 3, 4)
        found = evaluated(f"y = x[{key}]", x=torch.from_numpy(array))["y"]
        assert found.tolist() == evaluated(f"y = x[{key}]", x=array)["y"].tolist()

    def test_sizes_may_be_numpys(self):
        x = torch.arange(5)
        assert evaluated("y = x[n:m]", x=x, n=np.int32(1), m=torch.tensor(3))["y"].tolist() == [1, 2]

    def test_dictionaries_and_types_keep_theirs(self):
        assert evaluated("y = d[k]\nL = list[int]", d={"a": 1}, k="a")["y"] == 1


class TestModules:
    def test_lines_stay(self):
        with pytest.raises(ClaraError, match="compatible") as caught:
            evaluated("a = 1\n\nx.set_shape([4])\n", x=torch.zeros(3))
        lines = [entry.lineno for entry in caught.traceback if str(entry.path) == "user.py"]
        assert lines == [2]  # counted from 0

    @pytest.mark.parametrize(
        "source",
        [
            "import torch\ny = x.shape + x[::-1]\n",
            "from torch import nn\nclass L:\n    def get_loss(self, p, t): return p.shape\n",
            "import tensorflow as tf\nimport keras.backend as K\ny = x.shape + x[::-1]\n",
            "import tensorflow as tf\ntf\nclass T:\n    def transform(self, c):\n        self.n += c.shape[0]\n",
        ],
    )
    def test_where_no_tensors_of_tensorflow_are_nothing_changes(self, source):
        assert ast.dump(rewritten(ast.parse(source))) == ast.dump(ast.parse(source))

    @pytest.mark.parametrize(
        "source",
        [
            "import torch\nimport tensorflow as tf\ntf\ny = x.shape\n",
            "from keras.layers import *\ny = x.shape\n",
            "from keras import backend as K\ndef f(x): return K.sum(x) + x.shape[0]\n",
            "import tensorflow as tf\nclass L:\n    def get_loss(self, p, t): return tf.f(p.shape)\n",
            "class L:\n    def get_loss(self, p, t): return (p.shape, p - t)\n",
        ],
    )
    def test_where_they_are_it_does(self, source):
        assert "__clara_attribute__" in ast.dump(rewritten(ast.parse(source)))

    def test_annotations_are_left_alone(self):
        source = "class A:\n    x: a.shape = 1\n    def f(self, b: c.dtype) -> d[e]: ...\n"
        assert ast.dump(rewritten(ast.parse(source))) == ast.dump(ast.parse(source))


NUMBERS = st.sampled_from(["a", "b", "2", "3.5", "c[0]", "c.size", "len(c)"])
SIGNS = st.sampled_from(["+", "-", "*", "/", "//", "%", "<", ">=", "=="])
EXPRESSIONS = st.recursive(
    NUMBERS, lambda inner: st.tuples(inner, SIGNS, inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
)


@settings(max_examples=200, deadline=None)
@given(EXPRESSIONS)
def test_python_means_what_it_meant(expression):
    names = {"a": 7, "b": -2.5, "c": np.array([4.0, 5.0])}
    with np.errstate(all="ignore"):
        outcomes = []
        for run in (lambda: evaluated(f"y = {expression}", **names)["y"], lambda: eval(expression, dict(names))):
            try:
                outcomes.append(repr(run()))
            except (ZeroDivisionError, TypeError) as error:
                outcomes.append(repr(error))
    assert outcomes[0] == outcomes[1]
