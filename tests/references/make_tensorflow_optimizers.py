"""Make ``tensorflow_optimizers.npz``: twenty steps of TensorFlow 1's optimizers. Run by hand, with TensorFlow.

    python tests/references/make_tensorflow_optimizers.py

The gradients are fixed, so the arrays are the optimizers' own doing. Those of the second parameter are about as small
as the optimizers' epsilons, and one of its entries never gets a gradient.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

STEPS = 20
SHAPES = {"a": (3, 4), "b": (5,)}
train = tf.compat.v1.train
OPTIMIZERS = {
    "adam": train.AdamOptimizer,
    "adam_large_epsilon": lambda lr: train.AdamOptimizer(lr, beta1=0.8, beta2=0.99, epsilon=1e-3),
    "sgd": train.GradientDescentOptimizer,
    "momentum": lambda lr: train.MomentumOptimizer(lr, momentum=0.9),
    "nesterov": lambda lr: train.MomentumOptimizer(lr, momentum=0.9, use_nesterov=True),
    "rmsprop": train.RMSPropOptimizer,
    "rmsprop_momentum": lambda lr: train.RMSPropOptimizer(lr, decay=0.8, momentum=0.7, epsilon=1e-3),
    "rmsprop_centered": lambda lr: train.RMSPropOptimizer(lr, momentum=0.5, epsilon=1e-3, centered=True),
}


def main() -> None:
    """Write the archive beside this file."""
    generator = np.random.default_rng(7)
    arrays: dict[str, np.ndarray] = {"learning_rates": 0.01 * 0.9 ** np.arange(STEPS) * (1 + np.arange(STEPS) % 3)}
    for name, shape in SHAPES.items():
        arrays[f"start_{name}"] = generator.normal(size=shape)
        arrays[f"gradients_{name}"] = generator.normal(size=(STEPS, *shape))
    arrays["gradients_b"] *= 1e-8
    arrays["gradients_b"][:, 2] = 0.0
    for optimizer, make in OPTIMIZERS.items():
        for dtype in ("float32", "float64"):
            for name, course in run(make, dtype, arrays).items():
                arrays[f"{optimizer}_{dtype}_{name}"] = course
    arrays["tensorflow_version"] = np.array(tf.__version__)
    np.savez_compressed(Path(__file__).with_name("tensorflow_optimizers.npz"), **arrays)


def run(make: object, dtype: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the parameters after every step, (steps, *shape) each."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        rate = tf.compat.v1.placeholder(dtype, [])
        variables = {n: tf.compat.v1.Variable(arrays[f"start_{n}"].astype(dtype)) for n in SHAPES}
        fed = {n: tf.compat.v1.placeholder(dtype, shape) for n, shape in SHAPES.items()}
        step = make(rate).apply_gradients([(fed[n], variables[n]) for n in SHAPES])
        session.run(tf.compat.v1.global_variables_initializer())
        course: dict[str, list[np.ndarray]] = {n: [] for n in SHAPES}
        for i, value in enumerate(arrays["learning_rates"]):
            session.run(step, {rate: value, **{fed[n]: arrays[f"gradients_{n}"][i] for n in SHAPES}})
            for n in SHAPES:
                course[n].append(session.run(variables[n]))
    return {n: np.stack(values) for n, values in course.items()}


if __name__ == "__main__":
    main()
