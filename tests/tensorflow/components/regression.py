import tensorflow as tf
from ai4med.common.build_ctx import BuildContext
from ai4med.components.losses.loss import Loss


class ManyTerms(Loss):
    """tf.losses on an image, with smoothness from shifted slices and the data property at hand."""

    def get_loss(self, predictions, targets, build_ctx):
        prop = build_ctx.must_get(BuildContext.KEY_DATA_PROP)
        axis = 1 if prop.data_format == 'channels_first' else -1
        loss = tf.losses.mean_squared_error(targets, predictions)
        loss += tf.losses.absolute_difference(targets, predictions, weights=0.5)
        loss += tf.losses.huber_loss(targets, predictions, delta=0.3)
        dh = tf.abs(predictions[:, 1:, :, :] - predictions[:, :-1, :, :])
        dw = tf.abs(predictions[:, :, 1:, :] - predictions[:, :, :-1, :])
        loss += 0.1 * (tf.reduce_mean(dh) + tf.reduce_mean(dw))
        mean, var = tf.nn.moments(predictions, axes=[1, 2])
        peak = tf.reduce_max(predictions, axis=[1, 2, 3]) - tf.reduce_min(predictions, axis=[1, 2, 3])
        norm = tf.norm(predictions - targets, axis=axis)
        return loss + tf.reduce_mean(mean * var) + 0.01 * tf.reduce_mean(peak) + 0.01 * tf.reduce_mean(norm)


class Classification(Loss):
    """For (batch, classes): logits against one-hot labels."""

    def __init__(self, label_smoothing=0.1):
        Loss.__init__(self)
        self.label_smoothing = label_smoothing

    def get_loss(self, predictions, targets, build_ctx=None):
        loss = tf.losses.softmax_cross_entropy(targets, predictions, label_smoothing=self.label_smoothing)
        loss += tf.losses.sigmoid_cross_entropy(multi_class_labels=targets, logits=predictions)
        best = tf.argmax(predictions, axis=1, output_type=tf.int32)
        right = tf.cast(tf.equal(best, tf.argmax(targets, 1, output_type=tf.int32)), tf.float32)
        margin = tf.nn.relu(1.0 - tf.reduce_sum(predictions * targets, 1)) * (2.0 - right)
        return loss + tf.reduce_mean(margin) + 1e-2 * tf.nn.l2_loss(tf.nn.l2_normalize(predictions, 1) - targets)
