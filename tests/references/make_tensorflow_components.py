"""Makes ``tensorflow_components.npz`` and ``.json``: the components of the tests as real TensorFlow computes them.

The project does not depend on TensorFlow; this is run once, in an environment of its own, and the arrays are committed:

    python -m venv tf && tf/bin/pip install tensorflow-cpu==2.21.0 tf_keras==2.21.0 tf_slim==1.1.0 scipy
    tf/bin/python tests/references/make_tensorflow_components.py

The components of ``tests/tensorflow/components`` are loaded with ``tensorflow`` being ``tensorflow.compat.v1`` in graph
mode, ``keras`` and ``tf.keras`` the Keras of those days (tf_keras; the names of the package ``keras`` count from 1),
``tf.contrib`` tf_slim, and ``ai4med`` the few base classes below. Batch normalisation of five axes is not fused, as in
TensorFlow 1.15. Every variable gets a fixed random value, so initial values play no part. Everything is stored
channel-first, whatever the component sees. Per case ``NAME`` (``NAME/...`` in the archive):

- ``image`` or ``predictions``, ``label``, ``variable/VARIABLE``;
- a model: ``inference`` and ``training`` (its outputs), ``extra`` (``get_loss()``), ``noise``; the
  gradients of ``sum(output * noise) + extra`` in the last of its modes: ``gradient`` (to the image) and
  ``gradient/VARIABLE``; ``after/VARIABLE``: what is not trainable, after a training step with ``get_update_ops()``;
- a loss: ``value``, ``gradient`` (to the predictions) and ``gradient/VARIABLE``.

A gradient that TensorFlow says does not exist is absent. Nothing here is read by the product.
"""

from __future__ import annotations

import builtins
import json
import os
import sys
import warnings
import zlib
from importlib.metadata import version
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

os.environ.update(TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402
import tf_keras.src.layers.normalization.batch_normalization  # noqa: E402
import tf_keras.src.legacy_tf_layers.normalization  # noqa: E402 -- makes it loaded, see below
from tensorflow_cases import CASES, Case  # noqa: E402

tf.disable_v2_behavior()
for loaded in [name for name in sys.modules if name.startswith("tf_keras.src.legacy_tf_layers")]:
    sys.modules[loaded.replace(".src", "")] = sys.modules[loaded]  # tf_slim looks for them there
import tf_slim  # noqa: E402

_norm = tf_keras.src.layers.normalization.batch_normalization.BatchNormalizationBase
_norm_build = _norm.build


def _build(self: Any, input_shape: Any) -> None:
    """Take the fused kernel for four axes only, as TensorFlow 1: it puts the unbiased variance into the average."""
    self.fused = self.fused and len(input_shape) == 4
    _norm_build(self, input_shape)


_norm.build = _build

COMPONENTS = HERE.parent / "tensorflow" / "components"
KEYS = ("DATA_PROP", "IS_TRAIN", "LABEL_INPUT", "LEARNING_RATE", "MODEL_INPUT")


class BuildContext(dict):
    """What the documentation promises a component."""

    def must_get(self, key: str) -> Any:
        if key not in self:
            raise ValueError(f"{key} is not in the build context")
        return self[key]


for key in KEYS:
    setattr(BuildContext, f"KEY_{key}", "_data_property" if key == "DATA_PROP" else f"_{key.lower()}")


class Model:
    """As documented."""

    def __init__(self) -> None:
        pass

    def get_loss(self) -> Any:
        return 0

    def get_update_ops(self) -> Any:
        return tf.get_collection(tf.GraphKeys.UPDATE_OPS)

    def build(self, build_ctx: BuildContext) -> Any:
        inputs = build_ctx.must_get(BuildContext.KEY_MODEL_INPUT)
        return self.get_predictions(inputs, build_ctx.must_get(BuildContext.KEY_IS_TRAIN), build_ctx)


class Loss:
    """As documented."""

    def __init__(self) -> None:
        pass


class _StandaloneLayers:
    """Layers of the package ``keras`` 2, whose names are counted from 1: here those of tf.keras, told to."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(tf.keras.layers, name)
        if not isinstance(found, type) or not issubclass(found, tf.keras.layers.Layer):
            return found

        def from_one(layer: Any, wanted: Any, zero_based: bool = True) -> None:
            super(made, layer)._init_set_name(wanted, zero_based=False)

        made = type(name, (found,), {"_init_set_name": from_one})
        setattr(self, name, made)
        return made


def _namespace(name: str, base: Any, **more: Any) -> ModuleType:
    module = ModuleType(name)
    module.__getattr__ = lambda attribute: getattr(base, attribute)  # type: ignore[method-assign]
    vars(module).update(more)
    return module


_contrib = SimpleNamespace(slim=tf_slim, layers=tf_slim.layers, framework=tf_slim)
for wanted in ("l2_regularizer", "l1_regularizer", "xavier_initializer", "variance_scaling_initializer"):
    setattr(_contrib.layers, wanted, getattr(tf_slim, wanted))
for wanted in ("group_norm", "instance_norm"):
    setattr(_contrib.layers, wanted, getattr(sys.modules["tf_slim.layers.normalization"], wanted))
_ai4med = SimpleNamespace(
    common=SimpleNamespace(build_ctx=SimpleNamespace(BuildContext=BuildContext)),
    components=SimpleNamespace(
        models=SimpleNamespace(model=SimpleNamespace(Model=Model)),
        losses=SimpleNamespace(loss=SimpleNamespace(Loss=Loss)),
    ),
)
TOPS = {
    "tensorflow": _namespace("tensorflow", tf, contrib=_contrib),
    "keras": _namespace("keras", tf.keras, layers=_StandaloneLayers()),
    "ai4med": _ai4med,
}


def _import(name: str, *args: Any) -> Any:
    top, *rest = name.split(".")
    if top not in TOPS:
        module = builtins.__import__(name, *args)
        return _namespace("numpy", np, bool=bool, float=float, int=int, object=object) if name == "numpy" else module
    found = TOPS[top]
    if len(args) > 2 and args[2]:
        for part in rest:
            found = getattr(found, part)
    return found


def component(case: Case) -> Any:
    """Make the component of a case."""
    module, _, cls = case.component.rpartition(".")
    path = COMPONENTS / f"{module}.py"
    scope = {"__builtins__": {**vars(builtins), "__import__": _import}, "__name__": module, "__file__": str(path)}
    exec(compile(path.read_text(), str(path), "exec"), scope)
    return scope[cls](**case.args)


def numbers(name: str) -> np.random.Generator:
    """Return the generator of one array: it does not depend on the others."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def rounded(array: np.ndarray) -> np.ndarray:
    """Return the array as float32 with few digits, which compresses well."""
    return (np.round(np.asarray(array) * 256) / 256).astype(np.float32)


def first_value(name: str, shape: list[int]) -> np.ndarray:
    """Return a value that keeps activations of order one."""
    draw = numbers(name).normal(size=shape)
    if name.endswith(("moving_variance", "Squeeze_1/ExponentialMovingAverage")):
        return rounded(0.75 + 0.5 * np.abs(draw))
    if name.endswith("gamma") or len(shape) <= 1:
        return rounded(("gamma" in name) + 0.2 * draw)
    fan_in = np.prod(shape[:-2]) * min(shape[-2:]) if len(shape) > 2 else shape[0]
    return rounded(draw * np.sqrt(1.5 / max(fan_in, 1)))


def moved(array: np.ndarray, data_format: str, back: bool = False) -> np.ndarray:
    """Return an array in the component's layout, or back in channel-first."""
    if data_format == "channels_first" or array.ndim < 4:
        return array
    return np.moveaxis(array, -1, 1) if back else np.moveaxis(array, 1, -1)


def label_of(name: str, case: Case) -> np.ndarray:
    """Return the label of a case, float32 as Clara feeds it."""
    draw, batch = numbers(f"{name}/label"), case.shape[0]
    if case.label == 0:
        return np.eye(case.classes, dtype=np.float32)[draw.integers(0, case.classes, batch)]
    shape = (batch, case.label, *case.shape[2:])
    if case.classes == 0:
        return rounded(draw.normal(size=shape))
    label = draw.integers(0, case.classes, shape).astype(np.float32)
    if case.label > 1 and case.kind == "loss" and case.label == case.classes:
        label = np.moveaxis(np.eye(case.classes, dtype=np.float32)[label[:, 0].astype(int)], -1, 1)
    return np.where(draw.random(shape) < case.ignored, -1, label).astype(np.float32)


def input_of(name: str, case: Case) -> np.ndarray:
    """Return the image, or the predictions."""
    x = numbers(f"{name}/input").normal(size=case.shape)
    if case.kind == "loss" and case.predictions == "softmax":
        x = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    elif case.kind == "loss" and case.predictions == "sigmoid":
        x = 1 / (1 + np.exp(-x))
    return rounded(x)


def static(array: np.ndarray) -> list[int | None]:
    """Return the shape of a placeholder: only the batch is unknown."""
    return [None, *array.shape[1:]]


def property_of(case: Case) -> dict[str, Any]:
    """Return what the pipeline says of the data of a case."""
    return {
        "task": "classification" if case.label == 0 else "segmentation",
        "data_format": case.data_format,
        "num_data_dims": 2 if len(case.shape) < 5 else 3,
        "num_channels": case.shape[1],
        "num_label_channels": case.label or case.classes,
    }


class Built:
    """A component in the graph that is the default one, with fixed values in its variables."""

    def __init__(self, name: str, case: Case, session: tf.Session) -> None:
        self.name, self.case, self.session = name, case, session
        self.main, self.label = input_of(name, case), label_of(name, case)
        fed_main, fed_label = (moved(array, case.data_format) for array in (self.main, self.label))
        self.input = tf.placeholder(tf.float32, static(fed_main), name="NV_MODEL_INPUT")
        label = tf.placeholder(tf.float32, static(fed_label), name="NV_LABEL_INPUT")
        training = tf.placeholder_with_default(False, [], name="NV_IS_TRAINING")
        rate = tf.placeholder(tf.float32, [], name="NV_LEARNING_RATE")
        context = BuildContext(
            {
                BuildContext.KEY_DATA_PROP: SimpleNamespace(**property_of(case)),
                BuildContext.KEY_IS_TRAIN: training,
                BuildContext.KEY_LABEL_INPUT: label,
                BuildContext.KEY_LEARNING_RATE: rate,
                BuildContext.KEY_MODEL_INPUT: self.input,
            }
        )
        self.user = component(case)
        is_model = case.kind == "model"
        self.output = self.user.build(context) if is_model else self.user.get_loss(self.input, label, context)
        self.extra = tf.convert_to_tensor(self.user.get_loss(), tf.float32) if is_model else None
        self.variables = {variable.name.removesuffix(":0"): variable for variable in tf.global_variables()}
        trainable = tf.trainable_variables()
        self.trainable = {n: variable for n, variable in self.variables.items() if variable in trainable}
        self.values = {n: first_value(f"{name}/{n}", v.shape.as_list()) for n, v in self.variables.items()}
        self._feed = {self.input: fed_main, label: fed_label, rate: 1e-4}
        self._training = training
        session.run(tf.global_variables_initializer())
        self.reset()

    def reset(self) -> None:
        """Give the variables their fixed values."""
        for n, variable in self.variables.items():
            variable.load(self.values[n], self.session)

    def value(self, fetched: Any, mode: str) -> np.ndarray:
        """Return what a tensor or operation gives, from the fixed values on: fetching may assign."""
        for n in self.variables.keys() - self.trainable.keys():
            self.variables[n].load(self.values[n], self.session)
        return self.session.run(fetched, {**self._feed, self._training: mode == "training"})

    def gradients(self, total: Any, mode: str) -> dict[str, np.ndarray]:
        """Return the gradients of a scalar, those that exist."""
        found = tf.gradients(total, [self.input, *self.trainable.values()])
        keys = ["gradient", *(f"gradient/{n}" for n in self.trainable)]
        pairs = [(key, gradient) for key, gradient in zip(keys, found, strict=True) if gradient is not None]
        arrays = {key: self.value(tf.convert_to_tensor(gradient), mode) for key, gradient in pairs}
        if "gradient" in arrays:
            arrays["gradient"] = moved(arrays["gradient"], self.case.data_format, back=True)
        return arrays

    def describe(self) -> dict[str, Any]:
        """Return what the test must know besides the arrays."""
        return {
            "component": self.case.component,
            "args": self.case.args,
            "kind": self.case.kind,
            "data_property": property_of(self.case),
            "modes": list(self.case.modes),
            "variables": [
                {"name": n, "shape": v.shape.as_list(), "trainable": n in self.trainable}
                for n, v in self.variables.items()
            ],
        }


def model_arrays(built: Built) -> dict[str, np.ndarray]:
    """Return what a model computes."""
    case, last = built.case, built.case.modes[-1]
    arrays = {mode: moved(built.value(built.output, mode), case.data_format, back=True) for mode in case.modes}
    shape = arrays[last].shape
    draw = numbers(f"{built.name}/noise").normal(size=shape)
    noise = arrays["noise"] = rounded(draw * 16 / np.sqrt(np.prod(shape))) / 16
    arrays["extra"] = built.value(built.extra, last)
    total = tf.reduce_sum(built.output * moved(noise, case.data_format)) + built.extra
    arrays.update(built.gradients(total, last))
    if "training" in case.modes:
        with tf.control_dependencies(built.user.get_update_ops()):
            step = tf.no_op()
        built.value([step, built.output], "training")
        for n in built.variables.keys() - built.trainable.keys():
            arrays[f"after/{n}"] = built.session.run(built.variables[n])
    if case.checkpoint:
        built.reset()
        folder = HERE / "checkpoints_of_components" / built.name
        folder.mkdir(parents=True, exist_ok=True)
        saver = tf.train.Saver(save_relative_paths=True)
        saver.save(built.session, str(folder / "model.ckpt"), write_meta_graph=False)
    return arrays


def loss_arrays(built: Built) -> dict[str, np.ndarray]:
    """Return what a loss computes."""
    return {"value": built.value(built.output, "training"), **built.gradients(built.output, "training")}


def run(name: str, case: Case) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and the description of one case."""
    tf.keras.backend.clear_session()
    tf.keras.backend.set_image_data_format("channels_last")
    with tf.Graph().as_default(), tf.Session() as session:
        built = Built(name, case, session)
        arrays = {"image" if case.kind == "model" else "predictions": built.main, "label": built.label}
        arrays.update({f"variable/{n}": value for n, value in built.values.items()})
        arrays.update(model_arrays(built) if case.kind == "model" else loss_arrays(built))
        described = built.describe()
    for at, value in arrays.items():
        if not np.isfinite(value).all():
            raise SystemExit(f"{name}/{at} is not finite")
    return {at: np.asarray(arrays[at], np.float32) for at in sorted(arrays)}, described


def main() -> None:
    """Write the archive and its description beside this file."""
    warnings.simplefilter("ignore")
    arrays: dict[str, np.ndarray] = {}
    cases: dict[str, Any] = {}
    for name, case in CASES.items():
        found, cases[name] = run(name, case)
        arrays.update({f"{name}/{at}": value for at, value in found.items()})
    versions = {
        "python": sys.version.split()[0],
        "tensorflow": tf.__version__,
        **{package: version(package) for package in ("tf_keras", "tf_slim", "numpy", "scipy")},
    }
    np.savez_compressed(HERE / "tensorflow_components.npz", **arrays)
    text = json.dumps({"versions": versions, "cases": cases}, indent=1)
    (HERE / "tensorflow_components.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
