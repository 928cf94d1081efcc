"""Writes ``tensorflow_layers.npz`` and ``.json``: what real TensorFlow makes of the lines in the cases.

    TF_USE_LEGACY_KERAS=1 python tests/references/make_tensorflow_layers.py

needs ``tensorflow-cpu`` and ``tf-keras``, which the project itself never imports.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
import tf_keras
from tensorflow_layers_cases import NAMES, NORMS, NUMBERS, value

HERE = Path(__file__).parent
tf.disable_v2_behavior()


def described() -> list[list[Any]]:
    """Return name, shape and whether it is trainable of every variable."""
    trainable = {one.name for one in tf.trainable_variables()}
    return [[v.name[:-2], v.shape.as_list(), v.name in trainable] for v in tf.global_variables()]


def run(source: str, x: Any) -> Any:
    """Evaluate or execute lines."""
    scope = {"tf": tf, "KL": tf.keras.layers, "x": x}
    try:
        return eval(source, scope)
    except SyntaxError:
        return exec(source, scope)


def loaded(session: tf.Session) -> None:
    """Give every variable its numbers."""
    session.run(tf.global_variables_initializer())
    for one in tf.global_variables():
        one.load(value(one.name[:-2], tuple(one.shape.as_list())), session)


def numbers(name: str, source: str, shape: tuple[int, ...], arrays: dict[str, np.ndarray]) -> list[list[Any]]:
    """Compute output and gradients of one line."""
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, shape)
        y = run(source, x)
        variables = tf.trainable_variables()
        loss = tf.reduce_sum(y * tf.constant(value(f"{name}/noise", tuple(y.shape.as_list()))))
        wanted = [y, *tf.gradients(loss, [x, *variables])]
        loaded(session)
        found = session.run(wanted, {x: value(name, shape)})
        arrays[name], arrays[f"{name}/gradient"] = found[:2]
        for one, gradient in zip(variables, found[2:], strict=True):
            arrays[f"{name}/gradient/{one.name[:-2]}"] = gradient
        return described()


def norm(name: str, source: str, shape: tuple[int, ...], arrays: dict[str, np.ndarray]) -> list[list[Any]]:
    """Compute outputs and the moving averages afterwards of one normalising layer."""
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, shape)
        layer = run(source, x)
        still, moving = layer(x, training=False), layer(x, training=True)
        loss = tf.reduce_sum(moving * tf.constant(value(f"{name}/noise", shape)))
        gradient = tf.gradients(loss, x)[0]
        loaded(session)
        feed = {x: value(name, shape)}
        arrays[f"{name}/still"], arrays[f"{name}/moving"], arrays[f"{name}/gradient"] = session.run(
            [still, moving, gradient], feed
        )
        session.run(layer.updates, feed)
        for one in tf.global_variables():
            arrays[f"{name}/after/{one.name[:-2]}"] = session.run(one)
        return described()


def main() -> None:
    """Write the files."""
    arrays: dict[str, np.ndarray] = {}
    names: dict[str, Any] = {}
    for name, (source, shape) in NUMBERS.items():
        names[name] = numbers(name, source, shape, arrays)
    for name, (source, shape) in NORMS.items():
        names[f"norm/{name}"] = norm(f"norm/{name}", source, shape, arrays)
    for name, (source, shape) in NAMES.items():
        with tf.Graph().as_default():
            run(source, tf.placeholder(tf.float32, shape))
            names[f"names/{name}"] = described()
    made_with = {"tensorflow": tf.__version__, "tf_keras": tf_keras.__version__, "numpy": np.__version__}
    np.savez_compressed(HERE / "tensorflow_layers.npz", **arrays)
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(one)}" for key, one in names.items())
    text = f'{{"made_with": {json.dumps(made_with)},\n "variables": {{\n{lines}\n }}}}\n'
    (HERE / "tensorflow_layers.json").write_text(text)


if __name__ == "__main__":
    main()
