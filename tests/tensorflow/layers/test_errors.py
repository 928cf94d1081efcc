"""What users are told when a layer cannot do what its line says."""

import pytest
import torch

from clara_compat.errors import ClaraError

V2, V3, FLAT = torch.zeros(1, 4, 4, 2), torch.zeros(1, 4, 4, 4, 2), torch.zeros(2, 6)

REFUSED = {
    "misspelt argument": ("KL.Conv3D(2, 1, dilation=2)(V3)", "Conv3D has no argument 'dilation'; did you mean 'dil"),
    "axes": ("KL.Conv3D(2, 1)(V2)", "layer 'conv3d' has the shape [1, 4, 4, 2], expected 5 axes"),
    "channels": ("l(V3); l(V3[..., :1])", "has the shape [1, 4, 4, 4, 1], expected the size 2 at axis -1"),
    "least axes": ("KL.Dense(2)(FLAT[0])", "expected at least 2 axes"),
    "kernel": ("KL.Conv3D(2, (3, 3))(V3)", "kernel_size is (3, 3), expected one whole number or 3"),
    "half": ("KL.Conv3D(2, 1.5)(V3)", "kernel_size is 1.5, expected one whole number or 3"),
    "padding": ("KL.Conv3D(2, 1, padding='full')(V3)", "padding of layer 'conv3d' is 'full', expected 'valid' or 's"),
    "pool padding": ("KL.MaxPool3D(padding='causal')(V3)", "padding of layer 'max_pooling3d' is 'causal'"),
    "layout": ("KL.Conv3D(2, 1, data_format='NCDHW')(V3)", "data_format is 'NCDHW', expected 'channels_first' or"),
    "strides and dilation": ("KL.Conv2D(2, 3, strides=2, dilation_rate=2)(V2)", "has strides (2, 2) and dilation_rate"),
    "transposed dilation": (
        "KL.Conv2DTranspose(2, 3, dilation_rate=2)(V2)",
        "dilation_rate (2, 2): it is not provided",
    ),
    "output padding": (
        "KL.Conv2DTranspose(2, 3, strides=2, output_padding=2)(V2)",
        "has output_padding (2, 2), strides",
    ),
    "interpolation": (
        "KL.UpSampling2D(interpolation='cubic')(V2)",
        "interpolation of layer 'up_sampling2d' is 'cubic'",
    ),
    "sides": ("KL.ZeroPadding2D((1, 2, 3))(V2)", "padding is (1, 2, 3), expected one number, 2, or 2 pairs"),
    "all cropped": ("KL.Cropping2D(2)(V2)", "crops ((2, 2), (2, 2)) from the shape [1, 4, 4, 2]: nothing is left"),
    "one to add": ("KL.Add()(V2)", "layer 'add' got one tensor, expected a list of at least 2 tensors"),
    "few to add": ("KL.add([V2])", "layer 'add' got a list of 1, expected a list of at least 2 tensors"),
    "three to subtract": ("KL.subtract([V2] * 3)", "layer 'subtract' got 3 tensors, expected 2"),
    "unlike": ("KL.Add()([V2, V2[:, :3]])", "got the shapes [[1, 4, 4, 2], [1, 3, 4, 2]]"),
    "concatenate": (
        "KL.concatenate([V2, V2[:, :3]])",
        "layer 'concatenate': tensors of the shapes [1, 4, 4, 2] and [1, 3, 4, 2] cannot be",
    ),
    "channels first": (
        "KL.Concatenate(axis=-1)([V2, V2[:, :3]])",
        "axis -1 is the last spatial axis of channels_first",
    ),
    "reshape": ("KL.Reshape((4, 2))(FLAT)", "layer 'reshape' cannot make [4, 2] of the shape [2, 6]"),
    "permute": ("KL.Permute((0, 1))(V2)", "dims of layer 'permute' is (0, 1), expected each of 1 to 2 once"),
    "rate": ("KL.Dropout(1.0)(V2)", "layer 'dropout' has the rate 1.0, expected at least 0 and less than 1"),
    "slope": ("KL.ReLU(negative_slope=-1.0)(V2)", "has a max_value or negative_slope below 0"),
    "renorm": ("KL.BatchNormalization(renorm=True)(V2)", "BatchNormalization(renorm=...) is not provided"),
    "virtual": ("tf.layers.batch_normalization(V2, virtual_batch_size=2)", "virtual_batch_size=...) is not provided"),
    "norm axes": ("KL.BatchNormalization(axis=[1, 2])(V2)", "normalises the axes [1, 2], expected one"),
    "norm axis": ("KL.BatchNormalization(axis=5)(V2)", "normalises axis 5 of the shape (1, 4, 4, 2)"),
    "activation": ("KL.Dense(2, activation='rellu')(FLAT)", "there is no activation 'rellu'; did you mean 'relu'"),
    "initializer": (
        "KL.Dense(2, kernel_initializer='he_norml')(FLAT)",
        "'he_norml' is no initializer of Keras; did you",
    ),
    "regularizer": ("KL.Dense(2, kernel_regularizer='l3')(FLAT)", "'l3' is no regularizer of Keras"),
    "add_weight twice": ("KL.Layer().add_weight('w', (2,), name='v')", "add_weight got 'name' twice"),
    "add_weight unknown": (
        "KL.Layer().add_weight('w', shap=(2,))",
        "add_weight does not know 'shap', expected name, sh",
    ),
    "returns none": ("Nothing()(V2)", "the call of layer 'nothing' returned None, expected a tensor"),
    "no super": ("NoSuper()(V2)", "NoSuper.__init__ does not call super().__init__()"),
    "no inputs": ("KL.ReLU()(x=V2)", "layer 're_lu' is called without its argument 'inputs'"),
    "unknown to tf.layers": (
        "tf.layers.conv3d(V3, 2, 1, pad='same')",
        "does not take the argument 'pad'; did you mean 'padding'",
    ),
    "twice": ("tf.layers.conv3d(V3, 2, 1, filters=3)", "conv3d is given the argument 'filters' twice, by position and"),
    "too many": ("tf.layers.average_pooling3d(V3, 2, 2, 'same', 'channels_last', 'a', 1)", "takes at most 6 arguments"),
    "exists": ("tf.layers.dense(FLAT, 2, name='d'); tf.layers.dense(FLAT, 2, name='d')", "'d/kernel' exists already"),
    "shared with another shape": (
        "tf.layers.dense(FLAT, 2, name='d'); tf.layers.dense(FLAT, 3, name='d', reuse=True)",
        "the variable 'd/kernel' has the shape [6, 2], here it is shared as [6, 3]",
    ),
    "lambda, disconnected": (
        "i = tf.keras.Input(tensor=FLAT); tf.keras.Model(i, tf.nn.relu(KL.Dense(2)(i)))",
        "does not come from its inputs by layers: put operations between layers into a Lambda",
    ),
    "no such layer": (
        "tf.keras.Sequential([KL.Dense(2, name='a')]).get_layer('b')",
        "model 'sequential' has no layer 'b'",
    ),
    "model without call": ("tf.keras.Model()(FLAT)", "model 'model' has neither a call nor outputs"),
    "number of inputs": (
        "i = tf.keras.Input((6,)); tf.keras.Model(i, KL.Dense(2)(i))([FLAT, FLAT])",
        "model 'model' has 1 inputs but got 2",
    ),
    "axes of inputs": (
        "i = tf.keras.Input((6,)); tf.keras.Model(i, KL.Dense(2)(i))(V2)",
        "model 'model' is for [1, 6] but got the shape [1, 4, 4, 2]",
    ),
    "unknown sizes": ("tf.keras.Input((None, 6))", "shape of a keras Input is [None, None, 6]: say the sizes that are"),
    "no shape": ("tf.keras.Input()", "a keras Input needs a shape or a tensor"),
    "values of an input": ("KL.Lambda(lambda v: v)(tf.keras.Input((6,))).tolist()", "the values of a keras Input"),
    "not a layer": ("tf.keras.Sequential([lambda v: v])", "Sequential 'sequential' got a function, expected a layer"),
    "no single output": ("KL.Dense(2).output", "layer 'dense' has no single output: it was called 0 times"),
    "set_weights": ("l(V3); l.set_weights([])", "set_weights of layer 'l' got the shapes [], expected [[1, 1, 1"),
    "output shape": ("KL.Dense(2).compute_output_shape((1, 6))", "Dense.compute_output_shape is not provided: call"),
    "absent": ("tf.keras.layers.LSTM(3)", "tensorflow.keras.layers.LSTM, which is not provided"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(passes, tf, kl, name):
    source, message = REFUSED[name]

    class Nothing(kl.Layer):
        def call(self, inputs):
            return None

    class NoSuper(kl.Layer):
        def __init__(self):
            self.value = 1

    def run():
        scope = {"tf": tf, "KL": kl, "V2": V2, "V3": V3, "FLAT": FLAT, "Nothing": Nothing, "NoSuper": NoSuper}
        scope["l"] = kl.Conv3D(2, 1, name="l")
        exec(source, scope)

    with pytest.raises(ClaraError) as error:
        passes.build(run)
    assert message in str(error.value)


def test_a_layer_is_called_in_a_pass_only(kl):
    with pytest.raises(ClaraError, match="a call of the layer 'dense.*' is made outside of get_predictions"):
        kl.Dense(2)(FLAT)


def test_a_later_pass_makes_no_new_layers(passes, kl):
    passes.build(lambda: kl.Dense(2)(FLAT))
    with pytest.raises(ClaraError, match="'dense_1/kernel' is made after the component was built"):
        passes.run(lambda: [kl.Dense(2)(FLAT) for _ in range(2)])
