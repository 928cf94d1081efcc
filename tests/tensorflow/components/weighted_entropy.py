import numpy as np
import tensorflow as tf
from ai4med.components.losses.loss import Loss


class WeightedEntropy(Loss):
    """Softmax entropy with a numpy array of class weights; -1 in the label is ignored."""

    def __init__(self, class_weights=(0.1, 0.3, 0.6)):
        Loss.__init__(self)
        self.class_weights = np.array(class_weights)

    def get_loss(self, predictions, targets, build_ctx=None):
        n = len(self.class_weights)
        logits = tf.reshape(tf.transpose(predictions, [0, 2, 3, 4, 1]), [-1, n])
        labels = tf.cast(tf.reshape(targets, [-1]), tf.int32)
        keep = tf.logical_and(tf.greater_equal(labels, 0), tf.less(labels, n))
        onehot = tf.one_hot(labels, n)
        weights = tf.reduce_sum(onehot * tf.constant(self.class_weights.astype(np.float32)), axis=1)
        entropy = tf.nn.softmax_cross_entropy_with_logits(labels=onehot, logits=logits)
        entropy = tf.where(keep, entropy * weights, tf.zeros_like(entropy))
        masked = tf.boolean_mask(logits, keep)
        sparse = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.boolean_mask(labels, keep), logits=masked)
        total = tf.reduce_sum(entropy) / tf.maximum(tf.reduce_sum(weights), 1e-6)
        return total + 0.5 * tf.reduce_mean(sparse) + tf.reduce_sum(masked * self.class_weights) * 1e-3


class SigmoidEntropies(Loss):
    def __init__(self, pos_weight=3.0):
        Loss.__init__(self)
        self.pos_weight = pos_weight

    def get_loss(self, predictions, targets, build_ctx=None):
        weighted = tf.nn.weighted_cross_entropy_with_logits(targets, predictions, pos_weight=self.pos_weight)
        plain = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=predictions)
        flat = tf.reshape(plain, [tf.shape(plain)[0], -1])
        hard, _ = tf.nn.top_k(flat, k=20, sorted=False)
        return tf.reduce_mean(weighted) + tf.reduce_mean(hard)
