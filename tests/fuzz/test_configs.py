"""Whole configs, drawn and mutated: each is right, or has errors that the user can mend; nothing else happens.

A case is repeated with ``Random("SEED-TEST-PART-NUMBER")`` as the failure names it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.fuzz.cases import Mmar, check_log_config, drawn_case, logging_case, mutated_case, tame_case

Every = Callable[..., None]
Kept = Callable[..., object]


@pytest.mark.parametrize("part", range(4))
def test_drawn(mmar: Mmar, every: Every, kept: Kept, part: int) -> None:
    """Configs, environments, data lists and overrides of the grammar."""

    def each(draw: Random) -> bool:
        case = drawn_case(mmar, draw)
        return kept(case, lambda: mmar.run(case)).passed

    every(1100, each, "True", "False", part=part)


@pytest.mark.parametrize("part", range(4))
def test_mutated(mmar: Mmar, seeds: list[bytes], every: Every, kept: Kept, part: int) -> None:
    """Configs that run, with values, tokens, lines and bytes changed."""

    def each(draw: Random) -> bool:
        case = mutated_case(mmar, seeds, draw)
        return kept(case, lambda: mmar.run(case)).passed

    every(1100, each, "True", "False", part=part)


@hypothesis.settings(hypothesis.settings.get_profile("fuzz"), max_examples=200)
@hypothesis.given(st.randoms(use_true_random=False))
def test_drawn_so_that_a_failure_shrinks(mmar: Mmar, draw: Random) -> None:
    """The same grammar, drawn by hypothesis."""
    mmar.run(drawn_case(mmar, draw))


def test_migrated(mmar: Mmar, seeds: list[bytes], every: Every, kept: Kept) -> None:
    """Bundles of the same configs: whole, or none."""

    def each(draw: Random) -> bool:
        case = drawn_case(mmar, draw) if draw.random() < 0.3 else mutated_case(mmar, seeds, draw)
        native = draw.random() < 0.5
        return bool(kept(case, lambda: mmar.migrate(case, native=native)))

    every(300, each, "True", "False")


def test_logging(mmar: Mmar, every: Every, kept: Kept) -> None:
    """Logging configurations."""
    usual = _usual_logging()

    def each(draw: Random) -> bool:
        content = logging_case(usual, draw)
        return bool(kept(content, lambda: check_log_config(mmar.folder, content)))

    try:
        every(900, each, "True", "False")
    finally:
        (mmar.folder / "log.config").unlink(missing_ok=True)


@pytest.mark.slow
def test_trained(mmar: Mmar, every: Every, kept: Kept) -> None:
    """Configs in which nothing is meant to be wrong: those that pass the check train, or say why they cannot."""

    def each(draw: Random) -> object:
        case = tame_case(mmar, draw)
        return kept(case, lambda: mmar.train(case))

    every(150, each, "trained")


def _usual_logging() -> str:
    from clara_compat.run.outputs import LOGGING_CONF

    return LOGGING_CONF
