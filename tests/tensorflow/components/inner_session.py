import tensorflow as tf
import keras.backend as K
from keras.layers import Conv2D, GaussianNoise
from ai4med.components.models.model import Model


class InnerSession(Model):
    """Sets up a session by hand, keeps a float mask in numpy, counts its weights and prints them."""

    def __init__(self, num_classes=2, nf=4):
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf = nf

    def get_predictions(self, inputs, is_training, build_ctx=None):
        import numpy as np
        config = tf.ConfigProto()
        config.gpu_options.allow_growth = True
        sess = tf.Session(config=config)
        K.set_session(sess)
        n, c, h, w = K.int_shape(inputs)
        mask = np.ones((1, 1, h, w), dtype=np.float)
        mask[..., :1, :] = 0.25
        x = inputs * mask
        x = Conv2D(self.nf, 3, padding='same', data_format='channels_first', activation='tanh')(x)
        x = GaussianNoise(0.1)(x)
        ramp = tf.reshape(tf.range(w, dtype=tf.float32), [1, 1, 1, w]) / tf.cast(w, tf.float32)
        x = tf.concat([x, tf.tile(ramp, [tf.shape(x)[0], 1, h, 1]), tf.zeros_like(x[:, :1]) + 0.5], axis=1)
        x = Conv2D(self.num_classes, 1, data_format='channels_first', bias_initializer='ones')(x)
        count = np.sum([np.prod(v.get_shape().as_list()) for v in tf.trainable_variables()])
        print('number of weights', int(count))
        return K.sigmoid(x)
