import tensorflow as tf
from tensorflow.keras.layers import BatchNormalization, Conv3D, Input, ReLU
from tensorflow.keras.models import Model as KerasModel, Sequential
from ai4med.components.models.model import Model


class FunctionalModel(Model):
    """A keras model around the placeholder, and a Sequential; layers are made in the constructor."""

    def __init__(self, num_classes=2, nf=4):
        Model.__init__(self)
        kw = dict(padding='same', data_format='channels_first')
        self.stem = Conv3D(nf, 3, kernel_initializer=tf.keras.initializers.he_normal(seed=1), **kw)
        self.blocks = [Conv3D(nf, 3, activation='relu', **kw) for _ in range(2)]
        self.norm = BatchNormalization(axis=1)
        self.tail = Sequential([Conv3D(nf, 1, **kw), ReLU(), Conv3D(num_classes, 1, name='scores', **kw)])

    def get_predictions(self, inputs, is_training, build_ctx=None):
        i = Input(tensor=inputs)
        x = self.norm(self.stem(i), training=is_training)
        for block in self.blocks:
            x = tf.keras.layers.add([x, block(x)])
        x = self.blocks[0](x)  # once more, with the same weights
        model = KerasModel(inputs=i, outputs=x)
        with tf.variable_scope('tail'):
            return self.tail(model.output)
