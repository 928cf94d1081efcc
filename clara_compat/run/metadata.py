"""What a bundle says of itself: ``configs/metadata.json``.

The keys are those of MONAI's metadata schema of 2024-07-25, against which ``python -m monai.bundle verify_metadata``
compares the file.
"""

from __future__ import annotations

import math
import pydoc
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

__all__ = ["SCHEMA", "bundle_metadata"]

SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
"""Address of the published schema; ``verify_metadata`` downloads it where its ``--filepath`` is not there yet."""

_LONGEST = 300
"""Characters that are taken of one text of a data list."""
_SIGNS = {"nibabel": ("Nifti", "LoadImage"), "pillow": ("Picture", "PILReader"), "tensorboard": ("TensorBoard",)}
"""Packages that MONAI does not bring, and what of a config needs them."""
_TASKS = {
    "segmentation": "Segmentation of {axes} medical images",
    "classification": "Classification of {axes} medical images",
}
_UNKNOWN = (
    "a float32 tensor of {axes} images, whose number of channels the network itself decides: give num_channels and "
    "channel_def here once they are known"
)


def bundle_metadata(
    config: Mapping[str, Any],
    *,
    name: str = "",
    data_list: Mapping[str, Any] | None = None,
    numbers: Mapping[str, int] | None = None,
    scores: Mapping[str, float] | None = None,
    native: bool = False,
) -> dict[str, Any]:
    """Return the metadata of a bundle.

    Args:
        config: the bundle config of a training or an evaluation, as it is translated: its network says most.
        name: of the bundle; by its task when empty.
        data_list: top level of the data list file, whose ``labels`` and ``modality`` name the channels, and whose
            ``name``, ``reference`` and ``licence`` say where the data are from. It may hold anything.
        numbers: ``spatial_dims``, ``in_channels`` and ``out_channels`` of the network where its entry does not tell
            them, as with a user's own or an exported one.
        scores: metrics that the bundle's weights reached, by name.
        native: the bundle runs without this package.
    """
    facts = _Facts(config, data_list or {}, numbers or {})
    task = _TASKS[facts.task].format(axes=facts.axes)
    engine = "plain MONAI" if native else "MONAI and clara-compat"
    classes = ", ".join(facts.outputs.values())
    return {
        "schema": SCHEMA,
        "version": "0.1.0",
        "changelog": {"0.1.0": "translated from a Clara Train 3.1 configuration"},
        "monai_version": _version("monai"),
        "pytorch_version": _version("torch"),
        "numpy_version": _version("numpy"),
        "required_packages_version": {package: _version(package) for package in _packages(config, native=native)},
        "name": _text(name) or task,
        "task": task,
        "description": f"{task} by a network of a Clara Train 3.1 configuration, which runs on {engine}.",
        "authors": "the authors of the Clara Train configuration",
        "copyright": "the authors of the Clara Train configuration",
        "intended_use": "Research and engineering. Not a medical device.",
        **facts.origin,
        "data_type": "nibabel" if _reads_nifti(config) else "images",
        "image_classes": ", ".join(facts.inputs.values()),
        **({"label_classes": classes, "pred_classes": classes} if classes else {}),
        "eval_metrics": {metric: score for metric, score in (scores or {}).items() if math.isfinite(score)},
        "supported_apps": {},
        "network_data_format": {"inputs": facts.described_inputs(), "outputs": {"pred": facts.described_output()}},
    }


class _Facts:
    """What a bundle config and a data list tell of the network's input and output."""

    def __init__(self, config: Mapping[str, Any], data_list: Mapping[str, Any], numbers: Mapping[str, int]) -> None:
        self.config = config
        self.network = {**numbers, **config.get("network_input", {}), **config.get("network_def", {})}
        network = pydoc.locate(str(self.network.get("_target_", "torch.nn.Module")))
        self.task = str(self.network.get("task") or getattr(network, "task", "segmentation"))
        self.spatial_dims = int(self.network.get("spatial_dims") or self._axes())
        self.axes = f"{self.spatial_dims}-D"
        self.channels = self._channels()
        modality = _names(data_list.get("modality"))
        self.inputs = _numbered(modality, int(self.network.get("in_channels") or len(modality)), "image")
        self.outputs = self._classes(_names(data_list.get("labels")))
        told = [_text(data_list[key]) for key in ("name", "reference", "licence") if key in data_list]
        self.origin = {"data_source": "; ".join(filter(None, told))} if any(told) else {}

    def described_inputs(self) -> dict[str, Any]:
        """Return the image, or a sentence where its channels are not known, and what else the network is fed with."""
        if not self.inputs:
            return {"image": _UNKNOWN.format(axes=self.axes)}
        image = {
            "type": "image",
            "format": "magnitude",
            **({"modality": self.inputs["0"]} if set(self.inputs.values()) != {"image"} else {}),
            "num_channels": len(self.inputs),
            "spatial_shape": self._shape(),
            "dtype": "float32",
            "value_range": [],
            "is_patch_data": self.task == "segmentation",
            "channel_def": self.inputs,
        }
        return {"image": image, **{one["name"]: _further(one) for one in self._further()}}

    def described_output(self) -> dict[str, Any] | str:
        """Return the prediction; a sentence where its channels are not known."""
        if self.channels is None:
            return _UNKNOWN.format(axes=self.axes)
        classifies = self.task == "classification"
        return {
            "type": "probabilities" if classifies else "image",
            "format": "classification" if classifies else "segmentation",
            "num_channels": self.channels,
            "spatial_shape": [] if classifies else self._shape(),
            "dtype": "float32",
            "value_range": [0, 1] if self.network.get("final_activation", "linear") != "linear" else [],
            "is_patch_data": not classifies,
            "channel_def": self.outputs,
        }

    def _channels(self) -> int | None:
        """Return the output channels as the network's entry says them, or as the labels of a classification do."""
        declared = self.network.get("out_channels", self.network.get("num_classes"))
        if type(declared) is int:
            return declared
        labels = self.network.get("label_format")
        return sum(labels) if isinstance(labels, list) else None

    def _classes(self, names: dict[int, str]) -> dict[str, str]:
        """Name the output channels; a data list counts the background, which a network of one output per object lacks.

        Without a number of channels these are the names of the data list.
        """
        if self.channels is None:
            return {str(number): name for number, name in names.items()}
        objects = {number - 1: name for number, name in names.items() if number}
        has_background = self.task == "segmentation" and self.network.get("final_activation") != "sigmoid"
        if self.channels == 1 or (not has_background and len(objects) == self.channels < len(names)):
            names = objects
        elif has_background and names:
            names = {0: "background", **names}
        return _numbered(names, self.channels, "class")

    def _axes(self) -> int:
        """Return how many axes the windows of the inferer have, or the images that are read."""
        sizes = [found.get("roi_size") for found in _inferers(self.config)]
        windows = next((len(size) for size in sizes if isinstance(size, list)), None)
        return windows or (3 if _reads_nifti(self.config) else 2)

    def _shape(self) -> list[int | str]:
        """Return the size of the windows, or of the crops, that the network is run on; ``*`` where it takes any."""
        sections = (self.config.get("validate", {}), self.config)
        windows: list[Any] = [found.get("roi_size") for section in sections for found in _inferers(section)]
        windows += [self.network.get("size"), self.network.get("spatial_size")]
        sizes = [size for size in windows if isinstance(size, list) and len(size) == self.spatial_dims]
        return next((size for size in sizes if all(type(n) is int and n > 0 for n in size)), ["*"] * self.spatial_dims)

    def _further(self) -> list[Mapping[str, Any]]:
        """Return the extra inputs that the end of the transforms declares."""
        chain = self.config.get("train", self.config).get("preprocessing", {}).get("transforms", [])
        return list(chain[-1].get("extra_inputs", ())) if chain else []


def _reads_nifti(config: Mapping[str, Any]) -> bool:
    return "Nifti" in str(config)


def _inferers(section: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Return the inferer of a section, and the one that it wraps."""
    found = section.get("inferer")
    while isinstance(found, Mapping):
        yield found
        found = found.get("inferer")


def _further(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of an extra input; its first axis are channels where it has further ones."""
    shape = ["*" if n is None or n < 0 else n for n in declared.get("shape") or ()]
    first = shape[0] if shape else 1
    return {
        "type": "image" if len(shape) > 1 else "tuples",
        "format": "raw",
        "num_channels": first if isinstance(first, int) else 1,
        "spatial_shape": shape[1:],
        "dtype": declared.get("dtype", "float32"),
        "value_range": [],
    }


def _names(value: Any) -> dict[int, str]:
    """Return names by number, as a data list gives them: ``{"0": "CT"}``, ``["CT"]`` or ``"CT"``."""
    if isinstance(value, (str, list)):
        value = dict(enumerate([value] if isinstance(value, str) else value))
    if not isinstance(value, dict):
        return {}
    texts = {str(number): _text(name) for number, name in value.items()}
    return {int(number): text for number, text in texts.items() if text and number.isdecimal() and len(number) < 10}


def _numbered(names: Mapping[int, str], count: int, otherwise: str) -> dict[str, str]:
    """Return a name for each of ``count`` channels; ``otherwise``, with its number when it is a class, for the rest."""
    rest = {i: f"class {i}" if otherwise == "class" else otherwise for i in range(count)}
    return {str(i): names.get(i, rest[i]) for i in range(count)}


def _text(value: Any) -> str:
    """Return one line of text that MONAI's ``ConfigParser`` neither evaluates, nor resolves, nor opens."""
    return " ".join(str(value).split()).lstrip("$@% ")[:_LONGEST] if isinstance(value, (str, int, float)) else ""


def _packages(config: Mapping[str, Any], *, native: bool) -> list[str]:
    """Return what a bundle needs besides MONAI, torch and numpy; clara-compat brings all that it needs itself."""
    written = str(config)
    found = [package for package, signs in _SIGNS.items() if any(sign in written for sign in signs)]
    return ["pytorch-ignite", *found, *([] if native else ["clara-compat"])]


def _version(package: str) -> str:
    return version(package).partition("+")[0]
