import tensorflow as tf
from ai4med.common.build_ctx import BuildContext
from ai4med.components.models.model import Model


class DeepSupervision(Model):
    """Auxiliary heads are compared with the label inside the model."""

    def __init__(self, num_classes=3, nf=4, weights=(0.5, 0.25)):
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf = nf
        self.weights = weights
        self.aux_losses = []

    def head(self, x, scale, label, weight):
        logits = tf.keras.layers.Conv3D(self.num_classes, 1, data_format='channels_first')(x)
        if scale > 1:
            logits = tf.keras.layers.UpSampling3D(scale, data_format='channels_first')(logits)
        onehot = tf.one_hot(tf.cast(label[:, 0], tf.int32), self.num_classes)
        logits_last = tf.transpose(logits, [0, 2, 3, 4, 1])
        entropy = tf.nn.softmax_cross_entropy_with_logits_v2(labels=onehot, logits=logits_last)
        self.aux_losses.append(weight * tf.reduce_mean(entropy))
        return logits

    def get_predictions(self, inputs, is_training, build_ctx):
        label = build_ctx.must_get(BuildContext.KEY_LABEL_INPUT)
        conv = dict(kernel_size=3, padding='same', activation='relu', data_format='channels_first')
        x1 = tf.keras.layers.Conv3D(self.nf, name='enc1', **conv)(inputs)
        x2 = tf.keras.layers.AvgPool3D(2, data_format='channels_first')(x1)
        x2 = tf.keras.layers.Conv3D(self.nf * 2, name='enc2', **conv)(x2)
        with tf.name_scope('supervision'):
            aux = [self.head(x1, 1, label, self.weights[0]), self.head(x2, 2, label, self.weights[1])]
        x = tf.keras.layers.Conv3DTranspose(self.nf, 2, strides=2, data_format='channels_first')(x2)
        x = tf.keras.layers.Concatenate(axis=1)([x, x1] + aux)
        return tf.keras.layers.Conv3D(self.num_classes, 1, data_format='channels_first', name='final')(x)

    def get_loss(self):
        return tf.add_n(self.aux_losses)
