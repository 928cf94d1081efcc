"""Write the reference: what the classes of the catalogue and the TensorFlow facade say about themselves, as pages."""

from __future__ import annotations

import inspect
import json
import os
import re
from pathlib import Path
from typing import Any, get_type_hints

from clara_compat.common.files import replacing
from clara_compat.components import catalogue
from clara_compat.components.component import Component
from clara_compat.components.not_yet import NOT_YET
from clara_compat.components.renamed import DONE_BY_LOADER, RENAMED
from clara_compat.config.arguments import describe
from clara_compat.errors import ClaraError
from clara_compat.report.guide import becomes_page, not_accepted_page
from clara_compat.report.reference import Argument, Described, OldName, Reference, components_page, fidelity_page
from clara_compat.report.tensorflow import Provided, tensorflow_page
from clara_compat.run.native_reference import native_forms
from clara_compat.translate.not_accepted import NOT_ACCEPTED

__all__ = ["described", "docstring_arguments", "docstring_text", "pages", "reference", "write_reference"]

_SECTIONS = ("Args:", "Raises:", "Returns:", "Example:", "Example::")
_FOR_READERS_OF_THE_CODE = re.compile(r"^Takes the arguments of\b|\bclara-3\.1\b")


def write_reference(folder: str | os.PathLike[str]) -> list[Path]:
    """Write ``COMPONENTS.md``, ``FIDELITY.md``, ``TENSORFLOW.md`` and two pages of the migration guide.

    Args:
        folder: where they go; made when missing.

    Returns:
        Their paths.

    Raises:
        ClaraError: they cannot be written.
    """
    written = []
    for name, text in pages().items():
        path = Path(folder) / name
        try:
            with replacing(path) as stream:
                stream.write(text.encode())
        except OSError as error:
            raise ClaraError(f"'{path}' cannot be written: {error.strerror or error}; name another folder") from error
        written.append(path)
    return written


def pages() -> dict[str, str]:
    """Return the pages by their file names."""
    from clara_compat.tensorflow.namespace import all_symbols, same_modules

    whole = reference()
    provided = [Provided(one.name, one.note) for one in all_symbols().values()]
    return {
        "COMPONENTS.md": components_page(whole),
        "FIDELITY.md": fidelity_page(whole),
        "TENSORFLOW.md": tensorflow_page(provided, same_modules()),
        "migration/components.md": becomes_page(whole, native_forms()),
        "migration/what-is-not-accepted.md": not_accepted_page(_not_accepted(), NOT_YET),
    }


def reference() -> Reference:
    """Return what the pages are made from, of the whole catalogue."""
    renamed = [
        OldName(name, one.name, one.arguments, one.dropped, "Clara's own list" if one.documented else "assumed")
        for name, one in RENAMED.items()
    ]
    done = [
        OldName(name, "", {}, (), f"the loader keeps {what} with the image") for name, what in DONE_BY_LOADER.items()
    ]
    return Reference(
        families=catalogue.FAMILIES,
        components=[described(cls) for cls in catalogue.components().values()],
        old_names=sorted([*renamed, *done], key=lambda one: one.name),
        not_yet=NOT_YET,
    )


def _not_accepted() -> dict[str, list[tuple[str, str, str]]]:
    return {title: [(one.what, one.why, one.instead) for one in group] for title, group in NOT_ACCEPTED.items()}


def described(cls: type[Component]) -> Described:
    """Return what a component's class says about itself.

    Raises:
        ValueError: an argument of the constructor has no meaning in the docstring of the class or of a base.
    """
    constructor: Any = cls.__init__
    if constructor is object.__init__:
        parameters, hints = [], {}
    else:
        parameters = list(inspect.signature(constructor).parameters.values())[1:]
        hints = get_type_hints(constructor)
    meanings: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        meanings |= docstring_arguments(base.__dict__.get("__doc__") or "")
    missing = [one.name for one in parameters if one.name not in meanings]
    if missing:
        raise ValueError(f"{cls.__name__} does not say what its arguments mean: {', '.join(missing)}")
    return Described(
        name=cls.__name__,
        family=catalogue.family(cls),
        path=catalogue.legacy_path(cls),
        text=docstring_text(cls.__doc__ or ""),
        arguments=[
            Argument(one.name, _kind(hints.get(one.name, Any)), _default(one.default), meanings[one.name])
            for one in parameters
        ],
        becomes=cls.becomes,
        level=cls.fidelity.level,
        note=cls.fidelity.note,
    )


def docstring_text(doc: str) -> list[str]:
    """Return the paragraphs before the first section, without the sentences that are for readers of the code."""
    paragraphs = []
    for paragraph in inspect.cleandoc(doc).split("\n\n"):
        if paragraph.startswith(_SECTIONS):
            break
        text = re.sub(r"\bSource: .*|\s*\([^()]*\bclara-3\.1\b[^()]*\)", "", " ".join(paragraph.split()))
        sentences = re.split(r"(?<=[.;:]) (?=[A-Z`])", text)
        kept = " ".join(one for one in sentences if not _FOR_READERS_OF_THE_CODE.search(one)).strip()
        if kept:
            paragraphs.append(kept)
    return paragraphs


def docstring_arguments(doc: str) -> dict[str, str]:
    """Return the meanings of the arguments in the ``Args`` section of a Google docstring."""
    _, found, section = inspect.cleandoc(doc).partition("Args:\n")
    meanings: dict[str, str] = {}
    for line in section.splitlines() if found else ():
        if line and not line.startswith(" "):
            break
        start = re.match(r" {4}\*{0,2}(\w+): (.*)", line)
        if start:
            name = start[1]
            meanings[name] = start[2]
        elif line.strip() and meanings:
            meanings[name] += " " + line.strip()
    return meanings


def _kind(annotation: Any) -> str:
    return "" if annotation is Any else describe(annotation)


def _default(value: Any) -> str | None:
    """Return a default as a config writes it; a type by its name."""
    if value is inspect.Parameter.empty:
        return None
    return json.dumps(value, default=lambda one: one.__name__)
