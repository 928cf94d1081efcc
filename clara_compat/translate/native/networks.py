"""Networks: the nearest ones of MONAI."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clara_compat.translate.native.facts import Facts
from clara_compat.translate.native.native import Native
from clara_compat.translate.native.native_config import target_of, users_path
from clara_compat.translate.render import is_safe_key

__all__ = ["NETWORKS", "NativeNetwork", "native_network"]

_NETS = "monai.networks.nets"
_ENGINE = "clara_compat.engine.networks"
_LEGACY = "clara_compat.tensorflow.network.LegacyNetwork"
_USER_MODULE = "clara_compat.engine.legacy.module.user_module"
_CHANNELS = ("out_channels", "num_classes", "n_classes", "num_labels", "classes")
_ANEW = "weights of an earlier training do not fit: train it anew"


@dataclass(frozen=True)
class NativeNetwork:
    """What a network becomes.

    Args:
        native: the one entry in its place.
        activation: that must follow it to give what the network gave.
        channels: of its output; None when the config does not tell.
        weights: as :class:`~clara_compat.translate.native.native_config.NativeConfig` has it.
        penalty: weight of its L2 penalty on the kernels.
    """

    native: Native
    activation: str = "linear"
    channels: int | None = None
    weights: str | None = None
    penalty: float = 0.0


def native_network(entry: Mapping[str, Any], facts: Facts, portable: Collection[str] = ()) -> NativeNetwork:
    """Return what stands in the place of a network.

    Args:
        entry: ``network_def``.
        facts: of the config.
        portable: paths of the user's classes that may come along: nothing in their files needs Clara.
    """
    target = target_of(entry)
    if target in NETWORKS:
        native, weights = NETWORKS[target](entry)
        activation, penalty = str(entry["final_activation"]), float(entry.get("reg_weight", 0.0))
        return NativeNetwork(native, activation, entry["out_channels"], weights, penalty)
    own = users_path(entry)
    if own is None:
        channels = entry.get("out_channels")
        return NativeNetwork(Native([dict(entry)]), channels=channels if type(channels) is int else None, weights="")
    path, args = own
    channels = next((args[name] for name in _CHANNELS if type(args.get(name)) is int), None)
    if target == _USER_MODULE and path in portable and all(map(is_safe_key, args)):
        return NativeNetwork(Native([{"_target_": f"scripts.{path}", **args}]), channels=channels, weights="")
    return _stand_in(path, entry, channels, facts)


def _common(entry: Mapping[str, Any], name: str, **more: Any) -> dict[str, Any]:
    numbers = {name: entry[name] for name in ("spatial_dims", "in_channels", "out_channels")}
    return {
        "_target_": f"{_NETS}.{name}",
        **numbers,
        **{key: value for key, value in more.items() if value is not None},
    }


def _norm(norm: Any, channels: Sequence[int]) -> Any:
    """Return a normalisation as MONAI's networks take it, its groups such that they divide all channels."""
    if isinstance(norm, (list, tuple)) and str(norm[0]).lower() == "group":
        return ["group", {"num_groups": math.gcd(*channels, int(norm[1]["num_groups"]))}]
    return norm or ""


def _unet(entry: Mapping[str, Any]) -> tuple[Native, str | None]:
    encoder, decoder = list(entry["encoder_channels"]), list(entry["decoder_channels"])
    filters = [decoder[-1], *encoder]
    if len(encoder) == 1:  # DynUNet has at least two halvings
        filters.append(2 * filters[-1])
    levels = len(filters)
    strides = [1, *[2] * len(encoder), *[1] * (levels - 1 - len(encoder))]
    network = _common(
        entry,
        "DynUNet",
        kernel_size=[3] * levels,
        strides=strides,
        upsample_kernel_size=strides[1:],
        filters=filters,
        dropout=entry["dropout_prob"] or None,
        norm_name=_norm(entry["norm"], filters),
        act_name=["relu", {"inplace": True}],
    )
    text = (
        "The same number of halvings, with two convolutions at each size and transposed convolutions on the way back, "
        f"and other first weights; {_ANEW}."
    )
    return Native([network], text), None


def _segresnet(entry: Mapping[str, Any]) -> tuple[Native, str | None]:
    widths = [entry["init_filters"] * 2**level for level in range(len(entry["blocks_down"]))]
    network = _common(
        entry,
        "SegResNet",
        **{name: entry[name] for name in ("init_filters", "blocks_down", "blocks_up")},
        norm=_norm(entry["norm"], widths),
        dropout_prob=entry["dropout_prob"] or None,
    )
    text = f"Strided convolutions are padded on both sides, and the first weights are torch's; {_ANEW}."
    if entry.get("vae_image_size"):
        text += " The branch that reconstructs the image is left out, and with it its part of the loss."
    return Native([network], text), None


def _ahnet(entry: Mapping[str, Any]) -> tuple[Native, str | None]:
    network = _common(
        entry,
        "AHNet",
        psp_block_num=4 if entry["psp"] else 0,
        upsample_mode="bilinear" if entry["spatial_dims"] == 2 else "trilinear",
    )
    moved = entry["anisotropic_axis"] not in (-1, entry["spatial_dims"] - 1)
    text = f"The slices lie along the last axis, where they lay along axis {entry['anisotropic_axis']}; {_ANEW}."
    return Native([network], text if moved else ""), None if moved else "net."


def _densenet(entry: Mapping[str, Any]) -> tuple[Native, str | None]:
    network = _common(entry, "DenseNet121", dropout_prob=entry["dropout_prob"])
    return Native([network], "The first weights are torch's, where they were TensorFlow's."), "net."


def _alexnet(entry: Mapping[str, Any]) -> tuple[Native, str | None]:
    text = f"A stand-in: MONAI has no AlexNet, so this is a DenseNet121; {_ANEW}."
    return Native([_common(entry, "DenseNet121", dropout_prob=entry["dropout_prob"])], text), None


NETWORKS: dict[str, Callable[[Mapping[str, Any]], tuple[Native, str | None]]] = {
    f"{_ENGINE}.unet.ClaraUNet": _unet,
    f"{_ENGINE}.segresnet.ClaraSegResNet": _segresnet,
    f"{_ENGINE}.ahnet.ClaraAHNet": _ahnet,
    f"{_ENGINE}.densenet.ClaraDenseNet121": _densenet,
    f"{_ENGINE}.alexnet.ClaraAlexNet": _alexnet,
}
"""What makes the native form of each network of the catalogue."""


def _stand_in(path: str, entry: Mapping[str, Any], channels: int | None, facts: Facts) -> NativeNetwork:
    """Return a network of the right sizes in the place of the user's own, which needs Clara."""
    told = entry.get("data_property") or {}
    sizes = [int(size) for size in entry.get("spatial_size") or facts.size]
    numbers = {
        "spatial_dims": told.get("num_data_dims") or facts.spatial_dims,
        "in_channels": told.get("num_channels") or facts.in_channels or 1,
        "out_channels": channels or facts.classes,
    }
    if facts.classifies or told.get("task") == "classification":
        network = {"_target_": f"{_NETS}.DenseNet121", **numbers}
    else:
        deep = max(n for n in range(4) if all(size % 2**n == 0 and size > 2**n for size in sizes) or n == 0)
        network = {
            "_target_": f"{_NETS}.UNet",
            **numbers,
            "channels": [16 * 2**level for level in range(max(deep, 1) + 1)],
            "strides": [2 if deep else 1] * max(deep, 1),
            "num_res_units": 2,
            "norm": "instance",
        }
    name = target_of(network).rpartition(".")[2]
    text = (
        f"A stand-in that must be ported: {path} needs Clara, so a {name} of the same sizes is in its place; {_ANEW}."
    )
    activation = (
        "sigmoid"
        if numbers["out_channels"] == 1 or (facts.label_format and set(facts.label_format) == {1})
        else "softmax"
    )
    return NativeNetwork(Native([network], text), activation, numbers["out_channels"])
