"""Makes ``tensorflow_checkpoints/``: small checkpoints that real TensorFlow wrote, and what is in them.

The project does not depend on TensorFlow; this is run once, in an environment of its own, and the files are committed:

    python -m venv tf && tf/bin/pip install tensorflow-cpu==2.21.0
    tf/bin/python tests/references/make_tensorflow_checkpoints.py

``expected.npz`` has ``NAME/VARIABLE`` for each variable of checkpoint ``NAME`` (bfloat16 as float32), ``network:input``
and ``network:output`` of the small network, and ``tensorflow``, the version. The ``.meta`` files are left out.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
FOLDER = Path(__file__).with_name("tensorflow_checkpoints")
CLASSES = 2
PARTITIONED = {"rows": ((7, 3), 3, 0), "columns": ((2, 200, 3), 2, 1), "whole": ((4,), 1, 0)}
"""Shape, number of parts and the axis that is cut."""


def variable(name, value, dtype=None):
    return tf1.get_variable(name, initializer=tf.cast(value, dtype) if dtype else value)


def network(image):
    """An image of one channel, channels first as in Clara, through variables laid out as TensorFlow has them."""

    def conv(x, name, shape, strides=1, up=False):
        kernel = tf1.get_variable(f"{name}/kernel", shape, initializer=tf1.glorot_uniform_initializer(seed=len(name)))
        bias = variable(f"{name}/bias", np.linspace(-0.5, 0.5, shape[3 if up else 4], dtype=np.float32))
        steps = [1, strides, strides, strides, 1]
        if up:
            size = [1, *(2 * n for n in x.shape[1:4]), shape[3]]
            return tf1.nn.conv3d_transpose(x, kernel, size, steps, padding="SAME") + bias
        return tf1.nn.conv3d(x, kernel, steps, "SAME") + bias

    with tf1.variable_scope("CustomNetwork"):
        x = tf.transpose(image, [0, 2, 3, 4, 1])
        x = tf.nn.relu(conv(x, "conv3d", [3, 3, 3, 1, 4], strides=2))
        x = tf.nn.relu(conv(x, "up", [2, 2, 2, 3, 4], strides=2, up=True))
        x = conv(x, "conv3d_1", [1, 1, 1, 3, CLASSES])
        features = tf.reduce_mean(x, axis=[1, 2, 3])
        kernel = variable("dense/kernel", np.array([[1.5, -2, 0.5], [0.25, 1, -1]], np.float32))
        gate = features @ kernel + variable("dense/bias", np.array([0.1, 0.2, 0.3], np.float32))
        return tf.transpose(x, [0, 4, 1, 2, 3]), gate


def network_checkpoint():
    """The network after two steps of Adam, with everything that a training's saver keeps."""
    tf1.set_random_seed(5)
    image = np.random.default_rng(5).normal(size=(1, 1, 8, 6, 4)).astype(np.float32)
    x = tf1.placeholder(tf.float32, image.shape)
    volume, gate = network(x)
    loss = tf.reduce_mean(tf.square(volume - 1)) + tf.reduce_mean(tf.square(gate))
    step = tf1.train.get_or_create_global_step()
    train = tf1.train.AdamOptimizer(0.01).minimize(loss, global_step=step)

    def after(session):
        session.run(train, {x: image})
        session.run(train, {x: image})
        outputs = session.run([volume, gate], {x: image})
        return {"network:input": image, "network:output": outputs[0], "network:gate": outputs[1]}

    return after


def dtypes():
    for kind in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        limits = np.iinfo(kind)
        variable(kind, np.array([[limits.min, 0, 1], [2, 3, limits.max]], kind))
    for kind in ("float16", "float32", "float64"):
        variable(kind, np.array([0.1, -1e4, np.inf, 6e-8], kind))
    variable("bfloat16", np.array([[0.1, -3e38], [1e-40, np.inf]], np.float32), tf.bfloat16)
    variable("complex64", np.array([1 + 2j, -0.5j], np.complex64))
    variable("complex128", np.array([[1 + 2j], [-0.5j]], np.complex128))
    variable("bool", np.array([True, False, True]))
    variable("scalar", np.float32(2.5))
    variable("empty", np.zeros((0, 3), np.float32))
    variable("text", tf.constant(["several", "words"]))


def partitioned():
    for name, (shape, parts, axis) in PARTITIONED.items():
        value = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
        cut = tf1.fixed_size_partitioner(parts, axis)

        def part(shape, partition_info, dtype, value=value):
            of = partition_info.var_offset
            return tf.constant(value[tuple(slice(o, o + n) for o, n in zip(of, shape, strict=True))], dtype)

        tf1.get_variable(name, shape, initializer=part, partitioner=cut)


def on_devices():
    for number in range(3):
        with tf1.device(f"/cpu:{number}"):
            variable(f"on_{number}/kernel", np.full((2, 3), number, np.float32))
            variable(f"on_{number}/step", np.int64(number))


def first_format():
    variable("kernel", np.ones((2, 3), np.float32))


def save(name, build, **options):
    """Save the variables that a function makes, and return their values."""
    with tf1.Graph().as_default():
        after = build()
        with tf1.Session(config=tf1.ConfigProto(device_count={"CPU": 3})) as session:
            session.run(tf1.global_variables_initializer())
            found = {} if after is None else after(session)
            tf1.train.Saver(**options).save(session, str(FOLDER / name), write_meta_graph=False, write_state=False)
            for one in tf1.global_variables():
                if one._save_slice_info is None and one.dtype.base_dtype != tf.string:
                    value = tf.cast(one, tf.float32) if one.dtype.base_dtype == tf.bfloat16 else one
                    found[f"{name}/{one.op.name}"] = session.run(value)
            return found


def objects():
    """A checkpoint in the way of TensorFlow 2: by the paths of objects, which are kept in a string."""
    weights = tf.Variable(np.arange(3, dtype=np.float32))
    tf.train.Checkpoint(layer=tf.Module(), weights=weights).write(str(FOLDER / "objects"))
    return {"objects/weights/.ATTRIBUTES/VARIABLE_VALUE": weights.numpy()}


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    arrays = {"tensorflow": np.array(tf.__version__)}
    arrays |= objects()
    tf1.disable_eager_execution()
    arrays |= save("network", network_checkpoint)
    arrays |= save("dtypes", dtypes)
    arrays |= save("sharded", on_devices, sharded=True)
    arrays |= save("partitioned", partitioned)
    for partition, (shape, _, _) in PARTITIONED.items():
        arrays[f"partitioned/{partition}"] = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    save("first_format", first_format, write_version=tf1.train.SaverDef.V1)
    np.savez_compressed(FOLDER / "expected.npz", **arrays)


if __name__ == "__main__":
    main()
