"""What ``tensorflow_ops.npz`` holds results of: expressions that mean the same in TensorFlow and in the facade.

``tf`` is ``tensorflow`` (1.x), ``K`` is ``tensorflow.keras.backend``; the other names are :data:`INPUTS`. Results are
differentiated by each floating point input.
"""

from __future__ import annotations

import ast
import math

import numpy as np

_draw = np.random.default_rng(51)


def _normal(*shape: int) -> np.ndarray:
    return _draw.normal(0, 1.5, shape).astype(np.float32)


def _share(*shape: int) -> np.ndarray:
    return _draw.uniform(0.05, 0.95, shape).astype(np.float32)


def _whole(below: int, *shape: int) -> np.ndarray:
    return _draw.integers(0, below, shape).astype(np.int32)


_SOFT = _draw.normal(0, 1, (2, 3, 4))
INPUTS: dict[str, np.ndarray] = {
    "n": np.float32(1.25) * np.ones((), np.float32),
    "v": _normal(6),
    "m": _normal(3, 4),
    "m2": _normal(3, 4),
    "wide": _normal(4, 5),
    "b": _normal(2, 3, 4),
    "b2": _normal(2, 3, 4),
    "thin": _normal(2, 1, 4, 1),
    "image": _normal(2, 5, 6, 3),
    "image7": _normal(1, 7, 4, 2),
    "image_first": _normal(2, 3, 5, 6),
    "volume": _normal(2, 5, 4, 6, 2),
    "volume_first": _normal(2, 2, 5, 4, 6),
    "p": _share(2, 3, 4),
    "q": _share(2, 3, 4),
    "positive": np.abs(_normal(3, 4)) + np.float32(0.1),
    "ties": np.array([[1, 2, 2, -1], [0, 0, 0, 0], [3, -3, 3, 3]], np.float32),
    "ties2": np.array([[1, 1, 2, 0], [0, 1, 0, -1], [3, 3, 3, 3]], np.float32),
    "edges": np.array([-3, -1, -0.5, 0, 0.5, 1, 1.5, 2.5, 6, 7], np.float32),
    "steps": np.array([-2.5, -1.5, -0.5, 0.0, 0.5, 1.5, 2.5], np.float32),
    "extreme": np.array([[200, -200, 0, 3], [-150, 150, 150, -150]], np.float32),
    "i": _whole(9, 3, 4),
    "j": _whole(7, 3, 4) + np.int32(1),
    "signed": np.array([-7, -3, 0, 3, 7, 9], np.int32),
    "labels": np.array([[0, 2, 3], [1, -1, 5]], np.int32),
    "classes": _whole(4, 2, 3),
    "mask": _draw.integers(0, 2, (2, 3, 4)).astype(bool),
    "rows": np.array([True, False, True]),
    "onehot": np.eye(4, dtype=np.float32)[_whole(4, 2, 3)],
    "soft": (np.exp(_SOFT) / np.exp(_SOFT).sum(-1, keepdims=True)).astype(np.float32),
    "k2": _normal(3, 2, 3, 4),
    "k2even": _normal(2, 4, 3, 2),
    "k2up": _normal(3, 2, 4, 3),
    "deep2": _normal(3, 2, 3, 2),
    "point2": _normal(1, 1, 6, 2),
    "k3": _normal(3, 2, 1, 2, 3),
    "k3up": _normal(3, 2, 4, 3, 2),
    "k1": _normal(3, 4, 2),
    "channel3": _normal(3),
    "channel2": _normal(2),
    "spread3": np.abs(_normal(3)) + np.float32(0.2),
    "picture": _share(2, 14, 13, 2),
    "picture2": _share(2, 14, 13, 2),
}

_OF_ONE = """
    abs negative sign square exp expm1 reciprocal floor ceil round rint sin cos tan sinh cosh asinh erf erfc sigmoid
    tanh is_nan is_inf is_finite
"""
_OF_TWO = """
    add subtract multiply divide truediv realdiv div floordiv mod floormod div_no_nan maximum minimum squared_difference
    equal not_equal greater greater_equal less less_equal
"""
_REDUCTIONS = "reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_logsumexp"
_BY_KERAS = """
    abs square exp sign round sin cos sigmoid tanh softplus softsign flatten batch_flatten transpose softmax zeros_like
    ones_like cumsum cumprod
"""
_KERAS_LOSSES = {
    "mean_squared_error": "q, b",
    "mae": "q, b",
    "mape": "q + 0.1, b",
    "msle": "q, p",
    "squared_hinge": "b, b2",
    "hinge": "onehot, b",
    "categorical_hinge": "onehot, b",
    "logcosh": "q, b",
    "poisson": "q, p",
    "kld": "q, p",
    "cosine_similarity": "q, b",
    "binary_crossentropy": "q, p",
    "categorical_crossentropy": "onehot, soft",
    "sparse_categorical_crossentropy": "classes, soft",
}
_WEIGHTS = "tf.constant([[[1.0], [0.0], [2.0]]])"

EXPRESSIONS: list[str] = [
    # of each value
    *[f"tf.{name}(m)" for name in _OF_ONE.split()],
    *[f"tf.{name}(positive)" for name in ("sqrt", "rsqrt", "log", "log1p", "lgamma")],
    "tf.asin(p)",
    "tf.acos(p)",
    "tf.atan(m)",
    "tf.atanh(p)",
    "tf.digamma(positive)",
    "tf.acosh(1.0 + positive)",
    "tf.math.log_sigmoid(m)",
    "tf.abs(steps)",
    "tf.round(steps)",
    "tf.abs(signed)",
    "tf.negative(i)",
    "tf.logical_not(mask)",
    # of each pair
    *[f"tf.{name}({x})" for name in _OF_TWO.split() for x in ("m, positive", "m, 2.0", "ties, ties2", "3.0, positive")],
    *[
        f"tf.{name}({x})"
        for name in ("add", "floordiv", "mod", "div", "truediv", "maximum", "less")
        for x in ("i, j", "i, 2")
    ],
    "tf.floordiv(signed, 2)",
    "tf.mod(signed, 4)",
    "tf.pow(positive, 1.7)",
    "tf.pow(positive, m)",
    "tf.pow(m, 3)",
    "tf.pow(2.0, m)",
    "tf.logical_and(mask, p > 0.5)",
    "tf.logical_or(mask, p > 0.5)",
    "tf.logical_xor(mask, p > 0.5)",
    "tf.math.xlogy(tf.nn.relu(edges), edges + 4.0)",
    "tf.atan2(m, m2)",
    "tf.add_n([m, m2, m])",
    "tf.cast(steps, tf.int32)",
    "tf.cast(m, tf.bool)",
    "tf.cast(mask, tf.float32)",
    "tf.cast(i, 'float64')",
    "tf.to_float(i)",
    "tf.to_int32(steps)",
    "tf.to_int64(i)",
    "tf.saturate_cast(edges * 100.0, tf.uint8)",
    "tf.clip_by_value(edges, -1.0, 1.0)",
    "tf.clip_by_value(edges, -0.5, 1e10)",
    "tf.clip_by_value(m, m2 - 1.0, m2 + 1.0)",
    "tf.clip_by_norm(m, 2.0)",
    "tf.clip_by_norm(m, 2.0, axes=[1])",
    "tf.stop_gradient(m) * m2",
    "tf.add(b, v[:4])",
    "tf.multiply(b, n)",
    # reductions
    *[
        f"tf.{name}({x})"
        for name in _REDUCTIONS.split()
        for x in (
            "b",
            "b, 1",
            "b, axis=[0, -1]",
            "b, [1, 2], keep_dims=True",
            "b, axis=-1, keepdims=True",
            "b, reduction_indices=[2]",
        )
    ],
    "tf.reduce_max(ties, 1)",
    "tf.reduce_min(ties, 1)",
    "tf.reduce_max(ties)",
    "tf.reduce_prod(ties, 1)",
    "tf.reduce_sum(b, axis=[])",
    "tf.reduce_mean(i)",
    "tf.reduce_sum(i, 0)",
    "tf.reduce_max(i, 1)",
    "tf.reduce_any(mask, 1)",
    "tf.reduce_all(mask, [0, 2])",
    "tf.math.reduce_variance(b, [0, 2])",
    "tf.math.reduce_std(b, 1)",
    "tf.math.reduce_euclidean_norm(b, 1)",
    "tf.count_nonzero(ties, 1)",
    "tf.count_nonzero(mask)",
    "tf.argmax(ties, 1)",
    "tf.argmin(b)",
    "tf.argmax(b, axis=-1, output_type=tf.int32)",
    "tf.argmax(ties, dimension=1)",
    *[f"tf.cumsum(b, 1, exclusive={e}, reverse={r})" for e in (False, True) for r in (False, True)],
    *[f"tf.cumprod(b, -1, exclusive={e}, reverse={r})" for e in (False, True) for r in (False, True)],
    "tf.cumsum(i, 1)",
    # new tensors
    "tf.constant(3)",
    "tf.constant(2.5, shape=[2, 3])",
    "tf.constant([1, 2, 3], dtype=tf.float32)",
    "tf.constant([[1.0, 2.0], [3.0, 4.0]])",
    "tf.constant([1, 2], shape=[2, 2])",
    "tf.fill([2, 3], 4.0)",
    "tf.zeros([2, 3], tf.int32)",
    "tf.ones(tf.shape(m))",
    "tf.zeros_like(m)",
    "tf.ones_like(i, dtype=tf.float32)",
    "tf.eye(3)",
    "tf.eye(2, 3, batch_shape=[2])",
    "tf.range(5)",
    "tf.range(1, 10, 3)",
    "tf.range(0.0, 1.0, 0.25)",
    "tf.range(tf.shape(m)[1])",
    "tf.linspace(0.0, 1.0, 5)",
    "tf.meshgrid([1, 2, 3], [4, 5])",
    "tf.meshgrid([1.0, 2.0, 3.0], [4.0, 5.0], indexing='ij')",
    "tf.one_hot(labels, 4)",
    "tf.one_hot(labels, 4, axis=1)",
    "tf.one_hot(labels, depth=3, axis=0, on_value=5.0, off_value=-1.0)",
    "tf.one_hot(labels, 4, dtype=tf.int32)",
    "tf.one_hot(labels, 4, on_value=True, off_value=False)",
    "tf.shape(b)",
    "tf.shape(b, out_type=tf.int64)",
    "tf.size(b)",
    "tf.rank(b)",
    # other shapes
    "tf.reshape(b, [-1, 4])",
    "tf.reshape(b, tf.stack([tf.shape(b)[0], -1]))",
    "tf.reshape(b, tf.concat([tf.shape(b)[:1], [12]], 0))",
    "tf.reshape(b, [tf.shape(b)[0] * 3, 4])",
    "tf.reshape(b, (2, tf.reduce_prod(tf.shape(b)[1:])))",
    "tf.squeeze(thin)",
    "tf.squeeze(thin, axis=1)",
    "tf.squeeze(thin, [-1])",
    "tf.squeeze(thin, squeeze_dims=[1, 3])",
    "tf.expand_dims(m, 0)",
    "tf.expand_dims(m, axis=-1)",
    "tf.expand_dims(m, dim=1)",
    "tf.transpose(b)",
    "tf.transpose(b, [0, 2, 1])",
    "tf.transpose(b, perm=[2, 0, 1])",
    "tf.matrix_transpose(b)",
    "tf.reverse(b, [1])",
    "tf.reverse(b, axis=[0, -1])",
    "tf.broadcast_to(v, [2, 6])",
    "tf.roll(b, 1, 1)",
    "tf.roll(b, shift=[1, -2], axis=[0, 2])",
    "tf.repeat(m, 2, axis=1)",
    "tf.repeat(m, [1, 0, 2], axis=0)",
    "tf.space_to_depth(image_first[:, :2, :4], 2)",
    "tf.depth_to_space(tf.concat([image, image[..., :1]], -1), 2)",
    "tf.space_to_batch_nd(image, [2, 3], [[1, 0], [0, 0]])",
    "tf.space_to_batch_nd(volume, tf.constant([2, 1, 2]), tf.constant([[0, 1], [1, 1], [1, 1]]))",
    "tf.batch_to_space_nd(tf.tile(image, [2, 1, 1, 1]), [2, 1], [[1, 0], [0, 0]])",
    "tf.space_to_batch(image, [[1, 0], [0, 0]], 2)",
    "tf.batch_to_space(tf.tile(image, [4, 1, 1, 1]), [[1, 0], [0, 2]], block_size=2)",
    *[f"tf.matrix_band_part(b, {lower}, {upper})" for lower, upper in ((-1, 0), (1, 0), (0, -1), (-1, -1))],
    "tf.linalg.band_part(tf.ones([4, 4]), tf.constant(1), 2)",
    "tf.nn.xw_plus_b(m, tf.transpose(m2), m[0, :3])",
    "tf.nn.relu_layer(m, tf.transpose(m2), m[0, :3])",
    "tf.concat([b, b2], 0)",
    "tf.concat([b, b2], axis=-1)",
    "tf.concat([m, tf.zeros([3, 2])], 1)",
    "tf.stack([m, m2])",
    "tf.stack([m, m2], axis=-1)",
    "tf.stack([n, 2.0, 3.0])",
    "tf.unstack(b, axis=1)",
    "tf.unstack(m)",
    "tf.split(b, 2, axis=2)",
    "tf.split(b, [1, -1], 1)",
    "tf.split(value=b, num_or_size_splits=3, axis=1)",
    "tf.tile(m, [2, 1])",
    "tf.tile(b, tf.constant([1, 2, 1]))",
    *[f"tf.pad(b, [[0, 0], [1, 2], [2, 3]], '{mode}')" for mode in ("CONSTANT", "REFLECT")],
    "tf.pad(b, [[1, 0], [1, 2], [3, 2]], mode='symmetric')",
    "tf.pad(b, [[0, 0], [0, 0], [1, 1]], constant_values=-2.0)",
    "tf.pad(i, [[1, 1], [0, 2]])",
    # parts
    "tf.slice(b, [0, 1, 0], [2, -1, 3])",
    "tf.strided_slice(b, [0, 0, 0], [2, 3, 4], [1, 2, 2])",
    "tf.strided_slice(b, [1, 0], [2, 0], [1, 1], end_mask=2, shrink_axis_mask=1)",
    "tf.strided_slice(v, [5], [0], [-2])",
    "tf.gather(m, [2, 0, 2])",
    "tf.gather(b, classes[0], axis=2)",
    "tf.gather(b, classes, axis=-1)",
    "tf.gather(b, classes, axis=2, batch_dims=1)",
    "tf.gather_nd(b, [[0, 1], [1, 2]])",
    "tf.gather_nd(m, [[[0, 1]], [[2, 3]]])",
    "tf.scatter_nd([[1], [3], [1]], m, [4, 4])",
    "tf.boolean_mask(b, mask)",
    "tf.boolean_mask(b, rows, axis=1)",
    "tf.boolean_mask(m, rows)",
    "tf.where(mask)",
    "tf.where(mask, b, b2)",
    "tf.where(rows, m, m2)",
    "tf.where(tf.greater(b, 0.0), b, tf.zeros_like(b))",
    # matrices
    "tf.matmul(m, wide)",
    "tf.matmul(m, m2, transpose_b=True)",
    "tf.matmul(b, b2, transpose_a=True)",
    "tf.einsum('bij,bkj->bik', b, b2)",
    "tf.tensordot(b, b2, [[1, 2], [1, 2]])",
    "tf.tensordot(m, wide, 1)",
    "tf.norm(m)",
    "tf.norm(b, axis=-1, keepdims=True)",
    "tf.norm(b, ord=1, axis=1)",
    "tf.norm(b, ord=np.inf, axis=1)",
    "tf.global_norm([m, b])",
    "tf.nn.l2_normalize(b, axis=1)",
    "tf.nn.l2_normalize(b, dim=[1, 2])",
    "tf.nn.l2_normalize(ties, 1)",
    "tf.trace(b[:, :, :3])",
    "tf.matrix_diag(m)",
    "tf.matrix_diag_part(b)",
    "tf.nn.top_k(ties, 2)",
    "tf.nn.top_k(b, k=3)",
    "tf.nn.in_top_k(m, [1, 0, 3], 2)",
    "tf.sort(b, axis=1, direction='DESCENDING')",
    "tf.argsort(b)",
    "tf.confusion_matrix([0, 1, 2, 1], [0, 2, 2, 1])",
    "tf.confusion_matrix([0, 1, 2, 1], [0, 2, 2, 1], 4, weights=[1.0, 2.0, 3.0, 0.5], dtype=tf.float32)",
    "tf.segment_sum(m, [0, 0, 1])",
    "tf.unsorted_segment_sum(m, [1, 0, 1], 3)",
    "tf.segment_mean(m, [0, 0, 1])",
    "tf.unique([4, 2, 4, 9, 2])",
    # control flow
    "tf.cond(tf.constant(True), lambda: m * 2.0, lambda: m)",
    "tf.cond(tf.reduce_sum(n) < 0.0, true_fn=lambda: m * 2.0, false_fn=lambda: m)",
    "tf.case([(n > 9.0, lambda: m), (n > 0.0, lambda: m * 3.0)], default=lambda: m * 5.0)",
    "tf.while_loop(lambda k, a: k < 3, lambda k, a: (k + 1, a * m), [tf.constant(0), m2])",
    "tf.map_fn(lambda a: a * 2.0, b)",
    "tf.map_fn(lambda a: a[0] * a[1], (b, b2), dtype=tf.float32)",
    "tf.scan(lambda a, c: a * 0.5 + c, b)",
    "tf.foldl(lambda a, c: a * 0.5 + c, b)",
    "tf.foldr(lambda a, c: a * 0.5 + c, b)",
    "tf.py_func(lambda a: a.cumsum(0), [m], tf.float32) * m2",
    "tf.py_func(lambda a: [a[0], a > 0], [m], [tf.float32, tf.bool])",
    "tf.py_function(lambda a: a.numpy() * 2, [tf.stop_gradient(m)], Tout=tf.float32) * m2",
    "tf.custom_gradient(lambda a: (a * a, lambda g: g * 7.0))(m)",
    "tf.gradients(tf.square(m), m)[0]",
    "tf.gradients([tf.square(m), b], [m, b], grad_ys=[m2, None])",
    # nn: activations
    *[
        f"tf.nn.{name}({x})"
        for name in ("relu", "relu6", "leaky_relu", "elu", "softplus", "softsign", "sigmoid", "tanh", "swish")
        for x in ("edges", "b")
    ],
    "tf.nn.selu(b)",
    "tf.nn.leaky_relu(edges, alpha=0.1)",
    "tf.nn.crelu(b)",
    "tf.nn.softmax(b)",
    "tf.nn.softmax(b, axis=1)",
    "tf.nn.softmax(b, dim=-1)",
    "tf.nn.softmax(extreme)",
    "tf.nn.log_softmax(b, axis=1)",
    "tf.nn.log_softmax(extreme)",
    # nn: entropies
    "tf.nn.sigmoid_cross_entropy_with_logits(labels=p, logits=b)",
    "tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.ones([2, 4]), logits=extreme)",
    "tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.ones_like(ties), logits=ties)",
    "tf.nn.weighted_cross_entropy_with_logits(targets=tf.stop_gradient(p), logits=b, pos_weight=2.0)",
    "tf.nn.weighted_cross_entropy_with_logits(targets=tf.ones_like(ties), logits=ties, pos_weight=0.5)",
    "tf.nn.softmax_cross_entropy_with_logits_v2(labels=soft, logits=b)",
    "tf.nn.softmax_cross_entropy_with_logits_v2(labels=p, logits=b)",
    "tf.nn.softmax_cross_entropy_with_logits_v2(labels=tf.one_hot(labels, 4), logits=b)",
    "tf.nn.softmax_cross_entropy_with_logits_v2(labels=p, logits=b, axis=1)",
    "tf.nn.softmax_cross_entropy_with_logits(labels=p, logits=b)",
    "tf.nn.softmax_cross_entropy_with_logits_v2(labels=tf.ones([2, 4]), logits=extreme)",
    "tf.nn.sparse_softmax_cross_entropy_with_logits(labels=classes, logits=b)",
    "tf.nn.l2_loss(b)",
    "tf.nn.log_poisson_loss(p, b)",
    "tf.nn.log_poisson_loss(tf.stop_gradient(p) * 4.0, b, compute_full_loss=True)",
    "tf.nn.embedding_lookup(m, [[2, 0], [1, 1]])",
    # nn: normalisation
    "tf.nn.moments(b, [0, 2])",
    "tf.nn.moments(image, axes=[1, 2], keep_dims=True)",
    "tf.nn.batch_normalization(image, channel3, spread3, channel3, spread3, 1e-3)",
    "tf.nn.batch_normalization(image, channel3, spread3, None, None, 0.1)",
    "tf.nn.fused_batch_norm(image, spread3, channel3)",
    "tf.nn.fused_batch_norm(image, spread3, channel3, [0.1, 0.2, 0.3], [1.0, 2.0, 3.0], is_training=False)[0]",
    "tf.nn.lrn(image, depth_radius=1, bias=1.5, alpha=0.3, beta=0.6)",
    "tf.nn.zero_fraction(ties)",
    "tf.nn.bias_add(image, channel3)",
    "tf.nn.bias_add(volume, channel2)",
    "tf.nn.dropout(b, keep_prob=1.0)",
    "tf.nn.dropout(b, rate=0.0)",
    # nn: convolutions
    *[
        f"tf.nn.conv2d(image, {k}, [1, {s}, {s}, 1], '{p}')"
        for k in ("k2", "k2even")
        for s in (1, 2, 3)
        for p in ("SAME", "VALID")
    ],
    "tf.nn.conv2d(image, k2, [1, 2, 1, 1], 'SAME')",
    "tf.nn.conv2d(image, k2, 2, 'VALID', dilations=1)",
    "tf.nn.conv2d(image, filters=k2, strides=1, padding=[[0, 0], [1, 0], [2, 1], [0, 0]])",
    "tf.nn.conv2d(image, k2, [1, 1, 1, 1], 'VALID', dilations=[1, 2, 2, 1])",
    *[f"tf.nn.conv3d(volume, k3, [1, {s}, {s}, {s}, 1], '{p}')" for s in (1, 2, 3) for p in ("SAME", "VALID")],
    *[f"tf.nn.conv1d(b, k1, {s}, '{p}')" for s in (1, 2) for p in ("SAME", "VALID")],
    *[f"tf.nn.convolution(image, k2, '{p}', dilation_rate=[1, 2])" for p in ("SAME", "VALID")],
    "tf.nn.convolution(volume, k3, 'SAME', strides=[1, 2, 1])",
    "tf.nn.atrous_conv2d(image, k2, 2, 'SAME')",
    *[f"tf.nn.depthwise_conv2d(image, deep2, [1, {s}, {s}, 1], '{p}')" for s in (1, 2) for p in ("SAME", "VALID")],
    "tf.nn.separable_conv2d(image, deep2, point2, [1, 1, 1, 1], 'SAME')",
    *[
        f"tf.nn.conv2d_transpose(image, k2up, [2, {height}, {width}, 4], [1, {stride}, {stride}, 1], '{padding}')"
        for stride, padding, height, width in (
            (1, "VALID", 7, 7),
            (2, "VALID", 11, 12),
            (2, "VALID", 12, 13),
            (3, "VALID", 15, 17),
            (3, "VALID", 17, 19),
            (1, "SAME", 5, 6),
            (2, "SAME", 10, 12),
            (2, "SAME", 9, 11),
            (3, "SAME", 13, 16),
            (3, "SAME", 15, 18),
        )
    ],
    "tf.nn.conv2d_transpose(image, k2up, [2, 10, 12, 4], 2)",
    "tf.nn.conv3d_transpose(volume, tf.reshape(k3up, [3, 2, 4, 3, 2]), [2, 10, 8, 12, 3], [1, 2, 2, 2, 1])",
    "tf.nn.conv3d_transpose(volume, k3up, [2, 9, 7, 11, 3], [1, 2, 2, 2, 1], 'SAME')",
    "tf.nn.conv3d_transpose(volume, k3up, [2, 11, 8, 14, 3], [1, 2, 2, 2, 1], 'VALID')",
    *[
        f"tf.nn.{kind}_pool(image, [1, {k}, {k}, 1], [1, {s}, {s}, 1], '{p}')"
        for kind in ("max", "avg")
        for k in (2, 3)
        for s in (1, 2, 3)
        for p in ("SAME", "VALID")
    ],
    *[
        f"tf.nn.{kind}_pool3d(volume, [1, 3, 2, 2, 1], [1, 2, 1, 2, 1], '{p}')"
        for kind in ("max", "avg")
        for p in ("SAME", "VALID")
    ],
    "tf.nn.max_pool(image7, 2, 2, 'SAME')",
    "tf.nn.pool(image, [2, 3], 'AVG', 'SAME', strides=[2, 2])",
    "tf.nn.pool(volume, [2, 2, 2], 'MAX', 'VALID')",
    # tf.image
    *[
        f"tf.image.resize_{name}(image, [{size}], align_corners={align})"
        for name in ("bilinear", "nearest_neighbor")
        for size in ("10, 12", "7, 4", "3, 3", "5, 6", "1, 1")
        for align in (False, True)
    ],
    "tf.image.resize_images(image, [10, 9])",
    "tf.image.resize_bicubic(image, [7, 4])",
    "tf.image.resize_bicubic(image, [8, 13], align_corners=True)",
    "tf.image.resize_images(image, [9, 3], method=tf.image.ResizeMethod.BICUBIC)",
    "tf.image.resize_bicubic(image, [7, 13], half_pixel_centers=True)",
    "tf.cast(tf.image.resize_area(image, [2, 4]) * 1e4, tf.int32)",
    "tf.cast(tf.image.resize_area(image, [7, 3], align_corners=True) * 1e4, tf.int32)",
    "tf.image.resize_images(image[0], (3, 9), method=tf.image.ResizeMethod.NEAREST_NEIGHBOR)",
    "tf.image.resize_bilinear(image, [7, 13], half_pixel_centers=True)",
    "tf.image.resize_nearest_neighbor(image, [7, 13], half_pixel_centers=True)",
    "tf.image.resize_images(image, [10, 10], preserve_aspect_ratio=True)",
    "tf.image.flip_left_right(image)",
    "tf.image.flip_up_down(image[0])",
    "tf.image.rot90(image)",
    "tf.image.transpose_image(image)",
    "tf.image.per_image_standardization(image)",
    # tf.losses
    *[
        f"tf.losses.{name}({x})"
        for name in ("mean_squared_error", "absolute_difference", "huber_loss", "hinge_loss", "sigmoid_cross_entropy")
        for x in ("q, b", f"q, b, weights={_WEIGHTS}")
    ],
    *[
        f"tf.losses.mean_squared_error(q, b, {_WEIGHTS}, reduction=tf.losses.Reduction.{name})"
        for name in ("NONE", "SUM", "SUM_OVER_BATCH_SIZE", "MEAN", "SUM_BY_NONZERO_WEIGHTS")
    ],
    "tf.losses.mean_squared_error(q, b, 0.0)",
    "tf.losses.huber_loss(q, b, delta=0.4)",
    "tf.losses.log_loss(tf.stop_gradient(q), p)",
    "tf.losses.cosine_distance(tf.nn.l2_normalize(b, 2), tf.nn.l2_normalize(b2, 2), axis=2)",
    "tf.losses.sigmoid_cross_entropy(q, b, label_smoothing=0.1)",
    "tf.losses.softmax_cross_entropy(onehot[0], b[0], label_smoothing=0.1)",
    "tf.losses.softmax_cross_entropy(onehot, b)",
    "tf.losses.sparse_softmax_cross_entropy(classes, b)",
    "tf.losses.sparse_softmax_cross_entropy(classes, b, weights=tf.constant([[1.0, 0.0, 2.0], [0.5, 0.0, 1.0]]))",
    "[tf.losses.add_loss(tf.reduce_sum(m)), tf.losses.mean_squared_error(q, b), tf.losses.get_total_loss()][1:]",
    "tf.losses.get_regularization_loss()",
    # keras.backend
    *[
        f"K.{name}({x})"
        for name in ("sum", "mean", "max", "min", "prod", "var", "std")
        for x in ("b", "b, axis=1", "b, axis=[0, -1], keepdims=True")
    ],
    "K.mean(mask)",
    "K.any(i, axis=1)",
    "K.all(i)",
    "K.argmax(b)",
    "K.argmin(b, axis=1)",
    *[f"K.{name}(b)" for name in _BY_KERAS.split()],
    "K.sqrt(edges)",
    "K.log(positive)",
    "K.pow(positive, 2)",
    "K.pow(positive, 0.5)",
    "K.clip(edges, -1, 1)",
    "K.clip(edges, -0.5, None)",
    "K.clip(b, K.epsilon(), 1.0 - K.epsilon())",
    "K.cast(b, 'int32')",
    "K.equal(ties, ties2)",
    "K.greater(b, 0.5)",
    "K.cast(K.less_equal(b, 0.5), K.floatx())",
    "K.maximum(ties, ties2)",
    "K.minimum(ties, 1.0)",
    "K.concatenate([b, b2])",
    "K.concatenate([b, b2], axis=1)",
    "K.stack([b, b2], axis=-1)",
    "K.expand_dims(b)",
    "K.squeeze(thin, 1)",
    "K.reshape(b, (-1, 2))",
    "K.permute_dimensions(b, (0, 2, 1))",
    "K.reverse(b, 1)",
    "K.repeat_elements(b, 2, axis=1)",
    "K.repeat(m, 3)",
    "K.tile(b, [1, 2, 1])",
    "K.arange(4)",
    "K.arange(1, 9, 2, dtype='float32')",
    "K.one_hot(classes, 5)",
    "K.gather(m, [2, 0])",
    "K.constant([1, 2, 3])",
    "K.constant(2.0, shape=(2, 2))",
    "K.zeros((2, 3))",
    "K.ones((2,), dtype='int32')",
    "K.eye(3)",
    "K.shape(b)",
    "K.dot(m, wide)",
    "K.dot(b, wide)",
    "K.batch_dot(b, b2, axes=(2, 2))",
    "K.batch_dot(b, K.permute_dimensions(b2, (0, 2, 1)))",
    "K.batch_dot(m, m2, axes=1)",
    "K.batch_dot(b, b[:, 0, :], axes=(2, 1))",
    "K.l2_normalize(b, axis=1)",
    "K.relu(edges)",
    "K.relu(edges, alpha=0.1)",
    "K.relu(edges, max_value=6)",
    "K.relu(edges, max_value=2.0)",
    "K.relu(edges, alpha=0.2, max_value=1.0, threshold=0.5)",
    "K.elu(edges)",
    "K.elu(b, alpha=0.3)",
    "K.hard_sigmoid(edges)",
    "K.softmax(b, axis=1)",
    "K.in_train_phase(b, b2)",
    "K.in_train_phase(lambda: b, lambda: b2, training=True)",
    "K.in_test_phase(b, b2)",
    "K.switch(tf.constant(True), b, b2)",
    "K.switch(mask, b, b2)",
    "K.switch(mask[:, :, :1], b, b2)",
    "K.bias_add(image, channel3, 'channels_last')",
    "K.bias_add(image_first, channel3, data_format='channels_first')",
    "K.conv2d(image, k2, strides=(2, 2), padding='same', data_format='channels_last')",
    "K.conv2d(image, k2, dilation_rate=(2, 2))",
    "K.conv3d(volume, k3, padding='same')",
    "K.conv1d(b, k1, padding='causal')",
    "K.depthwise_conv2d(image, deep2, padding='same')",
    "K.separable_conv2d(image, deep2, point2)",
    "K.conv2d_transpose(image, k2up, (2, 10, 12, 4), strides=(2, 2), padding='same')",
    "K.pool2d(image, (2, 2), (2, 2), 'same', pool_mode='avg')",
    "K.pool3d(volume, (2, 2, 2), strides=(2, 2, 2))",
    "K.resize_images(image, 2, 3, 'channels_last')",
    "K.resize_images(image_first, 2, 2, 'channels_first', interpolation='bilinear')",
    "K.resize_volumes(volume_first, 2, 1, 3, 'channels_first')",
    "K.spatial_2d_padding(image, ((1, 2), (0, 1)), 'channels_last')",
    "K.spatial_2d_padding(image_first, data_format='channels_first')",
    "K.spatial_3d_padding(volume, ((1, 2), (0, 1), (2, 0)))",
    "K.temporal_padding(b, (1, 2))",
    "K.batch_normalization(image, *map(tf.stop_gradient, (channel3, spread3)), channel3, spread3, epsilon=0.1)",
    "K.normalize_batch_in_training(image, spread3, channel3, [0, 1, 2])[0]",
    "K.normalize_batch_in_training(volume, spread3[:2], channel2, [0, 1, 2, 3])",
    "K.map_fn(lambda a: a * 2.0, b)",
    "K.gradients(tf.square(m), [m])",
    "K.in_top_k(m, [1, 0, 3], 2)",
    "K.dropout(b, 0.0)",
    # cross-entropies of Keras
    "K.binary_crossentropy(q, p)",
    "K.binary_crossentropy(q, b, from_logits=True)",
    "K.binary_crossentropy(q, tf.nn.sigmoid(b))",
    "K.binary_crossentropy(tf.ones([2, 4]), tf.sigmoid(extreme))",
    "K.binary_crossentropy(tf.ones([2, 4]), tf.sigmoid(extreme) * 1.0)",
    "K.categorical_crossentropy(onehot, soft)",
    "K.categorical_crossentropy(onehot, p)",
    "K.categorical_crossentropy(onehot, b, from_logits=True)",
    "K.categorical_crossentropy(onehot, tf.nn.softmax(b))",
    "K.categorical_crossentropy(tf.ones([2, 4]) / 4.0, tf.nn.softmax(extreme))",
    "K.categorical_crossentropy(tf.ones([2, 4]) / 4.0, tf.nn.softmax(extreme) * 1.0)",
    "K.categorical_crossentropy(p, tf.nn.softmax(b, axis=1), axis=1)",
    "K.sparse_categorical_crossentropy(classes, soft)",
    "K.sparse_categorical_crossentropy(classes, tf.nn.softmax(b))",
    "K.sparse_categorical_crossentropy(classes, b, from_logits=True)",
    # keras.losses, keras.metrics, keras.activations
    *[f"tf.keras.losses.{name}({pair})" for name, pair in _KERAS_LOSSES.items()],
    "tf.keras.losses.binary_crossentropy(q, b, from_logits=True, label_smoothing=0.1)",
    "tf.keras.losses.categorical_crossentropy(onehot, soft, label_smoothing=0.2)",
    "tf.keras.losses.MeanSquaredError()(q, b)",
    "tf.keras.losses.MeanSquaredError(reduction='sum')(q, b)",
    "tf.keras.losses.BinaryCrossentropy(from_logits=True)(q, b)",
    "tf.keras.losses.CategoricalCrossentropy(label_smoothing=0.1)(onehot, soft, sample_weight=soft[:, :, 0])",
    "tf.keras.losses.Huber(delta=0.5)(q, b)",
    "tf.keras.metrics.binary_accuracy(tf.cast(mask, tf.float32), p)",
    "tf.keras.metrics.categorical_accuracy(onehot, b)",
    "tf.keras.metrics.sparse_categorical_accuracy(classes, b)",
    "tf.keras.metrics.top_k_categorical_accuracy(onehot[0], b[0], k=2)",
    *[
        f"tf.keras.activations.{name}(b)"
        for name in (
            "linear",
            "relu",
            "elu",
            "selu",
            "softplus",
            "softsign",
            "sigmoid",
            "tanh",
            "hard_sigmoid",
            "exponential",
            "softmax",
        )
    ],
    "tf.keras.activations.softmax(b, axis=1)",
    "tf.keras.activations.softmax(m)",
    "tf.keras.activations.get('elu')(b)",
    "tf.keras.utils.to_categorical([[0], [2], [1]])",
    # what losses compute of images
    "tf.image.total_variation(image)",
    "tf.image.total_variation(image[0])",
    "tf.image.image_gradients(image)",
    "tf.image.sobel_edges(image)",
    "tf.image.psnr(picture, picture2, 2.0)",
    "tf.image.ssim(picture, picture2, 1.0)",
    "tf.image.ssim(picture, picture2, max_val=2, filter_size=5, filter_sigma=0.9, k1=0.02, k2=0.05)",
    "tf.image.ssim_multiscale(picture, 0.8 * picture + 0.2 * picture2, 1.0, power_factors=[0.4, 0.6], filter_size=4)",
    # counting
    "tf.bincount(i)",
    "tf.bincount(tf.reshape(i, [-1]), minlength=12, dtype=tf.int64)",
    "tf.bincount(i, weights=[[0.5, 1.0, 2.0, 0.25]] * 3, minlength=2, maxlength=5)",
    "tf.histogram_fixed_width(v, [-1.0, 1.0], nbins=4)",
    "tf.unique_with_counts(tf.reshape(i, [-1]))",
    "tf.unique_with_counts(tf.reshape(i, [-1]), out_idx=tf.int64)",
    # errors of pairs
    "tf.losses.mean_pairwise_squared_error(m, m2)",
    "tf.losses.mean_pairwise_squared_error(b, b2, weights=[[[1.0]], [[0.0]]])",
    "tf.losses.mean_pairwise_squared_error(b, b2, weights=tf.cast(mask, tf.float32))",
    # slopes that are infinite, where nothing comes in; ties
    "tf.sqrt(tf.nn.relu(ties)) * tf.nn.relu(ties)",
    "tf.where(ties > 0, tf.rsqrt(ties), ties)",
    "tf.where(ties > 0, tf.reciprocal(ties), ties)",
    "tf.norm(ties - ties2, axis=1) * tf.reduce_sum(ties - ties2, axis=1)",
    "tf.math.reduce_std(ties, axis=1) * ties[:, 0]",
    "K.std(ties, axis=1) * ties[:, 0]",
    "K.sqrt(ties) * tf.nn.relu(ties)",
    "tf.keras.losses.hinge(ties2, ties)",
    "tf.keras.losses.categorical_hinge(ties2, ties)",
    "tf.log_sigmoid(m)",
    "m[:, tf.newaxis] - m2[tf.newaxis]",
]


def inputs_of(expression: str) -> list[str]:
    """Return the names of the inputs that an expression uses, in the order of :data:`INPUTS`."""
    arguments = {node.arg for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.arg)}
    names = {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)} - arguments
    return [name for name in INPUTS if name in names]


def weights(size: int) -> np.ndarray:
    """Return the numbers by which the values of a result are weighted before it is differentiated."""
    return np.cos(np.arange(size) * math.sqrt(2.0)).astype(np.float32)


def flat(result: object) -> list[object]:
    """Return a result as a list of tensors."""
    if isinstance(result, (list, tuple)):
        return [one for part in result for one in flat(part)]
    return [result]
