import tensorflow as tf
from tensorflow.keras import backend as K
from ai4med.components.losses.loss import Loss


class BinaryFocal(Loss):
    def __init__(self, gamma=2.0, alpha=0.25):
        Loss.__init__(self)
        self.gamma = gamma
        self.alpha = alpha

    def get_loss(self, predictions, targets, build_ctx=None):
        y_pred = tf.nn.sigmoid(predictions)
        pt_1 = tf.where(tf.equal(targets, 1), y_pred, tf.ones_like(y_pred))
        pt_0 = tf.where(tf.equal(targets, 0), y_pred, tf.zeros_like(y_pred))
        epsilon = K.epsilon()
        pt_1 = K.clip(pt_1, epsilon, 1. - epsilon)
        pt_0 = K.clip(pt_0, epsilon, 1. - epsilon)
        positive = -K.mean(self.alpha * K.pow(1. - pt_1, self.gamma) * K.log(pt_1))
        return positive - K.mean((1 - self.alpha) * K.pow(pt_0, self.gamma) * K.log(1. - pt_0))


class SoftmaxFocal(Loss):
    def __init__(self, gamma=2.0):
        Loss.__init__(self)
        self.gamma = gamma

    def get_loss(self, predictions, targets, build_ctx=None):
        n = predictions.shape[1].value
        labels = tf.one_hot(tf.to_int32(tf.squeeze(targets, [1])), n, axis=1)
        log_p = tf.nn.log_softmax(predictions, axis=1)
        p = tf.stop_gradient(tf.exp(log_p))
        weight = tf.pow(1.0 - p, self.gamma)
        return tf.reduce_mean(tf.reduce_sum(-weight * labels * log_p, axis=1))
