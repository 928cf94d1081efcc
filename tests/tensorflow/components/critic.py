import numpy as np
import tensorflow as tf
from ai4med.components.losses.loss import Loss


class CriticLoss(Loss):
    """An adversarial-looking term: prediction and label go through the same small convolutions."""

    def __init__(self, nf=3, weight=0.1, squared=True):
        Loss.__init__(self)
        self.nf = nf
        self.weight = weight
        self.squared = squared

    def features(self, x, reuse):
        with tf.variable_scope('critic', reuse=reuse):
            h1 = tf.layers.conv3d(x, self.nf, 3, strides=2, padding='same', data_format='channels_first',
                                  activation=tf.nn.leaky_relu, name='c1')
            h2 = tf.layers.conv3d(h1, self.nf, 3, padding='same', data_format='channels_first', name='c2')
            score = tf.layers.dense(tf.reduce_mean(h2, axis=[2, 3, 4]), 1)
        return h1, h2, score

    def get_loss(self, predictions, targets, build_ctx=None):
        prob = tf.nn.sigmoid(predictions)
        fake, real = self.features(prob, None), self.features(targets, True)
        loss = tf.losses.mean_squared_error(targets, prob)
        for f, r in zip(fake[:2], real[:2]):
            loss += self.weight * tf.reduce_mean(tf.square(f - r) if self.squared else tf.abs(f - r))
        return loss + self.weight * tf.reduce_mean(tf.nn.softplus(-fake[2]))


class SobelLoss(Loss):
    """Edges of label and prediction by fixed filters."""

    def get_loss(self, predictions, targets, build_ctx=None):
        line = np.array([1., 2., 1.])
        kernel = np.einsum('i,j,k->ijk', [1., 0., -1.], line, line) / 16.0
        kernels = np.stack([kernel, kernel.transpose(1, 0, 2), kernel.transpose(2, 1, 0)], -1)[:, :, :, np.newaxis]
        filters = tf.constant(kernels, dtype=tf.float32)
        x = tf.transpose(tf.concat([tf.sigmoid(predictions), targets], 0), [0, 2, 3, 4, 1])
        edges = tf.nn.conv3d(x, filters, strides=[1, 1, 1, 1, 1], padding='VALID')
        magnitude = tf.sqrt(tf.reduce_sum(tf.square(edges), axis=-1) + 1e-4)
        p, t = tf.split(magnitude, 2, axis=0)
        return tf.reduce_mean(tf.abs(p - t))
