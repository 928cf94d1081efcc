import tensorflow as tf
import numpy as np
from ai4med.components.models.model import Model
K = tf.keras.backend


class Switching(Model):
    """everything that people did with is_training"""
    def __init__(self, num_classes=2, rate=0.0):
        Model.__init__(self)
        self.num_classes = num_classes
        self.rate = rate

    def get_predictions(self, inputs, is_training, build_ctx=None):
        t = tf.cast(is_training, tf.float32)
        flag = tf.convert_to_tensor(is_training, dtype=tf.bool)
        not_training = tf.logical_not(is_training)
        x = tf.layers.conv3d(inputs, 4, 3, padding='same', data_format='channels_first')
        x = x * (1.0 - 0.1 * t)
        x = tf.cond(tf.equal(is_training, tf.constant(True)), lambda: x * 2.0, lambda: x + 1.0)
        x = tf.case([(not_training, lambda: tf.nn.relu(x))], default=lambda: tf.nn.elu(x), exclusive=True)
        x = tf.where(tf.fill(tf.shape(x), not_training), x, -x)
        keep = tf.placeholder_with_default(1.0, shape=(), name='keep_prob')
        x = tf.nn.dropout(x, keep)
        x = tf.contrib.layers.dropout(x, keep_prob=1.0, is_training=is_training)
        x = K.in_train_phase(lambda: x * 3., lambda: x * 0.5, training=is_training)
        x = tf.keras.layers.BatchNormalization(axis=1)(x, training=is_training)
        x = tf.cond(flag, true_fn=lambda: tf.layers.batch_normalization(x, axis=1, training=True, name='cbn', momentum=0.8),
                    false_fn=lambda: tf.layers.batch_normalization(x, axis=1, training=False, name='cbn', reuse=True))
        y = tf.layers.conv3d(x, self.num_classes, 1, data_format='channels_first')
        step = tf.Variable(0.0, trainable=False, name='step')
        with tf.control_dependencies([tf.assign_add(step, t)]):
            y = tf.identity(y)
        y = tf.Print(y, [tf.shape(y)], message='shape: ')
        ema = tf.get_variable('my_ema', shape=[self.num_classes], initializer=tf.zeros_initializer(), trainable=False)
        upd = tf.assign(ema, tf.cond(is_training, lambda: 0.9 * ema + 0.1 * tf.reduce_mean(y, [0, 2, 3, 4]), lambda: ema))
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, upd)
        return y - tf.reshape(ema, [1, -1, 1, 1, 1])
