"""``docs/README.md`` of a bundle: how it is run, what can be changed, and what in it is not stock MONAI."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clara_compat.report.markdown import code_span, escaped, prose, table

__all__ = ["BundleFacts", "bundle_readme", "entries_of"]

_VARIABLES = {
    "bundle_root": "folder of the bundle; the commands below are given in it",
    "DATA_ROOT": "folder of the images",
    "DATASET_JSON": "the data list",
    "ckpt_dir": "where weights and statistics go",
    "output_dir": "where results go",
    "dataset_dir": "folder of the images",
    "epochs": "length of the training",
    "learning_rate": "the initial learning rate",
    "val_interval": "epochs between validations",
    "seed": "of weights, dropout and everything random in the data",
}
"""What may be given on the command line, and what it is."""

_COMMANDS = {
    "train": ("Train", "weights in `models/`: `model.pt` (best), `final_model.pt`"),
    "evaluate": ("Evaluate", "metrics of each case and of all"),
    "inference": ("Infer", "`predictions/`, a result for every image in `input/`"),
}


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
    described: Mapping[str, str] = field(default_factory=dict)


def bundle_readme(facts: BundleFacts) -> str:
    """Return the page as Markdown."""
    title = f"# {escaped(' '.join(facts.name.split()))}"
    parts = [title, _introduction(facts), *_running(facts), *_variables(facts), *_contents(facts)]
    parts += _differences(facts) if facts.native else _own_entries(facts)
    if facts.notices:
        parts += ["## What to know", "\n".join(f"- {escaped(' '.join(notice.split()))}" for notice in facts.notices)]
    return "\n\n".join(parts) + "\n"


def entries_of(config: Any, prefix: str, place: str = "") -> Iterator[tuple[str, str]]:
    """Find the entries that point into a package.

    Args:
        config: a bundle config, or part of one.
        prefix: of what they point at.
        place: id of the part.

    Yields:
        The id of an entry and what it points at.
    """
    if isinstance(config, Mapping):
        target = config.get("_target_")
        if isinstance(target, str) and target.startswith(prefix):
            yield place, target
        for name, value in config.items():
            yield from entries_of(value, prefix, f"{place}#{name}" if place else str(name))
    elif isinstance(config, (list, tuple)):
        for index, value in enumerate(config):
            yield from entries_of(value, prefix, f"{place}#{index}")


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
    package = "monai[fire,ignite,nibabel,tqdm,tensorboard]" if facts.native else "clara-compat"
    yield f"In this folder, with `{package}` installed:"
    lines = []
    for name, (what, leaves) in _COMMANDS.items():
        if name in facts.configs:
            figures = "; train_stats.json" if name == "train" and not facts.native else ""
            lines += [
                f"# {what}: {leaves.replace('`', '')}{figures}",
                f"python -m monai.bundle run --config_file configs/{name}.json --meta_file configs/metadata.json \\",
                "    --logging_file configs/logging.conf",
                "",
            ]
    yield "```bash\n" + "\n".join(lines).strip() + "\n```"
    yield "Any entry can be changed on the command line, those inside others by their path:"
    example = "--epochs 5 --DATA_ROOT /data/spleen --DATASET_JSON /data/spleen/dataset.json"
    name, deep = (
        ("train", "train#dataloader#num_workers") if "train" in facts.configs else ("evaluate", "dataloader#batch_size")
    )
    command = f"python -m monai.bundle run --config_file configs/{name}.json"
    yield f"```bash\n{command} {example}\n{command} '--{deep}' 2\n```"


def _variables(facts: BundleFacts) -> Iterator[str]:
    yield "## What can be changed at the top of the configs"
    rows = []
    for name, meaning in _VARIABLES.items():
        values = {str(config[name]): one for one, config in reversed(list(facts.configs.items())) if name in config}
        rows += [[code_span(name), code_span(value), f"{one}.json", meaning] for value, one in values.items()]
    yield _table(["entry", "value", "in", "meaning"], rows)


def _contents(facts: BundleFacts) -> Iterator[str]:
    yield "## What is in it"
    rows = [[code_span(f"configs/{name}.json"), "config"] for name in facts.configs]
    rows += [[code_span(f"scripts/{name}"), "your own code, unchanged"] for name in facts.scripts]
    rows += [[code_span(f"models/{name}"), "weights"] for name in facts.weights]
    rows += [[code_span(name), "a file of the MMAR that a config names"] for name in facts.files]
    yield _table(["file", "what it is"], rows)
    if facts.scripts:
        yield "Files that your code opens by itself do not come along: copy them by hand."


def _own_entries(facts: BundleFacts) -> Iterator[str]:
    """List what needs clara_compat."""
    yield "## Entries that need clara_compat"
    found: dict[str, list[str]] = {}
    for name, config in facts.configs.items():
        for place, target in entries_of(config, "clara_compat."):
            found.setdefault(target, []).append(f"{name}.json: {place}")
    if not found:
        yield "None: everything in it is stock MONAI or torch."
        return
    yield (
        "They have Clara's exact mathematics or life-cycle, which MONAI's nearest class has not. "
        "`clara-compat migrate --native` puts the nearest MONAI class in place of each and says how it differs."
    )
    rows = [
        [code_span(target), prose(facts.described.get(target, "")), _places(places)]
        for target, places in sorted(found.items())
    ]
    yield _table(["points at", "what it is", "entry"], rows)


def _differences(facts: BundleFacts) -> Iterator[str]:
    """List what differs, alike entries in one row, then what became MONAI's class without a difference."""
    yield "## How it differs from what clara_compat runs"
    rows: dict[tuple[str, str, str], list[str]] = {}
    for entry, *what in facts.differences:
        rows.setdefault((what[0], what[1], what[2]), []).append(entry)
    differs = [
        [code_span(was), code_span(now) if now else "left out", _sentence(text), _places(entries)]
        for (was, now, text), entries in rows.items()
        if text
    ]
    same = [
        [code_span(was), code_span(now) if now else "not needed", _places(entries)]
        for (was, now, text), entries in rows.items()
        if not text
    ]
    if differs:
        yield _table(["was", "is now", "how the results differ", "entry"], differs)
    else:
        yield "Not at all: every entry is stock MONAI or torch with the same mathematics."
    if same:
        yield "These give the same results as before:"
        yield _table(["was", "is now", "entry"], same)


def _sentence(text: str) -> str:
    """Return a difference as a sentence."""
    line = " ".join(text.split())
    return escaped(line[:1].upper() + line[1:].rstrip(".") + ".")


def _places(entries: Sequence[str]) -> str:
    return code_span(entries[0]) + _more(len(entries) - 1)


def _more(number: int) -> str:
    return "" if number == 0 else f" and {number} more"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(table(head, rows))
