import tensorflow as tf
from ai4med.components.models.model import Model


class CustomNetwork(Model):
    """A two level U-Net made of keras layers."""

    def __init__(self, num_classes, factor=32, training=False, data_format='channels_first', final_activation='linear'):
        Model.__init__(self)
        self.model = None
        self.num_classes = num_classes
        self.factor = factor
        self.training = training
        self.data_format = data_format
        self.final_activation = final_activation
        self.channel_axis = 1 if data_format == 'channels_first' else -1

    def network(self, inputs, training, num_classes, factor, data_format, channel_axis):
        conv = dict(padding='same', data_format=data_format)
        with tf.variable_scope('CustomNetwork'):
            down = tf.keras.layers.Conv3D(factor, 3, activation='relu', **conv)(inputs)
            skip = tf.keras.layers.Conv3D(factor * 2, 3, activation='relu', **conv)(down)
            low = tf.keras.layers.MaxPool3D(pool_size=(2, 2, 2), strides=2, data_format=data_format)(skip)
            low = tf.keras.layers.Conv3D(factor * 2, 3, activation='relu', **conv)(low)
            low = tf.keras.layers.Conv3D(factor * 4, 3, activation='relu', **conv)(low)
            up = tf.keras.layers.UpSampling3D(size=(2, 2, 2), data_format=data_format)(low)
            up = tf.keras.layers.Concatenate(axis=channel_axis)([up, skip])
            up = tf.keras.layers.Conv3D(factor * 2, 3, activation='relu', **conv)(up)
            up = tf.keras.layers.Conv3D(factor * 2, 3, activation='relu', **conv)(up)
            output = tf.keras.layers.Conv3D(num_classes, 1, **conv)(up)

            activation = str.lower(self.final_activation)
            if activation == 'softmax':
                output = tf.nn.softmax(output, axis=channel_axis, name='softmax')
            elif activation == 'sigmoid':
                output = tf.nn.sigmoid(output, name='sigmoid')
            elif activation != 'linear':
                raise ValueError('final_activation must be softmax, sigmoid or linear, not ' + self.final_activation)
        return output

    def loss(self):
        return 0

    def get_predictions(self, inputs, training, build_ctx=None):
        self.model = self.network(inputs=inputs, training=training, num_classes=self.num_classes, factor=self.factor,
                                  data_format=self.data_format, channel_axis=self.channel_axis)
        return self.model

    def get_loss(self):
        return self.loss()
