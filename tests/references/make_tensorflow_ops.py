"""Makes ``tensorflow_ops.npz``: results and gradients of TensorFlow's functions as real TensorFlow computes them.

The project does not depend on TensorFlow; this is run once, in an environment of its own, and the arrays are committed:

    python -m venv tf && tf/bin/pip install tensorflow-cpu==2.21.0 tf_keras==2.21.0
    tf/bin/python tests/references/make_tensorflow_ops.py

Every expression ``E`` of ``tensorflow_ops_cases.py`` has ``E|0``, ``E|1``... for what it returns and ``E|d NAME`` for
the gradient of each floating point input; ``tensorflow`` is the version.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

sys.path.insert(0, str(Path(__file__).parent))
from tensorflow_ops_cases import EXPRESSIONS, INPUTS, flat, inputs_of, weights

tf1 = tf.compat.v1
FILE = Path(__file__).with_name("tensorflow_ops.npz")


def weighted(tensor: tf.Tensor) -> tf.Tensor:
    """Return the weights of a tensor's values, whose number may be known at run time only."""
    return tf1.py_func(lambda size: weights(int(size)), [tf1.size(tensor)], tf1.float32)


def results(expression: str) -> dict[str, np.ndarray]:
    names = inputs_of(expression)
    with tf1.Graph().as_default(), tf1.Session() as session:
        given = {name: tf1.placeholder(INPUTS[name].dtype, INPUTS[name].shape) for name in names}
        known = {"tf": tf1, "K": tf1.keras.backend, "np": np, **given}
        found = [tf.convert_to_tensor(one) for one in flat(eval(expression, known))]
        smooth = [one for one in found if one.dtype == tf1.float32]
        wanted = {f"{expression}|{number}": one for number, one in enumerate(found)}
        if smooth:
            total = tf1.add_n([tf1.reduce_sum(tf1.reshape(one, [-1]) * weighted(one)) for one in smooth])
            for name in names:
                if given[name].dtype.is_floating:
                    slope = tf1.gradients(total, given[name])[0]
                    wanted[f"{expression}|d {name}"] = (
                        tf1.zeros_like(given[name]) if slope is None else tf1.convert_to_tensor(slope)
                    )
        session.run(tf1.global_variables_initializer())
        made = session.run(wanted, {given[name]: INPUTS[name] for name in names})
    return {key: np.asarray(value) for key, value in made.items()}


def main() -> None:
    arrays = {"tensorflow": np.array(tf.__version__)}
    for expression in EXPRESSIONS:
        try:
            arrays |= results(expression)
        except Exception as error:
            raise SystemExit(f"{expression}: {error}") from error
    np.savez_compressed(FILE, **arrays)


if __name__ == "__main__":
    main()
