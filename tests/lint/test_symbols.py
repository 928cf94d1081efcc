"""Each use of a symbol, under whatever name the file knows it."""

from __future__ import annotations

import pytest

from clara_compat.lint.table import Provided, Table, facade_table, short


def told(report) -> list[str]:
    return [f"{one.line}:{one.column} {one.status.value}: {one.message}" for one in report.findings]


@pytest.mark.parametrize(
    ("source", "symbol"),
    [
        ("import tensorflow as tf\ny = f(tf.nn.softmax(x))", "tensorflow.nn.softmax"),
        ("import tensorflow\ny = f(tensorflow.nn.softmax(x))", "tensorflow.nn.softmax"),
        ("import tensorflow.compat.v1 as tf\ny = f(tf.nn.softmax(x))", "tensorflow.nn.softmax"),
        ("from tensorflow import nn\ny = f(nn.softmax(x))", "tensorflow.nn.softmax"),
        ("from tensorflow.nn import softmax as soft\ny = f(soft(x))", "tensorflow.nn.softmax"),
        ("import tensorflow as tf\nnn = tf.nn\ny = f(nn.softmax(x))", "tensorflow.nn.softmax"),
        (
            "import tensorflow as tf\nslim = tf.contrib.slim\ndef f(x): return slim.conv3d(x)",
            "tensorflow.contrib.slim.conv3d",
        ),
        ("import tensorflow.contrib.slim as slim\ndef f(x): return slim.conv3d(x)", "tensorflow.contrib.slim.conv3d"),
        ("import tf_slim as slim\ndef f(x): return slim.conv3d(x)", "tensorflow.contrib.slim.conv3d"),
        ("from tensorflow.keras import layers as KL\ny = KL.Conv3D(3, 3)", "tensorflow.keras.layers.Conv3D"),
        ("from keras.layers import Conv3D\ny = Conv3D(3, 3)", "tensorflow.keras.layers.Conv3D"),
        ("from keras.layers import *\ny = Conv3D(3, 3)", "tensorflow.keras.layers.Conv3D"),
        ("from keras.layers.convolutional import Conv3D\ny = Conv3D(3, 3)", "tensorflow.keras.layers.Conv3D"),
        ("from tensorflow.python.ops import array_ops\ny = array_ops.concat(x, 1)", "tensorflow.concat"),
        ("import keras.backend as K\ny = K.mean(x)", "tensorflow.keras.backend.mean"),
        ("from keras import backend as K\ny = K.mean(x)", "tensorflow.keras.backend.mean"),
        ("def f(x):\n    import tensorflow as tf\n    return tf.nn.softmax(x)", "tensorflow.nn.softmax"),
        (
            "try:\n    import tensorflow as tf\nexcept ImportError:\n    tf = None\ny = tf.concat(x)",
            "tensorflow.concat",
        ),
        ("import tensorflow as tf\nclass A:\n    mean = tf.reduce_mean", "tensorflow.reduce_mean"),
        ("import tensorflow as tf\ng = lambda x: tf.concat(x, 1)", "tensorflow.concat"),
        ("import tensorflow as tf\ny = [tf.concat(x, 1) for x in z]", "tensorflow.concat"),
        ("import tensorflow as tf\ndef f(dtype=tf.float32): pass", "tensorflow.float32"),
        ("import tensorflow as tf\ny = f(tf.float32.as_numpy_dtype)", "tensorflow.float32"),
        ("import tensorflow as tf\nclass A(tf.keras.layers.Layer): pass", "tensorflow.keras.layers.Layer"),
        ("import tensorflow as tf\nact = tf.concat\nif z:\n    act = tf.reduce_mean", "tensorflow.concat"),
        ("def f():\n    global tf\n    import tensorflow as tf\ny = tf.concat(x)", "tensorflow.concat"),
    ],
)
def test_a_symbol_is_found_by_what_its_name_means(lint_text, source, symbol) -> None:
    findings = lint_text(source).findings
    assert symbol in [one.symbol for one in findings]
    assert all(one.status.value == "runs" for one in findings)


@pytest.mark.parametrize(
    "source",
    [
        "import tensorflow as tf",
        "import tensorflow as tf\nslim = tf.contrib.slim.nothing",
        "import tensorflow as tf\ndef f(tf): return tf.placeholder(x)",
        "import tensorflow as tf\ndef f():\n    tf = other()\n    return tf.placeholder(x)",
        "from .tensorflow import nn\ny = nn.softmax_of_mine(x)",
        "from . import tensorflow as tf\ny = tf.mine(x)",
        "import tensorflow as tf\ndef f(x: tf.Tensor) -> tf.Tensor: pass\ny: tf.Tensor",
        "import tensorflow as tf\ny = tf.nn.__name__",
        "from keras.layers import *\nfrom mine import *\ny = Mine(3)",
        "from keras.layers import *\nMine = 3\ny = print(Mine)",
        "import tensorflow as tf\nhelp(tf.nn)",
    ],
)
def test_what_is_no_use_is_not_reported(lint_text, source) -> None:
    assert [one for one in lint_text(source).findings if one.symbol != "mine"] == []


def test_what_is_not_provided_is_told_with_its_neighbour_and_its_equivalent(lint_text) -> None:
    report = lint_text(
        """\
        import tensorflow as tf
        from keras.layers import *
        x = 1
        a = tf.nn.sofmax(x)
        b = tf.placeholder(tf.float32)
        c = tf.data.Dataset.range(3)
        d = tf.contrib.layers.conv3d(x)
        e = Cropping9D()
        """
    )
    assert told(report) == [
        "4:5 not provided: tf.nn.sofmax; did you mean tf.nn.softmax?",
        "5:5 not provided: tf.placeholder",
        "5:20 runs: tf.float32",
        "6:5 not provided: tf.data.Dataset.range",
        "7:5 not provided: tf.contrib.layers.conv3d; did you mean tf.layers.conv3d?",
        "8:5 not provided: tf.keras.layers.Cropping9D",
    ]
    by_line = {one.line: one for one in report.findings if not one.status.passes}
    assert by_line[4].nearest == "tensorflow.nn.softmax"
    assert "get_predictions" in by_line[5].equivalent
    assert by_line[6].equivalent.startswith("monai.data.Dataset")
    assert by_line[7].equivalent.startswith("torch.nn.Conv3d")
    assert not report.passed


def test_a_note_of_the_table_is_told(lint_text) -> None:
    report = lint_text("import tensorflow as tf\nn = tf.shape(x)[0]\n")
    assert told(report) == ["2:5 runs, differs: tf.shape: gives a numpy array"]
    assert report.passed


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("tf.nn.softmax(x, axes=1)", "tf.nn.softmax does not take the argument 'axes' here; did you mean 'axis'?"),
        ("tf.nn.softmax(x, 1, None, None, 5)", "tf.nn.softmax takes 4 arguments by position here, not 5"),
        ("tf.nn.softmax(x, dim=1)", None),
        ("tf.nn.softmax(*x)", None),
        ("tf.nn.softmax(x, **y)", None),
        ("tf.keras.layers.Conv3D(8, 3, anything=1)", None),
        ("tf.keras.layers.Conv3D(8, 3, 1)", "tf.keras.layers.Conv3D takes 2 arguments by position here, not 3"),
        ("tf.float32(x)", None),
    ],
)
def test_arguments_that_are_not_taken(lint_text, call, message) -> None:
    refused = [one for one in lint_text(f"import tensorflow as tf\ny = f({call})\n").findings if not one.status.passes]
    assert [one.message for one in refused] == ([] if message is None else [message])


def test_the_same_symbol_twice_on_a_line_is_told_once(lint_text) -> None:
    report = lint_text("import tensorflow as tf\ny = tf.concat(a, 1) + tf.concat(b, 1)\nz = tf.concat(c, 1)\n")
    assert told(report) == ["2:5 runs: tf.concat", "3:5 runs: tf.concat"]


def test_the_facades_own_table() -> None:
    table = facade_table()
    assert table.find("tensorflow.nn.softmax") is not None
    assert table.find("tensorflow.float32.name")[0] == "tensorflow.float32"
    assert table.is_module("tensorflow.nn")
    assert table.canonical("keras.layers.core.Dense") == "tensorflow.keras.layers.Dense"


def test_a_table_of_names_only() -> None:
    table = Table({"tensorflow.nn.relu": Provided()})
    assert table.nearest("tensorflow.nn.rellu") == "tensorflow.nn.relu"
    assert table.nearest("tensorflow.image.x") == ""
    assert table.same_name_elsewhere("tensorflow.math.relu") == "tensorflow.nn.relu"
    assert (short("tensorflow.nn.relu"), short("ai4med.x")) == ("tf.nn.relu", "ai4med.x")
