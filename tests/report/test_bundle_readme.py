"""The page of a bundle: whatever names hold, they stay on their line and mean themselves."""

from __future__ import annotations

import pytest

from clara_compat.report.bundle_readme import BundleFacts, bundle_readme

HOSTILE = "a`b|c\n\n# Heading\n<script>alert(1)</script> [x](javascript:y)"


def test_names_cannot_leave_their_place() -> None:
    facts = BundleFacts(
        name=HOSTILE,
        configs={"train": {"DATA_ROOT": HOSTILE, "loss": {"_target_": f"clara_compat.{HOSTILE}"}}},
        sources=[HOSTILE],
        scripts=[HOSTILE],
        weights=[HOSTILE],
        files=[HOSTILE],
        notices=[HOSTILE],
        described={f"clara_compat.{HOSTILE}": HOSTILE},
    )
    for page in (bundle_readme(facts), bundle_readme(BundleFacts(HOSTILE, facts.configs, [], differences=[
        (HOSTILE, HOSTILE, HOSTILE, HOSTILE), (HOSTILE, HOSTILE, "", "")], native=True))):  # fmt: skip
        lines = page.splitlines()
        assert not [line for line in lines if line.startswith(("# Heading", "<script", "## Heading"))]
        tables = [line for line in lines if line.startswith("|")]
        assert tables
        assert all(line.endswith("|") for line in tables)
        assert lines[0].startswith(r"# a\`b\|c # Heading \<script>")


def test_a_bundle_of_stock_monai() -> None:
    page = bundle_readme(BundleFacts("b", {"train": {"loss": {"_target_": "DiceLoss"}}}, ["c.json"]))
    assert "None: everything in it is stock MONAI or torch." in page
    same = [("train.json: loss", "X", "Y", "")]
    page = bundle_readme(BundleFacts("b", {"train": {}}, ["c.json"], native=True, differences=same))
    assert "Not at all: every entry is stock MONAI or torch with the same mathematics." in page
    assert "| `X` | `Y` | `train.json: loss` |" in page


@pytest.mark.parametrize("native", [False, True])
def test_the_files_of_a_training(native: bool) -> None:
    page = bundle_readme(BundleFacts("spleen", {"train": {"epochs": 2}}, ["config_train.json"], native=native))
    [line] = [one for one in page.splitlines() if one.startswith("# Train:")]
    assert "model.pt (best), final_model.pt" in line
    assert ("train_stats.json" in line) is not native  # MONAI's handlers leave none
