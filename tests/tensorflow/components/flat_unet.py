import tensorflow as tf
from tensorflow.keras import layers as KL
from ai4med.components.models.model import Model


class FlatUNet(Model):
    """2-D, channels_last, padded by hand, with separable and depthwise convolutions and a resized skip."""

    def __init__(self, num_classes=3, nf=4):
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf = nf

    def get_predictions(self, inputs, is_training, build_ctx=None):
        padded = tf.pad(inputs, [[0, 0], [1, 1], [2, 2], [0, 0]], mode='REFLECT')
        with tf.variable_scope('FlatUNet'):
            x = KL.Conv2D(self.nf, (3, 5))(padded)
            skip = KL.PReLU(shared_axes=[1, 2])(x)
            x = KL.MaxPool2D(2)(skip)
            x = KL.SeparableConv2D(self.nf * 2, 3, padding='same', activation=tf.nn.relu)(x)
            x = KL.DepthwiseConv2D(3, padding='same')(x)
            x = KL.Conv2D(self.nf, 3, dilation_rate=2, padding='same', activation='selu')(x)
            x = KL.Conv2DTranspose(self.nf, 3, strides=2, padding='same')(x)
            small = KL.AveragePooling2D(pool_size=3, strides=2, padding='same')(skip)
            small = tf.image.resize_nearest_neighbor(small, x.shape.as_list()[1:3])
            x = KL.concatenate([x, small, KL.ZeroPadding2D(1)(KL.Cropping2D(1)(skip))])
            logits = KL.Conv2D(self.num_classes, 1)(x)
        return KL.Softmax(axis=-1)(logits)
