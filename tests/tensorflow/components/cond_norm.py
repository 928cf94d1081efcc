import tensorflow as tf
from ai4med.components.models.model import Model


def bn(x, is_training, name):
    # the two branches share one set of variables
    return tf.cond(
        is_training,
        lambda: tf.layers.batch_normalization(x, axis=1, training=True, name=name, reuse=tf.AUTO_REUSE),
        lambda: tf.layers.batch_normalization(x, axis=1, training=False, name=name, reuse=tf.AUTO_REUSE))


class CondNorm(Model):

    def __init__(self, num_classes=2, nf=4, keep_prob=1.0):
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf = nf
        self.keep_prob = keep_prob

    def get_predictions(self, inputs, is_training, build_ctx=None):
        kw = {'padding': 'same', 'data_format': 'channels_first'}
        with tf.variable_scope('net', reuse=tf.AUTO_REUSE):
            x = tf.layers.conv3d(inputs, self.nf, 3, name='conv1', **kw)
            x = tf.nn.leaky_relu(bn(x, is_training, 'bn1'), alpha=0.1)
            x = tf.layers.conv3d(x, self.nf, [3, 3, 1], name='conv2', activation=tf.nn.elu, **kw)
            x = bn(x, is_training, 'bn2')
            x = tf.cond(is_training, lambda: tf.nn.dropout(x, keep_prob=self.keep_prob), lambda: x)
            scale = tf.cond(is_training, lambda: tf.constant(1.0), lambda: tf.constant(0.5))
            out = tf.layers.conv3d(x * scale, self.num_classes, 1, name='out', **kw)
        return tf.sigmoid(out)
