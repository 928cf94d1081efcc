"""``docs/README.md`` of a bundle: how it is run, what can be changed, and what in it is not stock MONAI."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clara_compat.report.bundle_entries import differing_entries, entries_of, needed_entries
from clara_compat.report.markdown import code_span, escaped, table

__all__ = ["BundleFacts", "bundle_readme"]

_VARIABLES = {
    "bundle_root": "folder of the bundle, for commands that are given in another folder",
    "DATA_ROOT": "folder that the paths in the data list start from",
    "DATASET_JSON": "the data list",
    "ckpt_dir": "where a training leaves its weights, and where the others look for them",
    "output_dir": "where results go",
    "dataset_dir": "folder of the images",
    "start_weights": "weights that the training starts from",
    "network#path": "weights that the training starts from",
    "epochs": "length of the training",
    "learning_rate": "the initial learning rate",
    "val_interval": "epochs between validations, at least 1; without a validation there is no model.pt",
    "seed": "of weights, dropout and everything random in the data",
    "resume": "`true` goes on from `models/checkpoint.pt`, where there is one",
    "network#file": "weights that are used",
}
"""What may be given on the command line, and what it is."""

_COMMANDS = {
    "train": "Train: weights go to models/: model.pt (best), final_model.pt",
    "evaluate": "Evaluate {weights} on the data list: metrics of each case and of all go to eval/",
    "inference": "Run {weights} on every image in input/: results go to predictions/",
}
_IS = {
    "train": "the training",
    "evaluate": "the evaluation, with labels",
    "inference": "the same for single images, without labels",
}
_PACKAGES = "monai[fire,ignite,nibabel,tqdm,tensorboard]"


@dataclass(frozen=True)
class BundleFacts:
    """What the page tells.

    Args:
        name: of the bundle.
        configs: the bundle's configs by name.
        sources: the legacy config files, as the user named them.
        scripts: files of the user's code below ``scripts/``.
        weights: files below ``models/``.
        files: further files of the MMAR that came along.
        notices: what the user should know, a sentence each.
        differences: of a native bundle, (entry, what it was, what stands there, how it differs).
        native: the bundle needs no clara_compat.
        version: of clara_compat.
        monai: version of MONAI.
        described: what the entries' targets are, in a sentence each.
    """

    name: str
    configs: Mapping[str, Mapping[str, Any]]
    sources: Sequence[str]
    scripts: Sequence[str] = ()
    weights: Sequence[str] = ()
    files: Sequence[str] = ()
    notices: Sequence[str] = ()
    differences: Sequence[tuple[str, str, str, str]] = ()
    native: bool = False
    version: str = ""
    monai: str = ""
    described: Mapping[str, str] = field(default_factory=dict)


def bundle_readme(facts: BundleFacts) -> str:
    """Return the page as Markdown."""
    title = f"# {escaped(' '.join(facts.name.split()))}"
    parts = [title, _introduction(facts), *_running(facts), *_variables(facts), *_contents(facts)]
    parts += differing_entries(facts.differences) if facts.native else needed_entries(facts.configs, facts.described)
    if facts.notices:
        parts += ["## What to know", "\n".join(f"- {escaped(' '.join(notice.split()))}" for notice in facts.notices)]
    return "\n\n".join(parts) + "\n"


def _introduction(facts: BundleFacts) -> str:
    needs = (
        "It needs MONAI and nothing of clara_compat; what that costs is listed below."
        if facts.native
        else "It runs with MONAI; entries that point at `clara_compat` keep Clara's mathematics and are listed below."
    )
    made = ", ".join(code_span(source) for source in facts.sources)
    return (
        f"A [MONAI bundle](https://docs.monai.io/en/stable/bundle_intro.html), made by clara-compat {facts.version} "
        f"from {made} of a Clara Train 3.1 MMAR. {needs} `report.html` beside this page shows what became of each "
        "component."
    )


def _running(facts: BundleFacts) -> Iterator[str]:
    yield "## Run it"
    if facts.native:
        yield f"In this folder, in an environment with MONAI:\n\n```bash\npip install '{_PACKAGES}=={facts.monai}'\n```"
    else:
        yield "In this folder, in an environment with clara-compat:"
    lines = []
    for name, what in _COMMANDS.items():
        if name in facts.configs:
            figures = "; train_stats.json" if name == "train" and not facts.native else ""
            lines += [
                f"# {what.format(weights=_weights(facts.configs[name]))}{figures}",
                f"python -m monai.bundle run --config_file configs/{name}.json --meta_file configs/metadata.json \\",
                "    --logging_file configs/logging.conf",
                "",
            ]
    yield "```bash\n" + "\n".join(lines).strip() + "\n```"
    if "train" in facts.configs:
        yield (
            "A training takes the place of the `model.pt` and `final_model.pt` that are there: keep a copy."
            if facts.native
            else "What an earlier training left in `models/`, and the weights that came along, are kept in "
            "`models/previous_1/` and so on. A training that was interrupted goes on with `--resume true`."
        )
    yield "Any entry can be changed on the command line, those inside others by their path:"
    data = "--DATA_ROOT /data/spleen --DATASET_JSON /data/spleen/dataset.json"
    name, example, deep = (
        ("train", f"--epochs 5 --val_interval 1 {data}", "train#dataloader#num_workers")
        if "train" in facts.configs
        else ("evaluate", data, "dataloader#batch_size")
        if "evaluate" in facts.configs
        else ("inference", "--dataset_dir /data/new --output_dir /data/results", "inferer#sw_batch_size")
    )
    command = f"python -m monai.bundle run --config_file configs/{name}.json"
    elsewhere = (
        f"python -m monai.bundle run --config_file /bundles/mine/configs/{name}.json --bundle_root /bundles/mine"
    )
    yield f"```bash\n{command} {example}\n{command} '--{deep}' 2\n{elsewhere}\n```"
    yield (
        "A `#` in a value leads one level down in the config. In a path it is written as in Python: "
        r"""`--DATA_ROOT "$'/data/scan \x231'"`."""
    )


def _weights(config: Mapping[str, Any]) -> str:
    """Return the file of weights that a config uses, as its place in the bundle."""
    found = next(_texts(config, ("file", "load_path")), "")
    return f"models{_shown(found.rpartition(' + ')[2])}" if found.startswith("$@ckpt_dir + ") else "the network"


def _texts(value: Any, names: Sequence[str]) -> Iterator[str]:
    """Return the texts of entries of some names, wherever they stand."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        if name in names and isinstance(item, str):
            yield item
        yield from _texts(item, names)


def _variables(facts: BundleFacts) -> Iterator[str]:
    yield "## What can be changed"
    rows = []
    for name, meaning in _VARIABLES.items():
        found: dict[str, list[str]] = {}
        for config, entries in facts.configs.items():
            value = _value(entries, name)
            if value is not None and value != "@DATA_ROOT":  # DATA_ROOT itself is told
                found.setdefault(_shown(str(value)), []).append(config)
        for value, configs in found.items():
            where = ", ".join(f"{config}.json" for config in configs)
            rows.append([code_span(name), code_span(value), where, meaning])
    yield "\n".join(table(["entry", "value", "in", "meaning"], rows))


def _value(config: Mapping[str, Any], name: str) -> Any:
    """Return the entry of an id; None where there is none."""
    value: Any = config
    for part in name.split("#"):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _shown(value: str) -> str:
    """Return a text of a config as it is meant: one that had to be escaped is read back."""
    try:
        found = ast.literal_eval(value.removeprefix("$"))
    except (ValueError, SyntaxError):
        return value
    return found if isinstance(found, str) else value


def _contents(facts: BundleFacts) -> Iterator[str]:
    yield "## What is in it"
    rows = [[code_span(f"configs/{name}.json"), _IS[name]] for name in facts.configs]
    ported = [script for script in facts.scripts if facts.native and not _is_used(script, facts.configs)]
    for name in facts.scripts:
        what = (
            "your own code, which nothing here runs: it is for Clara, and to be ported"
            if name in ported
            else "your own code"
        )
        rows.append([code_span(f"scripts/{name}"), what])
    rows += [[code_span(f"models/{name}"), "weights"] for name in facts.weights]
    rows += [[code_span(name), "a file of the MMAR that a config names"] for name in facts.files]
    yield "\n".join(table(["file", "what it is"], rows))
    if len(facts.scripts) > len(ported):
        yield (
            "Files that your code opens by itself do not come along, and neither do packages that it imports: copy the "
            "files, and install the packages."
        )


def _is_used(script: str, configs: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether an entry of some native configs points into a file of the user's."""
    module = f"scripts.{script.removesuffix('.py').replace('/', '.')}."
    return any(True for config in configs.values() for _ in entries_of(config, module))
