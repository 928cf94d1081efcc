import tensorflow as tf
from ai4med.components.losses.loss import Loss


def dice_loss(predictions, targets, data_format='channels_first', skip_background=False, squared_pred=False,
              jaccard=False, smooth=1e-5, top_smooth=0.0, is_onehot_targets=False):
    """One minus the Dice of every item and channel, averaged. Labels are indices or one-hot."""
    channels_first = data_format == 'channels_first'
    axis = 1 if channels_first else -1
    n_pred = predictions.get_shape()[axis].value
    n_target = targets.get_shape()[axis].value
    rank = len(predictions.get_shape())

    print('dice_loss: targets', targets.get_shape().as_list(), targets.dtype,
          'predictions', predictions.get_shape().as_list(), predictions.dtype)

    if skip_background and n_pred == 1:
        raise ValueError('skip_background with a single predicted channel leaves nothing')
    if skip_background and n_target == 1 and is_onehot_targets:
        raise ValueError('skip_background with a single one-hot target channel leaves nothing')
    if is_onehot_targets and n_target != n_pred:
        raise ValueError('one-hot targets have {} channels, the predictions {}'.format(n_target, n_pred))

    if not is_onehot_targets:
        targets = tf.cast(tf.squeeze(targets, axis=axis), tf.int32)
        targets = tf.one_hot(targets, depth=n_pred, axis=axis, dtype=tf.float32, name='loss_dice_targets_onehot')

    if skip_background:
        targets = targets[:, 1:] if channels_first else targets[..., 1:]
        predictions = predictions[:, 1:] if channels_first else predictions[..., 1:]

    spatial = list(range(2, rank)) if channels_first else list(range(1, rank - 1))
    intersection = tf.reduce_sum(targets * predictions, axis=spatial)
    if squared_pred:
        targets = tf.square(targets)
        predictions = tf.square(predictions)
    denominator = tf.reduce_sum(targets, axis=spatial) + tf.reduce_sum(predictions, axis=spatial)
    if jaccard:
        denominator -= intersection
    f = tf.reduce_mean((2.0 * intersection + top_smooth) / (denominator + smooth))
    return 1 - f


class MyClonedDiceLoss(Loss):

    def __init__(self, data_format='channels_first', skip_background=False, squared_pred=False, jaccard=False,
                 smooth=1e-5, top_smooth=0.0, is_onehot_targets=False):
        Loss.__init__(self)
        self.data_format = data_format
        self.skip_background = skip_background
        self.squared_pred = squared_pred
        self.jaccard = jaccard
        self.smooth = smooth
        self.top_smooth = top_smooth
        self.is_onehot_targets = is_onehot_targets

    def get_loss(self, predictions, targets, build_ctx=None):
        return dice_loss(predictions, targets, data_format=self.data_format, skip_background=self.skip_background,
                         squared_pred=self.squared_pred, jaccard=self.jaccard, smooth=self.smooth,
                         top_smooth=self.top_smooth, is_onehot_targets=self.is_onehot_targets)
