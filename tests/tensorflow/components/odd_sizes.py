import tensorflow as tf
from ai4med.components.models.model import Model


class OddSizes(Model):
    """SAME padding where it is not symmetric: stride 2 on odd and even sizes, even kernels, pooling."""

    def __init__(self, num_classes=2, nf=3):
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf = nf

    def get_predictions(self, inputs, is_training, build_ctx=None):
        cf = {'data_format': 'channels_first'}
        a = tf.layers.conv3d(inputs, self.nf, 3, strides=2, padding='same', **cf)
        b = tf.layers.conv3d(inputs, self.nf, 2, strides=(2, 2, 2), padding='same', **cf)
        c = tf.layers.conv3d(inputs, self.nf, (4, 5, 2), strides=2, padding='same', **cf)
        d = tf.layers.max_pooling3d(inputs, 3, 2, padding='same', **cf)
        e = tf.layers.average_pooling3d(inputs, 3, 2, padding='same', **cf)
        x = tf.concat([a, b, c, d, e], axis=1)
        x = tf.layers.conv3d(x, self.nf, 3, padding='same', dilation_rate=(2, 2, 2), activation=tf.nn.relu6, **cf)
        y = tf.layers.conv3d_transpose(x, self.nf, 3, strides=2, padding='same', **cf)
        z = tf.layers.conv3d_transpose(x, self.nf, (3, 4, 5), strides=2, padding='valid', use_bias=False, **cf)
        d0, h0, w0 = [int(s) for s in inputs.shape[2:]]
        x = tf.concat([y[:, :, :d0, :h0, :w0], z[..., :d0, :h0, :w0]], 1)
        return tf.layers.conv3d(x, self.num_classes, 1, **cf)
