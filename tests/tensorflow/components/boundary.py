import numpy as np
import tensorflow as tf
from scipy.ndimage import distance_transform_edt as distance
from ai4med.components.losses.loss import Loss


def signed_distance(posmask):
    res = np.zeros_like(posmask, dtype=np.float32)
    for b in range(posmask.shape[0]):
        mask = posmask[b].astype(np.bool)
        if mask.any():
            res[b] = distance(~mask) * ~mask - (distance(mask) - 1) * mask
    return res


def dist_map(y):
    return signed_distance(y.numpy()).astype(np.float32)


class BoundaryLoss(Loss):
    """Foreground probability against the signed distance of the label (tf.py_function), plus a little Dice."""

    def get_loss(self, predictions, targets, build_ctx=None):
        target = targets[:, 0, ...]
        dist = tf.py_function(func=dist_map, inp=[target], Tout=tf.float32)
        dist.set_shape(target.get_shape())
        prob = tf.nn.softmax(predictions, axis=1)[:, 1, ...]
        return tf.reduce_mean(prob * dist)


class SurfaceWeighted(Loss):
    """tf.py_func makes a weight map from prediction and label; no gradient goes through it."""

    def __init__(self, theta=3.0):
        Loss.__init__(self)
        self.theta = theta

    def weights(self, label, prediction):
        sdm = np.abs(signed_distance(label))
        return np.exp(-sdm / self.theta).astype(np.float32) * (1 + (prediction > 0.5)).astype(np.float32)

    def get_loss(self, predictions, targets, build_ctx=None):
        p = tf.sigmoid(predictions)
        weight = tf.py_func(self.weights, [targets, p], tf.float32)
        weight = tf.reshape(weight, tf.shape(targets))
        squared = tf.squared_difference(p, targets)
        edges = tf.py_function(lambda a: np.float32(a.numpy() > 0.5), [tf.stop_gradient(p)], tf.float32)
        return tf.reduce_sum(weight * squared) / (tf.reduce_sum(weight) + 1e-6) + 0.1 * tf.reduce_mean(edges * 1.0)
