"""The bundle config of an evaluation, or of an inference, in plain MONAI."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clara_compat.translate.native.chain import noted_chain
from clara_compat.translate.native.data import native_data_list
from clara_compat.translate.native.evaluation_metrics import native_evaluation_metrics
from clara_compat.translate.native.facts import Facts, facts_of
from clara_compat.translate.native.inferers import native_inferer
from clara_compat.translate.native.initialize import native_finalize, native_initialize
from clara_compat.translate.native.native_config import NativeConfig, Notes, is_ours, target_of
from clara_compat.translate.native.networks import native_network
from clara_compat.translate.native.prediction import PRED, mentions, renamed
from clara_compat.translate.native.validation import named_metrics
from clara_compat.translate.native.variables import variables

__all__ = ["native_evaluate", "native_saved_network"]

_ITEMS = "clara_compat.engine.evaluation.cases.image_items"


@dataclass(frozen=True)
class _Chains:
    """The transforms of an evaluation.

    Args:
        before: of a case, in front of the network.
        after: of its prediction.
    """

    before: list[dict[str, Any]]
    after: list[dict[str, Any]]


def native_evaluate(config: Mapping[str, Any], *, portable: Collection[str] = ()) -> NativeConfig:
    """Return the config that evaluates, or infers, as another does, as nearly as MONAI and torch can.

    Args:
        config: of an evaluation or inference, as :func:`~clara_compat.translate.evaluate.translate_evaluate` makes it;
            it is not changed.
        portable: paths of the user's torch modules whose files need nothing of Clara: they become ``scripts.<path>``.

    Raises:
        ClaraError: a transform or a writer has no counterpart.
    """
    notes = Notes()
    network, facts, load, weights = native_saved_network(config, portable, notes)
    validates = config.get("label_preprocessing") is not None
    facts = replace(facts, classifies=_classifies(config))
    metrics, prepared = _metrics(config, facts, notes)
    chains = _chains(config, facts, notes, validates=validates)
    inferer, amp = native_inferer(config["inferer"], "inferer", notes)
    after = [*chains.after, *prepared]
    notes.add("dataset", config["dataset"], "Dataset", "Results of an earlier run are never taken: all is done anew.")
    notes.add("dataloader", config["dataloader"], "DataLoader")
    notes.add("step", config["step"], "SupervisedEvaluator")
    found = {
        **variables(config),
        **network,
        **_data(config["data"], notes, facts),
        "preprocessing": {"_target_": "Compose", "transforms": chains.before},
        "dataset": {"_target_": "Dataset", "data": "@data", "transform": "@preprocessing"},
        "dataloader": {
            "_target_": "DataLoader",
            "dataset": "@dataset",
            "batch_size": config["dataloader"]["batch_size"],
            "num_workers": 0,
        },
        "inferer": inferer,
        **({"postprocessing": {"_target_": "Compose", "transforms": after}} if after else {}),
        "handlers": [*load, *_handlers(config, bool(metrics), notes)],
        **_evaluator(config, metrics, amp=amp, posts=bool(after)),
        "initialize": native_initialize(config, notes),
        "run": config["run"],
        "finalize": native_finalize(config, notes),
    }
    imports = {"imports": [f"${statement}" for statement in notes.imports]} if notes.imports else {}
    return NativeConfig({**imports, **found}, notes.differences, weights)


def native_saved_network(
    config: Mapping[str, Any], portable: Collection[str], notes: Notes
) -> tuple[dict[str, Any], Facts, list[dict[str, Any]], str | None]:
    """Return the entries of the network, the facts, the handlers that load its weights, and whether those fit.

    Args:
        config: of an evaluation, of which ``network`` and ``network_def`` are read.
        portable: as :func:`native_evaluate` takes them.
        notes: takes what changes.
    """
    facts, entry = facts_of(config), config["network"]
    if "network_def" not in config:
        loaded = {"_target_": "torch.jit.load", "f": entry["file"], "map_location": "@device"}
        notes.add("network", entry, loaded)
        return {"network": loaded}, facts, [], ""
    network = native_network(config["network_def"], facts, portable)
    facts = replace(facts, activation=network.activation, channels=network.channels)
    entries = dict(zip(["network_def"], notes.take("network_def", config["network_def"], network.native), strict=True))
    text = ""
    if network.weights is None:
        text = "The file must hold weights of this network: those of the exact one do not fit."
    elif network.weights:
        text = f"The names in the file must not begin with '{network.weights}'."
    file = _weights(config) if network.weights is not None else "$@ckpt_dir + '/model.pt'"
    load = {"_target_": "CheckpointLoader", "load_path": file, "load_dict": {"model": "@network"}}
    notes.add("network", entry, load, text)
    return {**entries, "network": "$@network_def.to(@device)"}, facts, [load], network.weights


def _weights(config: Mapping[str, Any]) -> Any:
    """Return the file of the weights, below ``ckpt_dir`` where the config has it."""
    file = config["network"]["file"]
    if "ckpt_dir" not in config or str(file).startswith(("$", "@")):
        return file
    return f"$@ckpt_dir + {'/' + str(file).replace(chr(92), '/').rpartition('/')[2]!r}"


def _classifies(config: Mapping[str, Any]) -> bool:
    """Whether the label is a vector of numbers, which no transform loads."""
    chain = config.get("label_preprocessing") or {}
    if not chain:
        return facts_of(config).classifies
    return not any("load" in target_of(one).lower() and mentions(one, ["label"]) for one in chain["transforms"])


def _data(entry: Mapping[str, Any], notes: Notes, facts: Facts) -> dict[str, Any]:
    if target_of(entry) == _ITEMS:
        notes.add("data", entry, "data")
        files = {} if entry["images"] == "@images" else {"images": entry["images"]}
        return {**files, "data": "$[{'image': image} for image in @images]"}
    return native_data_list(entry, "data", "@datalist", notes, facts) if is_ours(entry) else {"data": entry}


def _chains(config: Mapping[str, Any], facts: Facts, notes: Notes, *, validates: bool) -> _Chains:
    """Return the transforms before and after the network.

    The label's chain stands before the network as far as nothing in it needs, or is compared with, what is made of the
    prediction.
    """
    images = config["preprocessing"]["transforms"]
    before = noted_chain(images, "preprocessing#transforms", notes, facts, ["image"])
    before.append({"_target_": "EnsureTyped", "keys": ["image"], "dtype": "$torch.float32"})
    post = [renamed(one) for one in config["postprocessing"]["transforms"]]
    after = [{"_target_": "Activationsd", "keys": PRED, **facts.activating}] if facts.activating else []
    after += noted_chain(post, "postprocessing#transforms", notes, facts)
    if config["step"]["writes"]:
        after += noted_chain([renamed(one) for one in config["writers"]], "writers", notes, facts)
    else:
        for number, writer in enumerate(config["writers"]):
            notes.add(f"writers#{number}", writer)
    if validates:
        labels = [renamed(one) for one in config["label_preprocessing"]["transforms"]]
        first = _first_of_results(labels, post, config)
        loaded = [] if facts.classifies else ["label"]
        form = noted_chain(labels, "label_preprocessing#transforms", notes, facts, loaded)
        cut = len(noted_chain(labels[:first], "", Notes(), facts, loaded))
        before += form[:cut]
        after += form[cut:]
        if facts.classifies:
            vector = "$lambda label: torch.as_tensor(label, dtype=torch.float32).reshape(-1)"
            before.append({"_target_": "Lambdad", "keys": ["label"], "func": vector, "track_meta": False})
    return _Chains(before, after)


def _first_of_results(labels: Sequence[Any], post: Sequence[Any], config: Mapping[str, Any]) -> int:
    """Return which transform of the label is the first that needs or makes what is compared with a prediction."""
    made = {text for one in post for text in one.get("output_keys", ())} | {PRED}
    compared = {str(metric.entry.get("label_field")) for metric in named_metrics(config["metrics"])} - {"label"}
    return next((n for n, one in enumerate(labels) if mentions(one, {*made, *compared})), len(labels))


def _metrics(config: Mapping[str, Any], facts: Facts, notes: Notes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if config.get("metrics") is None:
        return {}, []
    return native_evaluation_metrics(config["metrics"], config["postprocessing"]["transforms"], notes, facts)


def _handlers(config: Mapping[str, Any], measures: bool, notes: Notes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"_target_": "StatsHandler", "iteration_log": False}]
    if measures:
        files = "$lambda cases: [{'filename_or_obj': case['image'].meta['filename_or_obj']} for case in cases]"
        saver = {"_target_": "MetricsSaver", "save_dir": "@output_dir", "metrics": "*", "metric_details": "*"}
        found.append({**saver, "batch_transform": files})
    for number, handler in enumerate(config["handlers"]):
        report = "path" in handler
        now = "MetricsSaver" if report and measures else "" if report else "StatsHandler"
        text = (
            "Tables of the metrics and their values for each case, in the place of evaluate_stats.json."
            if now == "MetricsSaver"
            else ""
        )
        if not report:
            text = "Lines of the log are in the place of the progress bar."
        notes.add(f"handlers#{number}", handler, now, text)
    return found


def _evaluator(config: Mapping[str, Any], metrics: Mapping[str, Any], *, amp: bool, posts: bool) -> dict[str, Any]:
    """Return the metrics and the engine; the first metric is the key metric."""
    evaluator = config["evaluator"]
    engine: dict[str, Any] = {
        "_target_": "SupervisedEvaluator",
        **{name: evaluator[name] for name in ("device", "val_data_loader", "network")},
        "inferer": "@inferer",
        **({"postprocessing": "@postprocessing"} if posts else {}),
    }
    found: dict[str, Any] = {}
    if metrics:
        first, *others = metrics.items()
        found["key_metric"] = dict([first])
        engine["key_val_metric"] = "@key_metric"
        if others:
            found["additional_metrics"] = dict(others)
            engine["additional_metrics"] = "@additional_metrics"
    engine["val_handlers"] = "@handlers"
    engine |= {**({"mode": "train"} if config["step"]["training_mode"] else {}), **({"amp": True} if amp else {})}
    return {**found, "evaluator": engine}
