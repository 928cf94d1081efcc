import numpy as np
import tensorflow as tf
from ai4med.components.models.model import Model


def conv3d(x, n_out, k=3, stride=1, scope='conv', relu=True):
    n_in = x.get_shape().as_list()[1]
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        w = tf.get_variable('w', shape=[k, k, k, n_in, n_out], dtype=tf.float32,
                            initializer=tf.truncated_normal_initializer(stddev=np.sqrt(2.0 / (k ** 3 * n_in))))
        b = tf.get_variable('b', shape=[n_out], initializer=tf.constant_initializer(0.1))
        y = tf.nn.conv3d(x, w, strides=[1, 1, stride, stride, stride], padding='SAME', data_format='NCDHW')
        y = tf.nn.bias_add(y, b, data_format='NCDHW')
        return tf.nn.relu(y) if relu else y


def deconv3d(x, like, n_out, k=3, stride=2, scope='deconv'):
    n_in = x.get_shape().as_list()[1]
    size = like.get_shape().as_list()[2:]
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        w = tf.get_variable('w', shape=[k, k, k, n_out, n_in])
        shape = tf.stack([tf.shape(x)[0], n_out] + size)
        y = tf.nn.conv3d_transpose(x, w, output_shape=shape, strides=[1, 1, stride, stride, stride], padding='SAME',
                                   data_format='NCDHW')
        return tf.reshape(y, tf.stack([tf.shape(x)[0], n_out] + size))


def group_norm(x, groups=2, eps=1e-5, scope='gn'):
    _, c, d, h, w = x.get_shape().as_list()
    with tf.variable_scope(scope):
        gamma = tf.get_variable('gamma', [1, c, 1, 1, 1], initializer=tf.ones_initializer())
        beta = tf.get_variable('beta', [1, c, 1, 1, 1], initializer=tf.zeros_initializer())
        y = tf.reshape(x, [-1, groups, c // groups, d, h, w])
        mean, var = tf.nn.moments(y, [2, 3, 4, 5], keep_dims=True)
        y = (y - mean) / tf.sqrt(var + eps)
        return tf.reshape(y, [-1, c, d, h, w]) * gamma + beta


class RawConvNet(Model):
    """Nothing but tf.nn on variables; the same residual convolution is applied several times."""

    def __init__(self, num_classes=3, filters=4, steps=2):
        Model.__init__(self)
        self.num_classes = num_classes
        self.filters = filters
        self.steps = steps

    def get_predictions(self, inputs, is_training, build_ctx=None):
        f = self.filters
        with tf.variable_scope('raw'):
            x = conv3d(inputs, f, scope='first')
            skip = group_norm(x, scope='gn_first')
            x = conv3d(skip, f * 2, stride=2, scope='down')
            for i in range(self.steps):
                with tf.name_scope('step_%d' % i):
                    x = x + conv3d(x, f * 2, scope='recurrent')
            pooled = tf.nn.max_pool3d(x, ksize=[1, 1, 3, 3, 3], strides=[1, 1, 2, 2, 2], padding='SAME',
                                      data_format='NCDHW')
            x = deconv3d(pooled, x, f * 2, scope='up0') + x
            x = deconv3d(x, skip, f, scope='up1')
            x = tf.nn.softplus(tf.concat([x, skip], 1))
            x = conv3d(x, self.num_classes, k=1, scope='last', relu=False)
        total = tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables() if v.name.endswith('w:0')])
        self.decay = 1e-3 * total
        return tf.exp(x - tf.reduce_logsumexp(x, axis=1, keepdims=True))

    def get_loss(self):
        return self.decay
