"""The page of a bundle promises the files that its training leaves."""

from __future__ import annotations

import pytest

from clara_compat.report.bundle_readme import BundleFacts, bundle_readme


@pytest.mark.parametrize("native", [False, True])
def test_the_files_of_a_training(native: bool) -> None:
    page = bundle_readme(BundleFacts("spleen", {"train": {"epochs": 2}}, ["config_train.json"], native=native))
    [line] = [one for one in page.splitlines() if one.startswith("# Train:")]
    assert "model.pt (best), final_model.pt" in line
    assert ("train_stats.json" in line) is not native  # MONAI's handlers leave none
