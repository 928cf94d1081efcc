"""The typed training workflow: everything a config says, resolved and checked, before anything runs.

Sections and keys: clara-3.1 facts, sections 1.5 to 1.7.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clara_compat.config.components import Catalogue, ComponentSpec
from clara_compat.config.overrides import Overrides, parse_overrides
from clara_compat.config.paths import JSONPath
from clara_compat.config.positions import COMMAND_LINE, Located, read_json
from clara_compat.config.problems import ConfigErrors, Notice, Problems
from clara_compat.config.sections import TrainSection, ValidateSection, build_sections
from clara_compat.config.settings import Determinism, TrainSettings, typed_settings
from clara_compat.config.user_code import UserRoots, search_roots
from clara_compat.config.variables import (
    DOCUMENTED,
    nearest_known,
    resolve_variables,
    substitute,
    used_names,
    workflow_variables,
)
from clara_compat.errors import Address, ClaraError, suggestion

__all__ = [
    "ComponentSpec",
    "ConfigErrors",
    "Determinism",
    "Notice",
    "TrainSection",
    "TrainSettings",
    "TrainWorkflow",
    "ValidateSection",
    "find_config",
    "load_train_workflow",
]


_EVALUATION_KEYS = ("model_loader", "val_metrics", "writers", "label_transforms", "post_transforms")
"""Keys that only a config of ``nvmidl.apps.evaluate`` has."""


@dataclass(frozen=True)
class TrainWorkflow:
    """A training config, resolved.

    Args:
        file: the config file.
        mmar: absolute path of the MMAR's folder.
        variables: all variables, typed, ``MMAR_`` paths joined.
        settings: the typed top level.
        train: what is trained.
        validate: how it is validated, or None.
        notices: oddities the user should see.
        undefined: names of variables that had no value, by the path of what became None.
        roots: where user code was looked for.
        document: the config with its variables put in, and its positions.
    """

    file: Path
    mmar: Path
    variables: dict[str, Any]
    settings: TrainSettings
    train: TrainSection
    validate: ValidateSection | None
    notices: list[Notice]
    undefined: Mapping[JSONPath, str]
    roots: UserRoots = field(repr=False)
    document: Located = field(repr=False)

    def address(self, *path: str | int) -> Address:
        """Where the value at a JSON path stands."""
        return self.document.address(*path)

    @property
    def specs(self) -> list[ComponentSpec]:
        """All components in the order of the sections' keys."""
        train, validate = self.train, self.validate
        found = [train.loss, train.optimizer, train.lr_policy, train.model, *train.pre_transforms]
        found += [*train.batch_transforms, train.image_pipeline, *train.aux_ops, *train.handlers]
        if validate:
            found += [*validate.metrics, *validate.pre_transforms, validate.image_pipeline, validate.inferer]
        return [spec for spec in found if spec is not None]

    @property
    def user_roots(self) -> list[str]:
        """Folders to import user code from, in the order it was searched, those of the used classes included."""
        used = [spec.user.root for spec in self.specs if spec.user]
        return [str(_absolute(root)) for root in dict.fromkeys([*self.roots.ordered, *used])]


def load_train_workflow(
    config: str | Path,
    *,
    mmar: str | Path | None = None,
    env: str | Path | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    user_code_required: bool = True,
    catalogue: Catalogue | None = None,
) -> TrainWorkflow:
    """Read, resolve and check a training config. User code is never imported, nothing is run.

    Args:
        config: the config file; a relative one is looked up from here, then from the MMAR.
        mmar: the MMAR's folder; by default the parent of the config's folder when that is called ``config``, else the
            config's folder.
        env: the environment file, looked up like the config; by default ``config/environment.json`` of the MMAR.
        overrides: ``K=V`` texts of ``--set``, or a mapping of typed values.
        user_code_required: whether a user module that is not found is an error rather than a notice.
        catalogue: the built-in components; those of this package when None.

    Raises:
        ClaraError: what is wrong; several things at once as
            :class:`~clara_compat.config.problems.ConfigErrors`.
    """
    commands = parse_overrides(overrides)
    file = find_config(config, mmar)
    root = _mmar_of(file) if mmar is None else _absolute(mmar)
    written = read_json(file, shown=str(config))
    environment = _environment(env, root)
    loading = _Loading(
        file=file,
        mmar=root,
        document=written,
        environment=environment,
        commands=commands,
        roots=search_roots(root, file.parent),
        catalogue=catalogue or Catalogue.installed(),
        user_code_required=user_code_required,
    )
    try:
        return loading.workflow()
    except RecursionError as error:
        raise ClaraError("lists and objects are nested too deeply", Address(str(config))) from error


def find_config(config: str | Path, mmar: str | Path | None) -> Path:
    """A file a legacy script names: relative to here, else to the MMAR.

    Raises:
        ClaraError: ``mmar`` is given and is no folder.
    """
    if mmar is not None and not Path(mmar).is_dir():
        raise ClaraError(
            "the MMAR is not a folder; give the folder that holds config/, commands/, ...", Address(str(mmar))
        )
    given = Path(config)
    if not given.exists() and mmar is not None and (Path(mmar) / given).exists():
        return Path(mmar) / given
    return given


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 -- resolve() would follow the user's links


def _mmar_of(file: Path) -> Path:
    folder = _absolute(file).parent
    return folder.parent if folder.name == "config" else folder


def _environment(env: str | Path | None, mmar: Path) -> Located | None:
    if env is not None:
        return read_json(find_config(env, mmar), shown=str(env))
    default = mmar / "config" / "environment.json"
    return read_json(default) if default.is_file() else None


@dataclass
class _Loading:
    """The state of one :func:`load_train_workflow`."""

    file: Path
    mmar: Path
    document: Located
    environment: Located | None
    commands: Overrides
    roots: UserRoots
    catalogue: Catalogue
    user_code_required: bool
    problems: Problems = field(default_factory=Problems)
    undefined: Mapping[JSONPath, str] = field(default_factory=dict)

    def workflow(self) -> TrainWorkflow:
        self.document = self.commands.apply(self.document, self.problems)
        environment = self.environment.data if self.environment else {}
        self._refuse_evaluation()
        self._unknown_variables(environment)
        raw = self.document.data
        variables = resolve_variables(raw, environment, self.commands.variables, self.mmar)
        substituted = substitute(raw, variables, self.document.address, self.problems)
        self.undefined = substituted.undefined
        own = [(name,) for name in self.commands.variables if name not in ("train", "validate")]
        self.document = self.document.with_data(substituted.data, own)
        data = self.document.data
        winners = {**environment, **self.commands.variables}.keys()
        variables |= {key: data[key] for key in workflow_variables(raw) if key not in winners}
        # A first-level value that --set or the environment gives is theirs, whatever the config says.
        values = {**data, **{key: variables[key] for key in winners}}
        settings = typed_settings(values, self.undefined, self._setting_address, self.problems)
        self._unknown_keys(raw)
        train, validate = build_sections(
            self.document, self.undefined, self.roots, self.catalogue, self.problems, self.user_code_required
        )
        self.problems.raise_any()
        if settings is None or train is None:
            raise RuntimeError("a workflow without settings or train section, and no error that says so")
        notices = [
            *self.document.notices,
            *(self.environment.notices if self.environment else []),
            *self.problems.notices,
        ]
        return TrainWorkflow(
            file=self.file,
            mmar=self.mmar,
            variables=variables,
            settings=settings,
            train=train,
            validate=validate,
            notices=notices,
            undefined=self.undefined,
            roots=self.roots,
            document=self.document,
        )

    def _refuse_evaluation(self) -> None:
        found = next((key for key in _EVALUATION_KEYS if key in self.document.data), None)
        if found is not None and "train" not in self.document.data:
            raise ClaraError(
                "this is a config for evaluation or inference, which is not supported yet: give a training config",
                self.document.address(found),
            )

    def _setting_address(self, name: str, *below: str | int) -> Address:
        if self.environment and name in self.environment.data and name not in self.commands.variables:
            return self.environment.address(name, *below)
        return self.document.address(name, *below)

    def _unknown_variables(self, environment: Mapping[str, Any]) -> None:
        for name in self.commands.variables:
            known, near = nearest_known(name, self.document.data, environment)
            if not known:
                hint = f"; did you mean '{near}'?" if near else ""
                self.problems.notice(f"nothing uses the variable '{name}'{hint}", Address(COMMAND_LINE, None, name))

    def _unknown_keys(self, raw: Mapping[str, Any]) -> None:
        """Notices on top-level keys nobody reads."""
        known = {*DOCUMENTED, *TrainSettings.model_fields, "train", "validate"}
        used = used_names(raw)
        for key in raw:
            if key not in known and key not in used and not key.startswith(("_", "MMAR_")):
                self.problems.notice(f"the key '{key}' is ignored{suggestion(key, known)}", self.document.address(key))
