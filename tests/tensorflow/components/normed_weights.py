import tensorflow as tf
from ai4med.components.models.model import Model


def spectral(w, collect=True):
    """Divide a kernel by its largest singular value, by one power iteration a step; the vector is a variable."""
    flat = tf.reshape(w, [-1, w.shape.as_list()[-1]])
    u = tf.get_variable('u', [1, flat.shape[1]], initializer=tf.random_normal_initializer(), trainable=False)
    v = tf.stop_gradient(tf.nn.l2_normalize(tf.matmul(u, flat, transpose_b=True)))
    new = tf.stop_gradient(tf.nn.l2_normalize(tf.matmul(v, flat)))
    sigma = tf.squeeze(tf.matmul(tf.matmul(v, flat), new, transpose_b=True))
    if collect:
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, u.assign(new))
        return w / sigma
    with tf.control_dependencies([tf.assign(u, new)]):
        return w / sigma


def standardised(w):
    mean, variance = tf.nn.moments(w, [0, 1, 2, 3], keep_dims=True)
    return (w - mean) / tf.sqrt(variance + 1e-5)


class NormedWeights(Model):
    """Spectral normalisation and weight standardisation, group and layer norm of contrib; channels first."""

    def __init__(self, num_classes=2, nf=4, collect=True):
        Model.__init__(self)
        self.num_classes, self.nf, self.collect = num_classes, nf, collect

    def conv(self, x, f, k, kind, name):
        with tf.variable_scope(name):
            start = tf.orthogonal_initializer() if k == 1 else tf.initializers.he_normal()
            w = tf.get_variable('kernel', shape=[k, k, k, x.shape[1], f], initializer=start)
            w = spectral(w, self.collect) if kind == 'sn' else standardised(w)
            b = tf.get_variable('bias', [f], initializer=tf.constant_initializer(0.0))
            x = tf.nn.conv3d(tf.transpose(x, [0, 2, 3, 4, 1]), filter=w, strides=[1, 1, 1, 1, 1], padding='SAME')
            return tf.transpose(tf.nn.bias_add(x, b), [0, 4, 1, 2, 3])

    def get_predictions(self, x, is_training, build_ctx=None):
        x = self.conv(x, self.nf, 3, 'sn', 'sn1')
        x = tf.contrib.layers.group_norm(x, groups=2, channels_axis=1, reduction_axes=(2, 3, 4), scope='gn')
        x = self.conv(tf.nn.leaky_relu(x), self.nf, 3, 'ws', 'ws1')
        x = tf.contrib.layers.layer_norm(x)
        return self.conv(tf.nn.elu(x), self.num_classes, 1, 'sn', 'sn2')
