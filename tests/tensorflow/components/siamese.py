import tensorflow as tf
from ai4med.components.models.model import Model


class Siamese(Model):
    """Two modalities through one tower: nested variable scopes, name scopes and reuse=True."""

    def __init__(self, num_classes=2, nf=3):
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf = nf

    def tower(self, x, reuse):
        with tf.variable_scope('tower', reuse=reuse) as scope:
            with tf.name_scope('ops'):
                x = tf.layers.conv3d(x, self.nf, 3, padding='same', data_format='channels_first')
                with tf.variable_scope('inner'):
                    x = tf.layers.conv3d(tf.nn.relu(x), self.nf, 3, padding='same', data_format='channels_first')
                x = tf.layers.conv3d(x, self.nf, 1, data_format='channels_first')
            bias = tf.get_variable('shift', [1, self.nf, 1, 1, 1], initializer=tf.zeros_initializer)
        return x + bias, scope

    def get_predictions(self, inputs, is_training, build_ctx=None):
        with tf.variable_scope('siamese'):
            first, second = tf.split(inputs, num_or_size_splits=2, axis=1)
            a, scope = self.tower(first, reuse=False)
            b, _ = self.tower(second, reuse=True)
            with tf.variable_scope(scope, reuse=True):
                shift = tf.get_variable('shift', [1, self.nf, 1, 1, 1])
            with tf.variable_scope(None, default_name='merge'):
                gate = tf.layers.conv3d(a - b, self.nf, 1, data_format='channels_first')
            with tf.variable_scope(None, default_name='merge'):
                other = tf.layers.conv3d(a * b, self.nf, 1, data_format='channels_first')
            x = tf.maximum(a, b) * tf.tanh(gate) + tf.minimum(other, shift)
            x = tf.identity(x, name='merged')
            return tf.layers.conv3d(x, self.num_classes, 1, data_format='channels_first', name='out')
