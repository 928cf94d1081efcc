"""A loss as users of Clara Train 3.1 wrote them, in TensorFlow 1 and Keras."""

import keras.backend as K
import numpy as np
import tensorflow as tf
from ai4med.components.losses.loss import Loss


class DiceAndCrossEntropy(Loss):
    """One minus the mean soft Dice over the classes, plus a weighted cross entropy.

    Args:
        class_weights: weight of each class in the cross entropy.
        smooth: keeps the Dice of an absent class defined.
        data_format: channels_first or channels_last.
    """

    def __init__(self, class_weights, smooth=1e-5, data_format='channels_first'):
        Loss.__init__(self)
        self.class_weights = np.array(class_weights, dtype=np.float)
        self.smooth = smooth
        self.channel_axis = 1 if data_format == 'channels_first' else -1

    def get_loss(self, predictions, targets, build_ctx=None):
        n_classes = predictions.get_shape()[self.channel_axis].value
        n_axes = len(predictions.get_shape())
        labels = tf.cast(tf.squeeze(targets, axis=self.channel_axis), tf.int32)
        onehot = tf.one_hot(labels, depth=n_classes, axis=self.channel_axis, dtype=tf.float32)

        axes = [axis for axis in range(1, n_axes) if axis != self.channel_axis % n_axes]
        intersection = tf.reduce_sum(onehot * predictions, axis=axes)
        sizes = tf.reduce_sum(onehot, axis=axes)
        sizes += tf.reduce_sum(predictions, axis=axes)
        dice = tf.reduce_mean((2.0 * intersection + self.smooth) / (sizes + self.smooth))

        shape = [1] * n_axes
        shape[self.channel_axis] = n_classes
        weights = self.class_weights.reshape(shape)
        likelihood = K.log(K.clip(predictions, K.epsilon(), 1.0))
        cross_entropy = -tf.reduce_mean(tf.reduce_sum(weights * onehot * likelihood, axis=self.channel_axis))
        return 1.0 - dice + cross_entropy
