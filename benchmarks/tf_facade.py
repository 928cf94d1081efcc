"""What does a network written with TensorFlow 1 cost on the facade, against the same network in native torch?

The documentation page's ``CustomNetwork`` (a shallow U-Net of ``tf.keras.layers``) runs through
:class:`~clara_compat.tensorflow.network.LegacyNetwork`; the same layers are written with ``torch.nn``. Both sides do a
forward and a backward pass of the same batch in turn in one process.

    python benchmarks/tf_facade.py                       # 64^3, the target
    python benchmarks/tf_facade.py --size 32 --rounds 5  # quick
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

from clara_compat.common.data_prop import DataProperty
from clara_compat.tensorflow import loader
from clara_compat.tensorflow.network import LegacyNetwork

TARGET = 1.03

CUSTOM_NETWORK = """
import tensorflow as tf
from ai4med.components.models.model import Model


class CustomNetwork(Model):
    def __init__(self, num_classes, factor=32, data_format='channels_first'):
        Model.__init__(self)
        self.num_classes = num_classes
        self.factor = factor
        self.data_format = data_format
        self.channel_axis = 1 if data_format == 'channels_first' else -1

    def conv(self, inputs, filters):
        return tf.keras.layers.Conv3D(filters, 3, padding='same', data_format=self.data_format,
                                      activation='relu')(inputs)

    def get_predictions(self, inputs, training, build_ctx=None):
        factor = self.factor
        with tf.variable_scope('CustomNetwork'):
            conv1 = self.conv(self.conv(inputs, factor), factor * 2)
            pool1 = tf.keras.layers.MaxPool3D(pool_size=(2, 2, 2), strides=2, data_format=self.data_format)(conv1)
            conv2 = self.conv(self.conv(pool1, factor * 2), factor * 4)
            unpool = tf.keras.layers.UpSampling3D(size=(2, 2, 2), data_format=self.data_format)(conv2)
            unpool = tf.keras.layers.Concatenate(axis=self.channel_axis)([unpool, conv1])
            conv7 = self.conv(self.conv(unpool, factor * 2), factor * 2)
            output = tf.keras.layers.Conv3D(self.num_classes, 1, padding='same',
                                            data_format=self.data_format)(conv7)
            return tf.nn.softmax(output, axis=self.channel_axis, name='softmax')
"""


class Native(nn.Module):
    """The same network as a MONAI user would write it."""

    def __init__(self, classes: int, factor: int) -> None:
        super().__init__()
        self.first = self._two(1, factor, factor * 2)
        self.pool = nn.MaxPool3d(2)
        self.second = self._two(factor * 2, factor * 2, factor * 4)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.last = self._two(factor * 6, factor * 2, factor * 2)
        self.head = nn.Conv3d(factor * 2, classes, 1)

    @staticmethod
    def _two(inputs: int, middle: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv3d(inputs, middle, 3, padding=1), nn.ReLU(), nn.Conv3d(middle, outputs, 3, padding=1), nn.ReLU()
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return probabilities (N, classes, D, H, W)."""
        first = self.first(image)
        joined = torch.cat([self.up(self.second(self.pool(first))), first], dim=1)
        return torch.softmax(self.head(self.last(joined)), dim=1)


def facade(classes: int, factor: int, size: int) -> LegacyNetwork:
    """Return the user's network on the facade."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "network_of_the_page.py").write_text(CUSTOM_NETWORK)
        loader.use([folder])
        args = {"num_classes": classes, "factor": factor}
        model = loader.component("network_of_the_page.CustomNetwork", args)
    return LegacyNetwork(model, "CustomNetwork", DataProperty(), [size] * 3)


def seconds(network: nn.Module, image: torch.Tensor) -> float:
    """Return the time of a forward and a backward pass."""
    network.zero_grad(set_to_none=True)
    start = time.perf_counter()
    network(image)[:, 1].mean().backward()
    return time.perf_counter() - start


def main() -> None:
    """Print the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=64, help="edge of the batch's image, in voxels")
    parser.add_argument("--factor", type=int, default=8, help="channels of the first convolution")
    parser.add_argument("--rounds", type=int, default=21, help="passes of each side")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    sides: dict[str, nn.Module] = {
        "facade": facade(2, given.factor, given.size),
        "native torch": Native(2, given.factor),
    }
    counts = {name: sum(p.numel() for p in network.parameters()) for name, network in sides.items()}
    if len(set(counts.values())) != 1:
        raise SystemExit(f"the two sides are not the same network: {counts} parameters")
    image = torch.randn(1, 1, *[given.size] * 3)
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(given.rounds + 2):
        for name in list(sides) if turn % 2 else reversed(list(sides)):
            taken = seconds(sides[name], image)
            if turn > 1:  # the first two warm up
                times[name].append(taken)
    for name, values in times.items():
        print(f"{name:13s} median {statistics.median(values) * 1e3:8.1f} ms, least {min(values) * 1e3:8.1f} ms")
    ratio = statistics.median(times["facade"]) / statistics.median(times["native torch"])
    print(f"ratio tf_facade_{given.size} {ratio:.3f} target {TARGET}")


if __name__ == "__main__":
    main()
