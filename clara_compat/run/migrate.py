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
from clara_compat.config.user_files import files_of
from clara_compat.errors import ClaraError
from clara_compat.report.bundle_readme import BundleFacts, bundle_readme, entries_of
from clara_compat.report.migration import MigrationReport
from clara_compat.report.migration_page import write_report
from clara_compat.run.bundle_folder import bring_files, bring_scripts, bring_weights, new_folder
from clara_compat.run.check import check
from clara_compat.run.metadata import bundle_metadata
from clara_compat.run.migrated_configs import Configs, migrated_configs
from clara_compat.run.migration_report import collect
from clara_compat.run.outputs import LOGGING_CONF

__all__ = ["MigrateResult", "migrate"]

_LICENSE = """The licence of this bundle is its owner's to choose: replace this file.

It holds a configuration, and it may hold code and weights, of the owner of the Clara Train MMAR that it was made from.
MONAI (https://github.com/Project-MONAI/MONAI) and clara-compat, which it runs with, are under the Apache License 2.0.
"""
_LICENCES = ("LICENSE", "LICENSE.txt", "LICENCE", "license.txt", "docs/license.txt")


@dataclass(frozen=True)
class MigrateResult:
    """What a migration wrote.

    Args:
        folder: the bundle.
        configs: its configs by name: ``train``, ``evaluate``, ``inference``.
        contents: its files and folders, and what each is.
        needs: what its entries point at in this package, with how many do.
        notices: what the user should know.
    """

    folder: Path
    configs: dict[str, dict[str, Any]] = field(repr=False)
    contents: dict[str, str]
    needs: dict[str, int]
    notices: list[Notice]


def migrate(
    out: str | os.PathLike[str],
    mmar: str | os.PathLike[str] | None = None,
    configs: Sequence[str | os.PathLike[str]] = (),
    env: str | os.PathLike[str] | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
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

    Raises:
        ClaraError: something of the user's must be mended; nothing was written.
    """
    found = migrated_configs(configs, mmar=_path(mmar), env=_path(env), overrides=overrides)
    folder = Path(out)
    scripts = files_of(found.classes, found.roots)
    needs: dict[str, int] = {}
    for config in found.configs.values():
        for _, target in entries_of(config, "clara_compat."):
            needs[target] = needs.get(target, 0) + 1
    try:
        with new_folder(folder) as filling:
            _fill(filling, folder.resolve().name, found, scripts, needs, _path(env))
    except OSError as error:
        raise ClaraError(f"the bundle '{folder}' cannot be written: {error.strerror}: {error.filename}") from error
    return MigrateResult(folder, found.configs, _contents(found, scripts), needs, found.notices)


def _fill(
    folder: Path,
    name: str,
    found: Configs,
    scripts: Mapping[Path, Path],
    needs: Mapping[str, int],
    env: Path | None,
) -> None:
    for kind, config in found.configs.items():
        save_json(config, folder / "configs" / f"{kind}.json")
    save_json(bundle_metadata(_main(found), name=name, data_list=_data_list(found)), folder / "configs/metadata.json")
    (folder / "configs/logging.conf").write_text(LOGGING_CONF)
    bring_weights(found.weights, folder / "models")
    bring_scripts(scripts, folder / "scripts")
    files = bring_files(list(found.configs.values()), found.mmar, folder, outputs=_outputs(found))
    licence = next((found.mmar / one for one in _LICENCES if (found.mmar / one).is_file()), None)
    (folder / "LICENSE").write_text(_LICENSE if licence is None else licence.read_text(errors="replace"))
    facts = BundleFacts(
        name=name,
        configs=found.configs,
        sources=[str(workflow.file) for workflow in found.workflows],
        scripts=[str(script) for script in scripts],
        weights=sorted(str(file.relative_to(folder / "models")) for file in (folder / "models").rglob("*.*")),
        files=files,
        notices=[str(notice) for notice in found.notices],
        version=version("clara-compat"),
        described={target: _described(target) for target in needs},
    )
    (folder / "docs").mkdir()
    (folder / "docs/README.md").write_text(bundle_readme(facts), encoding="utf-8")
    write_report(_report(found, env), folder / "docs")


def _report(found: Configs, env: Path | None) -> MigrationReport:
    """Return what became of each component."""
    checked = [
        check(workflow.file, found.mmar, env, overrides, data=False)
        for workflow, overrides in zip(found.workflows, found.overrides, strict=True)
    ]
    names = ["train" if workflow is found.training else "evaluate" for workflow in found.workflows]
    bundles = [
        replace(found.bundles[name], config=found.configs[name]) if name in found.bundles else None for name in names
    ]
    return collect(checked, bundles)


def _contents(found: Configs, scripts: Mapping[Path, Path]) -> dict[str, str]:
    """Return what is in the bundle."""
    runs = {"train": "trains", "evaluate": "measures the weights on the data list", "inference": "runs single images"}
    weights = f"weights: {', '.join(found.weights)}" if found.weights else "weights go here: there are none yet"
    return {
        **{f"configs/{name}.json": runs[name] for name in found.configs},
        "configs/metadata.json": "what the network takes and gives",
        "configs/logging.conf": "what is logged",
        "models/": weights,
        **({"scripts/": f"your own code: {', '.join(map(str, scripts))}"} if scripts else {}),
        "docs/README.md": "how it is run, what can be changed, what needs clara_compat",
        "docs/report.html": "what became of each component, and what is left to do; report.json has the same as data",
        "LICENSE": "yours to choose",
    }


def _main(found: Configs) -> dict[str, Any]:
    """Return the config that says most of the network."""
    return next(iter(found.configs.values()))


def _data_list(found: Configs) -> Mapping[str, Any] | None:
    """Return the data list file, where it is on this machine."""
    named = (workflow.variables.get("DATASET_JSON") for workflow in found.workflows)
    for file in (Path(str(one)) for one in named if one):
        if file.is_file():
            try:
                return read_json(file).data
            except ClaraError:  # the run itself says so
                continue
    return None


def _outputs(found: Configs) -> list[Path]:
    """Return the folders of the MMAR that runs write to."""
    names = ("MMAR_CKPT_DIR", "MMAR_EVAL_OUTPUT_PATH")
    return [Path(str(one.variables[name])) for one in found.workflows for name in names if one.variables.get(name)]


def _described(target: str) -> str:
    """Return the first sentence of what a class or function says of itself."""
    text = inspect.getdoc(pydoc.locate(target)) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _path(value: str | os.PathLike[str] | None) -> Path | None:
    return None if value is None else Path(value)
