import itertools
import numpy as np
import tensorflow as tf
from ai4med.components.models.model import Model


class WarpedNet(Model):
    """3-D trilinear warp with tf.gather on flat indices, channels_last; identity grid from numpy"""
    def __init__(self, num_classes=2):
        super(WarpedNet, self).__init__()
        self.num_classes = num_classes

    def warp(self, vol, flow):
        shape = vol.get_shape().as_list()
        D, H, W, C = shape[1:]
        n = tf.shape(vol)[0]
        mesh = np.stack(np.meshgrid(np.arange(D), np.arange(H), np.arange(W), indexing='ij'), -1).astype(np.float32)
        loc = mesh[np.newaxis] + flow
        loc = [tf.clip_by_value(loc[..., i], 0, m - 1) for i, m in enumerate((D, H, W))]
        lo = [tf.floor(l) for l in loc]
        hi = [tf.clip_by_value(l + 1, 0, m - 1) for l, m in zip(lo, (D, H, W))]
        frac = [h - l for h, l in zip(hi, loc)]
        weights = [frac, [1 - f for f in frac]]
        lohi = [[tf.cast(f, 'int32') for f in lo], [tf.cast(f, 'int32') for f in hi]]
        out = 0
        flat = tf.reshape(vol, [-1, C])
        base = tf.reshape(tf.range(n) * (D * H * W), [-1, 1, 1, 1])
        for c in itertools.product([0, 1], repeat=3):
            idx = base + lohi[c[0]][0] * (H * W) + lohi[c[1]][1] * W + lohi[c[2]][2]
            w = weights[c[0]][0] * weights[c[1]][1] * weights[c[2]][2]
            out += tf.expand_dims(w, -1) * tf.gather(flat, idx)
        return out

    def get_predictions(self, inputs, is_training, build_ctx=None):
        x = tf.layers.conv3d(inputs, 4, 3, padding='same', activation=lambda t: tf.nn.leaky_relu(t, 0.2))
        flow = tf.layers.conv3d(x, 3, 3, padding='same', name='flow', kernel_initializer=tf.keras.initializers.RandomNormal(mean=0.0, stddev=1e-5))
        self.flow = flow
        moved = self.warp(inputs, tf.tanh(flow))
        return tf.layers.conv3d(tf.concat([moved, x], -1), self.num_classes, 1)

    def get_loss(self):
        f = self.flow
        dy = f[:, 1:, :, :, :] - f[:, :-1, :, :, :]
        dx = tf.abs(f[:, :, 1:] - f[:, :, :-1])
        dz = f[..., 1:, :] - f[..., :-1, :]
        return tf.reduce_mean(dy * dy) + tf.reduce_mean(dx ** 2) + tf.reduce_mean(tf.square(dz))
