"""The reference pages: what stands where, and Markdown that shows what was written."""

from __future__ import annotations

import re
from dataclasses import replace

from clara_compat.report.reference import (
    Argument,
    Described,
    OldName,
    Reference,
    components_page,
    fidelity_page,
)

ONE = Described(
    name="Scale",
    family="transforms",
    path="ai4med.components.transforms.scale.Scale",
    text=["Scale ``a|b`` by a number.", "A second paragraph."],
    arguments=[
        Argument("fields", "text or a list of texts", None, "fields that hold images."),
        Argument("factor", "a number", "1e-05", "the number, see :class:`~clara_compat.x.Other`."),
    ],
    becomes="monai.transforms.ScaleIntensityd",
    level="assumed",
    note="preds_<field>.csv; x * y | z",
)
REFERENCE = Reference(
    families=("transforms", "lr_policies", "writers"),
    components=[ONE, replace(ONE, name="Plain", level="exact", note="", arguments=[])],
    old_names=[
        OldName("NPScale", "Scale", {"nearest": "is_label"}, ("key",), "assumed"),
        OldName("LoadX", "", {}, (), "the loader keeps it"),
        OldName("Later", "ReducePoly", {}, (), "assumed"),
    ],
    not_yet={"ReducePoly": "lr_policies", "DecayOnStep": "lr_policies"},
)


def _section(page: str, heading: str) -> str:
    return re.split(r"^#+ ", page.split(f"{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_a_component_with_its_arguments() -> None:
    section = _section(components_page(REFERENCE), "### Scale")
    assert r"Scale `a\|b` by a number." in section
    assert "A second paragraph." in section
    assert "Imported from `ai4med.components.transforms.scale`; becomes `monai.transforms.ScaleIntensityd`." in section
    assert "| `fields` | text or a list of texts | *required* | fields that hold images. |" in section
    assert "| `factor` | a number | `1e-05` | the number, see `clara_compat.x.Other`. |" in section
    assert "It takes no arguments." in _section(components_page(REFERENCE), "### Plain")


def test_every_family_has_a_table_and_what_is_awaited() -> None:
    page = components_page(REFERENCE)
    assert r"| [Scale](#scale) | Scale `a\|b` by a number. | assumed |" in page
    awaited = "Clara's, and not run by this version yet: DecayOnStep, ReducePoly."
    assert awaited in _section(page, "## Learning rate policies")
    assert awaited in _section(fidelity_page(REFERENCE), "## Learning rate policies")
    assert "Writers" not in page
    assert "[Transforms](#transforms) · [Learning rate policies](#learning-rate-policies)" in page


def test_arguments_that_many_share_are_listed_once() -> None:
    many = [Argument(f"a{k}", "a number", "0", "a number.") for k in range(9)]
    first, twin = replace(ONE, arguments=many), replace(ONE, name="Twin", arguments=many)
    more = replace(ONE, name="More", arguments=[*many, Argument("b", "text", None, "a text.")])
    page = components_page(replace(REFERENCE, components=[first, twin, more]))
    assert page.count("| `a3` |") == 1
    assert _section(page, "### Twin").rstrip().endswith("Arguments: those of [Scale](#scale).")
    section = _section(page, "### More")
    assert "Arguments: those of [Scale](#scale), and\n\n| argument" in section
    assert "| `b` | text | *required* | a text. |" in section


def test_fidelity_counts_and_names_every_difference() -> None:
    page = fidelity_page(REFERENCE)
    assert re.search(r"\| \*\*exact\*\* \| .* \| 1 \|", page)
    assert re.search(r"\| \*\*approximate\*\* \| .* \| 0 \|", page)
    assert "| [Transforms](#transforms) | 1 |  | 1 |  |" in page
    assert "| [Learning rate policies](#learning-rate-policies) |  |  |  | 2 |" in page
    assert r"| [Scale](COMPONENTS.md#scale) | assumed | preds\_\<field>.csv; x \* y \| z |" in page
    assert "Exact, with nothing to add: [Plain](COMPONENTS.md#plain)." in page


def test_old_names_say_what_they_became() -> None:
    section = _section(fidelity_page(REFERENCE), "## Names of earlier versions")
    row = "| `NPScale` | [Scale](COMPONENTS.md#scale) | `nearest` is `is_label`; `key` is left out | assumed |"
    assert row in section
    assert "| `LoadX` | nothing |  | the loader keeps it |" in section
    assert "| `Later` | ReducePoly |  | assumed |" in section, "no link to a section that is not there"
