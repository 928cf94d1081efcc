"""What the page of a bundle says; whatever names hold, they stay on their line and mean themselves."""

from __future__ import annotations

from typing import Any

import pytest

from clara_compat.report.bundle_entries import is_own
from clara_compat.report.bundle_readme import BundleFacts, bundle_readme

ROOT = {"bundle_root": ".", "ckpt_dir": "$@bundle_root + '/models'"}
TRAIN: dict[str, Any] = {**ROOT, "DATA_ROOT": "$'/scans \\x231 100\\x25'", "dataset_dir": "@DATA_ROOT", "epochs": 9}
EVALUATE: dict[str, Any] = {
    **ROOT,
    "DATA_ROOT": "$'/scans \\x231 100\\x25'",
    "dataset_dir": "@DATA_ROOT",
    "network": {"_target_": "x", "file": "$@ckpt_dir + '/model.ts'"},
}
INFERENCE: dict[str, Any] = {
    **ROOT,
    "dataset_dir": "$@bundle_root + '/input'",
    "handlers": [{"_target_": "CheckpointLoader", "load_path": "$@ckpt_dir + '/model.pt'"}],
}


def page(**facts: Any) -> str:
    configs = {"train": TRAIN, "evaluate": EVALUATE, "inference": INFERENCE}
    return bundle_readme(BundleFacts(**{"name": "mine", "configs": configs, "sources": ["c.json"], **facts}))


def test_values_are_shown_as_they_are_meant_and_once() -> None:
    lines = page().splitlines()
    [root] = [line for line in lines if line.startswith("| `DATA_ROOT`")]
    assert root.startswith("| `DATA_ROOT` | `/scans #1 100%` | train.json, evaluate.json |")
    [folder] = [line for line in lines if line.startswith("| `dataset_dir`")]
    assert folder.startswith("| `dataset_dir` | `$@bundle_root + '/input'` | inference.json |")


def test_it_says_which_weights_are_used() -> None:
    text = page()
    assert "# Evaluate models/model.ts on the data list" in text
    assert "# Run models/model.pt on every image in input/" in text
    assert "| `network#file` | `$@ckpt_dir + '/model.ts'` | evaluate.json | weights that are used |" in text


@pytest.mark.parametrize(
    ("configs", "command"),
    [
        ({"train": TRAIN}, "configs/train.json --epochs 5 --val_interval 1 --DATA_ROOT"),
        ({"evaluate": EVALUATE}, "configs/evaluate.json --DATA_ROOT"),
        ({"inference": INFERENCE}, "configs/inference.json --dataset_dir /data/new"),
    ],
)
def test_the_examples_are_for_what_is_there(configs: dict[str, Any], command: str) -> None:
    text = page(configs=configs)
    assert command in text
    assert all((f"configs/{name}.json" in text) == (name in configs) for name in ("train", "evaluate", "inference"))


def test_what_earlier_weights_become() -> None:
    assert "are kept in `models/previous_1/`" in page()
    assert "keep a copy" in page(native=True, monai="1.6.1")
    assert "previous_1" not in page(native=True) + page(configs={"evaluate": EVALUATE})


def test_a_native_one_says_first_what_is_still_to_be_ported() -> None:
    used = {**TRAIN, "network_def": {"_target_": "scripts.nets.mine.Net"}}
    text = page(
        configs={"train": used},
        native=True,
        monai="1.6.1",
        scripts=["nets/mine.py", "loss.py"],
        differences=[
            ("train.json: optimizer", "clara_compat.engine.x.Adam", "torch.optim.Adam", "a little"),
            ("train.json: loss_def", "loss.Mine", "DiceCELoss", "a stand-in"),
            ("train.json: network_def", "nets.mine.Net", "scripts.nets.mine.Net", ""),
        ],
    )
    assert "pip install 'monai[fire,ignite,nibabel,tqdm,tensorboard]==1.6.1'" in text
    assert "| `scripts/nets/mine.py` | your own code |" in text
    assert "| `scripts/loss.py` | your own code, which nothing here runs: it is for Clara, and to be ported |" in text
    own, differs, same = (
        text.index(f"| `{was}` |") for was in ("loss.Mine", "clara_compat.engine.x.Adam", "nets.mine.Net")
    )
    assert text.index("## Your own components that are still to be ported") < own
    assert own < text.index("## How it differs from what clara_compat runs") < differs
    assert differs < text.index("These give the same results as before:") < same


@pytest.mark.parametrize(("was", "own"), [("mine.Net", True), ("clara_compat.a.B", False), ("@loss", False)])
def test_what_is_the_users_own(was: str, own: bool) -> None:
    assert is_own(was) is own


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
    for made in (bundle_readme(facts), bundle_readme(BundleFacts(HOSTILE, facts.configs, [], differences=[
        (HOSTILE, HOSTILE, HOSTILE, HOSTILE), (HOSTILE, HOSTILE, "", "")], native=True))):  # fmt: skip
        lines = made.splitlines()
        assert not [line for line in lines if line.startswith(("# Heading", "<script", "## Heading"))]
        tables = [line for line in lines if line.startswith("|")]
        assert tables
        assert all(line.endswith("|") for line in tables)
        assert lines[0].startswith(r"# a\`b\|c # Heading \<script>")


def test_a_bundle_of_stock_monai() -> None:
    made = bundle_readme(BundleFacts("b", {"train": {"loss": {"_target_": "DiceLoss"}}}, ["c.json"]))
    assert "None: everything in it is stock MONAI or torch." in made
    same = [("train.json: loss", "X", "Y", "")]
    made = bundle_readme(BundleFacts("b", {"train": {}}, ["c.json"], native=True, differences=same))
    assert "Not at all: every entry is stock MONAI or torch with the same mathematics." in made
    assert "| `X` | `Y` | `train.json: loss` |" in made


@pytest.mark.parametrize("native", [False, True])
def test_the_files_of_a_training(native: bool) -> None:
    made = bundle_readme(BundleFacts("spleen", {"train": {"epochs": 2}}, ["config_train.json"], native=native))
    [line] = [one for one in made.splitlines() if one.startswith("# Train:")]
    assert "model.pt (best), final_model.pt" in line
    assert ("train_stats.json" in line) is not native  # MONAI's handlers leave none
