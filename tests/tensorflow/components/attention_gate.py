import tensorflow as tf
from tensorflow.keras.layers import Activation, Add, Conv3D, Layer, LeakyReLU, Multiply
from ai4med.components.models.model import Model


class GroupNorm(Layer):
    def __init__(self, groups=2, axis=1, epsilon=1e-5, **kwargs):
        super(GroupNorm, self).__init__(**kwargs)
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        dim = int(input_shape[self.axis])
        if dim % self.groups != 0:
            raise ValueError('%d channels do not make %d groups' % (dim, self.groups))
        self.gamma = self.add_weight(name='gamma', shape=(dim,), initializer='ones')
        self.beta = self.add_weight(name='beta', shape=(dim,), initializer='zeros')
        super(GroupNorm, self).build(input_shape)

    def call(self, inputs):
        K = tf.keras.backend
        shape = K.int_shape(inputs)
        grouped = K.reshape(inputs, (-1, self.groups, shape[1] // self.groups) + shape[2:])
        mean = K.mean(grouped, axis=[2, 3, 4, 5], keepdims=True)
        variance = K.var(grouped, axis=[2, 3, 4, 5], keepdims=True)
        grouped = (grouped - mean) / K.sqrt(variance + self.epsilon)
        outputs = K.reshape(grouped, (-1,) + shape[1:])
        broadcast = (1, shape[1], 1, 1, 1)
        return outputs * K.reshape(self.gamma, broadcast) + K.reshape(self.beta, broadcast)

    def get_config(self):
        config = super(GroupNorm, self).get_config()
        config.update({'groups': self.groups, 'axis': self.axis, 'epsilon': self.epsilon})
        return config

    def compute_output_shape(self, input_shape):
        return input_shape


class AttentionGate(Layer):
    """Weighs a skip connection by what the level below saw; its convolutions are layers of their own."""

    def __init__(self, filters, **kwargs):
        super(AttentionGate, self).__init__(**kwargs)
        self.theta = Conv3D(filters, 1, data_format='channels_first', use_bias=False)
        self.phi = Conv3D(filters, 1, data_format='channels_first')
        self.psi = Conv3D(1, 1, data_format='channels_first', activation='sigmoid')

    def build(self, input_shape):
        self.scale = self.add_weight(name='scale', shape=(1,), initializer=tf.keras.initializers.Constant(0.5))
        self.built = True

    def call(self, inputs):
        x, gate = inputs
        f = Activation('relu')(Add()([self.theta(x), self.phi(gate)]))
        return Multiply()([x, self.psi(f)]) * self.scale


class GatedNet(Model):

    def __init__(self, num_classes=2, nf=4):
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf = nf

    def get_predictions(self, inputs, is_training, build_ctx=None):
        conv = dict(padding='same', data_format='channels_first', kernel_initializer='he_normal')
        with tf.variable_scope('gated'):
            x = Conv3D(self.nf, 3, **conv)(inputs)
            skip = LeakyReLU(alpha=0.2)(GroupNorm(groups=2)(x))
            x = Conv3D(self.nf * 2, 3, strides=2, **conv)(skip)
            x = Activation('elu')(GroupNorm(4, name='low_norm')(x))
            x = tf.keras.layers.UpSampling3D(2, data_format='channels_first')(x)
            skip = AttentionGate(self.nf)([skip, x])
            x = tf.keras.layers.concatenate([skip, x], axis=1)
        return Conv3D(self.num_classes, 1, data_format='channels_first', activation='sigmoid', name='prediction')(x)
