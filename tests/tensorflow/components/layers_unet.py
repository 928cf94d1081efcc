import tensorflow as tf
from ai4med.common.build_ctx import BuildContext
from ai4med.components.models.model import Model


class LayersUNet(Model):
    """tf.layers with batch norm, transposed convolutions and weight decay."""

    def __init__(self, n_classes=2, base_filters=4, depth=2, weight_decay=1e-2):
        Model.__init__(self)
        self.n_classes = n_classes
        self.base_filters = base_filters
        self.depth = depth
        self.reg = tf.contrib.layers.l2_regularizer(scale=weight_decay)

    def _block(self, x, filters, name):
        axis = 1 if self.data_format == 'channels_first' else -1
        with tf.variable_scope(name):
            for _ in range(2):
                x = tf.layers.conv3d(x, filters, (3, 3, 3), padding='SAME', data_format=self.data_format,
                                     use_bias=False, kernel_initializer=tf.contrib.layers.xavier_initializer(),
                                     kernel_regularizer=self.reg)
                x = tf.layers.batch_normalization(x, axis=axis, momentum=0.9, epsilon=1e-4, training=self.is_training)
                x = tf.nn.relu(x)
        return x

    def get_predictions(self, inputs, is_training, build_ctx):
        data_prop = build_ctx.must_get(BuildContext.KEY_DATA_PROP)
        self.data_format = data_prop.data_format
        self.is_training = is_training
        axis = 1 if self.data_format == 'channels_first' else -1
        x, skips = inputs, []
        with tf.variable_scope('UNet'):
            for level in range(self.depth):
                x = self._block(x, self.base_filters * 2 ** level, 'enc_%d' % level)
                skips.append(x)
                x = tf.layers.max_pooling3d(x, 2, 2, data_format=self.data_format)
            x = self._block(x, self.base_filters * 2 ** self.depth, 'bottom')
            for level in reversed(range(self.depth)):
                x = tf.layers.conv3d_transpose(x, self.base_filters * 2 ** level, 2, strides=(2, 2, 2), padding='same',
                                               data_format=self.data_format, name='up_%d' % level)
                x = tf.concat([x, skips[level]], axis=axis)
                x = self._block(x, self.base_filters * 2 ** level, 'dec_%d' % level)
            logits = tf.layers.conv3d(x, self.n_classes, 1, data_format=self.data_format, name='logits')
        return tf.nn.softmax(logits, axis=axis)

    def get_loss(self):
        return tf.losses.get_regularization_loss()
