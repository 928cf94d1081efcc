"""The ``train`` and ``validate`` sections: which components stand where, and which must be there.

Keys of the sections: clara-3.1 facts, sections 1.6 and 1.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from clara_compat.config.arguments import check_arguments
from clara_compat.config.components import Catalogue, ComponentResolver, ComponentSpec, Slot
from clara_compat.config.paths import JSONPath, format_path
from clara_compat.config.positions import Located
from clara_compat.config.problems import Problems
from clara_compat.config.user_roots import UserRoots
from clara_compat.config.variables import because

__all__ = ["TrainSection", "ValidateSection", "build_sections"]

_TRAIN = (
    Slot(("train", "loss"), "losses", single=True),
    Slot(("train", "optimizer"), "optimizers", single=True),
    Slot(("train", "lr_policy"), "lr_policies", single=True),
    Slot(("train", "model"), "models", single=True),
    Slot(("train", "pre_transforms"), "transforms"),
    Slot(("train", "batch_transforms"), "transforms"),
    Slot(("train", "image_pipeline"), "pipelines", single=True),
    Slot(("train", "aux_ops"), "aux_ops"),
    Slot(("train", "handlers"), "handlers"),
)
_VALIDATE = (
    Slot(("validate", "metrics"), "metrics"),
    Slot(("validate", "pre_transforms"), "transforms"),
    Slot(("validate", "image_pipeline"), "pipelines", single=True),
    Slot(("validate", "inferer"), "inferers", single=True),
)
_REQUIRED = {
    "train": ("loss", "model", "pre_transforms", "image_pipeline"),
    "validate": ("pre_transforms", "image_pipeline"),
}


@dataclass(frozen=True)
class TrainSection:
    """The ``train`` section, its components resolved."""

    loss: ComponentSpec
    optimizer: ComponentSpec
    model: ComponentSpec
    image_pipeline: ComponentSpec
    pre_transforms: list[ComponentSpec]
    batch_transforms: list[ComponentSpec] = field(default_factory=list)
    lr_policy: ComponentSpec | None = None
    aux_ops: list[ComponentSpec] = field(default_factory=list)
    handlers: list[ComponentSpec] = field(default_factory=list)


@dataclass(frozen=True)
class ValidateSection:
    """The ``validate`` section, its components resolved."""

    image_pipeline: ComponentSpec
    pre_transforms: list[ComponentSpec]
    metrics: list[ComponentSpec] = field(default_factory=list)
    inferer: ComponentSpec | None = None


def build_sections(
    document: Located,
    undefined: Mapping[JSONPath, str],
    roots: UserRoots,
    catalogue: Catalogue,
    problems: Problems,
    user_code_required: bool = True,
) -> tuple[TrainSection | None, ValidateSection | None]:
    """Resolve and check the components of both sections.

    Args:
        document: the config, variables put in.
        undefined: variables without a value, by path.
        roots: where user code may lie.
        catalogue: the built-in components.
        problems: takes every error and notice.
        user_code_required: whether user code that is not found is an error rather than a notice.

    Returns:
        The sections; the first is None only when there were errors, the second also when the config has none.
    """
    return _Sections(document, undefined, roots, catalogue, problems, user_code_required).build()


@dataclass
class _Sections:
    document: Located
    undefined: Mapping[JSONPath, str]
    roots: UserRoots
    catalogue: Catalogue
    problems: Problems
    user_code_required: bool
    broken: set[JSONPath] = field(default_factory=set)

    def build(self) -> tuple[TrainSection | None, ValidateSection | None]:
        data = self.document.data
        validated = data.get("validate") is not None
        sections = ("train", "validate") if validated else ("train",)
        for section in sections:
            if not isinstance(data.get(section), dict):
                what = "is missing" if section not in data else "is not an object"
                message = f"the section '{section}' {what}{because(self.undefined, (section,))}"
                self.problems.error(message, self.document.address(section))
        self._unknown_keys(data)
        slots = (*_TRAIN, *_VALIDATE) if validated else _TRAIN
        resolver = ComponentResolver(
            self.document, self.undefined, self.roots, self.catalogue, self.problems, self.user_code_required
        )
        found = resolver.resolve(slots)
        self.broken = resolver.broken
        complete = [self._complete(section, found) for section in sections]
        optimizer = self._optimizer(found, data)
        check_arguments((spec for specs in found.values() for spec in specs), self.problems)
        if optimizer is None or not all(complete) or self.problems.errors:
            return None, None
        found["train", "optimizer"] = [optimizer]
        train = TrainSection(**self._fields(_TRAIN, found))
        return train, ValidateSection(**self._fields(_VALIDATE, found)) if validated else None

    def _unknown_keys(self, data: Mapping[str, Any]) -> None:
        """Notices on keys nobody reads."""
        for section, slots in (("train", _TRAIN), ("validate", _VALIDATE)):
            names = [str(slot.path[1]) for slot in slots]
            content = data.get(section)
            known = {*names, "search", "apply"}
            keys = content if isinstance(content, dict) else ()
            ignored = [key for key in keys if key not in known and not key.startswith("_")]
            self.problems.ignored(ignored, names, partial(self.document.address, section), section)

    def _fields(self, slots: Sequence[Slot], found: Mapping[JSONPath, list[ComponentSpec]]) -> dict[str, Any]:
        return {
            str(slot.path[1]): next(iter(found[slot.path]), None) if slot.single else found[slot.path] for slot in slots
        }

    def _complete(self, section: str, found: Mapping[JSONPath, list[ComponentSpec]]) -> bool:
        """Whether the required components of a section are there; an error for each that nothing else explains."""
        content = self.document.data.get(section)
        if not isinstance(content, dict):
            return False
        complete = True
        for name in _REQUIRED[section]:
            path = (section, name)
            if found[path]:
                continue
            complete = False
            if not self._explained(path):
                there = content.get(name) is not None
                what = f"'{name}' has no enabled component" if there else f"{section} has no '{name}'"
                self.problems.error(f"{what}{because(self.undefined, path)}", self.document.address(*path))
        if section == "validate" and not found["validate", "metrics"] and not self._explained((section, "metrics")):
            text = "there are no metrics: validation cannot tell which model is best"
            self.problems.notice(text, self.document.address(section, "metrics"))
        return complete

    def _explained(self, path: JSONPath) -> bool:
        where = format_path(path)
        return path in self.broken or any(
            error.address and error.address.path.startswith(where) for error in self.problems.errors
        )

    def _optimizer(
        self, found: Mapping[JSONPath, list[ComponentSpec]], data: Mapping[str, Any]
    ) -> ComponentSpec | None:
        """The optimizer; Adam when the config has none, as Clara's trainer did (section 2.0)."""
        path = ("train", "optimizer")
        if found[path] or self._explained(path) or not isinstance(data.get("train"), dict):
            return next(iter(found[path]), None)
        adam = self.catalogue.components.get("Adam")
        if adam is None:
            self.problems.error("train has no 'optimizer'", self.document.address(*path))
            return None
        address = self.document.address(*path)
        self.problems.notice("train has no optimizer: Adam is used, as in Clara", address)
        args_path = (*path, "args")
        return ComponentSpec(
            "Adam", (), adam, None, {}, address, "train.optimizer", "Adam", document=self.document, args_path=args_path
        )
