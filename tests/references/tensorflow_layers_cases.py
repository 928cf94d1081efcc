"""What ``make_tensorflow_layers.py`` computes with TensorFlow and the tests of the layers with the facade.

Both evaluate the same lines: ``tf`` is TensorFlow 1 or the facade, ``KL`` its ``keras.layers``, ``x`` the input,
``t`` whether it trains.
"""

from __future__ import annotations

import zlib

import numpy as np

FIRST3, LAST3 = (2, 4, 5, 6, 4), (2, 5, 6, 4, 4)
FIRST2, LAST2 = (2, 4, 6, 5), (2, 6, 5, 4)
LAST1, FLAT = (2, 7, 4), (3, 6)
CF = "data_format='channels_first'"

NUMBERS: dict[str, tuple[str, tuple[int, ...]]] = {
    "conv1d": ("KL.Conv1D(3, 3, strides=2, padding='same')(x)", LAST1),
    "conv1d_causal": ("KL.Conv1D(3, 3, padding='causal', dilation_rate=2)(x)", LAST1),
    "conv2d_last": ("KL.Conv2D(3, (3, 2), strides=2, padding='same')(x)", LAST2),
    "conv2d_dilated": ("KL.Conv2D(3, 2, dilation_rate=(2, 1), padding='same', use_bias=False)(x)", LAST2),
    "conv3d_last": ("KL.Conv3D(3, (3, 2, 1), padding='valid')(x)", LAST3),
    "conv3d_even": ("KL.Conv3D(3, 2, strides=(1, 2, 2), padding='same')(x)", LAST3),
    "conv3d_first": (f"KL.Conv3D(3, 3, padding='same', strides=2, {CF})(x)", FIRST3),
    "conv3d_tf": (f"tf.layers.conv3d(x, 3, 3, padding='SAME', {CF})", FIRST3),
    "conv2d_tf": ("tf.layers.conv2d(x, 3, (1, 3), activation=tf.nn.relu)", LAST2),
    "conv2d_transpose": ("KL.Conv2DTranspose(3, 3, strides=2, padding='same')(x)", LAST2),
    "conv2d_transpose_valid": ("KL.Conv2DTranspose(3, (3, 2), strides=(2, 3), padding='valid')(x)", LAST2),
    "conv2d_transpose_extra": ("KL.Conv2DTranspose(3, 3, strides=2, padding='same', output_padding=1)(x)", LAST2),
    "conv2d_transpose_extra_valid": ("KL.Conv2DTranspose(3, 2, strides=2, output_padding=(1, 0))(x)", LAST2),
    "conv3d_transpose": (f"KL.Conv3DTranspose(3, 3, strides=2, padding='same', {CF})(x)", FIRST3),
    "conv3d_transpose_tf": (
        f"tf.layers.conv3d_transpose(x, 3, 2, strides=(2, 2, 2), padding='same', {CF}, use_bias=False)",
        FIRST3,
    ),
    "conv2d_transpose_tf": ("tf.layers.conv2d_transpose(x, 3, 4, 2, 'same')", LAST2),
    "separable2d": ("KL.SeparableConv2D(3, 3, depth_multiplier=2, padding='same')(x)", LAST2),
    "separable1d": ("KL.SeparableConv1D(3, 3, strides=2)(x)", LAST1),
    "separable2d_tf": ("tf.layers.separable_conv2d(x, 3, 3, strides=2, padding='same')", LAST2),
    "depthwise": ("KL.DepthwiseConv2D(3, strides=2, depth_multiplier=2, padding='same')(x)", LAST2),
    "dense": ("KL.Dense(5)(x)", FLAT),
    "dense_deep": ("KL.Dense(5, use_bias=False)(x)", LAST2),
    "dense_tf": ("tf.layers.dense(x, 5, tf.nn.tanh)", FLAT),
    "max_pool1d": ("KL.MaxPool1D()(x)", LAST1),
    "max_pool2d_same": ("KL.MaxPooling2D(3, 2, padding='same')(x)", LAST2),
    "max_pool3d_first": (f"KL.MaxPool3D((2, 3, 2), {CF})(x)", FIRST3),
    "max_pool3d_tf": (f"tf.layers.max_pooling3d(x, 2, 2, padding='same', {CF})", FIRST3),
    "average_pool1d": ("KL.AveragePooling1D(3, strides=1, padding='same')(x)", LAST1),
    "average_pool2d_same": ("KL.AveragePooling2D(3, strides=2, padding='same')(x)", LAST2),
    "average_pool3d": ("KL.AvgPool3D(2)(x)", LAST3),
    "average_pool3d_tf": ("tf.layers.average_pooling3d(x, 3, 2, 'same')", LAST3),
    "global_average": (f"KL.GlobalAveragePooling3D({CF})(x)", FIRST3),
    "global_max": ("KL.GlobalMaxPool2D()(x)", LAST2),
    "global_average1d": ("KL.GlobalAveragePooling1D()(x)", LAST1),
    "up1d": ("KL.UpSampling1D(3)(x)", LAST1),
    "up2d": ("KL.UpSampling2D((2, 3))(x)", LAST2),
    "up2d_bilinear": ("KL.UpSampling2D(2, interpolation='bilinear')(x)", LAST2),
    "up3d_first": (f"KL.UpSampling3D((2, 1, 3), {CF})(x)", FIRST3),
    "pad1d": ("KL.ZeroPadding1D((1, 2))(x)", LAST1),
    "pad2d": ("KL.ZeroPadding2D(((1, 0), (2, 3)))(x)", LAST2),
    "pad3d_first": (f"KL.ZeroPadding3D((1, 2, 0), {CF})(x)", FIRST3),
    "crop1d": ("KL.Cropping1D((1, 2))(x)", LAST1),
    "crop2d": ("KL.Cropping2D(((1, 0), (2, 1)))(x)", LAST2),
    "crop3d_first": (f"KL.Cropping3D((1, 2, 0), {CF})(x)", FIRST3),
    "concatenate": (f"KL.concatenate([x, KL.MaxPool3D(3, 1, 'same', {CF})(x)], axis=1)", FIRST3),
    "add": ("KL.Add()([x, x * 2.0, KL.ReLU()(x)])", LAST2),
    "subtract": ("KL.subtract([x, KL.ReLU()(x)])", LAST2),
    "multiply_squeezed": ("KL.multiply([x, KL.Reshape((1, 1, 4))(KL.GlobalMaxPooling2D()(x))])", LAST2),
    "multiply_fewer_axes": ("KL.Multiply()([x, KL.GlobalMaxPooling2D()(x)])", LAST2),
    "average": ("KL.average([x, KL.ReLU()(x)])", LAST2),
    "maximum": ("KL.maximum([x, KL.ReLU(max_value=0.5)(x)])", LAST2),
    "minimum": ("KL.Minimum()([x, KL.ReLU(max_value=0.5)(x)])", LAST2),
    "dot": ("KL.Dot(axes=1)([x, KL.ReLU()(x)])", FLAT),
    "dot_3": ("KL.dot([x, KL.Dense(3)(x)], axes=(1, 1))", LAST1),
    "dot_normalized": ("KL.Dot(axes=(2, 1), normalize=True)([x, KL.Permute((2, 1))(x)])", LAST1),
    "relu": ("KL.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2)(x)", FLAT),
    "relu_capped": ("KL.ReLU(0.7)(x)", FLAT),
    "leaky": ("KL.LeakyReLU()(x)", FLAT),
    "elu": ("KL.ELU(0.5)(x)", FLAT),
    "prelu": ("KL.PReLU()(x)", LAST2),
    "prelu_shared": ("KL.PReLU(shared_axes=[2, 3, 4])(x)", FIRST3),
    "thresholded": ("KL.ThresholdedReLU(0.4)(x)", FLAT),
    "softmax": ("KL.Softmax(axis=1)(x)", FIRST3),
    "softmax_last": ("KL.Softmax()(x)", FLAT),
    "activation": ("KL.Activation(tf.nn.softplus)(x)", FLAT),
    "activation_named": ("KL.Conv2D(3, 1, activation='relu')(KL.Activation('tanh')(x))", LAST2),
    "activation_layer": ("KL.Conv2D(3, 1, activation=KL.LeakyReLU(0.2))(x)", LAST2),
    "flatten": ("KL.Flatten()(x)", LAST2),
    "flatten_first": (f"KL.Flatten({CF})(x)", FIRST2),
    "flatten_tf": ("tf.layers.flatten(x)", LAST2),
    "reshape": ("KL.Reshape((-1, 3))(x)", LAST2),
    "permute": ("KL.Permute((3, 1, 2))(x)", LAST2),
    "repeat": ("KL.RepeatVector(3)(x)", FLAT),
    "lambda": ("KL.Lambda(lambda v, k: v * k, arguments={'k': 3.0})(x)", FLAT),
    "distributed": ("KL.TimeDistributed(KL.Dense(3))(x)", LAST1),
    "layer_norm": ("KL.LayerNormalization()(x)", LAST2),
    "layer_norm_axes": ("KL.LayerNormalization(axis=[1, 2], epsilon=1e-2)(x)", LAST2),
    "dropout_off": ("tf.layers.dropout(KL.SpatialDropout2D(0.5)(KL.Dropout(0.5)(x)), 0.3)", LAST2),
    "noise_off": ("KL.GaussianNoise(0.5)(KL.GaussianDropout(0.5)(KL.AlphaDropout(0.5)(x)))", LAST2),
}
"""Lines with the shape of their input: outputs, gradients and names are compared."""

NORMS: dict[str, tuple[str, tuple[int, ...]]] = {
    "keras_2d": ("KL.BatchNormalization(momentum=0.9)", LAST2),
    "keras_3d_first": ("KL.BatchNormalization(axis=1, epsilon=1e-5, fused=False)", FIRST3),
    "keras_flat": ("KL.BatchNormalization(scale=False)", FLAT),
    "keras_odd_axis": ("KL.BatchNormalization(axis=2, center=False)", LAST3),
    "tf_2d": ("tf.layers.BatchNormalization(axis=1, momentum=0.5)", FIRST2),
    "tf_2d_unfused": ("tf.layers.BatchNormalization(fused=False, momentum=0.5)", LAST2),
    "tf_3d": ("tf.layers.BatchNormalization(fused=False, momentum=0.5)", LAST3),
    "tf_1d": ("tf.layers.BatchNormalization(momentum=0.5)", LAST1),
}
"""Normalising layers, which are also compared in training; TensorFlow 1 has no fused kernel for five axes."""

NAMES: dict[str, tuple[str, tuple[int, ...]]] = {
    "uids": (
        """
KL.Conv2D(2, 1)(x)
KL.Conv2D(2, 1)(x)
KL.Conv2D(2, 1, name='c')(x)
KL.Conv2D(2, 1, name='c')(x)
""",
        LAST2,
    ),
    "scopes": (
        """
for _ in range(2):
    with tf.variable_scope('A'):
        KL.Conv2D(2, 1)(x)
with tf.name_scope('N'):
    KL.Conv2D(2, 1)(x)
    tf.layers.conv2d(x, 2, 1)
""",
        LAST2,
    ),
    "mixed": (
        """
tf.layers.conv2d(x, 2, 1)
KL.Conv2D(2, 1)(x)
tf.layers.conv2d(x, 2, 1)
tf.layers.conv2d(x, 2, 1)
KL.Conv2D(2, 1)(x)
""",
        LAST2,
    ),
    "elsewhere": (
        """
k, l = KL.Conv2D(2, 1), tf.layers.Conv2D(2, 1)
with tf.variable_scope('A'):
    k(x); l(x)
with tf.variable_scope('B'):
    k(x); l(x)
""",
        LAST2,
    ),
    "tf_classes": (
        """
with tf.variable_scope('S'):
    l = tf.layers.Conv2D(2, 1)
    y = l(x)
    KL.Conv2D(2, 1)(y)
    l = tf.layers.Conv2D(2, 1, name='n')
    y = l(y)
    tf.layers.conv2d(x, 2, 1, name='m')
    tf.layers.conv2d(x, 2, 1, name='m', reuse=True)
    KL.Dense(3, name='n')(y)
    tf.layers.BatchNormalization()(y, training=True)
    tf.layers.batch_normalization(y)
    tf.layers.dense(y, 2, trainable=False)
""",
        LAST2,
    ),
    "reuse": (
        """
for _ in range(2):
    with tf.variable_scope('A', reuse=tf.AUTO_REUSE):
        tf.layers.conv2d(x, 2, 1)
        tf.layers.conv2d(x, 2, 1, name='named')
""",
        LAST2,
    ),
    "frozen": (
        """
KL.Conv2D(2, 1, trainable=False)(x)
tf.layers.conv2d(x, 2, 1, trainable=False)
""",
        LAST2,
    ),
    "built": (
        """
l = KL.Conv2D(2, 1)
l.build((None, 6, 5, 4))
l(x)
l = tf.layers.Conv2D(2, 1)
l.build((2, 6, 5, 4))
l(x)
""",
        LAST2,
    ),
    "norms": (
        """
KL.BatchNormalization(scale=False)(x)
KL.PReLU()(x)
KL.LayerNormalization(center=False)(x)
""",
        LAST2,
    ),
    "kernels": (
        """
KL.SeparableConv2D(2, 1)(x)
KL.DepthwiseConv2D(1)(x)
KL.Conv2DTranspose(2, 1)(x)
KL.LeakyReLU()(x)
""",
        LAST2,
    ),
    "user_layer": (
        """
class MyLayer(KL.Layer):
    def __init__(self, units=2, **kwargs):
        self.units = units
        super(MyLayer, self).__init__(**kwargs)
        self.inner = KL.Dense(units)
    def build(self, input_shape):
        self.scale = self.add_weight(name='scale', shape=(1,), initializer='ones')
        self.offset = self.add_weight('offset', (1,), initializer='zeros', trainable=False)
        self.nameless = self.add_weight(shape=(2,))
        super(MyLayer, self).build(input_shape)
    def call(self, inputs, training=None):
        made = KL.Dense(3)
        return made(self.inner(inputs)) * self.scale
with tf.variable_scope('S'):
    l = MyLayer()
    l(x); l(x)
    MyLayer(name='mine')(x)
""",
        FLAT,
    ),
    "snake": (
        """
class MyGroupNorm3D(KL.Layer):
    def __init__(self, units=2, **kwargs):
        self.units = units
        super(MyGroupNorm3D, self).__init__(**kwargs)
        self.inner = KL.Dense(units)
    def build(self, input_shape):
        self.scale = self.add_weight(name='scale', shape=(1,), initializer='ones')
        self.offset = self.add_weight('offset', (1,), initializer='zeros', trainable=False)
        self.nameless = self.add_weight(shape=(2,))
        super(MyGroupNorm3D, self).build(input_shape)
    def call(self, inputs, training=None):
        made = KL.Dense(3)
        return made(self.inner(inputs)) * self.scale
MyGroupNorm3D()(x)
""",
        FLAT,
    ),
    "old_weight": (
        """
class Old(KL.Layer):
    def build(self, shape):
        self.w = self.add_weight('w', (2,), initializer='ones')
        self.v = self.add_variable('v', [2], trainable=False)
        self.built = True
    def call(self, x):
        return x
Old()(x)
""",
        FLAT,
    ),
    "model": (
        """
class M(tf.keras.Model):
    def __init__(self, **kw):
        super(M, self).__init__(**kw)
        self.a = KL.Dense(2)
        self.b = [KL.Dense(2), KL.BatchNormalization()]
    def call(self, x, training=None):
        x = self.a(x)
        for l in self.b:
            x = l(x)
        return KL.Dense(2)(x)
with tf.variable_scope('S'):
    M()(x, training=True)
    M(name='other')(x)
""",
        FLAT,
    ),
    "sequential": (
        """
with tf.variable_scope('S'):
    s = tf.keras.Sequential([KL.Dense(2), KL.ReLU(), KL.Dense(2)])
    s(x); s(x)
s = tf.keras.Sequential(name='named'); s.add(KL.Dense(2)); s(x)
""",
        FLAT,
    ),
    "sequential_shaped": (
        """
with tf.name_scope('A'):
    s = tf.keras.Sequential([KL.Dense(2, input_shape=(6,)), KL.BatchNormalization()])
with tf.name_scope('B'):
    s(x)
s = tf.keras.models.Sequential()
s.add(KL.InputLayer((6,)))
s.add(KL.Dense(2))
s(x)
""",
        FLAT,
    ),
    "functional": (
        """
i = tf.keras.Input(shape=(6,))
o = KL.Dense(2)(i)
o = tf.nn.relu(o + 1.0)
o = KL.Dense(2)(o)
m = tf.keras.Model(i, o)
with tf.variable_scope('Z'):
    m(x)
    KL.Dense(2)(x)
""",
        FLAT,
    ),
    "functional_tensor": (
        """
with tf.variable_scope('S'):
    i = KL.Input(tensor=x)
    d = KL.Dense(6)
    o = d(d(i))
    m = tf.keras.models.Model(inputs=[i], outputs=[o])
m(x)
KL.Dense(2)(m.output)
""",
        FLAT,
    ),
    "distributed": ("KL.TimeDistributed(KL.Dense(3))(x)", LAST1),
}
"""Lines whose variables' names, shapes and kinds are compared."""


def value(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return the numbers of an input or a variable."""
    draw = np.random.default_rng(zlib.crc32(key.encode())).normal(size=shape)
    draw = np.abs(draw) + 0.5 if key.endswith("variance") else draw
    return (np.round(draw * 64) / 64).astype(np.float32)
