import tensorflow as tf
from ai4med.components.losses.loss import Loss


class OHEMPerSample(Loss):
    def get_loss(self, predictions, targets, build_ctx=None):
        ce = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=predictions)
        batch = tf.shape(ce)[0]
        flat = tf.reshape(ce, [batch, -1])
        n_pos = tf.reduce_sum(tf.reshape(targets, [batch, -1]))
        size = tf.shape(flat)[1]
        n_neg = tf.minimum(tf.cast(n_pos * 3, tf.int32) + 5, tf.size(flat))
        neg = tf.reshape(ce * (1. - targets), [-1])
        hard, idx = tf.nn.top_k(neg, n_neg)
        pos = tf.boolean_mask(ce, tf.cast(targets, tf.bool))
        tot = tf.reduce_sum(pos) + tf.reduce_sum(hard)
        return tot / (n_pos + tf.cast(n_neg, tf.float32) + 1e-6)


def lovasz_grad(gt_sorted):
    gts = tf.reduce_sum(gt_sorted)
    intersection = gts - tf.cumsum(gt_sorted)
    union = gts + tf.cumsum(1. - gt_sorted)
    jaccard = 1. - intersection / union
    jaccard = tf.concat((jaccard[0:1], jaccard[1:] - jaccard[:-1]), 0)
    return jaccard


class LovaszHingeCond(Loss):
    def get_loss(self, predictions, targets, build_ctx=None):
        def treat(x):
            log, lab = x
            log = tf.reshape(log, [-1])
            lab = tf.reshape(lab, [-1])

            def compute():
                signs = 2. * tf.cast(lab, log.dtype) - 1.
                errors = 1. - log * tf.stop_gradient(signs)
                es, perm = tf.nn.top_k(errors, k=tf.shape(errors)[0], name="descending_sort")
                g = lovasz_grad(tf.gather(lab, perm))
                return tf.tensordot(tf.nn.relu(es), tf.stop_gradient(g), 1, name="loss_non_void")
            return tf.cond(tf.equal(tf.shape(log)[0], 0), lambda: tf.reduce_sum(log) * 0., compute, name="loss")
        losses = tf.map_fn(treat, [predictions, targets], dtype=tf.float32)
        return tf.reduce_mean(losses)
