"""Write an MMAR as a MONAI bundle."""

from __future__ import annotations

import inspect
import os
import pydoc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from clara_compat.common.files import save_json
from clara_compat.config.positions import read_json
from clara_compat.config.problems import Notice
from clara_compat.config.user_files import files_of, trusted
from clara_compat.errors import ClaraError
from clara_compat.report.bundle_entries import entries_of
from clara_compat.report.bundle_readme import BundleFacts, bundle_readme
from clara_compat.report.migration import MigrationReport
from clara_compat.report.migration_page import write_report
from clara_compat.run.bundle_folder import (
    bring_files,
    bring_scripts,
    bring_weights,
    left_behind,
    licence_of,
    new_folder,
)
from clara_compat.run.check import check
from clara_compat.run.metadata import bundle_metadata
from clara_compat.run.migrated_configs import START, Configs, migrated_configs
from clara_compat.run.migration_report import collect
from clara_compat.run.native_bundle import NativeBundle, native_bundle, rename_weights
from clara_compat.run.outputs import LOGGING_CONF, OUTPUTS
from clara_compat.run.strangers_json import number, text
from clara_compat.run.strangers_json import read_json as read_data
from clara_compat.translate.native.native import Difference

__all__ = ["MigrateResult", "migrate"]

_LICENSE = """The licence of this bundle is its owner's to choose: replace this file.

It holds a configuration, and it may hold code and weights, of the owner of the Clara Train MMAR that it was made from.
MONAI (https://github.com/Project-MONAI/MONAI) and clara-compat, which it runs with, are under the Apache License 2.0.
"""
_RUNS = {"train": "trains", "evaluate": "measures the weights on the data list", "inference": "runs single images"}


@dataclass(frozen=True)
class MigrateResult:
    """What a migration wrote.

    Args:
        folder: the bundle.
        configs: its configs by name: ``train``, ``evaluate``, ``inference``.
        contents: its files and folders, and what each is.
        needs: what its entries point at in this package, with how many do.
        differences: of a native bundle, for each config what differs from the exact one.
        notices: what the user should know.
    """

    folder: Path
    configs: dict[str, dict[str, Any]] = field(repr=False)
    contents: dict[str, str]
    needs: dict[str, int]
    differences: dict[str, list[Difference]] = field(repr=False)
    notices: list[Notice] = field(default_factory=list)


def migrate(
    out: str | os.PathLike[str],
    mmar: str | os.PathLike[str] | None = None,
    configs: Sequence[str | os.PathLike[str]] = (),
    env: str | os.PathLike[str] | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    native: bool = False,
) -> MigrateResult:
    """Write the training and the evaluation of an MMAR as a MONAI bundle.

    The configs are the very ones that ``train``, ``evaluate`` and ``infer`` run; only the folders at their top are the
    bundle's. No user code is imported, the data need not be there, and nothing of the MMAR is changed.

    Args:
        out: folder of the bundle; it must not exist, or be empty.
        mmar: root folder of the MMAR; by default the folder above the config's ``config`` folder.
        configs: a training config, one for evaluation, or both, relative to the working folder or to the MMAR; by
            default ``config/config_train.json`` and ``config/config_validation.json``.
        env: the environment file; by default the MMAR's ``config/environment.json``.
        overrides: what ``--set`` takes.
        native: put MONAI's nearest class in the place of every entry that points into this package.

    Returns:
        what was written, what in it needs this package, and what the user should know.

    Raises:
        ClaraError: something of the user's must be mended; nothing was written.

    Example::

        migrate("my_bundle", "my_mmar", native=True).differences["train"]
    """
    found = migrated_configs(configs, mmar=_path(mmar), env=_path(env), overrides=overrides)
    made = native_bundle(found) if native else None
    if made is not None and made.weights is None and found.weights:
        told = "the native network is another one: the weights do not fit it and stay behind; train the bundle anew"
        found.notices.append(Notice(found.workflows[0].address(), told))
    named = _data_lists(found)
    if named and not any(file.is_file() for file in named):
        told = f"the data list {named[0]} is not here: give the bundle DATA_ROOT and DATASET_JSON when it is run"
        found.notices.append(Notice(found.workflows[0].address(), told))
    folder = Path(out)
    scripts, outside = trusted(files_of(found.classes, found.roots), found.mmar, found.roots)
    staying = [
        *(
            f"'{below}', which a config names, stays in the MMAR: copy it into the bundle"
            for below in left_behind(list(found.configs.values()), found.mmar, outputs=found.outputs)
        ),
        *(
            f"{file} is a link that leads out of the MMAR: it stays there, copy what it leads to into scripts/"
            for file in outside
        ),
    ]
    found.notices += [Notice(found.workflows[0].address(), told) for told in staying]
    content = _Content(found, made, scripts, _path(env))
    try:
        with new_folder(folder) as filling:
            content.write(filling, folder.resolve().name)
    except OSError as error:
        raise ClaraError(f"the bundle '{folder}' cannot be written: {error.strerror}: {error.filename}") from error
    return MigrateResult(
        folder, content.configs, content.described(), content.needs, content.differences, found.notices
    )


class _Content:
    """What goes into a bundle.

    Args:
        found: the exact configs and what belongs to them.
        native: the configs in plain MONAI, or None.
        scripts: files of the user's code by their places below ``scripts/``.
        env: the environment file, or None.
    """

    def __init__(
        self, found: Configs, native: NativeBundle | None, scripts: Mapping[Path, Path], env: Path | None
    ) -> None:
        self.found = found
        self.native = native
        self.scripts = scripts
        self.env = env
        self.configs = found.configs if native is None else native.configs
        self.differences = {} if native is None else native.differences
        self.needs: dict[str, int] = {}
        for config in self.configs.values():
            for _, target in entries_of(config, "clara_compat."):
                self.needs[target] = self.needs.get(target, 0) + 1
        self.weights = {
            place: file
            for place, file in found.weights.items()
            if native is None or (native.starts if place.startswith(f"{START}/") else native.weights is not None)
        }

    def write(self, folder: Path, name: str) -> None:
        """Write everything into a folder.

        Raises:
            OSError: it cannot be written.
        """
        found = self.found
        for kind, config in self.configs.items():
            save_json(config, folder / "configs" / f"{kind}.json")
        first = next(iter(found.configs.values()))
        metadata = bundle_metadata(
            first,
            name=name,
            data_list=_data_list(found),
            numbers=found.numbers,
            scores=_scores(self.weights.get("model.pt")),
            native=self.native is not None,
        )
        save_json(metadata, folder / "configs/metadata.json")
        (folder / "configs/logging.conf").write_text(LOGGING_CONF)
        bring_weights(self.weights, folder / "models")
        if self.native is not None and self.native.weights:
            for place in self.weights:
                rename_weights(folder / "models" / place, self.native.weights)
        bring_scripts(self.scripts, folder / "scripts")
        files = bring_files(list(self.configs.values()), found.mmar, folder, outputs=found.outputs)
        (folder / "LICENSE").write_text(licence_of(found.mmar) or _LICENSE, encoding="utf-8")
        facts = BundleFacts(
            name=name,
            configs=self.configs,
            sources=[str(workflow.file) for workflow in found.workflows],
            scripts=[str(script) for script in self.scripts],
            weights=sorted(str(file.relative_to(folder / "models")) for file in (folder / "models").rglob("*.*")),
            files=files,
            notices=[str(notice) for notice in found.notices],
            native=self.native is not None,
            differences=[
                (f"{kind}.json: {one.entry}", one.was, one.now, one.text)
                for kind, differences in self.differences.items()
                for one in differences
            ],
            version=version("clara-compat"),
            monai=version("monai"),
            described={target: _described(target) for target in self.needs},
        )
        (folder / "docs").mkdir()
        (folder / "docs/README.md").write_text(bundle_readme(facts), encoding="utf-8")
        write_report(self._report(), folder / "docs")

    def described(self) -> dict[str, str]:
        """Return what is in the bundle, by file."""
        names = ", ".join(self.weights)
        scripts = ", ".join(map(str, self.scripts))
        needs = "how it differs" if self.native is not None else "what needs clara_compat"
        return {
            **{f"configs/{name}.json": _RUNS[name] for name in self.configs},
            "configs/metadata.json": "what the network takes and gives",
            "configs/logging.conf": "what is logged",
            "models/": f"weights: {names}" if names else "weights go here: there are none yet",
            **({"scripts/": f"your own code: {scripts}"} if scripts else {}),
            "docs/README.md": f"how it is run, what can be changed, {needs}",
            "docs/report.html": "what became of each component, what is left to do; report.json has the same as data",
            "LICENSE": "yours to choose",
        }

    def _report(self) -> MigrationReport:
        """Return what became of each component."""
        found = self.found
        checked = [
            check(workflow.file, found.mmar, self.env, overrides, data=False)
            for workflow, overrides in zip(found.workflows, found.overrides, strict=True)
        ]
        names = ["train" if workflow is found.training else "evaluate" for workflow in found.workflows]
        bundles = [
            replace(found.bundles[name], config=found.configs[name]) if name in found.bundles else None
            for name in names
        ]
        differences = None if self.native is None else [self.differences.get(name, []) for name in names]
        return collect(checked, bundles, differences, users=found.classes)


def _scores(weights: Path | None) -> dict[str, float]:
    """Return what the best weights of a training reached by its key metric, as the training beside them says."""
    if weights is None:
        return {}
    stats = read_data(weights.parent / OUTPUTS["stats"], [])
    name, value = text(stats.get("key_metric")), number(stats.get("best_value"))
    return {name: value} if name and value is not None else {}


def _data_list(found: Configs) -> Mapping[str, Any] | None:
    """Return the data list file, where it is on this machine."""
    for file in _data_lists(found):
        if file.is_file():
            try:
                return read_json(file).data
            except ClaraError:  # the run itself says so
                continue
    return None


def _data_lists(found: Configs) -> list[Path]:
    """Return the data list files that the configs name."""
    named = (one.variables.get("DATASET_JSON") for one in found.workflows)
    return [Path(str(one)) for one in dict.fromkeys(named) if one]


def _described(target: str) -> str:
    """Return the first sentence of what a class or function says of itself."""
    text = inspect.getdoc(pydoc.locate(target)) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _path(value: str | os.PathLike[str] | None) -> Path | None:
    return None if value is None else Path(value)
