import tensorflow as tf
from tensorflow.contrib import layers, slim
from ai4med.components.models.model import Model


class SlimFlat(Model):
    """2-D classification in channels_first with the conveniences of slim and contrib.layers."""

    def __init__(self, num_classes=3, nf=4):
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf = nf

    def get_predictions(self, inputs, is_training, build_ctx=None):
        with slim.arg_scope([slim.conv2d, slim.max_pool2d, slim.batch_norm], data_format='NCHW'):
            with slim.arg_scope([slim.conv2d], padding='SAME',
                                weights_initializer=layers.variance_scaling_initializer()):
                net = slim.conv2d(inputs, self.nf, [3, 3])
                net = slim.max_pool2d(net, [3, 3], stride=2, padding='SAME')
                net = slim.batch_norm(net, is_training=is_training, decay=0.8, activation_fn=tf.nn.relu)
                net = slim.conv2d(net, self.nf * 2, 3, stride=2, activation_fn=tf.nn.tanh, scope='strided')
                net = slim.conv2d(net, self.nf * 2, 3, rate=2, padding='VALID')
        net = layers.flatten(net)
        net = layers.fully_connected(net, 5)
        net = slim.dropout(net, 0.5, is_training=False)
        return slim.fully_connected(net, self.num_classes, activation_fn=None, scope='logits')
