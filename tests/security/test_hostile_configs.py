"""Configs that try to run something, to reach out of their folder, or only look as if they did.

Whatever a config says is text: the command ends with a sentence, or with what the text literally means.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser
from torch import nn

from clara_compat import train
from clara_compat.errors import ClaraError

Make = Callable[..., Path]
CALL = "$__import__('os').system('touch {canary}')"
PAYLOADS = [CALL, "$@network", "@network", "%/etc/hostname"]
SPECIAL_KEYS = (
    "_target_",
    "_mode_",
    "_requires_",
    "_disabled_",
    "_args_",
    "$x",
    "@x",
    "%x",
    "a::b",
    "a#b",
    "__class__",
)

USER_CODE = """
import json
from pathlib import Path
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer


class Recorder(MultiFieldTransformer):
    def __init__(self, fields, told=None, **more):
        MultiFieldTransformer.__init__(self, fields)
        Path(__file__).with_name("told.json").write_text(json.dumps([told, more]))

    def transform(self, transform_ctx):
        return transform_ctx
"""


def named(canary: Path, payload: str) -> str:
    return payload.replace("{canary}", str(canary))


def config_of(mmar: Path) -> Path:
    return mmar / "config/config_train.json"


def rewrite(mmar: Path, config: dict[str, Any], name: str = "config_train.json") -> None:
    (mmar / "config" / name).write_text(json.dumps(config))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_texts_in_every_place(
    hostile_mmar: Make, run: Callable, places: Callable, put: Callable, canary: Path, payload: str
) -> None:
    mmar = hostile_mmar()
    config = json.loads(config_of(mmar).read_text())
    accepted = set()
    for path in places(config):
        rewrite(mmar, put(config, path, named(canary, payload)))
        outcome = run("check", config_of(mmar))
        if outcome.code == 0:
            accepted.add(".".join(map(str, path)))
        else:
            assert "To be mended:" in outcome.text
            assert run("train", "-m", mmar).code == 2, path
    assert accepted == {"determinism.python_seed", "validate.metrics.0.args.name", "validate.metrics.1.args.name"}
    assert not (mmar / "models").exists()


def test_keys_in_every_place(hostile_mmar: Make, run: Callable, put: Callable, canary: Path) -> None:
    mmar = hostile_mmar()
    config = json.loads(config_of(mmar).read_text())
    value = {"_target_": "os.system", "command": f"touch {canary}", "_requires_": named(canary, CALL)}

    def objects(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
        if not isinstance(value, (dict, list)):
            return []
        items = value.items() if isinstance(value, dict) else enumerate(value)
        below = [one for part, item in items for one in objects(item, (*path, part))]
        return [*([path] if isinstance(value, dict) else []), *below]

    for key in ("_target_", "_mode_", named(canary, CALL), "@network"):
        for path in objects(config):
            rewrite(mmar, put(config, (*path, key), value))
            assert (run("check", config_of(mmar)).code == 2) == ("args" in path), (path, key)


@pytest.mark.parametrize("key", [*SPECIAL_KEYS, "_desc_"])
@pytest.mark.parametrize(
    ("slot", "component"),
    [
        ("loss", {"name": "Dice"}),
        ("loss", {"path": "monai.losses.DiceCELoss", "args": {"to_onehot_y": True}}),
        ("model", {"path": "monai.networks.nets.BasicUNet", "args": {"out_channels": 2}}),
        ("model", {"path": "monai.networks.nets.DenseNet121", "args": {"out_channels": 2}}),
    ],
)
def test_arguments_that_mean_something_to_the_parser(
    hostile_mmar: Make, run: Callable, canary: Path, slot: str, component: dict[str, Any], key: str
) -> None:
    def change(config: dict[str, Any]) -> None:
        config["train"][slot] = copy.deepcopy(component)
        config["train"][slot].setdefault("args", {})[key] = named(canary, CALL)

    mmar = hostile_mmar(change)
    for command in (("check", config_of(mmar)), ("train", "-m", mmar)):
        outcome = run(*command)
        assert outcome.code == 2
        assert re.search(rf"train\.{slot}\.args.*has no argument '", " ".join(outcome.text.split()))
        assert key in outcome.text


def test_arguments_of_the_users_class_are_data(hostile_mmar: Make, run: Callable, canary: Path) -> None:
    told = {key: [named(canary, CALL), {"_target_": "os.system", "command": "x"}, 1e3] for key in SPECIAL_KEYS}
    more = {key: named(canary, CALL) for key in ("_target_", "_mode_", "_requires_", "_disabled_", "_desc_", "$x")}

    def change(config: dict[str, Any]) -> None:
        args = {"fields": "image", "told": told, **more}
        config["train"]["pre_transforms"].append({"path": "mine.Recorder", "args": args})

    mmar = hostile_mmar(change)
    (mmar / "mine.py").write_text(USER_CODE)
    assert run("check", config_of(mmar)).code == 0
    assert not (mmar / "told.json").exists()  # check does not run it
    assert run("train", "-m", mmar, "--set", "epochs=1").code == 0
    assert json.loads((mmar / "told.json").read_text()) == [told, more]


REFUSED = [
    ("os.system", "refused: a config may only name classes of the catalogue"),
    ("builtins.eval", "refused: a config may only name"),
    ("builtins.__import__", "is not the path of a class|refused"),
    ("subprocess.Popen", "refused: a config may only name"),
    ("importlib.import_module", "refused: a config may only name"),
    ("antigravity.X", "refused: a config may only name"),
    ("torch.hub.load", "refused: of MONAI and torch a config may name"),
    ("torch.load", "refused: of MONAI and torch a config may name"),
    ("monai.bundle.run", "refused: of MONAI and torch a config may name"),
    ("monai.bundle.ConfigParser", "refused: of MONAI and torch a config may name"),
    ("numpy.load", "the module of 'numpy.load' was not found"),
    ("clara_compat.run.train.train", "'clara_compat.run.train.train' is no known component"),
    ("clara_compat.tensorflow.loader.component", "is no known component"),
    ("ai4med.os.system", "is no known component"),
    ("../evil.Evil", "is not the path of a class"),
    ("..evil.Evil", "is not the path of a class"),
    ("/etc/passwd", "has no module"),
    ("evil.Evil", "the module of 'evil.Evil' was not found"),
    ("C:\\evil.Evil", "is not the path of a class"),
    ("mine." * 20_000 + "Mine", "is not the path of a class"),
    ("m" * 300 + ".Mine", "is not the path of a class"),
]


@pytest.mark.parametrize(("path", "message"), REFUSED, ids=lambda value: value[:40])
def test_what_a_path_may_not_name(hostile_mmar: Make, run: Callable, canary: Path, path: str, message: str) -> None:
    (canary.parent / "evil.py").write_text(f"open({str(canary)!r}, 'w')\nclass Evil:\n    pass\n")
    component = {"path": path, "args": {"command": f"touch {canary}", "fields": "image"}}
    mmar = hostile_mmar(lambda config: config["train"]["pre_transforms"].append(component))
    for command in (
        ("check", config_of(mmar)),
        ("train", "-m", mmar),
        ("preview", config_of(mmar)),
        ("migrate", "-m", mmar, "-c", "config/config_train.json", "-o", mmar / "bundle"),
    ):
        outcome = run(*command)
        text = " ".join(outcome.text.split())
        if command[0] in ("preview", "migrate") and "was not found" in message:  # their user code need not be here
            continue
        assert outcome.code == 2
        assert re.search(rf"train\.pre_transforms\[5\].*({message})", text), text[:500]


@pytest.mark.parametrize("path", ["monai.networks.nets.torch", "monai.networks.nets.nn", "monai.losses.warnings"])
def test_what_a_module_of_monai_happens_to_import(hostile_mmar: Make, run: Callable, path: str) -> None:
    slot = "loss" if "losses" in path else "model"
    mmar = hostile_mmar(lambda config: config["train"].update({slot: {"path": path}}))
    outcome = run("train", "-m", mmar)
    assert outcome.code == 2
    assert f"has no {'loss' if slot == 'loss' else 'network'} '{path.rpartition('.')[2]}'" in outcome.text


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.pre_transforms[999999999]=1", r"train.pre_transforms is a list of 5, so \[999999999\] is out of range"),
        ("train.pre_transforms[99999999999999999999]=1", "is not a path into the config"),
        ("train.pre_transforms[-1]=1", "is not a path into the config"),
        ("train" + ".a" * 50_000 + "=1", "train has no 'a'"),
        ("train" + "[0]" * 50_000 + "=1", "train has no "),
        ("[" * 100_000 + "=1", "is not a path into the config"),
        ('train["' + "\\" * 100_001 + '"]=1', "is not a path into the config"),
        ("train.loss.args.x=" + "[" * 100_000, "the value is nested too deeply to be read"),
        ("train.loss.args._target_=os.system", "Dice has no argument '_target_'"),
        ("train.__class__=1", "train has no '__class__'"),
        ("epochs=" + "9" * 100_000, "'epochs' is inf, expected a whole number"),
        ("learning_rate=nan", "'learning_rate' is nan"),
        ("=1", "the name before '=' is missing"),
        ("train.loss.name=" + CALL, "is not the path of a class"),
        ("MMAR_CKPT_DIR=" + "x" * 300, "the output folder .*x cannot be made: File name too long; mend MMAR_CKPT_DIR"),
        ("DATASET_JSON=" + "x" * 300, "the data list .*(too long|exist)"),
        ("DATASET_JSON=%/etc/hostname", "the data list file does not exist"),
        ("DATASET_JSON=@network", "the data list file does not exist"),
        ("DATASET_JSON=" + CALL, "the data list file does not exist"),
        ("DATASET_JSON=http://localhost:1/list.json", "the data list file does not exist"),
        ("DATA_ROOT=$HOME", r"\$HOME/case0_image.nii.gz does not exist"),
        ("MMAR_CKPT_DIR=/dev/null/x", "the output folder /dev/null/x cannot be made: /dev/null is a file"),
    ],
    ids=lambda value: value[:40],
)
def test_overrides(hostile_mmar: Make, run: Callable, canary: Path, override: str, message: str) -> None:
    mmar = hostile_mmar()
    for command in (("check", config_of(mmar)), ("train", "-m", mmar)):
        outcome = run(*command, "--set", named(canary, override))
        assert outcome.code == 2
        assert re.search(message, " ".join(outcome.text.split())), outcome.text[:500]


def test_a_folder_with_a_null_character_from_python(hostile_mmar: Make) -> None:
    with pytest.raises(ClaraError, match=r"the variable MMAR_CKPT_DIR is 'a\\x00b', expected a path"):
        train(hostile_mmar(), overrides={"MMAR_CKPT_DIR": "a\0b"})


@pytest.mark.parametrize("depth", [50, 150, 250, 330, 400])
def test_nesting_that_can_almost_be_read(hostile_mmar: Make, run: Callable, depth: int) -> None:
    nested: Any = 1
    for _ in range(depth):
        nested = {"a": [nested]} if _ % 2 else [nested]

    def change(config: dict[str, Any]) -> None:
        args = {"fields": "image", "told": nested}
        config["train"]["pre_transforms"].append({"path": "mine.Recorder", "args": args})

    mmar = hostile_mmar(change)
    (mmar / "mine.py").write_text(USER_CODE)
    checked, trained = run("check", config_of(mmar)), run("train", "-m", mmar, "--set", "epochs=1")
    assert checked.code == trained.code
    if trained.code == 0:
        assert json.loads((mmar / "told.json").read_text())[0] == nested
    else:
        assert "nested too deeply" in trained.text


def test_what_is_printed_steers_no_terminal(hostile_mmar: Make, run: Callable, tmp_path: Path) -> None:
    mmar = hostile_mmar(lambda config: config["train"]["loss"].update(name="[bold]\x9b2J\u202e[/nope][link=x]"))
    for command in (("check", config_of(mmar)), ("train", "-m", mmar)):
        text = run(*command).text
        assert r"'[bold]\x9b2J\u202e[/nope][link=x]' is no known component" in " ".join(text.split())
        assert not re.search("[\x00-\x08\x1b\x9b\u202e]", text)
    odd = tmp_path / "\x1b[2J"
    assert r"\x1b[2J: there is no such file" in run("check", odd).text


def test_a_terminal_that_knows_ascii_only(hostile_mmar: Make) -> None:
    mmar = hostile_mmar(lambda config: config["train"]["loss"].update(name="Dicé"))
    command = [sys.executable, "-c", "from clara_compat.cli.main import main; main()", "check", str(config_of(mmar))]
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path), "LC_ALL": "C"}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 2
    assert "is no known component; did you mean 'Dice'?" in found.stdout
    assert "Traceback" not in found.stdout + found.stderr


# What an evaluation may do


class Threshold(nn.Module):
    def forward(self, image: torch.Tensor) -> torch.Tensor:
        bright = (image[:, :1] > 50).to(image.dtype)
        return torch.cat([1 - bright, bright], dim=1)


EVALUATION: dict[str, Any] = {
    "batch_size": 1,
    "DATA_LIST_KEY": "validation",
    "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [16, 16, 16]}},
    "model_loader": {"name": "FrozenGraphModelLoader", "args": {"model_file_path": "{MMAR_CKPT_DIR}/model.trt.pb"}},
    "pre_transforms": [
        {"name": "LoadNifti", "args": {"fields": ["image"]}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": ["image"]}},
    ],
    "post_transforms": [
        {"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}},
        {"name": "CopyProperties", "args": {"fields": ["model"], "from_field": "image", "properties": ["affine"]}},
    ],
    "writers": [{"name": "WriteNifti", "args": {"field": "model", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"}}],
}


@pytest.fixture
def evaluation(tmp_path: Path, small_scans: Path) -> Path:
    mmar = tmp_path / "evaluation"
    (mmar / "config").mkdir(parents=True)
    (mmar / "models").mkdir()
    environment = {"DATA_ROOT": str(small_scans), "DATASET_JSON": str(small_scans / "dataset.json")}
    (mmar / "config/environment.json").write_text(json.dumps(environment))
    rewrite(mmar, EVALUATION, "config_validation.json")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Threshold(), torch.rand(1, 1, 16, 16, 16)).save(str(mmar / "models/model.ts"))
    return mmar


@pytest.mark.parametrize("payload", [CALL, "@network", "%/etc/hostname"])
def test_texts_in_every_place_of_an_evaluation(
    evaluation: Path, run: Callable, places: Callable, put: Callable, canary: Path, payload: str
) -> None:
    accepted = set()
    for path in places(EVALUATION):
        rewrite(evaluation, put(EVALUATION, path, named(canary, payload)), "config_validation.json")
        if run("evaluate", "-m", evaluation).code == 0:
            accepted.add(".".join(map(str, path)))
    assert accepted == {"writers.0.args.write_path"}
    written = evaluation / named(canary, payload).lstrip("/") / "case4_image/case4_image_model.nii.gz"
    assert written.is_file() or payload.startswith("%/")


def test_a_result_does_not_take_the_place_of_the_data(
    evaluation: Path, run: Callable, tmp_path: Path, small_scans: Path
) -> None:
    data = tmp_path / "data" / "case"
    data.mkdir(parents=True)
    shutil.copy(small_scans / "case4_image.nii.gz", data / "case.nii.gz")
    shutil.copy(small_scans / "case4_label.nii.gz", data / "case_model.nii.gz")
    listed = {"validation": [{"image": "case/case.nii.gz", "label": "case/case_model.nii.gz"}]}
    (data.parent / "list.json").write_text(json.dumps(listed))
    before = (data / "case_model.nii.gz").read_bytes()
    rewrite(
        evaluation,
        {**EVALUATION, "writers": [{"name": "WriteNifti", "args": {"field": "model", "write_path": "{DATA_ROOT}"}}]},
        "config_validation.json",
    )
    settings = ("--set", f"DATA_ROOT={data.parent}", f"DATASET_JSON={data.parent / 'list.json'}")
    for command in (("evaluate", "-m", evaluation), ("check", evaluation / "config/config_validation.json")):
        outcome = run(*command, *settings)
        assert outcome.code == 2
        assert "case_model.nii.gz' would take the place of a file of the data list" in " ".join(outcome.text.split())
    assert (data / "case_model.nii.gz").read_bytes() == before
    assert run("evaluate", "-m", evaluation, *settings, "--set", "output_infer_result=false").code == 2


# Legal configs with odd texts: they run, and mean what they say


ODD = "sc#ns @home $HOME %x {brace} an::import"


def test_odd_names_are_names(hostile_mmar: Make, run: Callable, small_scans: Path, tmp_path: Path) -> None:
    data = tmp_path / ODD
    shutil.copytree(small_scans, data)
    listed = json.loads((data / "dataset.json").read_text())
    for number, item in enumerate(listed["training"]):
        for kind in ("image", "label"):
            name = f"${number} #{kind}@import%.nii.gz"
            (data / item[kind]).rename(data / name)
            item[kind] = name
    (data / "@list#.json").write_text(json.dumps({"$train": listed["training"], "validation": listed["validation"]}))

    def change(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        config["train"]["image_pipeline"]["args"]["data_list_key"] = "$train"
        config["train"]["pre_transforms"][4]["name"] = "ScaleShiftIntensity#$alias#@other"
        metrics = config["validate"]["metrics"]
        metrics[0]["args"].update(name="$dice #1@x%", report_path="re#ports @import")

    mmar = hostile_mmar(change).rename(tmp_path / f"mmar {ODD}")
    environment = {
        "DATA_ROOT": str(data),
        "DATASET_JSON": str(data / "@list#.json"),
        "MMAR_CKPT_DIR": "mod#els $import",
    }
    (mmar / "config/environment.json").write_text(json.dumps(environment))
    assert run("check", config_of(mmar)).code == 0
    assert run("train", "-m", mmar).code == 0
    models = mmar / "mod#els $import"
    stats = json.loads((models / "train_stats.json").read_text())
    assert "$dice #1@x%" in json.dumps(stats)
    assert (models / "model.pt").is_file()
    assert list((mmar / "re#ports @import").glob("*_raw_results.txt"))
    assert run("migrate", "-m", mmar, "-c", "config/config_train.json", "-o", mmar / "bun#dle").code == 0
    migrated = json.loads((mmar / "bun#dle/configs/train.json").read_text())
    parser = ConfigParser(migrated)
    parser["bundle_root"] = str(mmar / "bun#dle")
    assert parser.get_parsed_content("DATASET_JSON") == str(data / "@list#.json")
    items = parser.get_parsed_content("train#data")
    assert items[0]["image"] == str(data / "$0 #image@import%.nii.gz")


def test_a_data_list_of_an_odd_name_in_the_mmar_comes_along(
    hostile_mmar: Make, run: Callable, small_scans: Path
) -> None:
    mmar = hostile_mmar()
    (mmar / "config/my @list#import.json").write_text((small_scans / "dataset.json").read_text())
    given = ("--set", f"DATASET_JSON={mmar / 'config/my @list#import.json'}")
    bundle = mmar / "bundle"
    assert run("migrate", "-m", mmar, "-c", "config/config_train.json", "-o", bundle, *given).code == 0
    assert (bundle / "config/my @list#import.json").is_file()
    parser = ConfigParser(json.loads((bundle / "configs/train.json").read_text()))
    parser["bundle_root"] = str(bundle)
    assert len(parser.get_parsed_content("train#data")) == 4


def test_a_migrated_config_runs_nothing_of_the_texts(
    hostile_mmar: Make, run: Callable, places: Callable, put: Callable, canary: Path
) -> None:
    mmar = hostile_mmar()
    config = json.loads(config_of(mmar).read_text())
    payload = named(canary, CALL)
    for number, path in enumerate(places(config)):
        rewrite(mmar, put(config, path, payload))
        bundle = mmar / f"bundle{number}"
        if run("migrate", "-m", mmar, "-c", "config/config_train.json", "-o", bundle).code == 2:
            continue
        for file in (bundle / "configs").glob("*.json"):
            parser = ConfigParser(json.loads(file.read_text()))
            parser.parse()
            for name, item in parser.ref_resolver.items.items():
                value = item.get_config()
                if isinstance(value, str) and "touch" in value:
                    found = parser.get_parsed_content(name, instantiate=False)  # of a data list, from the root on
                    assert found in (payload, str(Path.cwd() / payload)), (path, name, value)
    assert not canary.exists()
