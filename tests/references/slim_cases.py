"""slim as its users write it; runs on real TensorFlow (``make_tensorflow_slim.py``) and on the facade alike.

A case is a function of ``tf``, ``slim``, the input and whether it trains, and gives one tensor.
"""


def conv2d(tf, slim, x, training):
    net = slim.conv2d(x, 4, [3, 3])
    net = slim.conv2d(net, 3, 3, stride=2, scope="strided")
    net = slim.conv2d(net, 3, [3, 2], rate=2, padding="VALID", biases_initializer=None)
    return slim.convolution2d(net, 2, [1, 1], activation_fn=None, scope="a/b")


def conv2d_first(tf, slim, x, training):
    with slim.arg_scope([slim.conv2d, slim.conv2d_transpose, slim.batch_norm], data_format="NCHW"):
        net = slim.conv2d(x, 4, [3, 3], stride=[2, 1], normalizer_fn=slim.batch_norm, normalizer_params={"decay": 0.7})
        net = slim.batch_norm(net, is_training=training, scale=True, center=False, activation_fn=tf.nn.relu)
        return slim.bias_add(net, data_format="NCHW")


def conv3d(tf, slim, x, training):
    net = slim.conv3d(x, 4, [3, 3, 3], stride=2)
    net = slim.conv3d(net, 3, 3, activation_fn=tf.nn.elu, data_format="NDHWC")
    return slim.convolution3d(net, 2, [2, 1, 2], padding="VALID", rate=[1, 1, 2])


def convolution(tf, slim, x, training):
    net = slim.convolution(x, 4, 3, stride=2)
    return slim.conv1d(net, 3, 3, padding="VALID", activation_fn=None)


def transposed2d(tf, slim, x, training):
    net = slim.conv2d_transpose(x, 3, [3, 3], stride=2)
    net = slim.conv2d_transpose(net, 2, 2, stride=[2, 1], padding="VALID", scope="up")
    return slim.conv2d_transpose(net, 2, 3, padding="VALID", activation_fn=None, normalizer_fn=slim.layer_norm)


def transposed3d(tf, slim, x, training):
    net = slim.conv3d_transpose(x, 3, [2, 2, 2], stride=2)
    return slim.conv3d_transpose(net, 2, 3, stride=[1, 2, 1], padding="VALID", scope="up")


def batch_norm3d(tf, slim, x, training):
    norm = {"is_training": training, "decay": 0.9, "epsilon": 1e-3, "scale": True}
    with slim.arg_scope([slim.conv3d], normalizer_fn=slim.batch_norm, normalizer_params=norm):
        net = slim.conv3d(x, 4, 3, activation_fn=None)
        net = slim.conv3d(net, 4, 3, scope="named")
    return slim.batch_norm(net, decay=0.5, is_training=training, scope="last")


def batch_norm2d(tf, slim, x, training):
    net = slim.batch_norm(x, is_training=training, decay=0.6, updates_collections=None)
    net = slim.batch_norm(net, is_training=training, decay=0.7, fused=False)
    first = {"beta": tf.constant_initializer(0.5), "moving_variance": tf.constant_initializer(2.0)}
    net = slim.batch_norm(net, is_training=training, decay=0.8, param_initializers=first)
    return slim.batch_norm(net)


def batch_norm_dense(tf, slim, x, training):
    net = slim.fully_connected(x, 5, normalizer_fn=slim.batch_norm, normalizer_params={"is_training": training})
    return slim.linear(net, 3)


def dense(tf, slim, x, training):
    net = slim.fully_connected(x, 5)
    net = slim.relu6(net, 4, scope="six")
    net = slim.elu(net, 4, biases_initializer=None)
    net = slim.flatten(net)
    return slim.fully_connected(slim.dropout(net, 0.4, is_training=False), 3, activation_fn=None)


def separable(tf, slim, x, training):
    net = slim.separable_conv2d(x, 4, [3, 3], depth_multiplier=2)
    net = slim.separable_conv2d(net, None, 3, stride=2, depth_multiplier=2)
    net = slim.separable_convolution2d(net, 3, 3, 1, rate=2, normalizer_fn=slim.batch_norm, activation_fn=None)
    return slim.conv2d_in_plane(net, [2, 1], padding="VALID")


def separable_first(tf, slim, x, training):
    return slim.separable_conv2d(x, 4, [3, 3], depth_multiplier=1, data_format="NCHW")


def layer_norms(tf, slim, x, training):
    net = slim.layer_norm(slim.conv2d(x, 6, 3))
    return slim.layer_norm(net, begin_norm_axis=2, begin_params_axis=2, scope="inner", activation_fn=tf.nn.elu)


def instance_norms(tf, slim, x, training):
    net = slim.instance_norm(x)
    return slim.instance_norm(slim.conv2d(net, 6, 3), data_format="NCHW", center=False)


def group_norms(tf, slim, x, training):
    net = slim.group_norm(x, groups=2)
    net = slim.group_norm(slim.conv2d(net, 4, 3), groups=3, channels_axis=1, reduction_axes=[-2], scope="rows")
    return slim.unit_norm(net, 1)


def norms3d(tf, slim, x, training):
    net = slim.group_norm(x, groups=2, channels_axis=-4, reduction_axes=(-3, -2, -1), scale=False)
    net = slim.group_norm(net, groups=1)
    net = slim.instance_norm(net, data_format="NCHW", activation_fn=tf.nn.relu)
    return slim.layer_norm(net, center=False, begin_params_axis=1)


def pools2d(tf, slim, x, training):
    net = slim.max_pool2d(x, [3, 3], stride=1, padding="SAME")
    net = slim.avg_pool2d(net, [3, 2], stride=1, padding="SAME")
    net = slim.avg_pool2d(net, 2)
    net = slim.max_pool2d(net, [2, 2], padding="SAME")
    return slim.pool(net, 2, "AVG", stride=1)


def pools3d(tf, slim, x, training):
    net = slim.max_pool3d(x, [3, 3, 3], stride=1, padding="SAME")
    net = slim.avg_pool3d(net, 3, stride=2, padding="SAME")
    return slim.max_pool3d(net, [2, 2, 1], stride=[1, 2, 1])


def repeats(tf, slim, x, training):
    net = slim.repeat(x, 2, slim.conv2d, 4, [3, 3])
    net = slim.repeat(net, 2, slim.conv2d, 4, 3, scope="rep")
    net = slim.stack(net, slim.conv2d, [(3, [3, 3]), (2, [1, 1])])
    net = slim.stack(slim.flatten(net), slim.fully_connected, [5, 4], scope="st")
    return slim.repeat(net, 1, slim.fully_connected, 3)


def scopes(tf, slim, x, training):
    with tf.variable_scope("one"):
        a = slim.conv2d(x, 3, 3)
        b = slim.conv2d(x, 3, 3)
    with tf.variable_scope("one", reuse=True):
        c = slim.conv2d(x, 3, 3)
    d = slim.conv2d(x, 3, 3, scope="one/Conv_1", reuse=True)
    with tf.variable_scope("two", default_name="x") as two:
        e = slim.conv2d(x, 3, 3, trainable=False, scope="kept")
    with tf.variable_scope(two):
        f = slim.conv2d(x, 3, 3)
    return tf.add_n([a, b, c, d, e, f])


def penalties(tf, slim, x, training):
    with slim.arg_scope([slim.conv2d, slim.fully_connected], weights_regularizer=slim.l2_regularizer(0.5)):
        net = slim.conv2d(x, 3, 3, scope="shared")
        net = slim.conv2d(net, 3, 3, scope="free", weights_regularizer=None)
        with tf.variable_scope("both", regularizer=slim.l1_regularizer(0.25)):
            net = slim.conv2d(net, 3, 3, normalizer_fn=slim.batch_norm)
        net = slim.fully_connected(net, 2, biases_regularizer=slim.l1_l2_regularizer(0.5, 0.25))
    return slim.batch_norm(net, param_regularizers={"beta": slim.l2_regularizer(0.125)}, activation_fn=tf.nn.relu)


def arg_scopes(tf, slim, x, training):
    @slim.add_arg_scope
    def block(net, depth, rate=1, scope=None):
        with tf.variable_scope(scope, "block"):
            return slim.conv2d(net, depth, 3, rate=rate)

    with slim.arg_scope([slim.conv2d], padding="VALID", activation_fn=tf.nn.tanh), slim.arg_scope([block], rate=2):
        with slim.arg_scope([slim.conv2d], activation_fn=tf.nn.elu) as inner:
            a = block(x, 3)
        b = block(x, 3, rate=2)
        with slim.arg_scope([slim.conv2d], padding="SAME"), slim.arg_scope(inner):
            c = block(x, 3, scope="c")
    return tf.concat([a, b, c], -1)


def small(tf, slim, x, training):
    net = slim.conv2d(x, 6, 1, weights_initializer=slim.variance_scaling_initializer())
    net = slim.maxout(net, 3)
    net = slim.softmax(net)
    hot = slim.one_hot_encoding(tf.constant([[1, 2, 0, 5], [0, 1, 1, 2]]), 3)
    return slim.unit_norm(tf.concat([slim.flatten(net), slim.flatten(hot)], 1), 1)


def weighted_losses(tf, slim, x, training):
    logits = slim.linear(x, 4)
    labels = tf.constant([[0.0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]])
    some, each = tf.constant([0.5, 0.0, 2.0]), tf.constant([[1.0, 0, 2, 3], [0, 0, 0, 0.5], [1, 1, 1, 1]])
    losses = slim.losses
    losses.softmax_cross_entropy(logits, labels)
    losses.softmax_cross_entropy(logits, labels, weights=some, label_smoothing=0.1)
    losses.sigmoid_cross_entropy(logits, labels, label_smoothing=0.2, weights=0.5)
    losses.sparse_softmax_cross_entropy(logits, tf.constant([1, 3, 0]), weights=some)
    losses.mean_squared_error(logits, labels, weights=each)
    losses.absolute_difference(logits, labels, weights=some)
    losses.log_loss(tf.nn.sigmoid(logits), labels, weights=0.0)
    losses.log_loss(tf.nn.sigmoid(logits), labels, weights=each)
    losses.cosine_distance(tf.nn.l2_normalize(logits, 1), labels, axis=1)
    losses.compute_weighted_loss(losses.hinge_loss(logits, labels), 0.25)
    return losses.get_total_loss()


VOLUME, IMAGE = (2, 5, 6, 7, 2), (2, 9, 8, 3)
CASES = {
    conv2d: IMAGE,
    conv2d_first: (2, 3, 9, 8),
    conv3d: VOLUME,
    convolution: (2, 11, 3),
    transposed2d: (2, 4, 3, 3),
    transposed3d: (2, 2, 3, 2, 2),
    batch_norm3d: VOLUME,
    batch_norm2d: (2, 4, 3, 5),
    batch_norm_dense: (6, 4),
    dense: (2, 3, 4),
    separable: IMAGE,
    separable_first: (2, 3, 6, 5),
    layer_norms: (2, 6, 5, 4),
    instance_norms: (2, 6, 5, 4),
    group_norms: (2, 6, 5, 4),
    norms3d: (2, 4, 3, 4, 3),
    pools2d: (2, 11, 9, 2),
    pools3d: (2, 5, 6, 5, 2),
    repeats: (2, 4, 3, 2),
    scopes: (2, 4, 3, 2),
    penalties: (2, 4, 3, 2),
    arg_scopes: (2, 8, 7, 2),
    small: (2, 2, 2, 3),
    weighted_losses: (3, 5),
}
"""Cases with the shape of their input."""
