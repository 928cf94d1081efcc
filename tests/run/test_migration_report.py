"""What the migration report says of configs: texts, entries, efforts, user code, what is not accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from clara_compat import check
from clara_compat.report.migration import (
    DOES_NOT_RUN,
    LOOK,
    MEND,
    NOTHING,
    PORT,
    REPLACE,
    ComponentReport,
    ConfigReport,
    MigrationReport,
)
from clara_compat.report.migration_page import page, write_report
from clara_compat.report.migration_summary import outcome
from clara_compat.run.migrated_configs import migrated_configs
from clara_compat.run.migration_entries import MISSING, entry_at
from clara_compat.run.migration_report import collect
from clara_compat.run.seeds import seeds_of
from clara_compat.translate.native.native import Difference
from clara_compat.translate.train import translate_train

Make = Callable[..., Path]
CONFIG = "config/config_train.json"
BYOC = Path(__file__).parents[1] / "byoc"
DEMOS = Path(__file__).parents[2] / "configs"


def reported(mmar: Path, config: str = CONFIG, **given: Any) -> MigrationReport:
    return collect([check(mmar / config, **given)])


def by_place(config: ConfigReport) -> dict[str, ComponentReport]:
    return {one.address.path: one for one in config.components}


def test_each_component_with_its_text_and_its_entries(small_mmar: Make) -> None:
    mmar = small_mmar()
    [config] = reported(mmar).configs
    found = by_place(config)
    assert config.kind == "training"
    assert config.file == CONFIG
    written = json.loads((mmar / CONFIG).read_text())
    for place, one in found.items():
        section, _, slot = place.partition(".")
        name, _, index = slot.partition("[")
        element = written[section][name]
        element = element[int(index[:-1])] if index else element
        text = one.legacy if one.legacy.startswith("{") else f"{{{one.legacy}}}"
        assert json.loads(text) == (element if one.legacy.startswith("{") else {name: element})
        assert one.entries, place
    assert {place: [entry.id for entry in one.entries] for place, one in found.items() if "pre_" not in place} == {
        "train.loss": ["loss"],
        "train.optimizer": ["optimizer"],
        "train.model": ["network_def", "network"],
        "train.image_pipeline": [
            *("train#data", "train#plan", "train#dataset", "train#dataloader"),
            "train#preprocessing#transforms#5",
        ],
        "train.aux_ops[0]": ["train#handlers#1#ops#0", "validate#handlers#1#ops#0"],
        "validate.metrics[0]": ["validate#key_metric#mean_dice"],
        "validate.metrics[1]": ["validate#additional_metrics#negloss"],
        "validate.image_pipeline": [
            *("validate#data", "validate#plan", "validate#dataset", "validate#dataloader"),
            "validate#preprocessing#transforms#3",
        ],
        "validate.inferer": ["validate#inferer"],
    }
    assert [entry.id for entry in found["train.pre_transforms[3]"].entries] == ["train#preprocessing#transforms#3"]
    crop = json.loads(found["train.pre_transforms[3]"].entries[0].text)
    assert crop["spatial_size"] == [16, 16, 16]
    assert found["train.pre_transforms[3]"].needs == (crop["_target_"],)
    assert found["validate.pre_transforms[2]"].legacy == '{\n  "ref": "ScaleIntensityRange"\n}'
    lines = (mmar / CONFIG).read_text().splitlines()
    assert '"inferer"' in lines[found["validate.inferer"].address.line - 1]


def test_entries_are_those_of_the_bundle_that_is_given(small_mmar: Make, tmp_path: Path) -> None:
    checked = check(small_mmar() / CONFIG)
    bundle = translate_train(checked.workflow, seeds_of(checked.workflow.settings.determinism), tmp_path)
    bundle.config["optimizer"]["lr"] = "@another"
    given, own = collect([checked], [bundle]), collect([checked])
    assert '"lr": "@another"' in by_place(given.configs[0])["train.optimizer"].entries[0].text
    assert '"lr": "@learning_rate"' in by_place(own.configs[0])["train.optimizer"].entries[0].text
    for config in (given.configs[0], own.configs[0]):
        for one in config.components:
            assert all(entry_at(bundle.config, entry.id) is not MISSING for entry in one.entries)


def test_entries_of_a_migrated_bundle(small_mmar: Make, evaluation_mmar: Make) -> None:
    """The ids are those of the files in the bundle, whose paths start from its own folder."""
    mmar = small_mmar()
    validation = "config/config_validation.json"
    (mmar / validation).write_text((evaluation_mmar(name="other") / validation).read_text())
    migrated = migrated_configs([mmar / CONFIG, mmar / validation], mmar=mmar)
    bundles = [replace(migrated.bundles[name], config=migrated.configs[name]) for name in ("train", "evaluate")]
    checked = [check(mmar / CONFIG), check(mmar / validation, overrides=["do_validation=true"], data=False)]
    made = collect(checked, bundles)
    for config, bundle in zip(made.configs, bundles, strict=True):
        for one in config.components:
            assert one.entries, one.name
            assert all(json.loads(entry.text) == entry_at(bundle.config, entry.id) for entry in one.entries)
    assert str(mmar) not in page(made)


def test_a_transform_that_becomes_several_entries_has_them_all(small_mmar: Make) -> None:
    """A chain may be longer than what is written; each of its entries belongs to one component."""
    checked = check(small_mmar() / CONFIG)
    bundle = translate_train(checked.workflow, seeds_of(None), Path("models"))
    chain = bundle.config["train"]["preprocessing"]["transforms"]
    chain.insert(1, {"_target_": "Identityd", "keys": ["image"]})
    bundle.sources["train"].insert(1, bundle.sources["train"][0])
    [config] = collect([checked], [bundle]).configs
    transforms = [one for one in config.components if one.address.path.startswith("train.pre_transforms")]
    ids = [[entry.id.rpartition("#")[2] for entry in one.entries] for one in transforms]
    assert ids == [["0", "1"], ["2"], ["3"], ["4"], ["5"]]


def test_levels_and_efforts(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["handlers"] = [{"name": "StatsHandler"}, {"name": "AdjustLayerLRs"}]
        own = {"path": "myTransformation.MyAddRandomConstant", "args": {"fields": "image", "magnitude": 1}}
        config["train"]["pre_transforms"].append(own)
        config["train"]["loss"] = {"path": "monai.losses.DiceLoss"}

    mmar = small_mmar(change)
    (mmar / "custom").mkdir()
    for file in BYOC.iterdir():
        (mmar / "custom" / file.name).write_text(file.read_text())
    made = reported(mmar)
    [config] = made.configs
    found = by_place(config)
    told = {place: (one.fidelity, one.effort) for place, one in found.items()}
    assert told["train.loss"] == ("exact", NOTHING)
    assert told["train.pre_transforms[0]"] == ("assumed", LOOK)
    assert told["train.handlers[0]"] == ("approximate", LOOK)
    assert told["train.handlers[1]"] == (DOES_NOT_RUN, REPLACE)
    assert told["train.pre_transforms[5]"] == ("user code", PORT)
    assert found["train.handlers[0]"].difference
    assert [limit.address for limit in config.limits] == [found["train.handlers[1]"].address]
    assert "'AdjustLayerLRs' is Clara's and does not run yet" in config.limits[0].text
    assert outcome(made) == "in part"
    assert not any(one.entries for one in config.components)
    assert "No entry of its own: this config was not translated." in page(made)


def test_settings_old_and_new(small_mmar: Make) -> None:
    mmar = small_mmar()
    [config] = reported(mmar, overrides=["epochs=7", "use_amp=true", "multi_gpu=false"]).configs
    found = {one.name: one for one in config.settings}
    assert found["epochs"].address.file == "--set"
    assert (found["epochs"].value, found["epochs"].entries[0].text) == ("7", "7")
    assert found["learning_rate"].address.line == 4
    assert (found["learning_rate"].entries[0].id, found["learning_rate"].entries[0].text) == ("learning_rate", "0.001")
    assert found["num_training_epoch_per_valid"].entries[0].id == "val_interval"
    assert [one.id for one in found["use_amp"].entries] == ["train#inferer", "validate#inferer"]
    assert "bfloat16" in found["use_amp"].note
    assert (found["multi_gpu"].entries, found["multi_gpu"].note) == ((), "one device is used")
    assert found["determinism"].entries[0].text == "2"
    assert found["DATA_ROOT"].address.file == "environment or default"
    assert found["MMAR_CKPT_DIR"].value == '"{MMAR_ROOT}/models"'
    assert "MMAR_EVAL_OUTPUT_PATH" not in found
    assert "stop_threshold" not in found


def test_settings_of_a_run_that_must_not_lose_work(small_mmar: Make) -> None:
    given = ["multi_gpu=true", "on_bad_item=skip", "accelerate=bf16", "continue_from_ckpt_epoch=true"]
    [config] = reported(small_mmar(), overrides=given).configs
    found = {one.name: one for one in config.settings}
    told = {name: ([entry.id for entry in found[name].entries], found[name].note) for name in found}
    several = "several processes, where torchrun, mpirun or srun starts them"
    assert told["multi_gpu"] == (["initialize#0"], several)
    assert "distributed.processes.start" in found["multi_gpu"].entries[0].text
    assert told["on_bad_item"] == (["train#dataset#on_bad_item"], "")
    assert told["accelerate"] == (["accelerate"], "off under determinism")
    resumed = "a training goes on from the checkpoint.pt in ckpt_dir, if any"
    assert told["continue_from_ckpt_epoch"] == (["resume"], resumed)
    [config] = reported(small_mmar(name="off"), overrides=["on_bad_item=stop", "accelerate=off"]).configs
    off = {one.name: ([entry.id for entry in one.entries], one.note) for one in config.settings}
    assert off["on_bad_item"] == ([], "an item that cannot be made ends the run")
    assert off["accelerate"] == (["accelerate"], "")


def test_what_set_changed_is_told(small_mmar: Make) -> None:
    [config] = reported(small_mmar(), overrides=["train.pre_transforms[3].args.size=[8,8,8]"]).configs
    found = by_place(config)
    assert found["train.pre_transforms[3]"].overridden == ("train.pre_transforms[3].args.size",)
    assert "16" in found["train.pre_transforms[3]"].legacy
    assert json.loads(found["train.pre_transforms[3]"].entries[0].text)["spatial_size"] == [8, 8, 8]
    assert not any(one.overridden for place, one in found.items() if place != "train.pre_transforms[3]")


PLAIN = """import torch
from helper import twice


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv3d(1, twice(1), 1)

    def forward(self, x):
        return self.conv(x).softmax(1)
"""
LEGACY = """from ai4med.components.losses.loss import Loss
import tensorflow as tf
from .pieces import piece


class MyLoss(Loss):
    def get_loss(self, predictions, targets, build_ctx=None):
        return tf.reduce_mean(tf.square(predictions - tf.cast(targets, tf.float32))) + {extra}
"""


@pytest.mark.parametrize(("extra", "effort"), [("0.0", PORT), ("tf.no_such_function(1)", MEND)])
def test_user_code(small_mmar: Make, extra: str, effort: str) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["model"] = {"path": "net.Net"}
        config["train"]["loss"] = {"path": "mine.loss.MyLoss"}

    mmar = small_mmar(change)
    (mmar / "custom/mine").mkdir(parents=True)
    for name, text in {
        "net.py": PLAIN,
        "helper.py": "import numpy\nimport json\n\n\ndef twice(x):\n    return 2 * x\n",
        "unused.py": "",
        "mine/loss.py": LEGACY.format(extra=extra),
        "mine/pieces.py": "piece = 1\n",
    }.items():
        (mmar / "custom" / name).write_text(text)
    made = reported(mmar)
    found = by_place(made.configs[0])
    assert (found["train.model"].fidelity, found["train.model"].effort) == ("user code", NOTHING)
    assert (found["train.loss"].fidelity, found["train.loss"].effort) == ("user code", PORT)
    assert [(one.file, one.classes, one.effort) for one in made.files] == [
        ("custom/mine/loss.py", ("MyLoss",), effort),
        ("custom/net.py", ("Net",), NOTHING),
        ("custom/helper.py", (), NOTHING),
        ("custom/mine/pieces.py", (), NOTHING),
    ]
    loss = made.files[0]
    assert loss.lines == 6
    assert any(one.port == "torch.square(x)" for one in loss.findings)
    assert ("Mend line 8 first" in loss.todo) == (effort == MEND)
    assert outcome(made) == ("in part" if effort == MEND else "ready")
    assert ("does not run" in page(made).partition('id="files"')[2].partition('id="words"')[0]) == (effort == MEND)


def test_a_subclass_that_changes_nothing(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["pre_transforms"][4] = {"path": "mine.Same", "args": {"fields": "image"}}

    mmar = small_mmar(change)
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(
        "from ai4med.components.transforms.scale_shift_intensity import ScaleShiftIntensity\n\n\n"
        "class Same(ScaleShiftIntensity):\n    pass\n"
    )
    same = by_place(reported(mmar).configs[0])["train.pre_transforms[4]"]
    assert same.fidelity == "assumed"
    assert same.difference.startswith("as ScaleShiftIntensity, from which it derives: ")
    assert (same.effort, same.reason) == (
        PORT,
        f"it changes nothing of the component it derives from: {same.becomes} can take its place",
    )


def test_user_code_that_is_not_here(small_mmar: Make) -> None:
    mmar = small_mmar(lambda config: config["train"]["loss"].update(path="gone.Loss", name="Loss"))
    made = reported(mmar, data=False)
    loss = by_place(made.configs[0])["train.loss"]
    assert (loss.effort, loss.reason) == (PORT, "its file was not found here, so it was not looked at")
    assert made.files == ()


def test_errors_with_the_lines_around_them(small_mmar: Make) -> None:
    mmar = small_mmar(lambda config: config["train"]["pre_transforms"][2].update(name="ScaleIntensityRang"))
    made = reported(mmar)
    [config] = made.configs
    assert (config.kind, config.components, outcome(made)) == ("unreadable", (), "blocked")
    [error, *_] = config.errors
    assert "did you mean 'ScaleIntensityRange'" in error.text
    assert re.search(r"^> +\d+ +.*", error.lines, re.MULTILINE)
    assert '"name": "ScaleIntensityRang"' in error.lines
    assert str(mmar) not in page(made)


def test_a_file_that_is_no_json(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{\n  "epochs": 1,\n  "use_amp": ture\n}\n')
    made = collect([check(file)])
    assert made.name == "config.json"
    assert made.configs[0].errors[0].lines.splitlines()[2] == '> 3    "use_amp": ture'
    assert "To be mended before it can run" in page(made)


def test_training_and_evaluation_together_with_plain_monai(small_mmar: Make, evaluation_mmar: Make) -> None:
    mmar = small_mmar()
    config = "config/config_validation.json"
    (mmar / config).write_text((evaluation_mmar(name="other") / config).read_text())
    validation = check(mmar / config, overrides=["do_validation=true"], data=False)
    of_train = [
        Difference("train#preprocessing#transforms#0", "clara_compat.L", "monai.L", "The axes differ."),
        Difference("train#data#x", "clara_compat.d", "monai.d", ""),
        Difference("train#trainer", "clara_compat.t", "", "Nothing is printed."),
    ]
    of_evaluation = [Difference("network", "clara_compat.n", "torch.n", "No <names>.")]
    made = collect([check(mmar / CONFIG), validation], differences=[of_train, of_evaluation])
    training, evaluation = made.configs
    assert (training.kind, evaluation.kind, made.native) == ("training", "evaluation", True)
    found = by_place(training)
    assert [one.text for one in found["train.pre_transforms[0]"].native] == ["The axes differ."]
    assert [one.entry for one in found["train.image_pipeline"].native] == ["train#data#x"]
    assert found["train.model"].native == ()
    assert [one.entry for one in training.elsewhere] == ["train#trainer"]
    of_model = by_place(evaluation)["model_loader"]
    assert [one.text for one in of_model.native] == ["No <names>."]
    assert "No &lt;names&gt;." in page(made)
    ids = {place: [entry.id for entry in one.entries] for place, one in by_place(evaluation).items()}
    assert ids["post_transforms[1]"] == ["postprocessing#transforms#1"]
    assert ids["label_transforms[2]"] == ["label_preprocessing#transforms#2"]
    assert ids["val_metrics[0]"] == ["metrics#dice"]
    assert ids["writers[0]"] == ["writers#0"]
    assert ids["inferer"] == ["inferer"]
    assert {one.name for one in evaluation.settings} >= {"do_validation", "batch_size", "MMAR_EVAL_OUTPUT_PATH"}


def test_metrics_whose_names_are_no_names(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["validate"]["metrics"][0]["args"]["name"] = "mean dice"
        config["validate"]["metrics"][1]["args"]["name"] = "#1 <b>"

    found = by_place(reported(small_mmar(change)).configs[0])
    places = [[entry.id for entry in found[f"validate.metrics[{index}]"].entries] for index in (0, 1)]
    assert places == [
        ["validate#key_metric#metrics#0"],
        ["validate#additional_metrics#metrics#0"],
    ]


HOSTILE = "<script>alert('$@#%')</script>"


def test_hostile_strings_stay_text(small_mmar: Make, tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["pre_transforms"][4]["args"]["_desc_" + HOSTILE] = HOSTILE
        config["train"]["pre_transforms"][0]["name"] = f"LoadNifti#{HOSTILE}"
        config["train"]["loss"]["name"] = HOSTILE
        config[HOSTILE] = HOSTILE

    mmar = small_mmar(change, name=f"<script>{'x' * 40}")
    made = reported(mmar)
    paths = write_report(made, tmp_path / "docs")
    html = paths["html"].read_text()
    assert "<script" not in html
    assert "&lt;script&gt;alert(&#39;$@#%&#39;)" in html
    assert HOSTILE in json.dumps(json.loads(paths["json"].read_text()))


def test_hostile_strings_in_what_runs(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["pre_transforms"][0]["name"] = f"LoadNifti#{HOSTILE}"
        config["train"]["aux_ops"][0]["args"]["tag"] = HOSTILE
        config["validate"]["metrics"][1]["args"]["field"] = HOSTILE

    made = reported(small_mmar(change))
    html = page(made)
    assert made.configs[0].errors == ()
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 4


def test_half_a_surrogate_pair_can_be_written(small_mmar: Make, tmp_path: Path) -> None:
    mmar = small_mmar(lambda config: config["train"]["aux_ops"][0]["args"].update(tag="a\ud800"))
    paths = write_report(reported(mmar), tmp_path / "docs")
    assert paths["html"].stat().st_size > 1000
    json.loads(paths["json"].read_text())


def test_a_long_element_is_cut(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"]["loss"]["_note"] = list(range(100))

    loss = by_place(reported(small_mmar(change)).configs[0])["train.loss"]
    assert loss.legacy.splitlines()[-1] == "… 45 more lines"
    assert len(loss.legacy.splitlines()) == 61


def test_the_header(small_mmar: Make) -> None:
    when = datetime(2025, 6, 30, 14, 5, tzinfo=timezone.utc)
    mmar = small_mmar()
    made = collect([check(mmar / CONFIG)], when=when)
    assert (made.name, made.date, made.native) == ("mmar", "2025-06-30 14:05 UTC", False)
    assert set(made.versions) == {"Python", "clara-compat", "monai", "torch", "pytorch-ignite", "numpy"}
    assert str(mmar) not in json.dumps([entry for one in made.components() for entry in map(repr, one.entries)])
    assert str(mmar) not in page(made)


@pytest.mark.parametrize("demo", sorted(path.name for path in DEMOS.iterdir() if path.is_dir()))
def test_every_component_of_the_demos_has_its_text(demo: str) -> None:
    configs = sorted((DEMOS / demo / "config").glob("config_*.json"))
    made = collect([check(config, data=False) for config in configs])
    for config in made.configs:
        assert config.components, (config.file, config.errors)
        assert all(one.legacy for one in config.components)
        assert all(one.entries for one in config.components if config.kind == "training" and one.name != "StatsHandler")
    assert page(made).count("<details") >= len(list(made.components()))


@pytest.mark.real
def test_every_published_config_is_reported(clara_examples: Path, tmp_path: Path) -> None:
    configs = sorted(clara_examples.glob("*/config*/*.json")) + sorted(clara_examples.glob("FL/*/config/*.json"))
    assert len(configs) > 30
    for config in configs:
        made = collect([check(config, data=False)])
        assert page(made)
        assert all(one.legacy for one in made.components()), config
        assert made.configs[0].components or made.configs[0].errors, config


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("a", {"b": [1, {"c": 2}]}),
        ("a#b#1#c", 2),
        ("a#b#2", MISSING),
        ("a#b#x", MISSING),
        ("a#b#0#c", MISSING),
        ("z", MISSING),
    ],
)
def test_entry_at(entry: str, found: Any) -> None:
    assert entry_at({"a": {"b": [1, {"c": 2}]}}, entry) == found
