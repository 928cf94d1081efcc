import numpy as np
import tensorflow as tf
import tensorflow.keras.backend as K
from ai4med.components.losses.loss import Loss


class ActiveContour(Loss):
    def get_loss(self, y_pred, y_true, build_ctx=None):
        y_pred = tf.sigmoid(y_pred)
        x = y_pred[:, :, 1:, :, :] - y_pred[:, :, :-1, :, :]
        y = y_pred[:, :, :, 1:, :] - y_pred[:, :, :, :-1, :]
        delta_x = x[:, :, 1:, :-2, :] ** 2
        delta_y = y[:, :, :-2, 1:, :] ** 2
        delta_u = K.abs(delta_x + delta_y)
        lenth = K.mean(K.sqrt(delta_u + 0.00000001))
        C_1 = np.ones((1, 1) + tuple(y_pred.shape.as_list()[2:]))
        C_2 = np.zeros((1, 1) + tuple(y_pred.shape.as_list()[2:]))
        region_in = K.abs(K.mean(y_pred[:, 0] * ((y_true[:, 0] - C_1[:, 0]) ** 2)))
        region_out = K.abs(K.mean((1 - y_pred[:, 0]) * ((y_true[:, 0] - C_2[:, 0]) ** 2)))
        return lenth + 1 * (1 * region_in + region_out)


class LNCC(Loss):
    def __init__(self, win=3, eps=1e-5):
        Loss.__init__(self)
        self.win, self.eps = win, eps

    def get_loss(self, predictions, targets, build_ctx=None):
        I = tf.transpose(targets, [0, 2, 3, 4, 1])
        J = tf.transpose(predictions, [0, 2, 3, 4, 1])
        ndims = len(I.get_shape().as_list()) - 2
        win = [self.win] * ndims
        conv_fn = getattr(tf.nn, 'conv%dd' % ndims)
        sum_filt = tf.ones([*win, 1, 1])
        strides = [1] * (ndims + 2)
        I_sum = conv_fn(I, sum_filt, strides, 'SAME')
        J_sum = conv_fn(J, sum_filt, strides, 'SAME')
        I2 = conv_fn(I * I, sum_filt, strides, 'SAME')
        J2 = conv_fn(J * J, sum_filt, strides, 'SAME')
        IJ = conv_fn(I * J, sum_filt, strides, 'SAME')
        win_size = np.prod(win)
        u_I = I_sum / win_size
        u_J = J_sum / win_size
        cross = IJ - u_J * I_sum - u_I * J_sum + u_I * u_J * win_size
        I_var = I2 - 2 * u_I * I_sum + u_I * u_I * win_size
        J_var = J2 - 2 * u_J * J_sum + u_J * u_J * win_size
        cc = cross * cross / (I_var * J_var + self.eps)
        return -1.0 * tf.reduce_mean(cc)


class SSIM2D(Loss):
    def get_loss(self, predictions, targets, build_ctx=None):
        p = tf.transpose(tf.sigmoid(predictions), [0, 2, 3, 1])
        t = tf.transpose(tf.sigmoid(targets), [0, 2, 3, 1])
        s = tf.image.ssim(t, p, max_val=1.0)
        ps = tf.image.psnr(p, t, 1.0)
        return 1 - tf.reduce_mean(s) - 0.01 * tf.reduce_mean(ps)


class GDLPad(Loss):
    def get_loss(self, gen, gt, build_ctx=None):
        def g(x, axis):
            size = [-1] * 5
            begin = [0] * 5
            begin[axis] = 1
            pads = [[0, 0]] * 5
            pads[axis] = [0, 1]
            return tf.pad(tf.slice(x, begin, size), pads) - x
        total = 0
        for a in (2, 3, 4):
            total += tf.reduce_mean(tf.abs(g(gen, a) - g(gt, a)) ** 1)
        return total / 3
