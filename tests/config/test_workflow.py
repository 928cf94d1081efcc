from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from clara_compat.config.problems import ConfigErrors
from clara_compat.config.spec import Catalogue
from clara_compat.config.workflow import Determinism, load_train_workflow
from clara_compat.errors import ClaraError


@pytest.fixture
def load(mmar, catalogue):
    """Load the MMAR's config, changed by ``change`` first."""

    def run(change=None, env=None, **kwargs):
        file = mmar / "config" / "config_train.json"
        if change:
            data = json.loads(file.read_text())
            change(data)
            file.write_text(json.dumps(data, indent=1))
        if env is not None:
            (mmar / "config" / "environment.json").write_text(json.dumps(env, indent=1))
        return load_train_workflow(file, catalogue=catalogue, **kwargs)

    return run


def error_texts(call, *args, **kwargs):
    with pytest.raises(ClaraError) as raised:
        call(*args, **kwargs)
    return str(raised.value).splitlines()


def test_a_whole_config(load, mmar):
    workflow = load()
    assert workflow.mmar == mmar
    assert workflow.file == mmar / "config" / "config_train.json"
    assert workflow.notices == []
    assert dict(workflow.undefined) == {}
    assert workflow.variables == {
        "PROCESSING_TASK": "segmentation",
        "MMAR_EVAL_OUTPUT_PATH": f"{mmar}/eval",
        "MMAR_CKPT_DIR": f"{mmar}/models/run1",
        "DATA_ROOT": "/data",
        "DATASET_JSON": "/data/list.json",
        "epochs": 3,
        "num_training_epoch_per_valid": 2,
        "learning_rate": 1e-4,
    }
    train, validate = workflow.train, workflow.validate
    assert [spec.name for spec in (train.loss, train.optimizer, train.model)] == ["Dice", "Adam", "Unet"]
    assert [spec.name for spec in train.pre_transforms] == [
        "LoadNifti", "ConvertToChannelsFirst", "ScaleByResolution", "ScaleByResolution", "ScaleIntensityRange", "Crop",
    ]  # fmt: skip
    assert train.image_pipeline.args["data_list_file_path"] == "/data/list.json"
    assert (train.lr_policy, train.batch_transforms, train.aux_ops, train.handlers) == (None, [], [], [])
    assert [spec.ref for spec in validate.pre_transforms] == [
        "LoadNifti", "ConvertToChannelsFirst", "ScaleImg", "ScaleLb", "ScaleIntensityRange",
    ]  # fmt: skip
    assert validate.pre_transforms[3].args["is_label"] is True
    assert validate.inferer.name == "TFScanWindowInferer"
    assert [spec.args["name"] for spec in validate.metrics] == ["mean_dice"]
    assert len(workflow.specs) == 6 + 4 + 5 + 3
    assert str(workflow.address("train", "loss", "name")).endswith("config_train.json:6 train.loss.name")


def test_settings_and_defaults(load):
    assert load().settings.model_dump() == {
        "epochs": 3, "learning_rate": 1e-4, "num_training_epoch_per_valid": 2, "multi_gpu": False, "use_amp": False,
        "use_tf32": None, "use_xla": False, "dynamic_input_shape": False, "train_summary_recording_interval": 1,
        "determinism": None, "stop_threshold": None, "continue_from_ckpt_epoch": False,
        "infer_in_training_mode": False, "validate_at_end": True, "cache_gb": None, "on_bad_item": "stop",
        "accelerate": "auto",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("overrides", "name", "value"),
    [
        (["epochs=7"], "epochs", 7),
        (["epochs=7", "epochs=8"], "epochs", 8),
        (["learning_rate=1"], "learning_rate", 1.0),
        (["use_amp=yes"], "use_amp", True),
        (["use_amp=1"], "use_amp", True),
        (["accelerate=off"], "accelerate", "off"),
        (["accelerate=on"], "accelerate", "auto"),
        (["accelerate=bf16,channels_last"], "accelerate", "bf16,channels_last"),
        (["validate_at_end=false"], "validate_at_end", False),
        (["stop_threshold=0.9"], "stop_threshold", 0.9),
        ({"epochs": 2}, "epochs", 2),
        ({"use_tf32": False}, "use_tf32", False),
        ({"determinism": {"tf_seed": 3}}, "determinism", Determinism(tf_seed=3)),
    ],
)
def test_settings_from_set(load, overrides, name, value):
    workflow = load(overrides=overrides)
    assert getattr(workflow.settings, name) == value
    assert str(workflow.address(name)) == f"--set {name}"


def test_environment_wins_over_the_config_and_set_over_both(load):
    assert load(env={"epochs": 5}, overrides={"DATA_ROOT": "x", "DATASET_JSON": "y"}).settings.epochs == 5
    assert load(env={"epochs": 5}, overrides={"DATA_ROOT": "x", "DATASET_JSON": "y", "epochs": 6}).settings.epochs == 6


def test_a_first_level_value_may_be_a_variable(load):
    workflow = load(lambda data: data.update(epochs="{N}", run="{DATA_ROOT}/run"), overrides=["N=9"])
    assert workflow.settings.epochs == 9
    assert workflow.variables["run"] == "/data/run"


def test_determinism(load):
    seeds = {"python_seed": 20191015, "random_seed": 123456, "numpy_seed": "654321", "tf_sed": 1}
    workflow = load(lambda data: data.update(determinism=seeds))
    assert workflow.settings.determinism == Determinism(python_seed="20191015", random_seed=123456, numpy_seed=654321)
    assert "'tf_sed' is no seed of determinism and is ignored; did you mean 'tf_seed'?" in str(workflow.notices[0])
    assert workflow.variables["determinism"]["random_seed"] == 123456
    assert load(lambda data: data.update(determinism={})).settings.determinism == Determinism()
    assert load(lambda data: data.update(determinism=None)).settings.determinism is None
    assert load(lambda data: data.update(determinism="null")).settings.determinism is None  # as --set gives it


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, r"config_train.json:2 epochs: 'epochs' is 0, expected greater than or equal to 1"),
        ({"epochs": "many"}, "'epochs' is 'many', expected a whole number"),
        ({"epochs": 2.5}, "'epochs' is 2.5, expected a whole number"),
        ({"epochs": True}, "'epochs' is true, expected a whole number"),
        ({"epochs": None}, "'epochs' is null, expected a whole number"),
        ({"epochs": "{N}"}, r"'epochs' is null because \{N\} is not defined in environment.json or --set, expected a"),
        ({"accelerate": "fast"}, "'accelerate' is 'fast', expected auto, off, or levers with commas between them"),
        ({"accelerate": 3}, "'accelerate' is 3, expected"),
        ({"learning_rate": 0}, "'learning_rate' is 0.0, expected greater than 0"),
        ({"learning_rate": float("nan")}, "'learning_rate' is nan, expected a finite number"),
        ({"num_training_epoch_per_valid": -1}, "expected greater than or equal to 0"),
        ({"use_amp": "maybe"}, "'use_amp' is 'maybe', expected true or false"),
        ({"multi_gpu": 2}, "'multi_gpu' is 2, expected true or false"),
        ({"determinism": True}, "'determinism' is True, expected an object with python_seed, random_seed, numpy_seed"),
        ({"determinism": {"tf_seed": "x"}}, "determinism.tf_seed: 'tf_seed' is 'x', expected a whole number or null"),
    ],
)
def test_wrong_settings(load, change, message):
    (text,) = error_texts(load, lambda data: data.update(change))
    assert re.search(message, text)


def test_wrong_settings_from_elsewhere(load, mmar):
    assert error_texts(load, overrides=["epochs=0"]) == [
        "--set epochs: 'epochs' is 0, expected greater than or equal to 1"
    ]
    (text,) = error_texts(load, env={"DATA_ROOT": "a", "DATASET_JSON": "b", "epochs": "x"})
    assert text == f"{mmar}/config/environment.json:4 epochs: 'epochs' is 'x', expected a whole number"


def drop(*keys):
    def change(data):
        for key in keys:
            section = data
            *parents, last = key.split(".")
            for parent in parents:
                section = section[parent]
            del section[last]

    return change


@pytest.mark.parametrize(
    ("keys", "messages"),
    [
        (
            ["epochs"],
            ["config_train.json:1 epochs: 'epochs' is missing: add \"epochs\": ... at the top level or --set"],
        ),
        (["learning_rate"], ["'learning_rate' is missing"]),
        (["train.loss"], ["train.loss: train has no 'loss'"]),
        (["train.model"], ["train.model: train has no 'model'"]),
        (["train.pre_transforms", "validate"], ["train has no 'pre_transforms'"]),
        (["train.image_pipeline"], ["train has no 'image_pipeline'"]),
        (["validate.image_pipeline"], ["validate has no 'image_pipeline'"]),
        (["validate.pre_transforms"], ["validate has no 'pre_transforms'"]),
        (["train.loss", "train.model", "epochs"], ["'epochs' is missing", "no 'loss'", "no 'model'"]),
        (["train", "validate"], ["config_train.json:1 train: the section 'train' is missing"]),
    ],
)
def test_what_must_be_there(load, keys, messages):
    found = error_texts(load, drop(*keys))
    assert len(found) == len(messages)
    for text, message in zip(found, messages, strict=True):
        assert message in text


def test_everything_disabled(load):
    found = error_texts(load, lambda data: data["train"].update(loss=[{"name": "Dice", "disabled": True}]))
    assert found[0].endswith("train.loss: 'loss' has no enabled component")


def test_a_slot_that_is_an_undefined_variable(load):
    (text,) = error_texts(load, lambda data: data["train"].update(loss="{LOSS}"))
    assert "train has no 'loss' because {LOSS} is not defined" in text


@pytest.mark.parametrize("section", [3, [], "x"])
def test_a_section_of_the_wrong_kind(load, section):
    (text,) = error_texts(load, lambda data: data.update(validate=section))
    assert "validate: the section 'validate' is not an object" in text


def test_no_validation(load):
    assert load(drop("validate")).validate is None
    assert load(lambda data: data.update(validate=None)).validate is None


def test_no_optimizer_is_adam_with_a_notice(load):
    for change in (drop("train.optimizer"), lambda data: data["train"].update(optimizer=None)):
        workflow = load(change)
        assert workflow.train.optimizer.name == "Adam"
        assert workflow.train.optimizer.args == {}
        assert "train has no optimizer: Adam is used, as in Clara" in str(workflow.notices[0])


def test_a_wrong_optimizer_is_no_missing_one(load):
    (text,) = error_texts(load, lambda data: data["train"].update(optimizer={"name": "Adan"}))
    assert "'Adan' is no known component; did you mean 'Adam'?" in text


def test_no_metrics_get_a_notice(load):
    (notice,) = load(drop("validate.metrics")).notices
    assert "there are no metrics: validation cannot tell which model is best" in str(notice)


def test_other_slots(load):
    def change(data):
        data["train"] |= {
            "handlers": [{"name": "StatsHandler"}],
            "aux_ops": [{"name": "NegLoss", "args": {"tag": "negloss"}}],
            "lr_policy": {"name": "ReducePoly"},
            "batch_transforms": [{"name": "Crop", "args": {"size": [1]}}],
        }

    train = load(change).train
    found = (train.handlers[0], train.aux_ops[0], train.lr_policy, train.batch_transforms[0])
    assert [spec.name for spec in found] == ["StatsHandler", "NegLoss", "ReducePoly", "Crop"]


@pytest.mark.parametrize(
    ("slot", "element", "message"),
    [
        ("model", {"name": "Dice"}, "'Dice' is a loss and cannot stand here; train.model takes a model"),
        ("loss", {"name": "Unet"}, "'Unet' is a model and cannot stand here; train.loss takes a loss"),
        (
            "handlers",
            [{"name": "Adam"}],
            "'Adam' is an optimizer and cannot stand here; train.handlers takes a handler",
        ),
    ],
)
def test_wrong_slot(load, slot, element, message):
    found = error_texts(load, lambda data: data["train"].update({slot: element}))
    assert len(found) == 1
    assert message in found[0]


def test_all_errors_at_once_one_a_line(load):
    def change(data):
        data["epochs"] = 0
        data["train"]["loss"] = {"name": "Dise"}
        data["train"]["model"]["args"] = {"classes": 2}
        data["train"]["pre_transforms"][5]["args"]["size"] = "64"
        data["validate"]["pre_transforms"][0] = {"ref": "LoadNifty"}
        data["validate"]["image_pipeline"]["args"]["data_list_key"] = "{KEY}/x"

    with pytest.raises(ConfigErrors) as raised:
        load(change)
    texts = str(raised.value).splitlines()
    assert len(raised.value.errors) == len(texts) == 7
    for message in (
        "expected greater than",
        "did you mean 'Dice'",
        "has no argument 'classes'",
        "needs the argument 'num_classes'",
        "expected a list of whole numbers",
        "did you mean 'LoadNifti'",
        "variable KEY",
    ):
        assert sum(message in text for text in texts) == 1, message
    assert isinstance(raised.value, ClaraError)


def test_what_a_ref_names_is_reported_once(load):
    found = error_texts(load, lambda data: data["train"]["pre_transforms"][0]["args"].update(fieldz=1))
    assert len(found) == 1


def test_undefined_variables(load):
    found = error_texts(load, env={"DATA_ROOT": "/data"})
    assert len(found) == 2
    assert "data_list_file_path' of SegmentationImagePipeline is null because {DATASET_JSON} is not defined" in found[0]
    workflow = load(
        lambda data: data["validate"]["metrics"][0]["args"].update(report_path="{REPORT}"),
        env={"DATA_ROOT": "/data", "DATASET_JSON": "x"},
    )
    assert workflow.undefined == {("validate", "metrics", 0, "args", "report_path"): "REPORT"}


@pytest.mark.parametrize(
    ("overrides", "notice"),
    [
        (["epoch=3"], "--set epoch: nothing uses the variable 'epoch'; did you mean 'epochs'?"),
        (["DATASET_JSN=3"], "--set DATASET_JSN: nothing uses the variable 'DATASET_JSN'; did you mean 'DATASET_JSON'?"),
        (["acelerate=off"], "--set acelerate: nothing uses the variable 'acelerate'; did you mean 'accelerate'?"),
        (
            ["resume=true"],
            "--set resume: nothing uses the variable 'resume'; did you mean 'continue_from_ckpt_epoch'?",
        ),
        (["qqq=3"], "--set qqq: nothing uses the variable 'qqq'"),
    ],
)
def test_unknown_variable_gets_a_notice(load, overrides, notice):
    workflow = load(overrides=overrides)
    assert [str(each) for each in workflow.notices] == [notice]
    assert overrides[0].partition("=")[0] in workflow.variables


@pytest.mark.parametrize("name", ["MMAR_CKPT", "DATA_ROOT", "use_amp", "MINE", "PRETRAIN_WEIGHTS_FILE"])
def test_known_variables_get_none(load, name):
    environment = {"DATA_ROOT": "a", "DATASET_JSON": "b", "MINE": 1}
    assert load(env=environment, overrides={name: True} if name == "use_amp" else {name: "x"}).notices == []


def test_path_overrides(load):
    workflow = load(
        overrides=["train.image_pipeline.args.num_workers=0", "train.pre_transforms[5].args.size=[32,32,32]"]
    )
    assert workflow.train.image_pipeline.args["num_workers"] == 0
    assert workflow.train.pre_transforms[5].args["size"] == [32, 32, 32]
    assert load(overrides={"train.model.args.num_classes": 3}).train.model.args["num_classes"] == 3


def test_path_overrides_come_before_substitution(load):
    workflow = load(overrides=["train.image_pipeline.args.data_file_base_dir={DATA_ROOT}/sub"])
    assert workflow.train.image_pipeline.args["data_file_base_dir"] == "/data/sub"


def test_an_error_in_an_override_says_so(load):
    assert error_texts(load, overrides=["train.pre_transforms[5].args.size=abc"]) == [
        "--set train.pre_transforms[5].args.size: argument 'size' of Crop is 'abc', expected a list of whole numbers"
    ]
    (text,) = error_texts(load, overrides=["train.pre_transform[5].args.size=1"])
    assert "train has no 'pre_transform'; did you mean train.pre_transforms?" in text


def test_a_value_nested_too_deeply(load):
    with pytest.raises(ClaraError, match=r"config_train.json: lists and objects are nested too deeply"):
        load(overrides=[f"train.model.args.num_classes={'[' * 900}{']' * 900}"])


def test_unknown_keys_get_a_notice(load):
    def change(data):
        data.update(epoch=3, comment="x", ___search=[], SUB="a", MMAR_X="b", search=[], use_scanning_window=True)
        data["train"].update(handler=[], __model={"name": "{bad"}, search=[])
        data["validate"].update(post_transforms=[])
        data["train"]["image_pipeline"]["args"]["data_file_base_dir"] = "{DATA_ROOT}/{SUB}"

    assert [str(notice).partition(": ")[2] for notice in load(change).notices] == [
        "the key 'epoch' is ignored; did you mean 'epochs'?",
        "the key 'comment' is ignored",
        "the key 'handler' of train is ignored; did you mean 'handlers'?",
        "the key 'post_transforms' of validate is ignored; did you mean 'pre_transforms'?",
    ]


def test_thousands_of_unknown_keys_are_counted(load):
    more = {f"unknown{number}": 0 for number in range(5000)}

    def change(data):
        data.update(more)
        data["train"].update(more)
        data["train"]["loss"].update(more)

    texts = [str(notice).partition(": ")[2] for notice in load(change).notices]
    assert len(texts) == 63
    assert texts[19:21] == ["the key 'unknown19' is ignored", "4,980 further keys are ignored"]
    assert texts[41] == "4,980 further keys of train are ignored"
    assert texts[62] == "4,980 further keys of a component are ignored"


def test_literal_text_survives(load):
    args = {"report_path": "$@/a#b%c", "name": "@x", "field": "_target_"}
    assert load(lambda data: data["validate"]["metrics"][0].update(args=args)).validate.metrics[0].args == args


# Files and folders


def test_user_code(load, mmar):
    (mmar / "custom").mkdir()
    (mmar / "custom" / "mine.py").write_text(
        "class MyLoss(Loss):\n    def __init__(self, weight): ...\nclass MyT(Transformer):\n    pass\n"
    )

    def change(data):
        data["train"]["loss"] = {"path": "mine.MyLoss", "args": {"wight": 1}}
        data["train"]["pre_transforms"].append({"path": "mine.MyT"})
        data["train"]["model"] = {"path": "mine.MyT"}

    found = error_texts(load, change)
    place = f"MyLoss ({mmar}/custom/mine.py:2)"
    assert f"{place} has no argument 'wight'; did you mean 'weight'?" in found[1]
    assert f"{place} needs the argument 'weight'" in found[2]
    assert "'MyT' is a transform and cannot stand here; train.model takes a model" in found[0]


def test_user_roots(load, mmar, monkeypatch, tmp_path):
    (mmar / "src" / "deep").mkdir(parents=True)
    (mmar / "src" / "deep" / "mine.py").write_text("class MyLoss(Loss): ...\n")
    (tmp_path / "extra").mkdir()
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'extra'}")
    workflow = load(lambda data: data["train"].update(loss={"path": "mine.MyLoss"}))
    assert workflow.user_roots == [str(tmp_path / "extra"), str(mmar), str(mmar / "config"), str(mmar / "src" / "deep")]


def test_user_code_that_need_not_be_there(load):
    workflow = load(lambda data: data["train"].update(loss={"path": "mine.MyLoss"}), user_code_required=False)
    assert (workflow.train.loss.name, workflow.train.loss.user) == ("MyLoss", None)
    assert "the module of 'mine.MyLoss' was not found" in str(workflow.notices[0])
    (text,) = error_texts(load, lambda data: data["train"].update(loss={"path": "mine.MyLoss"}))
    assert "train.loss: the module of 'mine.MyLoss' was not found" in text


def test_config_and_environment_relative_to_the_mmar(mmar, catalogue, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    workflow = load_train_workflow(
        "config/config_train.json", mmar="mmar", env="config/environment.json", catalogue=catalogue
    )
    assert workflow.mmar == mmar
    assert workflow.variables["MMAR_CKPT_DIR"] == f"{mmar}/models/run1"
    assert str(workflow.address("epochs")) == "config/config_train.json:2 epochs"


def test_the_working_folder_comes_first(mmar, catalogue, base_config, tmp_path, monkeypatch):
    base_config["epochs"] = 77
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config_train.json").write_text(json.dumps(base_config))
    monkeypatch.chdir(tmp_path)
    assert load_train_workflow("config/config_train.json", mmar=mmar, catalogue=catalogue).settings.epochs == 77


@pytest.mark.parametrize(("folder", "expected"), [("config", "."), ("elsewhere", "elsewhere")])
def test_the_mmar_follows_from_the_config(tmp_path, catalogue, base_config, folder, expected):
    (tmp_path / folder).mkdir()
    base_config |= {"DATA_ROOT": "/x", "DATASET_JSON": "/y"}
    (tmp_path / folder / "c.json").write_text(json.dumps(base_config))
    workflow = load_train_workflow(tmp_path / folder / "c.json", catalogue=catalogue)
    assert workflow.mmar == tmp_path / expected


def test_missing_files(mmar, catalogue, tmp_path):
    config = mmar / "config" / "config_train.json"
    with pytest.raises(ClaraError, match="the MMAR is not a folder"):
        load_train_workflow(config, mmar=tmp_path / "nowhere", catalogue=catalogue)
    with pytest.raises(ClaraError, match=r"config_trian.json: there is no such file; did you mean"):
        load_train_workflow(mmar / "config" / "config_trian.json", catalogue=catalogue)
    with pytest.raises(ClaraError, match=r"env.json: there is no such file"):
        load_train_workflow(config, env="env.json", catalogue=catalogue)
    (mmar / "config" / "environment.json").write_text("{x")
    with pytest.raises(ClaraError, match=r"environment.json:1: not valid JSON at line 1, column 2"):
        load_train_workflow(config, catalogue=catalogue)


def test_repeated_keys_reach_the_notices(mmar, catalogue):
    file = mmar / "config" / "config_train.json"
    file.write_text(file.read_text().replace('"epochs": 3,', '"epochs": 3,\n"epochs": 4,'))
    workflow = load_train_workflow(file, catalogue=catalogue)
    assert workflow.settings.epochs == 4
    assert "'epochs' stands twice" in str(workflow.notices[0])


# The published configs


class Anything(dict):
    """A catalogue in which every name is there and takes any argument."""

    def __missing__(self, name):
        from clara_compat.components.component import Component

        self[name] = type(name, (Component,), {"__init__": lambda self, **kwargs: None})
        return self[name]

    def get(self, name, default=None):
        return self[name]


SECTIONS = {
    "Dice": "losses", "Focal": "losses", "Unet": "models", "SegResnet": "models", "SegAhnet": "models",
    "Adam": "optimizers", "NovoGrad": "optimizers", "ComputeAverageDice": "metrics", "ComputeAverage": "metrics",
    "StatsHandler": "handlers", "NegLoss": "aux_ops", "DiceMaskedOutput": "aux_ops", "ReducePoly": "lr_policies",
    "ReduceCosine": "lr_policies",
}  # fmt: skip


def family_of(cls):
    name = cls.__name__
    if "ImagePipeline" in name:
        return "pipelines"
    return "inferers" if name.endswith("Inferer") else SECTIONS.get(name, "transforms")


def published(folder: Path):
    return [file for file in sorted(folder.rglob("*.json")) if '"train": {' in file.read_text()]


@pytest.mark.real
def test_published_training_configs_resolve(clara_examples, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    files = published(clara_examples)
    assert len(files) == 33
    broken = {"trn1_AMP.json"}
    for file in files:
        options = {
            "overrides": {"DATASET_JSON": "x", "DATA_ROOT": "y"},
            "user_code_required": False,
            "catalogue": Catalogue(Anything(), family_of),
        }
        if file.name in broken:
            with pytest.raises(ClaraError, match="line 7, column 14"):
                load_train_workflow(file, **options)
            continue
        workflow = load_train_workflow(file, **options)
        written = json.loads(file.read_text())
        enabled = [item for item in written["train"]["pre_transforms"] if not item.get("disabled")]
        assert len(workflow.train.pre_transforms) == len(enabled)
        for spec, item in zip(workflow.train.pre_transforms, enabled, strict=True):
            assert spec.args == item.get("args", {})
            line = file.read_text().splitlines()[spec.address.line - 1]
            assert "{" in line
        assert all("was not found" in notice.text or "search" in notice.text for notice in workflow.notices)
