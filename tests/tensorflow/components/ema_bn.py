from __future__ import print_function
import tensorflow as tf
from ai4med.components.models.model import Model


def normed(x, training, scope, decay=0.9):
    """Batch normalisation by hand: averages over the steps by ExponentialMovingAverage, the phase by tf.cond."""
    channels = x.get_shape()[-1].value
    with tf.variable_scope(scope):
        beta = tf.Variable(tf.constant(0.0, shape=[channels]), name='beta')
        gamma = tf.Variable(tf.ones([channels]), trainable=True, name='gamma')
        now = tf.nn.moments(x, list(range(x.get_shape().ndims - 1)), name='moments')
        ema = tf.train.ExponentialMovingAverage(decay)

        def train():
            with tf.control_dependencies([ema.apply(now)]):
                return [tf.identity(one) for one in now]

        mean, variance = tf.cond(training, train, lambda: [ema.average(one) for one in now])
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3)


class EmaNet(Model):
    """tf.Variable in name scopes, a collection of losses of its own, prints; channels last."""

    def __init__(self, num_classes=2, f=4):
        Model.__init__(self)
        self.num_classes, self.f = num_classes, f

    def kernel(self, shape, decay=None):
        w = tf.Variable(tf.truncated_normal(shape, stddev=0.1), name='weights')
        if decay is not None:
            tf.add_to_collection('losses', tf.multiply(tf.nn.l2_loss(w), decay, name='weight_loss'))
        print('kernel %s' % w.name, w, '{:>12}'.format(str(shape)))
        return w

    def get_predictions(self, inputs, is_training, build_ctx=None):
        x = inputs
        for i in range(2):
            with tf.name_scope('layer%d' % i):
                w = self.kernel([3, 3, 3, x.get_shape().as_list()[-1], self.f], 1e-3)
                b = tf.Variable(tf.zeros([self.f]), name='biases')
                x = tf.nn.conv3d(x, w, [1, 1, 1, 1, 1], 'SAME') + b
            x = tf.nn.relu(normed(x, is_training, 'bn%d' % i))
            tf.summary.histogram('activations%d' % i, x)
        with tf.name_scope('out'):
            x = tf.nn.conv3d(x, self.kernel([1, 1, 1, self.f, self.num_classes]), [1] * 5, 'SAME')
        return tf.nn.softmax(x, -1)

    def get_loss(self):
        return tf.add_n(tf.get_collection('losses'), name='total_loss')
