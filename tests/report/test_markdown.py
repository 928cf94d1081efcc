"""Pieces of a Markdown page show what was written."""

from __future__ import annotations

import pytest

from clara_compat.report.markdown import code_span, escaped, link, prose, table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_min < b_max", r"a_min \< b_max"),
        ("_private and x_", r"\_private and x\_"),
        ("2*x, [a](b), ~~no~~", r"2\*x, \[a\](b), \~\~no\~\~"),
        ("back\\slash | pipe", r"back\\slash \| pipe"),
    ],
)
def test_plain_text_means_itself(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_code_is_left_as_it_is() -> None:
    assert prose("``U(-m, m) * <x>``, not *this*") == r"`U(-m, m) * <x>`, not \*this\*"
    assert prose("see :meth:`new_size`\n    and on") == "see `new_size` and on"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a|b", r"`a\|b`"), ("a\n\n# b", "`a  # b`"), ("`", "`` ` ``"), ("a``b`", "``` a``b` ```"), ("", "``")],
)
def test_code_stays_on_its_line(text: str, shown: str) -> None:
    assert code_span(text) == shown


def test_tables_and_links() -> None:
    assert table(("a", "b"), [("1", "2")]) == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]
    assert link("Learning rate policies") == "[Learning rate policies](#learning-rate-policies)"
