"""What reading a config of any kind has in common: files, overrides, variables, typed top level.

Sections and keys: clara-3.1 facts, sections 1.2 and 1.3.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from clara_compat.common.files import is_folder
from clara_compat.config.components import Catalogue, ComponentSpec
from clara_compat.config.overrides import Overrides, parse_overrides
from clara_compat.config.paths import JSONPath
from clara_compat.config.positions import COMMAND_LINE, Located, read_json
from clara_compat.config.problems import Notice, Problems
from clara_compat.config.settings import typed_settings
from clara_compat.config.user_roots import UserRoots, search_roots
from clara_compat.config.variables import (
    DOCUMENTED,
    nearest_known,
    resolve_variables,
    substitute,
    used_names,
    workflow_variables,
)
from clara_compat.errors import Address, ClaraError

__all__ = ["Loading", "Workflow", "find_config", "open_config"]

Settings = TypeVar("Settings", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A config, resolved: what configs of all kinds have.

    Args:
        file: the config file.
        mmar: absolute path of the MMAR's folder.
        variables: all variables, typed, ``MMAR_`` paths joined.
        notices: oddities the user should see.
        undefined: names of variables that had no value, by the path of what became None.
        roots: where user code was looked for.
        document: the config with its variables put in, and its positions.
    """

    file: Path
    mmar: Path
    variables: dict[str, Any]
    notices: list[Notice]
    undefined: Mapping[JSONPath, str]
    roots: UserRoots = field(repr=False)
    document: Located = field(repr=False)

    def address(self, *path: str | int) -> Address:
        """Where the value at a JSON path stands."""
        return self.document.address(*path)

    @property
    def ckpt_dir(self) -> Path:
        """The folder of the weights, and of a training's results.

        Raises:
            ClaraError: ``MMAR_CKPT_DIR`` is empty.
        """
        if not (folder := self.variables["MMAR_CKPT_DIR"]):
            raise ClaraError("MMAR_CKPT_DIR is empty: name the folder of the weights and the results", self.address())
        return Path(str(folder))

    @property
    def specs(self) -> list[ComponentSpec]:
        """All components in the order of the sections' keys."""
        raise NotImplementedError(f"{type(self).__name__} does not say what components it has")

    @property
    def user_roots(self) -> list[str]:
        """Folders to import user code from, in the order it was searched, those of the used classes included."""
        used = [spec.user.root for spec in self.specs if spec.user]
        return [str(_absolute(root)) for root in dict.fromkeys([*self.roots.ordered, *used])]


@dataclass
class Loading:
    """The state of reading one config.

    Args:
        file: the config file.
        mmar: absolute path of the MMAR's folder.
        document: the config; its variables are put in by :meth:`typed`.
        environment: the environment file, or None.
        commands: what ``--set`` says.
        roots: where user code may lie.
        catalogue: the built-in components.
        user_code_required: whether a user module that is not found is an error rather than a notice.
        problems: takes every error and notice.
        undefined: variables without a value, by path.
        variables: all variables, once they are put in.
    """

    file: Path
    mmar: Path
    document: Located
    environment: Located | None
    commands: Overrides
    roots: UserRoots
    catalogue: Catalogue
    user_code_required: bool = True
    problems: Problems = field(default_factory=Problems)
    undefined: Mapping[JSONPath, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)

    def typed(self, settings: type[Settings], sections: Collection[str]) -> Settings | None:
        """Put overrides and variables into the document and return its typed top level, None after an error.

        Args:
            settings: names and types of the top level.
            sections: keys that hold components, and what else is no setting.
        """
        self.document = self.commands.apply(self.document, self.problems)
        environment = self.environment.data if self.environment else {}
        self._unknown_variables(environment)
        raw = self.document.data
        self.variables = resolve_variables(raw, environment, self.commands.variables, self.mmar)
        substituted = substitute(raw, self.variables, self.document.address, self.problems)
        self.undefined = substituted.undefined
        own = [(name,) for name in self.commands.variables if name not in sections]
        self.document = self.document.with_data(substituted.data, own)
        data = self.document.data
        winners = {**environment, **self.commands.variables}.keys()
        self.variables |= {key: data[key] for key in workflow_variables(raw) if key not in winners}
        # A first-level value that --set or the environment gives is theirs, whatever the config says.
        values = {**data, **{key: self.variables[key] for key in winners}}
        found = typed_settings(settings, values, self.undefined, self._setting_address, self.problems)
        self._unknown_keys(raw, {*DOCUMENTED, *settings.model_fields, *sections})
        return found

    def workflow_fields(self) -> dict[str, Any]:
        """Return the fields of a :class:`Workflow`.

        Raises:
            ClaraError: what is wrong; several things at once as :class:`~clara_compat.config.problems.ConfigErrors`.
        """
        self.problems.raise_any()
        notices = [*self.document.notices, *(self.environment.notices if self.environment else [])]
        return {
            "file": self.file,
            "mmar": self.mmar,
            "variables": self.variables,
            "notices": [*notices, *self.problems.notices],
            "undefined": self.undefined,
            "roots": self.roots,
            "document": self.document,
        }

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

    def _unknown_keys(self, raw: Mapping[str, Any], known: set[str]) -> None:
        """Notices on top-level keys nobody reads."""
        used = used_names(raw)
        ignored = [key for key in raw if key not in known and key not in used and not key.startswith(("_", "MMAR_"))]
        self.problems.ignored(ignored, known, self.document.address)


def open_config(
    config: str | Path,
    *,
    mmar: str | Path | None = None,
    env: str | Path | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    user_code_required: bool = True,
    user_code: bool = True,
    catalogue: Catalogue | None = None,
) -> Loading:
    """Read a config and its environment.

    Args:
        config: the config file; a relative one is looked up from here, then from the MMAR.
        mmar: the MMAR's folder; by default the parent of the config's folder when that is called ``config``, else the
            config's folder.
        env: the environment file, looked up like the config; by default ``config/environment.json`` of the MMAR.
        overrides: ``K=V`` texts of ``--set``, or a mapping of typed values.
        user_code_required: whether a user module that is not found is an error rather than a notice.
        user_code: whether the config may name user code.
        catalogue: the built-in components; those of this package when None.

    Raises:
        ClaraError: a file cannot be read, or an override is none.
    """
    commands = parse_overrides(overrides)
    file = find_config(config, mmar)
    root = _mmar_of(file) if mmar is None else _absolute(mmar)
    return Loading(
        file=file,
        mmar=root,
        document=read_json(file, shown=str(config)),
        environment=_environment(env, root),
        commands=commands,
        roots=search_roots(root, file.parent, allowed=user_code),
        catalogue=catalogue or Catalogue.installed(),
        user_code_required=user_code_required,
    )


def find_config(config: str | Path, mmar: str | Path | None) -> Path:
    """A file a legacy script names: relative to here, else to the MMAR.

    Raises:
        ClaraError: ``mmar`` is given and is no folder.
    """
    if mmar is not None and not is_folder(mmar):
        raise ClaraError(
            "the MMAR is not a folder; give the folder that holds config/, commands/, ...", Address(str(mmar))
        )
    given = Path(config)
    if not os.path.exists(given) and mmar is not None and os.path.exists(Path(mmar) / given):
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
    return read_json(default) if os.path.lexists(default) else None
