"""Makes ``tensorflow_slim.npz``: what real TensorFlow's slim makes of ``slim_cases.py``.

The project does not depend on TensorFlow; this is run once, in an environment of its own, and the arrays are committed:

    python -m venv tf && tf/bin/pip install tensorflow-cpu==2.21.0 tf_keras==2.21.0 tf_slim==1.1.0
    tf/bin/python tests/references/make_tensorflow_slim.py

``versions`` are the packages'. Every case ``NAME`` has ``NAME/input``; ``NAME/names``, the variables in the order they
were made, and ``NAME/trainable``, ``NAME/model``, of which kind each is; ``NAME/variable/V`` their values, random, so
that initial values play no part; ``NAME/training`` and ``NAME/inference``, what it gives; ``NAME/noise``, and
``NAME/gradient`` and ``NAME/gradient/V``, of ``sum(training * noise)``; ``NAME/after/V``, variables that are not
trainable after the step; ``NAME/penalties``, the regularization losses, sorted. A gradient that does not exist in
TensorFlow is absent.
"""

from __future__ import annotations

import os
import sys
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.update(TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402
import tf_keras.src.legacy_tf_layers.normalization  # noqa: E402 -- makes it loaded, see below
from slim_cases import CASES  # noqa: E402
from tensorflow.python.framework import ops  # noqa: E402

tf.disable_v2_behavior()
for loaded in [name for name in sys.modules if name.startswith("tf_keras.src.legacy_tf_layers")]:
    sys.modules[loaded.replace(".src", "")] = sys.modules[loaded]  # tf_slim looks for them there
ops.Tensor = tf.Tensor  # as well
import tf_slim  # noqa: E402

BatchNormalization = tf_keras.src.legacy_tf_layers.normalization.BatchNormalization
_build = BatchNormalization.build


def _built_as_in_tensorflow_1(self: Any, input_shape: Any) -> None:
    """Leave out the fused kernel for five axes, which TensorFlow 1 did not have: its average is of another variance."""
    if len(input_shape) == 5:
        self.fused = False
    _build(self, input_shape)


BatchNormalization.build = _built_as_in_tensorflow_1


def numbers(name: str, shape: Any) -> np.ndarray:
    """Return the random values of an array, with few digits, which compress well; they do not depend on the others."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    values = random.uniform(0.5, 1.5, shape) if name.endswith("moving_variance") else random.normal(0, 0.7, shape)
    if name.endswith("/input"):  # ties would make the gradient of a largest value ambiguous
        return values.astype(np.float32)
    return (np.round(values * 64) / 64).astype(np.float32)


def arrays(name: str, case: Any, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return all arrays of one case."""
    found = {"input": numbers(f"{name}/input", shape)}
    for mode, training in (("inference", False), ("training", True)):
        tf.reset_default_graph()
        x = tf.constant(found["input"])
        output = case(tf, tf_slim, x, training)
        variables = tf.global_variables()
        names = [one.op.name for one in variables]
        trainable = tf.trainable_variables()
        with tf.Session() as session:
            for one in variables:
                one.load(numbers(f"{name}/{one.op.name}", one.shape.as_list()), session)
            found |= {f"variable/{one.op.name}": session.run(one) for one in variables}
            found[mode] = session.run(output)
            if not training:
                continue
            found["names"] = np.array(names)
            found["trainable"] = np.array([one in trainable for one in variables])
            model = tf_slim.get_model_variables()
            found["model"] = np.array([one in model for one in variables])
            found["noise"] = numbers(f"{name}/noise", found[mode].shape)
            score = tf.reduce_sum(output * found["noise"])
            gradients = dict(
                zip(["", *(f"/{one.op.name}" for one in trainable)], tf.gradients(score, [x, *trainable]), strict=True)
            )
            there = {f"gradient{key}": value for key, value in gradients.items() if value is not None}
            for one in variables:  # which the output may have moved
                one.load(found[f"variable/{one.op.name}"], session)
            penalties = tf.losses.get_regularization_losses()
            found["penalties"] = np.sort(np.array(session.run(penalties), np.float32))
            _, gradients, _ = session.run([output, there, tf.get_collection(tf.GraphKeys.UPDATE_OPS)])
            found |= gradients
            found |= {f"after/{one.op.name}": session.run(one) for one in variables if one not in trainable}
    return {f"{name}/{key}": value for key, value in found.items()}


def main() -> None:
    """Write the archive."""
    packages = ("tensorflow_cpu", "tf_keras", "tf_slim", "numpy")
    found = {"versions": np.array([f"{package} {version(package)}" for package in packages])}
    for case, shape in CASES.items():
        found |= arrays(case.__name__, case, shape)
    np.savez_compressed(HERE / "tensorflow_slim.npz", **found)


if __name__ == "__main__":
    main()
