"""Makes ``tensorflow_losses.npz``: values and gradients of Clara's losses as real TensorFlow computes them.

The project does not depend on TensorFlow; this is run once, in an environment of its own, and the arrays are committed:

    python -m venv tf && tf/bin/pip install tensorflow-cpu==2.21.0
    tf/bin/python tests/references/make_tensorflow_losses.py

Every case ``NAME`` has ``NAME/input`` (what the loss is differentiated by), ``NAME/label``, ``NAME/value`` and
``NAME/gradient``; ``tensorflow`` is the version. The Dice has the operations of Clara's documentation page.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
FILE = Path(__file__).with_name("tensorflow_losses.npz")

DICE = {
    "plain": {},
    "skip_background": {"skip_background": True},
    "squared_pred": {"squared_pred": True},
    "jaccard": {"jaccard": True},
    "smooths": {"smooth": 0.3, "top_smooth": 0.7},
    "all": {"skip_background": True, "squared_pred": True, "jaccard": True, "top_smooth": 0.1},
    "onehot": {"is_onehot_targets": True, "squared_pred": True, "skip_background": True},
}
WEIGHTS = [0.5, 2.0, 0.0, 1.5]


def dice(
    predictions,
    targets,
    skip_background=False,
    squared_pred=False,
    jaccard=False,
    smooth=1e-5,
    top_smooth=0.0,
    is_onehot_targets=False,
):
    if not is_onehot_targets:
        indices = tf1.cast(tf1.squeeze(targets, axis=1), tf1.int32)
        targets = tf1.one_hot(indices, depth=predictions.get_shape()[1], axis=1, dtype=predictions.dtype)
    if skip_background:
        targets, predictions = targets[:, 1:], predictions[:, 1:]
    axes = list(range(2, len(predictions.get_shape())))
    intersection = tf1.reduce_sum(targets * predictions, axis=axes)
    if squared_pred:
        targets, predictions = tf1.square(targets), tf1.square(predictions)
    denominator = tf1.reduce_sum(targets, axis=axes) + tf1.reduce_sum(predictions, axis=axes)
    if jaccard:
        denominator -= intersection
    return 1 - tf1.reduce_mean((2.0 * intersection + top_smooth) / (denominator + smooth))


def onehot(targets, logits):
    return tf1.one_hot(tf1.cast(tf1.squeeze(targets, axis=1), tf1.int32), logits.get_shape()[1], dtype=logits.dtype)


def channels_last(logits):
    return tf1.transpose(logits, [0, *range(2, len(logits.get_shape())), 1])


def smoothed_cross_entropy(logits, targets):
    logs = tf1.log(tf1.nn.softmax(channels_last(logits)) + 1e-8)
    return -tf1.reduce_mean(tf1.reduce_sum(onehot(targets, logits) * logs, axis=-1))


def softmax_cross_entropy(logits, targets):
    losses = tf1.nn.softmax_cross_entropy_with_logits_v2(onehot(targets, logits), channels_last(logits))
    return tf1.reduce_mean(losses)


def sigmoid_cross_entropy(logits, targets):
    return tf1.reduce_mean(tf1.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits))


def focal(logits, targets):
    p = tf1.nn.softmax(channels_last(logits))
    terms = -0.25 * tf1.square(1 - p) * tf1.log(p)
    return tf1.reduce_mean(tf1.reduce_sum(onehot(targets, logits) * terms, axis=-1))


def binary_labels(logits, targets):
    return tf1.reduce_mean(tf1.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits))


def multiclass_labels(logits, targets):
    """One binary label, one of three classes, one of two."""
    labels = tf1.cast(targets, tf1.int32)
    losses = [
        tf1.reduce_mean(tf1.nn.sigmoid_cross_entropy_with_logits(labels=targets[:, 0], logits=logits[:, 0])),
        tf1.losses.sparse_softmax_cross_entropy(labels[:, 1], logits[:, 1:4]),
        tf1.losses.sparse_softmax_cross_entropy(labels[:, 2], logits[:, 4:]),
    ]
    return tf1.reduce_mean(tf1.stack(losses))


def weighted_labels(logits, targets):
    labels = tf1.cast(targets[:, 0], tf1.int32)
    weights = tf1.gather(tf1.constant(WEIGHTS, logits.dtype), labels)
    return tf1.losses.sparse_softmax_cross_entropy(labels, logits, weights=weights)


def cases():
    """Yield name, function, input and label."""
    draw = np.random.default_rng(31)
    for dims in (2, 3):
        size = (4, 3, 2)[:dims]
        logits = draw.normal(0, 2, (2, 3, *size))
        labels = draw.integers(0, 3, (2, 1, *size)).astype(float)
        strange = draw.choice([-2.0, -0.5, 0.0, 1.0, 1.8, 2.0, 3.0, 40.0], (2, 1, *size))
        shares = draw.random((2, 3, *size))
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        for name, options in DICE.items():
            label = shares if options.get("is_onehot_targets") else strange
            yield f"dice_{name}_{dims}d", lambda x, y, options=options: dice(x, y, **options), p, label
        yield f"smoothed_cross_entropy_{dims}d", smoothed_cross_entropy, logits, strange
        yield f"softmax_cross_entropy_{dims}d", softmax_cross_entropy, logits, labels
        yield f"softmax_cross_entropy_extreme_{dims}d", softmax_cross_entropy, np.sign(logits) * 200 + logits, labels
        yield f"sigmoid_cross_entropy_{dims}d", sigmoid_cross_entropy, logits[:, :1], np.minimum(labels, 1)
        extreme = np.sign(logits[:, :1]) * 200
        yield f"sigmoid_cross_entropy_extreme_{dims}d", sigmoid_cross_entropy, extreme, np.minimum(labels, 1)
        yield f"focal_{dims}d", focal, logits, strange
    outputs = draw.normal(0, 2, (5, 6))
    yield "binary_labels", binary_labels, outputs, draw.integers(0, 2, (5, 6)).astype(float)
    columns = [draw.integers(0, count, (5, 1)) for count in (2, 3, 2)]
    yield "multiclass_labels", multiclass_labels, outputs, np.concatenate(columns, axis=1).astype(float)
    yield "weighted_labels", weighted_labels, outputs[:, :4], np.array([[0], [2], [1], [3], [2]], float)


def main():
    tf1.disable_eager_execution()
    arrays = {"tensorflow": np.array(tf.__version__)}
    for name, function, *given in cases():
        array, label = (one.astype(np.float32) for one in given)
        with tf1.Graph().as_default(), tf1.Session() as session:
            x, y = tf1.placeholder(tf1.float32, array.shape), tf1.placeholder(tf1.float32, label.shape)
            value = function(x, y)
            found = session.run([value, tf1.gradients(value, x)[0]], {x: array, y: label})
        arrays |= {
            f"{name}/{key}": one
            for key, one in zip(("input", "label", "value", "gradient"), (array, label, *found), strict=True)
        }
    np.savez_compressed(FILE, **arrays)


if __name__ == "__main__":
    main()
