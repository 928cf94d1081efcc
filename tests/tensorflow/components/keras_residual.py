import keras
import keras.backend as K
from keras.layers import (Activation, Add, BatchNormalization, Conv3D, Dense, GlobalAveragePooling3D, Lambda,
                          MaxPooling3D, Multiply, Reshape, SpatialDropout3D, UpSampling3D)
from keras.regularizers import l2
from ai4med.components.models.model import Model


class KerasResidual(Model):
    """Standalone keras: residual blocks with squeeze and excitation, as ported from a keras repository."""

    def __init__(self, num_classes=2, nf=4, dropout=0.0, update_statistics=True):
        Model.__init__(self)
        self.num_classes = num_classes
        self.nf = nf
        self.dropout = dropout
        self.update_statistics = update_statistics
        self.norms = []

    def norm(self, x, training):
        layer = BatchNormalization(axis=1, momentum=0.8)
        self.norms.append(layer)
        return layer(x, training=training)

    def block(self, x, filters, training):
        y = Conv3D(filters, (3, 3, 3), padding='same', data_format='channels_first', kernel_regularizer=l2(1e-4))(x)
        y = Activation('relu')(self.norm(y, training))
        y = SpatialDropout3D(self.dropout, data_format='channels_first')(y, training=training)
        se = GlobalAveragePooling3D(data_format='channels_first')(y)
        se = Dense(filters // 2, activation='relu', kernel_initializer='he_normal', use_bias=False)(se)
        se = Dense(filters, activation='sigmoid')(se)
        y = Multiply()([y, Reshape((filters, 1, 1, 1))(se)])
        shortcut = Conv3D(filters, 1, data_format='channels_first')(x)
        return keras.layers.add([shortcut, y])

    def get_predictions(self, inputs, training, build_ctx=None):
        K.set_image_data_format('channels_first')
        x = self.block(inputs, self.nf, training)
        y = MaxPooling3D(pool_size=2)(x)
        y = self.block(y, self.nf * 2, training)
        y = UpSampling3D(2)(y)
        y = Conv3D(self.nf, 3, padding='same', activation='relu')(y)
        x = Add()([x, y])
        x = Conv3D(self.num_classes, (1, 1, 1), name='out')(x)
        return Lambda(lambda t: K.exp(t) / K.sum(K.exp(t), axis=1, keepdims=True))(x)

    def get_update_ops(self):
        if self.update_statistics:
            return sum([layer.updates for layer in self.norms], [])
        return Model.get_update_ops(self)
