import tensorflow as tf
from ai4med.components.models.model import Model
slim = tf.contrib.slim


class DeepLab2D(Model):
    """ASPP + depthwise separable xception-ish entry, slim"""
    def __init__(self, num_classes=2, rates=(1, 2, 3), output_stride=4):
        Model.__init__(self)
        self.num_classes = num_classes
        self.rates = rates

    def aspp(self, x, depth, is_training):
        with tf.variable_scope('aspp'):
            size = tf.shape(x)[1:3]
            branches = [slim.conv2d(x, depth, 1, scope='conv_1x1')]
            for r in self.rates:
                branches.append(slim.separable_conv2d(x, depth, 3, depth_multiplier=1, rate=r, scope='aspp%d' % r))
            with tf.variable_scope('image_level_features'):
                image = tf.reduce_mean(x, [1, 2], name='global_average_pooling', keepdims=True)
                image = slim.conv2d(image, depth, [1, 1], stride=1, scope='conv_1x1', normalizer_fn=None)
                branches.append(tf.image.resize_bilinear(image, size, name='upsample'))
            net = tf.concat(branches, axis=3, name='concat')
            return slim.conv2d(net, depth, [1, 1], scope='conv_1x1_concat')

    def get_predictions(self, inputs, is_training, build_ctx=None):
        bn = {'is_training': is_training, 'decay': 0.9, 'epsilon': 1e-3, 'scale': True, 'fused': True}
        with slim.arg_scope([slim.conv2d, slim.separable_conv2d], activation_fn=tf.nn.relu, normalizer_fn=slim.batch_norm, normalizer_params=bn):
            low = slim.conv2d(inputs, 4, 3, stride=2, scope='entry')
            x = slim.separable_conv2d(low, 6, [3, 3], 1, stride=2, scope='sep1')
            x = slim.separable_conv2d(x, None, [3, 3], 2, scope='dw_only', biases_initializer=None)
            x = slim.avg_pool2d(x, 2, stride=1, padding='SAME')
            x = self.aspp(x, 5, is_training)
            x = tf.image.resize_bilinear(x, low.get_shape().as_list()[1:3])
            x = tf.concat([x, slim.conv2d(low, 2, 1, scope='low')], 3)
            x = slim.stack(x, slim.conv2d, [(4, [3, 3]), (4, [1, 1])], scope='decoder')
        logits = slim.conv2d(x, self.num_classes, 1, activation_fn=None, scope='logits')
        return tf.image.resize_bilinear(logits, tf.shape(inputs)[1:3], align_corners=True)
