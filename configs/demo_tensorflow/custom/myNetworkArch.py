"""A network as users of Clara Train 3.1 wrote them, in TensorFlow 1."""

import tensorflow as tf
from ai4med.components.models.model import Model


class SmallUNet(Model):
    """A U-Net of three levels: tf.layers, batch normalization, transposed convolutions, an L2 penalty.

    Args:
        num_classes: output channels.
        factor: filters of the first level; each deeper one has twice as many.
        weight_decay: weight of the L2 penalty on the kernels.
        data_format: channels_first or channels_last.
        final_activation: softmax, sigmoid or linear.
    """

    def __init__(self, num_classes, factor=8, weight_decay=1e-5, data_format='channels_first',
                 final_activation='softmax'):
        Model.__init__(self)
        self.num_classes = num_classes
        self.factor = factor
        self.weight_decay = weight_decay
        self.data_format = data_format
        self.final_activation = final_activation
        self.channel_axis = 1 if data_format == 'channels_first' else -1

    def block(self, inputs, filters, training, name):
        regularizer = tf.contrib.layers.l2_regularizer(self.weight_decay)
        with tf.variable_scope(name):
            x = inputs
            for _ in range(2):
                x = tf.layers.conv3d(x, filters, 3, padding='same', use_bias=False, data_format=self.data_format,
                                     kernel_initializer=tf.contrib.layers.xavier_initializer(),
                                     kernel_regularizer=regularizer)
                x = tf.layers.batch_normalization(x, axis=self.channel_axis, momentum=0.9, training=training)
                x = tf.nn.leaky_relu(x, alpha=0.1)
            return x

    def up(self, inputs, skip, name):
        filters = skip.get_shape()[self.channel_axis].value
        with tf.variable_scope(name):
            x = tf.layers.conv3d_transpose(inputs, filters, 2, strides=2, padding='same', data_format=self.data_format)
            return tf.concat([x, skip], axis=self.channel_axis)

    def get_predictions(self, inputs, is_training, build_ctx=None):
        with tf.variable_scope('SmallUNet'):
            skips, x = [], inputs
            for level in range(2):
                x = self.block(x, self.factor * 2 ** level, is_training, 'down_%d' % level)
                skips.append(x)
                x = tf.layers.max_pooling3d(x, 2, 2, data_format=self.data_format)
            x = self.block(x, self.factor * 4, is_training, 'bottom')
            for level in (1, 0):
                x = self.up(x, skips[level], 'up_%d' % level)
                x = self.block(x, self.factor * 2 ** level, is_training, 'join_%d' % level)
            logits = tf.layers.conv3d(x, self.num_classes, 1, data_format=self.data_format, name='logits')
            if self.final_activation == 'softmax':
                return tf.nn.softmax(logits, axis=self.channel_axis)
            if self.final_activation == 'sigmoid':
                return tf.nn.sigmoid(logits)
            return logits

    def get_loss(self):
        return tf.losses.get_regularization_loss()
