import tensorflow as tf
import keras.backend as K
from ai4med.components.losses.loss import Loss


class TverskyLoss(Loss):
    def __init__(self, alpha=0.7, smooth=1.0, gamma=None):
        Loss.__init__(self)
        self.alpha = alpha
        self.smooth = smooth
        self.gamma = gamma

    def tversky(self, y_true, y_pred):
        y_true_pos = K.flatten(y_true)
        y_pred_pos = K.flatten(y_pred)
        true_pos = K.sum(y_true_pos * y_pred_pos)
        false_neg = K.sum(y_true_pos * (1 - y_pred_pos))
        false_pos = K.sum((1 - y_true_pos) * y_pred_pos)
        return (true_pos + self.smooth) / (
            true_pos + self.alpha * false_neg + (1 - self.alpha) * false_pos + self.smooth)

    def get_loss(self, predictions, targets, build_ctx=None):
        targets = K.cast(targets, 'float32')
        ti = self.tversky(targets, K.sigmoid(predictions))
        if self.gamma is None:
            return 1 - ti
        return K.pow(1 - ti, 1.0 / self.gamma)
