from __future__ import annotations

import pytest
import torch

from clara_compat.common.data_prop import DataProperty
from clara_compat.tensorflow.loader import component
from clara_compat.tensorflow.network import LegacyNetwork


@pytest.mark.parametrize(
    ("line", "constrained"),
    [
        ("tf.get_variable('w', [3], constraint=tf.nn.relu)", ["w"]),
        ("tf.Variable([1.0, 2.0], name='w', constraint=tf.nn.relu)", ["w"]),
        ("tf.Variable([1.0, 2.0], name='w', trainable=False, constraint=tf.nn.relu)", []),
        ("K.variable([1.0], name='w', constraint=tf.nn.relu)", ["w"]),
        ("KL.Conv3D(2, 1, kernel_constraint='non_neg')(x)", ["conv3d/kernel"]),
        ("KL.Conv3D(2, 1, bias_constraint=tf.keras.constraints.MaxNorm(1))(x)", ["conv3d/bias"]),
        ("KL.Conv3DTranspose(2, 1, kernel_constraint='non_neg')(x)", ["conv3d_transpose/kernel"]),
        ("KL.SeparableConv2D(2, 1, pointwise_constraint='non_neg', bias_constraint='non_neg')(x[:, 0])",
         ["separable_conv2d/pointwise_kernel", "separable_conv2d/bias"]),
        ("KL.Dense(2, kernel_constraint='unit_norm')(x)", ["dense/kernel"]),
        ("KL.BatchNormalization(gamma_constraint='non_neg')(x)", ["batch_normalization/gamma"]),
        ("KL.LayerNormalization(beta_constraint='non_neg')(x)", ["layer_normalization/beta"]),
        ("KL.PReLU(alpha_constraint='non_neg')(x)", ["p_re_lu/alpha"]),
        ("tf.layers.conv3d(x, 2, 1, kernel_constraint=tf.nn.relu)", ["conv3d/kernel"]),
        ("tf.layers.dense(x, 2, bias_constraint=tf.nn.relu)", ["dense/bias"]),
    ],
)  # fmt: skip
def test_what_has_a_constraint(user_folder, line, constrained):
    user_folder(
        mine=f"""
        import tensorflow as tf
        from tensorflow.keras import backend as K, layers as KL
        from ai4med.components.models.model import Model
        class Net(Model):
            def get_predictions(self, x, training, ctx):
                {line}
                return x * tf.get_variable('own', [])
        """
    )
    net = LegacyNetwork(component("mine.Net"), "Net", DataProperty(), [2, 2, 2])
    assert list(net.store.constraints) == constrained


def test_a_constraint_is_kept_after_each_step(user_folder):
    user_folder(
        mine="""
        import tensorflow as tf
        from ai4med.components.models.model import Model
        class Net(Model):
            def get_predictions(self, x, training, ctx):
                with tf.variable_scope('A', constraint=lambda w: tf.clip_by_value(w, -0.5, 0.5)):
                    return x * tf.get_variable('w', [], initializer=2.0)
        """
    )
    net = LegacyNetwork(component("mine.Net"), "Net", DataProperty(), [2, 2, 2])
    assert net.variables["A/w"].item() == 2.0  # until there is a step
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    net(torch.ones(1, 1, 2, 2, 2)).mean().backward()
    optimizer.step()
    net.constrain()
    assert net.variables["A/w"].item() == 0.5
    assert net.variables["A/w"].requires_grad
