"""Collect what a migration has to tell, from checked configs and what they became."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from clara_compat.common.files import readable_json
from clara_compat.config.components import ComponentSpec
from clara_compat.config.paths import format_path, parse_path
from clara_compat.config.problems import Notice
from clara_compat.config.user_code import UserClass
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.errors import Address, ClaraError
from clara_compat.report.bundle_entries import entries_of
from clara_compat.report.migration import (
    DOES_NOT_RUN,
    LOOK,
    NOTHING,
    PORT,
    REPLACE,
    ComponentReport,
    ConfigReport,
    Effort,
    EntryText,
    MigrationReport,
    NativeText,
    Remark,
)
from clara_compat.run.check import CheckReport, Row
from clara_compat.run.migration_code import file_reports, is_plain
from clara_compat.run.migration_entries import entries_of_components, entry_at
from clara_compat.run.migration_settings import setting_reports
from clara_compat.run.seeds import seeds_of
from clara_compat.translate.bundle import Bundle, Seeds
from clara_compat.translate.chain import built_in_base
from clara_compat.translate.native.native import Difference
from clara_compat.translate.train import translate_train

__all__ = ["collect"]

_PACKAGES = ("clara-compat", "monai", "torch", "pytorch-ignite", "numpy")
_MOST_LINES = 60
"""Of a component's legacy text."""
_AROUND = 2
"""Lines shown before and after the one that an error names."""
_WIDEST = 160


def collect(
    checked: Sequence[CheckReport],
    bundles: Sequence[Bundle | None] = (),
    differences: Sequence[Sequence[Difference]] | None = None,
    *,
    users: Sequence[UserClass] = (),
    when: datetime | None = None,
) -> MigrationReport:
    """Say of each component of some configs what it became and what is left to do.

    Args:
        checked: what :func:`clara_compat.run.check.check` found in each config; one that does not run is reported, too.
        bundles: what each became, in the same order; where it is not given, what can be translated is, here.
        differences: how the bundle of plain MONAI differs from each of them; None where none was made.
        users: classes of the user's that are needed besides those that the configs name.
        when: date of the report; now by default.
    """
    whole = [*bundles, *[None] * (len(checked) - len(bundles))]
    native = [*(differences or ()), *[()] * (len(checked) - len(differences or ()))]
    workflows = [one.workflow for one in checked if one.workflow is not None]
    names = _Names(workflows[0].mmar if workflows else None)
    configs = [_Config(*given, names).report() for given in zip(checked, whole, native, strict=True)]
    moment = (when or datetime.now(timezone.utc)).astimezone(timezone.utc)
    return MigrationReport(
        name=names.mmar.name if names.mmar is not None else ", ".join(config.file for config in configs),
        configs=tuple(configs),
        files=tuple(file_reports(workflows, names.file, users)),
        versions={"Python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        date=f"{moment:%Y-%m-%d %H:%M} UTC",
        native=differences is not None,
    )


@dataclass(frozen=True)
class _Names:
    """Names of files without the folders of this machine.

    Args:
        mmar: absolute path of the MMAR's folder, or None.
    """

    mmar: Path | None

    def file(self, file: str | Path) -> str:
        """Return a file's name below the MMAR; of one elsewhere, its name as it was given or its last part."""
        path = Path(file)
        if self.mmar is not None and path.absolute().is_relative_to(self.mmar):
            return path.absolute().relative_to(self.mmar).as_posix()
        return path.name if path.is_absolute() else str(file)

    def address(self, address: Address) -> Address:
        """Return an address with the file's short name."""
        return address if address.file.startswith("--") else replace(address, file=self.file(address.file))

    def text(self, text: str) -> str:
        """Return a text in which the MMAR's folder is ``{MMAR_ROOT}``."""
        root = str(self.mmar or "")
        return text.replace(root, "{MMAR_ROOT}") if root.strip("/") else text


@dataclass
class _Config:
    """Collects one config."""

    checked: CheckReport
    bundle: Bundle | None
    differences: Sequence[Difference]
    names: _Names
    matched: set[str] = field(default_factory=set)

    def report(self) -> ConfigReport:
        checked, workflow = self.checked, self.checked.workflow
        told = ConfigReport(
            file=self.names.file(checked.config),
            kind="unreadable",
            errors=tuple(self._remark(error.message, error.address) for error in checked.errors),
            limits=tuple(self._remark(limit.message, limit.address) for limit in checked.limits),
            notices=tuple(self._notices(checked.notices)),
        )
        if workflow is None:
            return told
        bundle = self.bundle or self._translated()
        rows = checked.rows
        ids = [()] * len(rows) if bundle is None else entries_of_components(workflow, bundle)
        components = [
            self._component(spec, row, one, bundle) for spec, row, one in zip(workflow.specs, rows, ids, strict=True)
        ]
        settings = [
            replace(
                one,
                address=self.names.address(one.address),
                value=self.names.text(one.value),
                entries=tuple(replace(entry, text=self.names.text(entry.text)) for entry in one.entries),
            )
            for one in setting_reports(workflow, bundle)
        ]
        elsewhere = [self._native(one) for one in self.differences if one.entry not in self.matched]
        return replace(
            told,
            kind="training" if isinstance(workflow, TrainWorkflow) else "evaluation",
            components=tuple(components),
            settings=tuple(settings),
            elsewhere=tuple(elsewhere),
        )

    def _translated(self) -> Bundle | None:
        """Return what the config becomes, where it can be translated."""
        checked = self.checked
        if checked.bundle is not None or not isinstance(checked.workflow, TrainWorkflow) or checked.limits:
            return checked.bundle
        try:
            return _translated(checked.workflow)
        except ClaraError:  # it is among the errors that check found
            return None

    def _component(self, spec: ComponentSpec, row: Row, ids: Sequence[str], bundle: Bundle | None) -> ComponentReport:
        entries = [] if bundle is None else [(one, entry_at(bundle.config, one)) for one in ids]
        fidelity = DOES_NOT_RUN if row.fidelity == "not yet" else row.fidelity
        effort, reason = _effort(spec, row)
        path = parse_path(spec.address.path) if spec.document is not None else ()
        overridden = sorted(spec.document.overridden if spec.document else (), key=str)
        return ComponentReport(
            address=self.names.address(spec.address),
            name=row.component,
            legacy=self._legacy(spec),
            becomes=row.becomes,
            fidelity=fidelity,
            difference=_difference(spec, row),
            effort=effort,
            reason=reason,
            overridden=tuple(format_path(one) for one in overridden if path and one[: len(path)] == path),
            entries=tuple(EntryText(one, self.names.text(readable_json(entry))) for one, entry in entries),
            needs=tuple(
                dict.fromkeys(target for _, entry in entries for _, target in entries_of(entry, "clara_compat."))
            ),
            native=tuple(self._native(one) for one in self.differences if _belongs(one.entry, ids)),
        )

    def _legacy(self, spec: ComponentSpec) -> str:
        text = "" if spec.document is None else spec.document.written(*parse_path(spec.address.path))
        lines = [line[:_WIDEST] for line in text.splitlines()]
        more = len(lines) - _MOST_LINES
        return "\n".join([*lines[:_MOST_LINES], *([f"… {more} more lines"] if more > 0 else [])])

    def _native(self, one: Difference) -> NativeText:
        self.matched.add(one.entry)
        return NativeText(one.entry, self.names.text(one.was), self.names.text(one.now), self.names.text(one.text))

    def _notices(self, notices: Iterable[Notice]) -> list[Remark]:
        found = [Remark(self.names.text(one.text), self.names.address(one.address)) for one in notices]
        return list(dict.fromkeys(found))

    def _remark(self, text: str, address: Address | None) -> Remark:
        if address is None:
            return Remark(self.names.text(text))
        return Remark(self.names.text(text), self.names.address(address), _lines_around(address))


def _translated(workflow: TrainWorkflow) -> Bundle:
    """Translate a training; its seeds are those of the config, or stand for those that a run draws."""
    determinism = workflow.settings.determinism
    seeds = Seeds(0, 0, 0, 0) if determinism is None else seeds_of(determinism)
    return translate_train(workflow, seeds, workflow.ckpt_dir)


def _lines_around(address: Address) -> str:
    """Return the lines around an address with their numbers; none where the file is not found under its name."""
    if address.line is None:
        return ""
    try:
        lines = Path(address.file).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        return ""
    first, last = max(1, address.line - _AROUND), min(len(lines), address.line + _AROUND)
    numbers = range(first, last + 1)
    return "\n".join(
        f"{'>' if number == address.line else ' '} {number:>{len(str(last))}}  {lines[number - 1][:_WIDEST]}"
        for number in numbers
    )


def _belongs(entry: str, ids: Iterable[str]) -> bool:
    """Whether an entry is one of a component's, or below one."""
    return any(entry == one or entry.startswith(f"{one}#") for one in ids)


def _difference(spec: ComponentSpec, row: Row) -> str:
    """Return the difference in words; of a user's class that changes nothing of a built-in, also the built-in's."""
    base = None if spec.user is None else built_in_base(spec.user)
    if base is not None and row.becomes == base.becomes and base.fidelity.note:
        return f"{row.note}: {base.fidelity.note}"
    return row.note


def _effort(spec: ComponentSpec, row: Row) -> tuple[Effort, str]:
    if row.fidelity == "not yet":
        return REPLACE, row.note
    if spec.user is not None or row.fidelity == "user code":
        return _own_effort(spec, row)
    if row.fidelity == "exact":
        return NOTHING, "it does what Clara's documentation says"
    if row.fidelity == "approximate":
        return LOOK, "it does what Clara's documentation says, with this difference"
    return LOOK, "Clara's documentation does not say this; it was chosen here"


def _own_effort(spec: ComponentSpec, row: Row) -> tuple[Effort, str]:
    if spec.user is None:
        return PORT, "its file was not found here, so it was not looked at"
    if spec.user.is_module and is_plain(spec.user.file):
        return NOTHING, "a plain module of torch or MONAI: it goes along as it is"
    if row.fidelity != "user code":
        return (
            PORT,
            f"it changes nothing of the component it derives from: {row.becomes} can take its place",
        )
    return PORT, "it runs through clara_compat, which goes away with it"
