import tensorflow as tf
from ai4med.components.models.model import Model


class DenseHead(Model):
    """2-D classifier: strided convolutions of odd sizes, flatten, dropout, dense, softmax."""

    def __init__(self, num_classes, nf=4, rate=0.5):
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf = nf
        self.rate = rate

    def get_predictions(self, inputs, is_training, build_ctx=None):
        x = inputs
        for i, stride in enumerate([1, 2, 2]):
            with tf.variable_scope('stage%d' % i):
                x = tf.layers.conv2d(x, self.nf * (i + 1), 3, strides=stride, padding='same', use_bias=i > 0,
                                     data_format='channels_first')
                x = tf.layers.batch_normalization(x, axis=1, training=is_training, fused=True)
                x = tf.nn.relu(x)
        x = tf.layers.average_pooling2d(x, 2, 1, padding='same', data_format='channels_first')
        x = tf.layers.flatten(x)
        x = tf.layers.dropout(x, rate=self.rate, training=is_training)
        x = tf.layers.dense(x, 8, activation=tf.nn.relu, kernel_initializer=tf.variance_scaling_initializer(2.0))
        x = tf.layers.dropout(x, rate=self.rate, training=is_training)
        return tf.nn.softmax(tf.layers.dense(x, self.num_classes))
