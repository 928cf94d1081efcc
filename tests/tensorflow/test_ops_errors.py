"""What TensorFlow would refuse is refused with the user's file and line, before a batch is seen."""

from __future__ import annotations

import pytest
import torch

from clara_compat.errors import ClaraError
from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.store import VariableStore

REFUSED = [
    ("tf.concat([x, x[:, :1]], 2)", "tf.concat: tensors of the shapes [2, 3, 4, 5, 6] and [2, 1, 4, 5, 6] cannot be"),
    ("tf.concat([x, x[:, :1]], axis=-1)", "axis -1 is the last spatial axis of channels_first tensors: pass axis=1 or"),
    ("K.concatenate([x, x[:, :1]])", "pass axis=1 or data_format='channels_last'"),
    ("tf.concat([x, m], 0)", "tf.concat: tensors of the shapes [2, 3, 4, 5, 6] and [3, 4] cannot be put together"),
    ("tf.concat(1, [m, m])", "tf.concat takes the values first and the axis second"),
    ("tf.concat([], 0)", "tf.concat of an empty list"),
    ("tf.stack([m, x])", "tf.stack: tensors of the shapes [3, 4] and [2, 3, 4, 5, 6] cannot be stacked"),
    ("tf.split(m, 3, axis=1)", "tf.split: axis 1 of the shape [3, 4] has no 3 equal parts"),
    ("tf.split(m, [1, 2], axis=1)", "tf.split: parts of [1, 2] do not make up axis 1"),
    ("tf.unstack(m, num=2)", "tf.unstack: there are 3 items, not 2"),
    ("tf.tile(m, [2])", "tf.tile: multiples=[2] for a tensor of 2 axes"),
    ("tf.pad(m, [[1, 1]])", "tf.pad: paddings=[[1, 1]] for a tensor of 2 axes"),
    ("tf.pad(m, [[3, 0], [0, 0]], 'REFLECT')", "tf.pad: 3 values cannot be mirrored along axis 0 of the shape [3, 4]"),
    ("tf.pad(m, [[1, 0], [0, 0]], 'EDGE')", "tf.pad: mode is 'EDGE', expected CONSTANT, REFLECT or SYMMETRIC"),
    ("tf.reshape(m, [5, -1])", "tf.reshape: a tensor of the shape [3, 4] cannot become [5, -1]"),
    ("tf.reshape(m, [None, 4])", "no shape"),
    ("tf.squeeze(m, axis=1)", "tf.squeeze: axis 1 of the shape [3, 4] has not the size 1"),
    ("tf.expand_dims(m)", "tf.expand_dims needs an axis"),
    ("tf.expand_dims(m, 4)", "tf.expand_dims: there is no axis 4 in a tensor of 3 axes"),
    ("tf.transpose(m, [0, 0])", "tf.transpose: perm=[0, 0] does not name each of the 2 axes once"),
    ("tf.reduce_sum(m, 2)", "a reduction: there is no axis 2 in a tensor of 2 axes"),
    ("tf.argmax(m, axis='1')", "the axis is '1', expected a whole number"),
    ("tf.one_hot(m, 4)", "tf.one_hot takes whole numbers: use tf.cast(indices, tf.int32)"),
    ("tf.slice(m, [0, 2], [3, 3])", "tf.slice: begin=[0, 2], size=[3, 3] leave the shape [3, 4]"),
    ("tf.gather(m, m)", "tf.gather takes whole numbers as indices"),
    ("tf.gather_nd(m, [[0, 1, 2]])", "tf.gather_nd: 3 coordinates for a tensor of 2 axes"),
    ("tf.boolean_mask(m, [True, False])", "a mask of the shape [2] does not fit [3, 4] at axis 0"),
    ("tf.where(m > 0, m)", "tf.where takes both x and y, or neither"),
    ("tf.where(m > 0, x, x)", "tf.where: the shapes [3, 4], [2, 3, 4, 5, 6], [2, 3, 4, 5, 6] do not fit"),
    ("tf.constant([1, 2, 3], shape=[2])", "tf.constant: 3 values do not make the shape [2]"),
    ("tf.add(m, m[:, :3])", "an operation on float32[3, 4] and float32[3, 3] is not possible"),
    ("tf.add_n([])", "tf.add_n of an empty list"),
    ("tf.matmul(m, m)", "tf.matmul: the shapes [3, 4] and [3, 4] do not fit"),
    ("tf.matmul(m[0], m)", "tf.matmul takes tensors of two axes or more"),
    ("tf.norm(m, ord='nuclear')", "tf.norm: ord is 'nuclear', expected 'euclidean' or a number"),
    ("tf.nn.top_k(m, 5)", "tf.nn.top_k: there are no 5 values along the last axis of [3, 4]"),
    ("tf.sort(m, direction='UP')", "direction is 'UP', expected ASCENDING or DESCENDING"),
    ("tf.cond(m > 0, lambda: m, lambda: m)", "tf.cond: the condition has the shape [3, 4]"),
    ("tf.cond(True, lambda: m)", "tf.cond takes a condition and two functions"),
    ("tf.case([(False, lambda: m)])", "tf.case: no condition is true and there is no default"),
    ("tf.while_loop(lambda a: a < 3, lambda a: (a, a), [0])", "the body returned 2 values for 1 variables"),
    ("tf.py_func(lambda a: [a], [m], [tf.float32, tf.float32])", "the function returned 1 values for 2 types"),
    ("tf.gradients(tf.reduce_sum(m), [m])", "tf.gradients works with respect to variables"),
    ("tf.Session().run(m, feed_dict={m: 1})", "Session.run(feed_dict=...) cannot feed anything"),
    ("tf.placeholder(tf.float32, [2])", "a placeholder has no values here"),
    ("tf.Variable()", "tf.Variable needs an initial_value"),
    ("tf.assign(3.0, 2.0)", "tf.assign takes a variable, not float"),
    ("tf.random_uniform([2], dtype=tf.int32)", "tf.random_uniform needs maxval for whole numbers"),
    ("tf.nn.dropout(m)", "tf.nn.dropout needs rate or keep_prob"),
    ("tf.nn.dropout(m, keep_prob=0.0)", "the share of values to drop is 1.0, expected one from 0 up to, without, 1"),
    ("tf.nn.conv2d(m, m, 1, 'SAME')", "a kernel of the shape [3, 4], expected 4 axes"),
    ("tf.nn.conv2d(i, k, [1, 1, 1, 2], 'SAME')", "strides is [1, 1, 1, 2]: only spatial axes can have another number"),
    ("tf.nn.conv2d(i, k, [1, 1, 1], 'SAME')", "strides is [1, 1, 1], expected 1, 2 or 4 numbers"),
    ("tf.nn.conv2d(i, k, 1, 'FULL')", "padding is 'FULL', expected 'same' or 'valid'"),
    ("tf.nn.conv2d(i, k, 1)", "a convolution needs its padding"),
    ("tf.nn.conv2d(i, k, 1, 'SAME', data_format='NCHW')", "a kernel for 2 channels cannot be applied to 5"),
    ("tf.nn.conv2d(i, k, 1, 'SAME', data_format='HWC')", "data_format is 'HWC', expected one such as 'NHWC'"),
    ("tf.nn.conv2d_transpose(i, k, [2, 5, 6, 9], 1)", "output_shape is [2, 5, 6, 9], but the batch is 1"),
    ("tf.nn.conv2d_transpose(i, k, [5, 6], 1)", "output_shape is [5, 6], expected 4 sizes"),
    ("tf.nn.depthwise_conv2d(i, k[:, :, :1], [1, 1, 1, 1], 'SAME')", "does not fit 2 channels"),
    ("tf.nn.pool(i, [2, 2], 'SUM', 'SAME')", "pooling_type is 'SUM', expected MAX or AVG"),
    ("tf.nn.bias_add(i, m[0])", "a bias of the shape [4] does not fit axis 3 of [1, 5, 6, 2]"),
    ("tf.nn.softmax(m, axis=2)", "tf.nn.softmax: there is no axis 2"),
    ("tf.nn.sigmoid_cross_entropy_with_logits(m, m)", "takes its arguments by name: labels=..., logits=..."),
    ("tf.nn.sigmoid_cross_entropy_with_logits(labels=m[:2], logits=m)", "labels of the shape [2, 4] for logits"),
    ("tf.nn.sparse_softmax_cross_entropy_with_logits(labels=m[0], logits=m)", "takes whole numbers as labels"),
    ("tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[1, 2], logits=m)", "labels of the shape [2] for"),
    ("tf.image.resize_images(m, [2, 2])", "tf.image.resize_images takes 3 or 4 axes"),
    ("tf.image.resize_images(i, [2, 2], method=4)", "method 4 is not provided, only bilinear, nearest, bicubic and"),
    ("tf.losses.mean_squared_error(m, m[:2])", "labels of the shape [3, 4] for predictions of [2, 4]"),
    ("tf.losses.mean_squared_error(m, m, weights=[1.0, 2.0])", "weights of the shape [2] for losses of [3, 4]"),
    ("tf.losses.mean_squared_error(m, m, reduction='mean')", "reduction is 'mean', expected one of none"),
    ("tf.losses.get_total_loss()", "there is no loss in the collection"),
    ("K.bias_add(i, m)", "K.bias_add: a bias of 2 axes for a tensor of 4"),
    ("K.batch_dot(m, m, axes=0)", "K.batch_dot: axes [0] of the shapes [3, 4] and [3, 4]"),
    ("K.repeat(x, 2)", "K.repeat takes a tensor of 2 axes"),
    ("K.pool2d(i, 2, pool_mode='sum')", "pool_mode is 'sum', expected max or avg"),
    ("K.conv2d(i, k, data_format='NCHW')", "data_format is 'NCHW', expected channels_first or channels_last"),
    ("K.set_image_data_format('first')", "data_format is 'first', expected channels_first or channels_last"),
    ("K.set_floatx('float31')", "floatx is 'float31', expected float16, float32 or float64"),
    ("K.resize_images(i, 2, 2, 'channels_last', 'bicubic')", "interpolation is 'bicubic', expected"),
    ("K.is_keras_tensor(3)", "K.is_keras_tensor takes a tensor, not int"),
    ("K.sparse_categorical_crossentropy([1, 2], m)", "labels of the shape [2] for [3, 4]"),
    ("tf.keras.activations.get('rellu')", "there is no activation 'rellu'; did you mean 'relu'?"),
    ("tf.keras.activations.softmax(m[0])", "a softmax of Keras takes two axes or more"),
    ("tf.keras.losses.get('mean_square_error')", "'mean_square_error'; did you mean 'mean_squared_error'?"),
    ("tf.keras.losses.MeanSquaredError(axis=1)", "keras.losses.MeanSquaredError takes reduction, name"),
    ("tf.keras.losses.Loss()(m, m)", "Loss does not define call(y_true, y_pred)"),
    ("x * tf.cast(m, tf.int32)[0, 0]", "an operation on float32[2, 3, 4, 5, 6] and int32[]: TensorFlow takes"),
    ("(m > 0) * tf.identity(m)", "an operation on bool[3, 4] and float32[3, 4]: TensorFlow takes values of one type"),
    ("tf.cast(m, tf.int64) / 2.0", "an operation on int64[3, 4] and 2.0: TensorFlow takes values of one type"),
    ("tf.maximum(m, tf.cast(m, tf.uint8))", "an operation on float32[3, 4] and uint8[3, 4]: TensorFlow takes"),
    ("m > tf.cast(m, tf.int32)", "an operation on float32[3, 4] and int32[3, 4]: TensorFlow takes"),
    ("m - tf.ones([3, 3])", "an operation on float32[3, 4] and float32[3, 3] is not possible: their shapes do not fit"),
    ("tf.exp(m) * np.ones(7)", "an operation on float32[3, 4] and float32[7] is not possible: their shapes do not fit"),
    ("tf.matmul(m, tf.cast(m, tf.int32), transpose_b=True)", "on float32[3, 4] and int32[4, 3] is not possible"),
    ("tf.log(tf.cast(m, tf.int32))", "tf.log of int32: TensorFlow takes floating point, use tf.cast"),
    ("tf.reduce_mean(m > 0)", "a sum or mean of bool: TensorFlow takes numbers, use tf.cast"),
    ("tf.nn.conv3d(x, tf.ones([1, 1, 1, 3, 1]), [1] * 5, 'SAME')", "a kernel for 3 channels makes 1 of 6"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "words"), REFUSED)
def test_what_tensorflow_refuses_is_refused_at_the_users_line(user_module, source, words):
    module = user_module(f"""
        import numpy as np
        import tensorflow as tf
        from tensorflow.keras import backend as K
        def f(x, m, i, k):
            return {source}
        """)
    given = torch.ones(2, 3, 4, 5, 6), torch.ones(3, 4), torch.ones(1, 5, 6, 2), torch.ones(3, 3, 2, 2)
    with entered(Graph(VariableStore(), training=True)), pytest.raises(ClaraError) as caught:
        module.f(*given)
    assert "user.py:6: " in str(caught.value)
    assert words in str(caught.value)


def test_arguments_that_do_not_fit_are_said_with_the_functions_name(user_module):
    module = user_module("import tensorflow as tf\ndef f(x): return tf.reduce_sum(x, axs=1)")
    with pytest.raises(TypeError, match=r"tf\.reduce_sum\(\) got an unexpected keyword argument 'axs'"):
        module.f(torch.ones(2))


def test_types_may_be_mixed_where_torch_is_used(user_module):
    module = user_module("import torch\nimport tensorflow as tf\nN = tf.float32\ndef f(x): return (x > 1) * x")
    assert module.f(torch.tensor([1.0, 2.0])).tolist() == [0.0, 2.0]
