import numpy as np
import tensorflow as tf
from ai4med.components.losses.loss import Loss


class GeneralizedDice(Loss):
    """Classes weighted by the inverse square of their volume; an absent class takes the largest weight."""

    def __init__(self, data_format='channels_first', w_type='Square'):
        Loss.__init__(self)
        self.data_format = data_format
        self.w_type = w_type

    def get_loss(self, predictions, targets, build_ctx=None):
        axis = 1 if self.data_format == 'channels_first' else 4
        n = predictions.get_shape().as_list()[axis]
        prediction = tf.nn.softmax(predictions, dim=axis)
        label = tf.one_hot(tf.cast(tf.squeeze(targets, axis=axis), tf.int64), n, axis=axis)
        if axis == 1:
            prediction = tf.transpose(prediction, perm=(0, 2, 3, 4, 1))
            label = tf.transpose(label, (0, 2, 3, 4, 1))
        prediction = tf.reshape(prediction, [-1, n])
        label = tf.reshape(label, [-1, n])
        ref_vol = tf.reduce_sum(label, 0)
        intersect = tf.reduce_sum(label * prediction, reduction_indices=[0])
        seg_vol = tf.reduce_sum(prediction, 0)
        weights = tf.reciprocal(tf.square(ref_vol)) if self.w_type == 'Square' else tf.reciprocal(ref_vol)
        new_weights = tf.where(tf.is_inf(weights), tf.zeros_like(weights), weights)
        weights = tf.where(tf.is_inf(weights), tf.ones_like(weights) * tf.reduce_max(new_weights), weights)
        numerator = 2 * tf.reduce_sum(tf.multiply(weights, intersect))
        denominator = tf.reduce_sum(tf.multiply(weights, tf.maximum(seg_vol + ref_vol, 1)))
        score = tf.div(numerator, denominator)
        score = tf.where(tf.is_nan(score), 1.0, score)
        return 1 - score


class LogCoshDice(Loss):
    """log(cosh(dice)), numpy constants as operands, every axis reduced at once."""

    def get_loss(self, predictions, targets, build_ctx=None):
        p = tf.sigmoid(predictions)
        t = tf.cast(targets > 0, p.dtype)
        inter = tf.reduce_sum(p * t, axis=[-1, -2, -3], keepdims=True)
        union = tf.reduce_sum(p ** 2 + t ** 2, axis=(2, 3, 4), keep_dims=True) + np.float64(1e-3)
        x = 1.0 - np.array([2.0]) * inter / union
        x = tf.reduce_mean(tf.squeeze(x), axis=-1)
        return tf.reduce_mean(tf.log((tf.exp(x) + tf.exp(-x)) / 2.0))
