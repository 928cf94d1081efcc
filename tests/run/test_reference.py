"""The reference of the catalogue is complete, true to the classes, and written anew when they change."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clara_compat.components.catalogue import components
from clara_compat.components.component import Component, exact
from clara_compat.components.losses.dice import Dice
from clara_compat.components.not_yet import NOT_YET
from clara_compat.components.renamed import DONE_BY_LOADER, RENAMED
from clara_compat.errors import ClaraError
from clara_compat.run.reference import (
    described,
    docstring_arguments,
    docstring_text,
    pages,
    write_reference,
)
from clara_compat.tensorflow.namespace import all_symbols, same_modules

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_pages_of_the_documentation_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], f"docs/{name} is stale: run `make docs`"


def test_what_else_was_imported_changes_nothing() -> None:
    code = "{}; import sys; from clara_compat.run.reference import pages; sys.stdout.write(''.join(pages().values()))"
    for first in ("pass", "import monai"):
        done = subprocess.run([sys.executable, "-c", code.format(first)], capture_output=True, text=True, check=True)
        assert done.stdout == "".join(pages().values()), first


def test_everything_of_the_catalogue_is_on_both_pages() -> None:
    text = pages()
    for name, cls in components().items():
        assert f"\n### {name}\n" in text["COMPONENTS.md"]
        assert re.search(rf"\[{name}\]\(COMPONENTS.md#{name.lower()}\)", text["FIDELITY.md"]), name
        if cls.fidelity.level != "exact":
            assert f"#{name.lower()}) | {cls.fidelity.level} |" in text["FIDELITY.md"]
    for name in NOT_YET:
        assert name in text["COMPONENTS.md"]
        assert name in text["FIDELITY.md"]
    for name in (*RENAMED, *DONE_BY_LOADER):
        assert f"| `{name}` |" in text["FIDELITY.md"]


def test_everything_of_the_facade_is_on_its_page() -> None:
    page = pages()["TENSORFLOW.md"]
    sections = dict(re.findall(r"^In `([\w.]+)`: (.*)\.$", page, re.MULTILINE))
    listed = {f"{module}.{name}" for module, names in sections.items() for name in re.findall(r"`(\w+)`", names)}
    assert listed == set(all_symbols())
    assert f"These {len(listed)} symbols" in page
    for name, of in same_modules().items():
        assert f"| `{name}` | `{of}` |" in page
    assert page.count("### ") == len(sections)


def test_every_table_is_whole() -> None:
    for page in pages().values():
        for block in re.findall(r"(?:^\|.*\|\n)+", page, re.MULTILINE):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1, block


def test_links_lead_somewhere() -> None:
    text = pages()
    anchors = {
        name: {title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.*)$", page, re.MULTILINE)}
        for name, page in text.items()
    }
    for name, page in text.items():
        for other, anchor in re.findall(r"\]\(([\w.]*)#([^)]*)\)", page):
            assert anchor in anchors[other or name], anchor


def test_the_pages_know_nothing_of_this_machine() -> None:
    for page in pages().values():
        assert str(Path.home()) not in page
        assert str(DOCS.parent) not in page
        assert " at 0x" not in page
        assert "clara-3.1" not in page


def test_a_component_is_described_by_its_class() -> None:
    dice = described(Dice)
    assert (dice.name, dice.family, dice.path) == ("Dice", "losses", "ai4med.components.losses.dice.Dice")
    assert list(dice.text) == ["One minus the mean Dice over samples and channels."]
    by_name = {one.name: one for one in dice.arguments}
    assert (by_name["smooth"].kind, by_name["smooth"].default) == ("a number", "1e-05")
    assert by_name["skip_background"].default == "false"
    assert by_name["jaccard"].meaning == "take the intersection off the denominator."


def test_meanings_come_from_bases_too_and_types_have_names() -> None:
    class Base(Component):
        """A base.

        Args:
            one: of the base.
            two: of the base.
        """

    class Derived(Base):
        """Derived.

        Args:
            two: of the class, over
                two lines.
        """

        __module__ = "clara_compat.components.losses.derived"
        fidelity = exact()
        becomes = "torch.nn.L1Loss"

        def __init__(self, one: int, two: Any = float) -> None: ...

    one, two = described(Derived).arguments
    assert (one.meaning, one.default, one.kind) == ("of the base.", None, "a whole number")
    assert (two.meaning, two.default, two.kind) == ("of the class, over two lines.", '"float"', "")

    class Silent(Derived):
        __module__ = Derived.__module__

        def __init__(self, one: int, three: int) -> None: ...

    with pytest.raises(ValueError, match="Silent does not say what its arguments mean: three"):
        described(Silent)


def test_sentences_for_readers_of_the_code_are_left_out() -> None:
    doc = """Do it (clara-3.1 engine facts, section 2.8).

    Sizes come from the pipeline (clara-3.1 facts). Names: clara-3.1 facts, section 1. It stays. Source: a page (of
    more), and another. Also this.

    Takes the arguments of :class:`Base`.

    Args:
        x: never here.
    """
    assert docstring_text(doc) == ["Do it.", "Sizes come from the pipeline. It stays."]


def test_arguments_of_a_docstring() -> None:
    doc = """Do it.

    Args:
        fields: one: two
            three.
        **kwargs: the rest.

    Raises:
        ValueError: never.
    """
    assert docstring_arguments(doc) == {"fields": "one: two three.", "kwargs": "the rest."}
    assert docstring_arguments("Do it.") == {}


def test_the_pages_are_written(tmp_path: Path) -> None:
    written = write_reference(tmp_path / "new")
    new = tmp_path / "new"
    assert {path.relative_to(new).as_posix(): path.read_text(encoding="utf-8") for path in written} == pages()
    (tmp_path / "file").touch()
    with pytest.raises(ClaraError, match=r"COMPONENTS.md' cannot be written: .*; name another folder"):
        write_reference(tmp_path / "file")


def test_defaults_are_as_a_config_writes_them() -> None:
    defaults = re.findall(r"^\| `\w+` \| .* \| `(.*)` \| .* \|$", pages()["COMPONENTS.md"], re.MULTILINE)
    assert defaults
    for default in defaults:
        json.loads(default)
