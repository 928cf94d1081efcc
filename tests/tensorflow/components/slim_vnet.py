import tensorflow as tf
import tensorflow.contrib.slim as slim
from ai4med.components.models.model import Model


class SlimVNet(Model):
    """slim on channels_last volumes."""

    def __init__(self, num_classes=2, nf=4, decay=1e-3):
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf = nf
        self.decay = decay

    def get_predictions(self, x_in, train_phase, ctx):
        norm = {'is_training': train_phase, 'decay': 0.9, 'epsilon': 1e-3, 'scale': True}
        with tf.variable_scope('VNet'), \
             slim.arg_scope([slim.conv3d, slim.conv3d_transpose], kernel_size=3, activation_fn=tf.nn.relu,
                            normalizer_fn=slim.batch_norm, normalizer_params=norm,
                            weights_regularizer=slim.l2_regularizer(self.decay)):
            a = slim.conv3d(x_in, self.nf)
            a = slim.conv3d(a, self.nf, scope='named')
            b = slim.conv3d(a, self.nf * 2, stride=2)
            with slim.arg_scope([slim.conv3d], normalizer_fn=None, activation_fn=tf.nn.elu):
                b = slim.repeat(b, 2, slim.conv3d, self.nf * 2, scope='deep')
            c = slim.conv3d_transpose(b, self.nf, stride=2, scope='up')
            c = tf.concat([a, c], -1)
            with tf.variable_scope('head'):
                logits = slim.conv3d(c, self.num_classes, kernel_size=[1, 1, 1], activation_fn=None, normalizer_fn=None,
                                     scope='logits')
        slim.model_analyzer.analyze_vars(tf.trainable_variables(), print_info=True)
        return slim.softmax(logits)

    def get_loss(self):
        return tf.add_n(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES))
