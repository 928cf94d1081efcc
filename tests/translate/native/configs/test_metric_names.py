"""Metrics of a config by their names, which can be any texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clara_compat.translate.native.validation import named_metrics
from clara_compat.translate.render import literal


@given(st.lists(st.text(max_size=6), min_size=1, max_size=6, unique=True))
def test_they_are_kept_apart(names: list[str]) -> None:
    entry = {
        "_target_": "clara_compat.engine.metrics.named.named_metrics",
        "names": literal(names),
        "metrics": [{"number": number} for number in range(len(names))],
    }
    found = list(named_metrics(entry, taken=["metric"]))
    assert [one.entry["number"] for one in found] == list(range(len(names)))
    assert len({one.name for one in found} | {"metric"}) == len(names) + 1
    assert all(one.name.replace("_", "a").isalnum() and not one.name.startswith("_") for one in found)
    assert [one.place for one in found] == [f"metrics#{number}" for number in range(len(names))]


def test_a_name_that_was_escaped_is_read_back() -> None:
    entry = {
        "_target_": "clara_compat.engine.metrics.named.named_metrics",
        "names": [literal("dice $#::")],
        "metrics": [{}],
    }
    assert [one.name for one in named_metrics(entry)] == ["dice"]
