import tensorflow as tf
from ai4med.components.models.model import Model


class VaeBranch(Model):
    """Segmentation with a variational branch which reconstructs the image; its loss comes by get_loss()."""

    def __init__(self, num_classes=2, nf=4, latent=6, stddev=1.0, data_format='channels_first'):
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf = nf
        self.latent = latent
        self.stddev = stddev
        self.data_format = data_format
        self.vae_loss = None

    def vae(self, x, image):
        shape = x.shape.as_list()
        with tf.variable_scope('vae'):
            h = tf.layers.flatten(tf.layers.conv3d(x, 2, 3, strides=2, padding='same', data_format=self.data_format))
            h = tf.layers.dense(h, self.latent * 2, name='code')
            z_mean, z_logvar = tf.split(h, 2, axis=1)
            eps = tf.random_normal(tf.shape(z_mean), mean=0.0, stddev=self.stddev)
            z = z_mean + tf.exp(0.5 * z_logvar) * eps
            y = tf.layers.dense(z, shape[1] * shape[2] * shape[3] * shape[4], activation=tf.nn.relu)
            y = tf.reshape(y, [-1] + shape[1:])
            channels = image.shape[1 if self.data_format == 'channels_first' else -1].value
            y = tf.layers.conv3d_transpose(y, channels, 4, strides=2, padding='same',
                                           data_format=self.data_format)
        kl = tf.reduce_mean(tf.square(z_mean) + tf.exp(z_logvar) - z_logvar - 1.0)
        l2 = tf.losses.mean_squared_error(labels=image, predictions=y)
        return 0.1 * kl + 0.1 * l2

    def get_predictions(self, inputs, is_training, build_ctx=None):
        kw = dict(padding='same', data_format=self.data_format)
        low = tf.layers.conv3d(inputs, self.nf, 3, strides=2, activation=tf.nn.relu, **kw)
        low = tf.layers.conv3d(low, self.nf, 3, activation=tf.nn.relu, **kw)
        self.vae_loss = self.vae(low, inputs)
        up = tf.layers.conv3d_transpose(low, self.nf, 3, strides=2, activation=tf.nn.relu, **kw)
        return tf.layers.conv3d(up, self.num_classes, 1, **kw)

    def get_loss(self):
        return self.vae_loss
