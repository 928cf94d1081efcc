from __future__ import print_function
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from ai4med.components.models.model import Model


class Swish(layers.Layer):
    def __init__(self, beta=1.0, trainable=True, **kw):
        super(Swish, self).__init__(**kw)
        self.beta = beta
        self.trainable_beta = trainable

    def build(self, input_shape):
        self.scale = self.add_weight('scale', shape=[1], initializer=keras.initializers.Constant(self.beta), trainable=self.trainable_beta, dtype=tf.float32)
        super(Swish, self).build(input_shape)

    def call(self, x):
        return x * keras.backend.sigmoid(self.scale * x)

    def get_config(self):
        return dict(super(Swish, self).get_config(), beta=self.beta)


class ConvBlock(keras.Model):
    def __init__(self, f, **kw):
        super(ConvBlock, self).__init__(**kw)
        self.conv = layers.Conv3D(f, 3, padding='same', data_format='channels_first', kernel_regularizer=keras.regularizers.l1_l2(1e-4, 1e-3))
        self.bn = layers.BatchNormalization(axis=1)
        self.act = Swish()
        self.drop = layers.SpatialDropout3D(0.0, data_format='channels_first')

    def call(self, x, training=False):
        x = self.conv(x)
        x = self.bn(x, training=training)
        return self.drop(self.act(x), training=training)


class UNet(keras.Model):
    def __init__(self, n, fs=(3, 4)):
        super(UNet, self).__init__(name='unet')
        self.fs = fs
        self.down = [ConvBlock(f, name='down_%d' % f) for f in fs]
        self.pools = [layers.MaxPool3D(2, data_format='channels_first') for _ in fs]
        self.mid = keras.Sequential([layers.Conv3D(fs[-1], 1, data_format='channels_first', input_shape=(fs[-1], 2, 2, 2)), layers.LeakyReLU(0.1)], name='mid')
        self.up = {}
        for f in reversed(fs):
            setattr(self, 'up_%d' % f, layers.Conv3DTranspose(f, 2, 2, data_format='channels_first'))
            setattr(self, 'dec_%d' % f, ConvBlock(f))
        self.head = layers.Conv3D(n, 1, data_format='channels_first', name='head')

    def call(self, inputs, training=None):
        x, skips = inputs, []
        for d, p in zip(self.down, self.pools):
            x = d(x, training=training)
            skips.append(x)
            x = p(x)
        x = self.mid(x)
        for f, s in zip(reversed(self.fs), reversed(skips)):
            x = getattr(self, 'up_%d' % f)(x)
            x = tf.concat([x, s], 1)
            x = getattr(self, 'dec_%d' % f)(x, training=training)
        return self.head(x)


class SubclassedUNet(Model):
    def __init__(self, num_classes=2, in_init=True):
        Model.__init__(self)
        self.num_classes = num_classes
        self.net = UNet(num_classes) if in_init else None

    def get_predictions(self, inputs, is_training, build_ctx=None):
        if self.net is None:
            self.net = UNet(self.num_classes)
        out = self.net(inputs, training=is_training)
        print('variables:', len(self.net.trainable_variables), [w.name for w in self.net.weights][:2])
        return out

    def get_loss(self):
        return tf.reduce_sum(self.net.losses)

    def get_update_ops(self):
        return self.net.updates
