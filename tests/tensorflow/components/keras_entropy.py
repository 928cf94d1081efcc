import tensorflow as tf
import keras.backend as K
from keras.losses import binary_crossentropy, categorical_crossentropy
from ai4med.components.losses.loss import Loss


class DiceAndEntropy(Loss):
    """K.binary_crossentropy beside a soft Dice, on probabilities."""

    def __init__(self, weight=0.5, from_logits=False):
        Loss.__init__(self)
        self.weight = weight
        self.from_logits = from_logits

    def get_loss(self, predictions, targets, build_ctx=None):
        entropy = K.mean(K.binary_crossentropy(targets, predictions, from_logits=self.from_logits))
        y = K.batch_flatten(predictions)
        t = K.batch_flatten(targets)
        dice = (2. * K.sum(y * t, axis=-1) + K.epsilon()) / (K.sum(K.square(y), -1) + K.sum(K.abs(t), -1) + K.epsilon())
        return self.weight * entropy + (1 - self.weight) * (1 - K.mean(dice))


class WeightedCategorical(Loss):
    """keras' categorical entropy wants the channels last."""

    def __init__(self, weights=(0.2, 1.0, 2.0), smoothing=0.1):
        Loss.__init__(self)
        self.weights = list(weights)
        self.smoothing = smoothing

    def get_loss(self, predictions, targets, build_ctx=None):
        y_pred = K.permute_dimensions(predictions, (0, 2, 3, 4, 1))
        y_true = K.one_hot(K.cast(K.squeeze(targets, 1), 'int32'), len(self.weights))
        y_true = y_true * (1 - self.smoothing) + self.smoothing / len(self.weights)
        weight_map = K.sum(y_true * K.constant(self.weights), axis=-1)
        loss = K.mean(categorical_crossentropy(y_true, y_pred) * weight_map)
        loss = loss + K.mean(K.categorical_crossentropy(y_true, K.softmax(y_pred), from_logits=False, axis=-1))
        clipped = K.minimum(K.maximum(y_pred, 0.05), 0.95)
        return loss + K.mean(K.stack([K.max(clipped), K.min(clipped)])) + K.mean(binary_crossentropy(y_true, clipped))
