import tensorflow as tf
from ai4med.components.losses.loss import Loss
from tensorflow.keras import backend as K


def norm_intersection(center_line, vessel):
    smooth = tf.constant(1., dtype=tf.float32)
    clf = tf.reshape(center_line, (tf.shape(center_line)[0], tf.shape(center_line)[1], -1))
    vf = tf.reshape(vessel, (tf.shape(vessel)[0], tf.shape(vessel)[1], -1))
    intersection = K.sum(clf * vf, axis=-1)
    return (intersection + smooth) / (K.sum(clf, axis=-1) + smooth)


def soft_skeletonize(img, thresh_width=3):
    for i in range(thresh_width):
        min_pool_x = K.pool3d(img * -1, (3, 3, 3), strides=(1, 1, 1), padding='same', data_format='channels_last', pool_mode='max') * -1
        contour = K.relu(K.pool3d(min_pool_x, (3, 3, 3), strides=(1, 1, 1), padding='same', data_format='channels_last', pool_mode='max') - min_pool_x)
        img = K.relu(img - contour)
    return img


class CLDice(Loss):
    def get_loss(self, predictions, targets, build_ctx=None):
        p = tf.transpose(tf.sigmoid(predictions), [0, 2, 3, 4, 1])
        t = tf.transpose(targets, [0, 2, 3, 4, 1])
        cp, ct = soft_skeletonize(p), soft_skeletonize(t)
        tprec = norm_intersection(cp, t)
        tsens = norm_intersection(ct, p)
        return 1. - tf.reduce_mean(2. * (tprec * tsens) / (tprec + tsens))
