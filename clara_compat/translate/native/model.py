"""The network, the loss and the optimizer of a training, and what they let others know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from clara_compat.translate.native.facts import Facts, facts_of
from clara_compat.translate.native.loss_form import LossForm
from clara_compat.translate.native.losses import LOSSES, native_loss, stand_in_loss
from clara_compat.translate.native.native_config import Notes, is_ours, target_of, users_path
from clara_compat.translate.native.networks import NativeNetwork, native_network
from clara_compat.translate.native.optimizers import native_optimizer
from clara_compat.translate.render import is_safe_key

__all__ = ["Model", "native_model"]

_USER_MODULE = "clara_compat.engine.legacy.module.user_module"
_LOAD = "clara_compat.engine.fine_tuning.load_into"
_EXTRA = "clara_compat.engine.losses.extra.LossWithExtra"
_ON_DEVICE = "$@network_def.to(@device)"
_ACTIVATED = {"softmax": "torch.softmax(outputs, dim=1)", "sigmoid": "torch.sigmoid(outputs)"}


@dataclass(frozen=True)
class Model:
    """What is trained, and with what.

    Args:
        entries: ``network_def``, ``network``, the loss, ``optimizer``.
        facts: of the config, with those of the network.
        weights: as :class:`~clara_compat.translate.native.native_config.NativeConfig` has it.
        start_weights: file of weights that the training starts from; None where there is none that fits.
    """

    entries: dict[str, Any]
    facts: Facts
    weights: str | None
    start_weights: Any = None


def native_model(config: Mapping[str, Any], portable: Collection[str], notes: Notes) -> Model:
    """Return the model of a training.

    Args:
        config: the exact config.
        portable: paths of the user's classes that may come along.
        notes: takes what changes.
    """
    facts = facts_of(config)
    network = native_network(config["network_def"], facts, portable)
    facts = replace(facts, activation=network.activation, channels=network.channels)
    [definition] = notes.take("network_def", config["network_def"], network.native)
    loss, learning = _loss(config, facts, portable, notes)
    optimizer = native_optimizer(config["optimizer"], network.penalty, learning_loss=learning)
    [optimizing] = notes.take("optimizer", config["optimizer"], optimizer)
    extra = config["train"]["trainer"]["loss_function"]
    if target_of(extra) == _EXTRA:
        text = "Nothing that the network itself would add is in the loss." if not network.penalty else ""
        notes.add("train#trainer#loss_function", extra, "@loss", text)
    entries = {"network_def": definition, "network": _ON_DEVICE, **loss, "optimizer": optimizing}
    return Model(entries, facts, network.weights, _start_weights(config["network"], network, notes))


def _loss(
    config: Mapping[str, Any], facts: Facts, portable: Collection[str], notes: Notes
) -> tuple[dict[str, Any], str]:
    """Return the entries of the loss, and a reference to that of them which may have parameters that are trained."""
    place = "loss_def" if "loss_def" in config else "loss"
    entry, own = config[place], users_path(config[place])
    comes_along = own is not None and target_of(entry) == _USER_MODULE and own[0] in portable
    if own is not None and not (comes_along and all(map(is_safe_key, own[1]))):
        return _entries(stand_in_loss(own[0], facts), place, entry, notes), ""
    if own is None and target_of(entry) in LOSSES:
        return _entries(native_loss(entry, facts), place, entry, notes), ""
    kept = dict(entry) if own is None else {"_target_": f"scripts.{own[0]}", **own[1]}
    if own is not None:
        notes.add(place, entry, kept)
    activated = _ACTIVATED.get(facts.activation)
    if activated is None and place == "loss":
        return {"loss": kept}, ""
    if activated is None:
        return {"loss_def": kept, "loss": "$@loss_def.to(@device)"}, "" if own is None else "@loss"
    notes.add("loss", "@loss_def", "loss_def", "")
    loss = f"$lambda outputs, labels: @loss_def.to(@device)({activated}, labels)"
    return {"loss_def": kept, "loss": loss}, "" if own is None else "@loss_def"


def _entries(form: LossForm, place: str, entry: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    notes.add(
        place,
        entry,
        form.value if isinstance(form.value, dict) else list(form.more.values()) or "torch.nn.functional",
        form.difference,
    )
    return {**form.more, "loss": form.value}


def _start_weights(entry: Any, network: NativeNetwork, notes: Notes) -> Any:
    """Return the file of weights that the training starts from, where they fit as they are."""
    if target_of(entry) != _LOAD:
        if is_ours(entry):
            notes.add("network", entry, _ON_DEVICE)
        return None
    if network.weights == "" and str(entry["path"]).rstrip("'\"").endswith((".pt", ".pth")):
        notes.add("network", entry, "monai.networks.copy_model_state")
        return entry["path"]
    notes.add("network", entry, _ON_DEVICE, "The training starts from new weights: those of the file do not fit.")
    return None
