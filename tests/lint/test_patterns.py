"""Places that run otherwise, or not at all, each with the words that say so."""

from __future__ import annotations

import pytest

from clara_compat.lint.findings import Status
from clara_compat.lint.linter import lint
from clara_compat.lint.patterns import REMOVED_FROM_NUMPY
from clara_compat.lint.table import Provided, Table
from clara_compat.tensorflow.namespace import canonical
from clara_compat.tensorflow.numpy_aliases import numpy_with_aliases

HEAD = """\
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers as KL
from ai4med.components.models.model import Model
from ai4med.components.losses.loss import Loss
"""


def found(report, line: int) -> list[tuple[str, str]]:
    """What is said of a line below ``HEAD``, symbols that simply run left out."""
    at = HEAD.count("\n") + line
    return [(one.status.value, one.message) for one in report.findings if one.line == at and one.status != Status.RUNS]


def one_line(lint_text, line: str) -> list[tuple[str, str]]:
    return found(lint_text(HEAD + line + "\n"), 1)


def in_model(lint_text, *lines: str, init: str = "self, data_format='channels_last'") -> list[tuple[str, str]]:
    """What is said of the last line of a model's ``get_predictions``."""
    body = "".join(f"        {line}\n" for line in lines)
    text = f"class Net(Model):\n    def __init__({init}):\n        Model.__init__(self)\n"
    text += "    def get_predictions(self, inputs, is_training, build_ctx=None):\n" + body
    return found(lint_text(HEAD + text), text.count("\n"))


@pytest.mark.parametrize("name", ["bool", "int", "float", "object", "NaN", "product", "in1d"])
def test_names_that_numpy_removed(lint_text, name) -> None:
    version = "1.24" if name in ("bool", "int", "float", "object") else "2.0"
    expected = ("runs, differs", f"np.{name} was removed by numpy {version}; your components still find it here")
    report = lint_text(HEAD + f"x = f(np.{name})\n")
    assert found(report, 1) == [expected]
    assert next(one.equivalent for one in report.findings if one.symbol) == REMOVED_FROM_NUMPY[name]
    assert lint_text(HEAD + f"from numpy import {name} as it\nx = f(it)\n").findings[-1].symbol == f"numpy.{name}"


def test_the_names_are_those_that_the_loader_gives_back() -> None:
    import numpy as np

    given_back = {name for name in dir(numpy_with_aliases()) if name not in dir(np)}
    assert given_back | {"bool"} <= set(REMOVED_FROM_NUMPY)
    assert all(hasattr(numpy_with_aliases(), name) for name in REMOVED_FROM_NUMPY)


@pytest.mark.parametrize(
    "lines",
    [
        ("sess = tf.Session()", "y = sess.run(inputs)"),
        ("with tf.Session() as sess:", "    y = sess.run(inputs)"),
        ("self.sess = tf.Session()", "y = self.sess.run(inputs)"),
        ("y = tf.Session().run(inputs)",),
        ("y = tf.keras.backend.get_session().run(inputs)",),
    ],
)
def test_a_session_is_run(lint_text, lines) -> None:
    text = "run of a session: a tensor has its value at once here, so drop the session and use the tensor"
    assert in_model(lint_text, *lines) == [("does not run", text)]


def test_a_session_that_the_facade_can_run_is_no_fault(tmp_path) -> None:
    class Session:
        def run(self, fetches): ...

    (tmp_path / "mine.py").write_text("import tensorflow as tf\ns = tf.Session()\ny = s.run(x)\nother.run(x)\n")
    report = lint([tmp_path], Table({"tensorflow.Session": Provided(Session)}, canonical))
    assert [(one.line, one.status) for one in report.files[0].findings] == [(2, Status.RUNS), (3, Status.DIFFERS)]


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("v = tf.Variable(3.0)", "tf.Variable outside of any function"),
        ("v = tf.layers.conv3d(x, 3, 3)", "tf.layers.conv3d outside of any function"),
        ("class A:\n    v = tf.get_variable('v', [1])", "tf.get_variable outside of any function"),
    ],
)
def test_variables_before_there_is_a_graph(lint_text, source, place) -> None:
    report = lint_text(HEAD + source + "\n")
    text = f"{place}: there is no graph yet when a component is created, so make it in get_predictions or get_loss"
    assert [(one.status, one.message) for one in report.findings if not one.status.passes] == [(Status.FAILS, text)]


def test_a_variable_in_a_components_constructor(lint_text) -> None:
    text = "class A(Loss):\n    def __init__(self):\n        Loss.__init__(self)\n        self.v = tf.Variable(3.0)\n"
    said = found(lint_text(HEAD + text + "    def get_loss(self, p, t, c): return self.v\n"), 4)
    assert [status for status, _ in said] == ["does not run"]
    assert said[0][1].startswith("tf.Variable in __init__: there is no graph yet when a component is created")


def test_layers_may_make_variables_when_they_are_created(lint_text) -> None:
    text = "class A(KL.Layer):\n    def __init__(self):\n        self.v = tf.Variable(3.0)\n"
    assert lint_text(HEAD + text).passed
    assert in_model(lint_text, "y = tf.Variable(3.0)") == []
    assert one_line(lint_text, "f = lambda x: tf.layers.conv3d(x, 3, 3)") == []


@pytest.mark.parametrize("test", ["is_training", "not is_training"])
def test_is_training_as_a_condition(lint_text, test) -> None:
    text = "if is_training: it is True or False here; TensorFlow handed a tensor, for which tf.cond was made"
    assert in_model(lint_text, f"if {test}: pass") == [("runs, differs", text)]


@pytest.mark.parametrize(
    ("lines", "is_tensor"),
    [
        (["if inputs > 0: pass"], True),
        (["x = tf.reduce_mean(inputs)", "while x > 3 and flag: pass"], True),
        (["if tf.reduce_mean(inputs) < 1: pass"], True),
        (["x = KL.Conv3D(3, 3)(inputs)", "y = 1 if x else 2"], True),
        (["x = tf.reduce_mean(inputs)", "if x is None: pass"], False),
        (["x = tf.reduce_mean(inputs)", "if x == 3: pass"], False),
        (["x = tf.reduce_mean(inputs)", "x = 3", "if x > 3: pass"], False),
        (["n = inputs.get_shape()[1].value", "if n > 3: pass"], False),
        (["x = KL.Conv3D(3, 3)", "if x: pass"], False),
        (["for x in range(3): pass", "if x > 1: pass"], False),
    ],
)
def test_a_tensor_as_a_condition(lint_text, lines, is_tensor) -> None:
    text = "a tensor as a condition, which TensorFlow 1 refuses: its value is read here, and an exported "
    text += "network keeps one branch"
    assert in_model(lint_text, *lines) == ([("runs, differs", text)] if is_tensor else [])


def test_an_item_of_a_tensor_is_assigned(lint_text) -> None:
    text = "an item of a tensor is assigned, which TensorFlow 1 refuses: here the tensor itself changes, and its "
    text += "gradient may be lost"
    assert in_model(lint_text, "x = tf.concat([inputs], 1)", "x[0] = 3") == [("runs, differs", text)]
    assert in_model(lint_text, "inputs[:, 0] += 3") == [("runs, differs", text)]
    assert in_model(lint_text, "x = np.zeros(3)", "x[0] = 3") == []


FIRST = "self, data_format='channels_first'"
FIX = "pass 1 for channels_first, -1 for channels_last"


def test_the_documented_networks_channel_axis(lint_text) -> None:
    call = "x = self.network(inputs, data_format=self.data_format, channel_axis=-1)"
    said = in_model(lint_text, call, init=FIRST)
    assert [status for status, _ in said] == ["does not run"]
    assert "channel_axis=-1 is given together with data_format, whose default is channels_first" in said[0][1]
    assert said[0][1].endswith(FIX)
    assert in_model(lint_text, call) == []
    assert in_model(lint_text, call.replace("-1", "self.axis"), init=FIRST) == []
    assert in_model(lint_text, call.replace("self.data_format", "'channels_last'"), init=FIRST) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "x = KL.Concatenate(axis=-1)([a, b])",
            "tf.keras.layers.Concatenate joins the last axis, where channels_first",
        ),
        ("x = KL.Concatenate()([a, b])", "tf.keras.layers.Concatenate joins the last axis"),
        ("x = tf.concat([a, b], -1)", "tf.concat joins the last axis"),
        ("x = tf.concat([a, b], axis=-1)", "tf.concat joins the last axis"),
        ("x = tf.nn.softmax(a, axis=-1)", "tf.nn.softmax works along the last axis, where channels_first"),
        ("x = tf.nn.softmax(a)", "tf.nn.softmax works along the last axis"),
        ("x = KL.BatchNormalization()(a)", "tf.keras.layers.BatchNormalization works along the last axis"),
        ("x = tf.nn.softmax(a, axis=1)", ""),
        ("x = KL.Concatenate(axis=axis)([a, b])", ""),
        ("x = KL.Concatenate(1)([a, b])", ""),
        ("x = tf.nn.softmax(a, **given)", ""),
        ("x = tf.concat([a, b], -1 if self.data_format == 'channels_last' else 1)", ""),
        ("x = tf.nn.softmax(a) if self.data_format == 'channels_last' else tf.nn.softmax(a, 1)", ""),
    ],
)
def test_the_last_axis_in_channels_first(lint_text, line, words) -> None:
    said = in_model(lint_text, line, init=FIRST)
    assert [status for status, _ in said] == (["runs, differs"] if words else [])
    assert not words or (words in said[0][1] and said[0][1].endswith(FIX))
    assert in_model(lint_text, line) == []


def test_the_last_axis_of_a_classification_is_its_channels(lint_text) -> None:
    assert in_model(lint_text, "a = tf.layers.dense(inputs, 3)", "return tf.nn.softmax(a)", init=FIRST) == []


def test_functions_have_a_data_format_too(lint_text) -> None:
    text = "def dice(p, t, data_format='channels_first'):\n    return tf.nn.softmax(p)\n"
    assert found(lint_text(HEAD + text), 2)[0][0] == "runs, differs"
