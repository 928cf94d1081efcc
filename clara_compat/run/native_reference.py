"""What ``migrate --native`` puts in the place of each component: asked of the functions that do it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clara_compat.components import catalogue
from clara_compat.components.entry import BundleContext
from clara_compat.components.model_loaders.model_loader import ModelFiles, network_entry
from clara_compat.config.arguments import create
from clara_compat.config.spec import ComponentSpec
from clara_compat.errors import Address
from clara_compat.report.guide import NativeForm
from clara_compat.translate.data_side import data_side
from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.data import native_data
from clara_compat.translate.native.evaluate import native_saved_network
from clara_compat.translate.native.facts import Facts
from clara_compat.translate.native.handlers import OPERATIONS, native_handlers
from clara_compat.translate.native.inferers import native_inferer
from clara_compat.translate.native.losses import native_loss
from clara_compat.translate.native.lr_policies import native_policy
from clara_compat.translate.native.metrics import native_metric, tags_of
from clara_compat.translate.native.native_config import Notes, target_of
from clara_compat.translate.native.networks import native_network
from clara_compat.translate.native.optimizers import native_optimizer
from clara_compat.translate.native.transforms import native_transform
from clara_compat.translate.native.validation import Validation
from clara_compat.translate.render import render

__all__ = ["native_forms"]

_SIZE = [96, 96, 96]
_VALUES: Mapping[str, Any] = {
    "a_max": 164,
    "a_min": -57,
    "angle": 15,
    "b_max": 1,
    "b_min": 0,
    "channel_names": ["background", "organ"],
    "checkpoint_dir": "models",
    "data_file_base_dir": "data",
    "data_list_file_path": "dataset.json",
    "data_list_key": "training",
    "decay_freq": 1000,
    "decay_ratio": 0.5,
    "div_int": 16,
    "factor": 0.5,
    "field": "model",
    "fields": ["image"],
    "from_field": "label",
    "image_field": "image",
    "input_labels": [1, 2],
    "label_field": "label",
    "label_names": ["background", "organ"],
    "lower_limits": [0.8, 0.8, 0.8],
    "lower_size": _SIZE,
    "magnitude": 0.1,
    "mask_field": "label",
    "model_file_path": "models/model.trt.pb",
    "model_spec_file_name": "model.json",
    "momentum": 0.9,
    "name": "value",
    "num_cache_objects": 8,
    "num_classes": 2,
    "out_dir": "debug",
    "output_labels": [1, 1],
    "plateau_count_trigger": 5,
    "properties": ["affine"],
    "repeats": 3,
    "roi_size": _SIZE,
    "shape": "DHW",
    "size": _SIZE,
    "src_field": "image",
    "tag": "value",
    "tags": ["value"],
    "target_resolution": [1.0, 1.0, 1.0],
    "target_shape": _SIZE,
    "target_spacing": [1.0, 1.0, 1.0],
    "task": "segmentation",
    "threshold": 0.5,
    "upper_limits": [1.2, 1.2, 1.2],
    "val_times_threshold": 5,
    "write_path": "eval/classes.csv",
}
"""A legal value for each argument that a component must be given; all others keep their defaults."""
_ALSO: Mapping[str, Mapping[str, Any]] = {
    "ComputeAverage": {"field": "value"},
    "ComputeDice": {"tag": "value"},
    "ComputeMulticlassAccuracy": {"tag": "value"},
    "ReduceMeanMasked": {"tag": "value"},
    "WriteNifti": {"write_path": "eval"},
    "WritePng": {"write_path": "eval"},
}
"""Further arguments of some components: what they would refuse to be without, and what a metric reads."""
_OF_PLANES = ("RandomRotate2D", "WritePng")
_OF_CLASSES: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(("BinaryClassificationLoss", "ComputeAccuracy", "ComputeBinaryPreds", "ComputeAUC"), (1,)),
    **dict.fromkeys(("MulticlassClassificationLoss", "WeightedMulticlassClassificationLoss"), (3,)),
    **dict.fromkeys(("ComputeMulticlassAccuracy", "ComputeMulticlassPreds", "ComputeMulticlassAverage"), (3,)),
    **{name: (3,) for name in catalogue.components() if name.startswith("Classification")},
}
"""Classes per label, of the components of a classification."""

_LOADED: Mapping[str, ModelFiles] = {
    "CheckpointLoader": ModelFiles(Path("models"), weights=Path("models/model.pt")),
    "FrozenGraphModelLoader": ModelFiles(Path("models"), exported=Path("models/model.ts")),
}
"""The files that a model loader finds; one that is not here loads nothing."""
_REST = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_NETWORK = {"_target_": "monai.networks.nets.SegResNet", "out_channels": 2}
_STARTS_VALIDATION = {"_target_": "ValidationHandler"}


def native_forms() -> dict[str, NativeForm]:
    """Return for each component of the catalogue what stands in its place with ``--native``, by its name.

    It is what becomes of an element with the arguments that it must have: of a volume, of a plane where the component
    takes nothing else.
    """
    return {name: _FAMILIES[catalogue.family(cls)](_spec(name)).form() for name, cls in catalogue.components().items()}


@dataclass
class _Found:
    """What stands in the place of an element.

    Args:
        exact: names of the entries that it becomes otherwise.
        native: names of those that stand there.
        texts: how the results differ.
    """

    exact: list[str]
    native: list[str]
    texts: Sequence[str] = ()

    def form(self) -> NativeForm:
        """Return it as the page shows it."""
        texts = [f"{text[:1].upper()}{text[1:].rstrip('.')}." for text in self.texts if text]
        names = tuple(dict.fromkeys(self.native))
        return NativeForm(self.native == self.exact, names, " ".join(dict.fromkeys(texts)))


def _spec(name: str, **more: Any) -> ComponentSpec:
    """Return an element of a config with the arguments that it must have, and others."""
    cls = catalogue.components()[name]
    constructor: Any = cls.__init__
    parameters = [] if constructor is object.__init__ else list(inspect.signature(constructor).parameters.values())[1:]
    required = [one.name for one in parameters if one.default is one.empty and one.kind not in _REST]
    args = {one: _VALUES[one] for one in required} | dict(_ALSO.get(name, {})) | more
    return ComponentSpec(name, (), cls, None, args, Address("config_train.json"), "train")


def _entries(spec: ComponentSpec, context: BundleContext) -> list[dict[str, Any]]:
    """Return what an element becomes in a bundle config."""
    entries = create(spec).bundle_entry(context)
    return [render(one) for one in (entries if isinstance(entries, list) else [entries])]


def _context(spec: ComponentSpec) -> BundleContext:
    """Return a place where an element may stand."""
    if spec.name in _OF_PLANES:
        return BundleContext(spatial_dims=2)
    if spec.name in _OF_CLASSES:
        sizes = _OF_CLASSES[spec.name]
        return BundleContext(outputs=sum(sizes), label_format=sizes)
    return BundleContext(crop_size=tuple(_SIZE), outputs=2, final_activation="softmax")


def _facts(spec: ComponentSpec) -> Facts:
    """Return the same of a native config."""
    sizes = _OF_CLASSES.get(spec.name)
    if sizes is None:
        return Facts(activation="softmax", channels=2)
    return Facts(classifies=True, label_format=sizes, channels=sum(sizes), indices=sizes != (1,))


def _transform(spec: ComponentSpec) -> _Found:
    context = _context(spec)
    exact = _entries(spec, context)
    natives = [native_transform(entry, NativeContext(context.spatial_dims)) for entry in exact]
    entries = [entry for native in natives for entry in native.entries]
    return _Found(list(map(target_of, exact)), list(map(target_of, entries)), [one.difference for one in natives])


def _model(spec: ComponentSpec) -> _Found:
    [entry] = _entries(spec, _context(spec))
    native = native_network(entry, _facts(spec)).native
    return _Found([target_of(entry)], list(map(target_of, native.entries)), [native.difference])


def _loss(spec: ComponentSpec) -> _Found:
    [entry] = _entries(spec, _context(spec))
    form = native_loss(entry, _facts(spec))
    entries = list(form.more.values()) if isinstance(form.value, str) else [form.value]
    return _Found([target_of(entry)], list(map(target_of, entries)), [form.difference])


def _optimizer(spec: ComponentSpec) -> _Found:
    [entry] = _entries(spec, _context(spec))
    native = native_optimizer(entry, 0.0)
    return _Found([target_of(entry)], list(map(target_of, native.entries)), [native.difference])


def _policy(spec: ComponentSpec) -> _Found:
    [entry] = _entries(spec, _context(spec))
    scheduler, native, _ = native_policy(entry)
    return _Found([target_of(entry)], [target_of(scheduler)], [native.difference])


def _metric(spec: ComponentSpec) -> _Found:
    loss = _spec("NegLoss")
    [entry] = _entries(spec, _context(spec))
    form = native_metric(entry, _entries(loss, _context(loss)), _facts(spec))
    return _Found([target_of(entry)], [target_of(form.entry)] if form.entry else [], [form.difference])


def _operation(spec: ComponentSpec) -> _Found:
    """An auxiliary operation becomes the metric that reads its first value."""
    [entry] = _entries(spec, _context(spec))
    names = Notes()
    handlers = [_STARTS_VALIDATION, {"_target_": OPERATIONS, "ops": [entry]}]
    native_handlers({"train": {"handlers": handlers, "tensorboard": {"interval": 0}}}, None, [], names)
    texts = [one.text for one in names.differences]
    for metric in ("ComputeAverage", "ComputeAUC"):
        reader = _spec(metric, field=tags_of(entry)[0], **({"label_field": "label"} if metric == "ComputeAUC" else {}))
        form = native_metric(_entries(reader, _context(reader))[0], [entry], _facts(spec))
        if form.entry is not None:
            return _Found([target_of(entry)], [target_of(form.entry)], [form.difference, *texts])
    return _Found([target_of(entry)], [], texts)


def _handler(spec: ComponentSpec) -> _Found:
    entries, notes = _entries(spec, _context(spec)), Notes()
    train = {"handlers": [_STARTS_VALIDATION], "tensorboard": {"interval": 0}, "events": {"handlers": entries}}
    native_handlers({"train": train}, Validation(key={"value": {}}), [], notes)
    now = [one.now for one in notes.differences]
    return _Found(list(map(target_of, entries)), now, [one.text for one in notes.differences])


def _inferer(spec: ComponentSpec) -> _Found:
    [entry] = _entries(spec, _context(spec))
    notes = Notes()
    native, _ = native_inferer(entry, "validate#inferer", notes)
    return _Found([target_of(entry)], [target_of(native)], [one.text for one in notes.differences])


def _pipeline(spec: ComponentSpec) -> _Found:
    notes = Notes()
    section = {name: render(entry) for name, entry in data_side(spec, [], _context(spec)).entries.items()}
    native_data(section, "train", notes, _facts(spec))
    parts = [one for one in notes.differences if one.entry in ("train#dataset", "train#plan", "train#dataloader")]
    return _Found([one.was for one in parts], [one.now for one in parts], [one.text for one in parts])


def _model_loader(spec: ComponentSpec) -> _Found:
    if spec.name not in _LOADED:
        return _Found([], [])
    entry, notes = render(network_entry(_LOADED[spec.name])), Notes()
    network = {} if _LOADED[spec.name].exported else {"network_def": _NETWORK}
    native_saved_network({"network": entry, **network}, (), notes)
    now = [one.now for one in notes.differences]
    return _Found([target_of(entry)], now, [one.text for one in notes.differences])


_FAMILIES: Mapping[str, Callable[[ComponentSpec], _Found]] = {
    "transforms": _transform,
    "writers": _transform,
    "models": _model,
    "losses": _loss,
    "optimizers": _optimizer,
    "lr_policies": _policy,
    "metrics": _metric,
    "aux_ops": _operation,
    "handlers": _handler,
    "inferers": _inferer,
    "pipelines": _pipeline,
    "model_loaders": _model_loader,
}
