"""What a page of the API reference shows says what it does, and what each of its arguments is."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from doctest import script_from_examples
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from clara_compat.run.reference import docstring_arguments

pytestmark = pytest.mark.skipif(find_spec("griffe") is None, reason="griffe is not installed: pip install '.[docs]'")

ROOT = Path(__file__).parents[2]
PROTOCOLS = {"attach": {"engine"}, "step": {"closure"}}
"""Methods that Ignite and torch call, with the arguments that mean what they do there."""


@pytest.fixture(scope="module")
def shown() -> list[Any]:
    """The classes and functions on the pages, as griffe reads them, by the rule of the site: what is public."""
    import griffe

    sys.path.insert(0, str(ROOT / "docs" / "build"))
    try:
        pages = import_module("api_pages").api_pages()
    finally:
        sys.path.pop(0)
    package = griffe.load("clara_compat", search_paths=[ROOT])
    names = [name for page in pages for name in page.names]
    return [one for name in names for one in _within(package[name.removeprefix("clara_compat.")]) if not one.is_module]


def _within(obj: Any) -> Iterator[Any]:
    yield obj
    if obj.is_function:
        return
    for member in obj.members.values():
        is_shown = not member.is_alias and not member.name.startswith("_") and member.is_public
        if is_shown and (member.is_class or member.is_function):
            yield from _within(member)


def _text(obj: Any) -> str:
    return obj.docstring.value if obj is not None and obj.docstring else ""


def _told(obj: Any) -> set[str]:
    """The arguments in the section of a docstring, and those that it names as code."""
    return {*docstring_arguments(_text(obj)), *re.findall(r"``\*{0,2}(\w+)``", _text(obj))}


def _missing(obj: Any) -> list[str]:
    """The arguments that neither a class or function, nor what it derives from or overrides, tells of."""
    if obj.is_class:
        given = [one.name for one in obj.parameters]
        told = {name for one in (obj, *obj.mro()) for name in _told(one) | _told(one.members.get("__init__"))}
    else:
        given = [one.name for one in obj.parameters]
        overridden = obj.parent.mro() if obj.parent.is_class else ()
        told = {name for one in (obj, *(base.members.get(obj.name) for base in overridden)) for name in _told(one)}
        told |= PROTOCOLS.get(obj.name, set())
    return [name for name in given if name not in ("self", "cls") and name.lstrip("*") not in told]


def test_all_of_it_says_what_it_does_in_one_sentence(shown: list[Any]) -> None:
    assert len(shown) > 600
    for one in shown:
        first = _text(one).partition("\n\n")[0].strip()
        assert first, one.path
        assert first.endswith((".", ":")), one.path


def test_all_of_it_says_what_its_arguments_are(shown: list[Any]) -> None:
    assert {one.path: missing for one in shown if (missing := _missing(one))} == {}


def test_no_argument_is_told_of_that_is_not_there(shown: list[Any]) -> None:
    for one in shown:
        if one.is_function:
            given = {parameter.name.lstrip("*") for parameter in one.parameters}
            assert set(docstring_arguments(_text(one))) <= given, one.path


def test_what_is_missing_is_seen(tmp_path: Path) -> None:
    import griffe

    code = '''
class Base:
    """A base.

    Args:
        size: voxels.
    """

    def __init__(self, size): ...

    def run(self, image):
        """Run.

        Args:
            image: (C, spatial...).
        """

class Other(Base):
    """Another."""

    def __init__(self, size, spacing): ...

    def run(self, image, mode):
        """Run it with ``image``."""
'''
    (tmp_path / "sample.py").write_text(code)
    module = griffe.load("sample", search_paths=[tmp_path])
    assert [_missing(module[name]) for name in ("Base", "Base.run", "Other", "Other.run")] == [
        [],
        [],
        ["spacing"],
        ["mode"],
    ]


def test_examples_are_python(shown: list[Any]) -> None:
    found = {one.path: re.search(r"Examples?::\n\n((?: {4}.*\n?|\n)+)", _text(one)) for one in shown}
    examples = {path: dedent(one[1]) for path, one in found.items() if one is not None}
    assert len(examples) > 30
    for path, text in examples.items():
        compile(script_from_examples(text) if ">>>" in text else text, path, "exec")
