"""A user's network where torch's own tools meet it: several processes, mixed precision, optimizers."""

from __future__ import annotations

import pytest
import torch
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from clara_compat.common.data_prop import DataProperty
from clara_compat.tensorflow.loader import component, use
from clara_compat.tensorflow.network import LegacyNetwork

SOURCE = """
import tensorflow as tf
from ai4med.components.models.model import Model

class Net(Model):
    def get_predictions(self, inputs, training, build_ctx=None):
        with tf.variable_scope('net'):
            self.kernel = tf.get_variable('kernel', [3, 3, 3, 1, 4])
            hidden = tf.nn.relu(tf.nn.conv3d(inputs, self.kernel, [1] * 5, 'SAME', data_format='NCDHW'))
            last = tf.get_variable('last', [1, 1, 1, 4, 2])
            return tf.nn.softmax(tf.nn.conv3d(hidden, last, [1] * 5, 'SAME', data_format='NCDHW'), axis=1)
    def get_loss(self):
        return 0.1 * tf.nn.l2_loss(self.kernel)
"""
IMAGES = torch.linspace(-1, 1, 4 * 5**3).reshape(4, 1, 5, 5, 5)


def network(folder: str) -> LegacyNetwork:
    torch.manual_seed(0)
    use([folder])
    return LegacyNetwork(component("mine.Net"), "Net", DataProperty(), [5, 5, 5])


def gradients(module: torch.nn.Module, own: LegacyNetwork, images: torch.Tensor) -> list[torch.Tensor]:
    (module(images)[:, 1].square().mean() + own.extra_loss()).backward()
    return [parameter.grad.clone() for parameter in own.parameters()]


def _process(rank: int, folder: str) -> None:
    store = f"file://{folder}/rendezvous"
    torch.distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    own = network(folder)
    found = gradients(DistributedDataParallel(own), own, IMAGES[rank::2])
    torch.save(found, f"{folder}/gradients_{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.fixture
def folder(user_folder) -> str:
    return str(user_folder(mine=SOURCE))


@pytest.mark.slow
def test_two_processes_have_the_gradients_of_one(folder):
    mp.spawn(_process, (folder,), nprocs=2)
    own = network(folder)
    alone = gradients(own, own, IMAGES)
    for rank in range(2):
        for found, expected in zip(torch.load(f"{folder}/gradients_{rank}.pt"), alone, strict=True):
            torch.testing.assert_close(found, expected, atol=1e-7, rtol=1e-5)


def test_mixed_precision_computes_convolutions_in_half_and_leaves_in_single(folder):
    net = network(folder)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = net(IMAGES)
    assert mixed.dtype == torch.float32
    exact = net(IMAGES)
    assert 0 < (mixed - exact).abs().max() < 1e-2
    (mixed.square().mean() + net.extra_loss()).backward()
    assert all(parameter.grad is not None and parameter.grad.dtype == torch.float32 for parameter in net.parameters())


@pytest.mark.parametrize("options", [{}, {"foreach": True}, {"fused": True}])
def test_an_optimizer_steps_as_on_plain_parameters(folder, options):
    net = network(folder)
    twins = [parameter.detach().clone(memory_format=torch.contiguous_format) for parameter in net.parameters()]
    ours = torch.optim.Adam(net.parameters(), lr=0.1, **options)
    theirs = torch.optim.Adam([twin.requires_grad_() for twin in twins], lr=0.1, foreach=False)
    for _ in range(3):
        ours.zero_grad()
        for twin, gradient in zip(twins, gradients(net, net, IMAGES), strict=True):
            twin.grad = gradient.clone(memory_format=torch.contiguous_format)
        ours.step()
        theirs.step()
    for parameter, twin in zip(net.parameters(), twins, strict=True):
        torch.testing.assert_close(parameter.detach(), twin.detach(), atol=1e-6, rtol=1e-5)


def test_a_state_dict_restores_it(folder):
    first, second = network(folder), network(folder)
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.zero_()
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(IMAGES), second(IMAGES))


PADDED = """
import tensorflow as tf
from ai4med.components.models.model import Model

class Net(Model):
    def get_predictions(self, inputs, training, build_ctx=None):
        border = tf.constant([[0, 0], [0, 0], [1, 1], [1, 1], [1, 1]])
        padded = tf.pad(inputs, border, 'SYMMETRIC')
        flat = tf.reshape(padded, tf.constant([-1, 7 * 7 * 7]))
        hidden = tf.layers.dense(tf.transpose(flat, tf.convert_to_tensor([0, 1])), 4)
        return tf.keras.layers.Dense(2)(hidden)
"""


def test_whole_numbers_of_a_constant_are_known_in_an_exported_network(user_folder):
    padded = network(str(user_folder(mine=PADDED))).eval()
    exported = torch.export.export(padded, (IMAGES,)).module()
    torch.testing.assert_close(exported(IMAGES / 2), padded(IMAGES / 2))


def test_what_a_keras_model_is_built_on_has_the_type_of_the_images(user_folder):
    last = "tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(4,))])(hidden)"
    net = network(str(user_folder(mine=PADDED.replace("tf.keras.layers.Dense(2)(hidden)", last))))
    single = net(IMAGES)
    assert net.double()(IMAGES.double()).dtype == torch.float64
    torch.testing.assert_close(net(IMAGES.double()).float(), single)


def test_a_keras_model_on_a_made_up_input_is_exported(user_folder):
    model = "tf.keras.Sequential([tf.keras.layers.Dense(3, input_shape=(4,)), tf.keras.layers.Dense(2)])(hidden)"
    net = network(str(user_folder(mine=PADDED.replace("tf.keras.layers.Dense(2)(hidden)", model)))).eval()
    exported = torch.export.export(net, (IMAGES,)).module()
    torch.testing.assert_close(exported(IMAGES / 2), net(IMAGES / 2))


def test_torchscript_takes_any_number_of_images_where_a_shape_names_it(user_folder):
    """As group normalisation was written: the number of images is read from the static shape."""
    source = """
import tensorflow as tf
from ai4med.components.models.model import Model

class Net(Model):
    def get_predictions(self, inputs, training, build_ctx=None):
        x = tf.layers.conv3d(inputs, 4, 3, padding='same', data_format='channels_first')
        n, c, d, h, w = x.get_shape().as_list()
        x = tf.reshape(x, [n, 2, c // 2, d, h, w])
        mean, variance = tf.nn.moments(x, [2, 3, 4, 5], keep_dims=True)
        x = tf.reshape((x - mean) / tf.sqrt(variance + 1e-5), [n, c, d, h, w])
        return tf.reshape(x, tf.stack([tf.shape(x)[0], c, d, h, w]))
"""
    own = network(str(user_folder(mine=source))).eval()
    traced = torch.jit.trace(own, IMAGES[:2])
    for count in (1, 2, 4):
        torch.testing.assert_close(traced(IMAGES[:count]), own(IMAGES[:count]))
