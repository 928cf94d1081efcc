"""Everything knowable before the first batch is found before it, and said with its address."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch

from clara_compat import check, train
from clara_compat.errors import ClaraError

Make = Callable[..., Path]


def transform(index: int, **args: Any) -> Callable[[dict[str, Any]], None]:
    return lambda config: config["train"]["pre_transforms"][index]["args"].update(args)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c["train"]["loss"].update(name="Dicee"),
            r"config_train.json:\d+ train.loss.*'Dicee'.*did you mean 'Dice'",
        ),
        (transform(2, clp=True), r"train.pre_transforms\[2\].args.clp: ScaleIntensityRange has no argument 'clp'"),
        (lambda c: c["train"]["pre_transforms"][2]["args"].pop("a_max"), r"train.pre_transforms\[2\].*a_max"),
        (
            transform(2, a_min=[1]),
            r"train.pre_transforms\[2\].args.a_min.*\[1\].*number|train.pre_transforms\[2\].args.a_min.*list",
        ),
        (
            lambda c: c["validate"]["pre_transforms"].append({"ref": "LoadNift"}),
            r"validate.pre_transforms\[3\].*LoadNift.*LoadNifti",
        ),
        (lambda c: c["train"].pop("model"), r"train.*model"),
        (lambda c: c.pop("epochs"), "epochs"),
        (
            lambda c: c["train"]["pre_transforms"].append({"path": "nowhere.Mine"}),
            r"train.pre_transforms\[5\].*nowhere",
        ),
        (lambda c: c["train"]["pre_transforms"].append({"path": "os.system"}), r"train.pre_transforms\[5\].*os"),
        (transform(3, size=[64, 64, 64]), r"train.pre_transforms\[3\].*64.*24.*case\d_image"),
        (
            lambda c: c["train"]["image_pipeline"]["args"].update(output_crop_size=[20, 20, 20]),
            r"train.model: .*multiple of 16.*20, 20, 20",
        ),
        (transform(1, fields=["imge"]), r"train.pre_transforms\[1\]: .*field 'imge'.*did you mean 'image'\?"),
        (transform(3, label_field="lable"), r"train.pre_transforms\[3\]: .*field 'lable'.*did you mean 'label'\?"),
        (
            lambda c: (
                c["train"]["pre_transforms"][0]["args"].update(fields="image"),
                c["train"]["pre_transforms"].pop(3),
                c["train"]["pre_transforms"][1]["args"].update(fields="image"),
            ),
            "'label' is never loaded: add it to the fields of LoadNifti",
        ),
        (
            lambda c: c["validate"]["metrics"][1]["args"].update(field="accuracy"),
            r"validate.metrics\[1\].args.field: nothing produces the field 'accuracy' .*model, .*negloss",
        ),
        (
            lambda c: c["validate"]["metrics"][0]["args"].update(label_field="lable"),
            r"validate.metrics\[0\].args.label_field: nothing produces the field 'lable'; did you mean 'label'",
        ),
        (
            lambda c: c["validate"]["metrics"][0]["args"].update(report_path="/dev/null/reports"),
            r"validate.metrics\[0\].args.report_path: the output folder .* is a file; mend report_path",
        ),
        (
            lambda c: c["train"]["aux_ops"][0]["args"].update(tag="loss"),
            r"train.aux_ops\[0\]: .*the tag 'loss' is the",
        ),
        (
            lambda c: c["train"].update(handlers=[{"name": "AdjustLayerLRs"}]),
            r"train.handlers\[0\]: 'AdjustLayerLRs' is Clara's and does not run yet: use one that does meanwhile",
        ),
        (lambda c: c["train"]["loss"].update(path="Dice"), r"train.loss.path: 'Dice' has no module"),
        (lambda c: c.update(microbatches_size=4), "microbatches_size is not supported yet: leave it out"),
        (lambda c: c.update(MMAR_CKPT="models/model.ckpt"), "MMAR_CKPT: the weights .models.model.ckpt. do not exist"),
        (
            lambda c: c.update(extra_inputs=[{"args": {"name": "age", "data_key": "age"}}]),
            "extra_inputs is not supported yet: leave it out, or preview the data with them",
        ),
        (
            lambda c: c["validate"]["image_pipeline"]["args"].update(
                extra_inputs=[{"args": {"name": "age", "data_key": "age"}}]
            ),
            r"validate.image_pipeline.args.extra_inputs: extra_inputs is not supported yet",
        ),
        (
            lambda c: (c.pop("train"), c.update(val_metrics=[])),
            "val_metrics: this is a config for evaluation or inference: run it with clara-compat evaluate",
        ),
        (
            lambda c: c["validate"]["metrics"][1]["args"].update(name="mean_dice"),
            r"validate.metrics\[1\]: two metrics are called 'mean_dice'",
        ),
        (
            lambda c: c["validate"]["inferer"]["args"].update(roi_size=[16, 16, 9]),
            r"validate.inferer.args.roi_size: .*multiple of 16",
        ),
        (lambda c: c["train"]["image_pipeline"]["args"].update(data_list_key="trainin"), "did you mean 'training'"),
        (
            lambda c: c["train"]["image_pipeline"]["args"].update(output_image_channels=2),
            r"'image' has 1 channels at the end of the transforms, but output_image_channels .* is 2: mend one of them",
        ),
        (
            lambda c: c["train"]["image_pipeline"]["args"].update(output_label_channels=3),
            "'label' has 1 channels at the end of the transforms, but output_label_channels",
        ),
        (
            lambda c: c["train"]["image_pipeline"]["args"].update(output_crop_size=[16, 16]),
            "but the images have 2 spatial axes|'image' has 3 spatial axes, but the image pipeline declares 2",
        ),
        (
            lambda c: c["train"]["image_pipeline"]["args"].update(sampling="automatic"),
            "train.image_pipeline: item 0 of the data list has no category to balance by: give every item",
        ),
        (
            lambda c: c["train"]["image_pipeline"].update(name="ClassificationImagePipeline"),
            r"training\[0\] has the label '.*label.nii.gz', expected a class: a number or a list of numbers",
        ),
    ],
)
def test_a_bad_config_is_refused_before_anything_is_written(small_mmar: Make, change: Callable, message: str) -> None:
    mmar = small_mmar(change)
    with pytest.raises(ClaraError, match=message):
        train(mmar)
    assert not (mmar / "models").exists()


@pytest.mark.parametrize(("sections", "place"), [(["validate"], "validate"), (["train", "validate"], "train")])
def test_notices_of_both_chains_are_told_once(small_mmar: Make, sections: list[str], place: str) -> None:
    def change(config: dict[str, Any]) -> None:
        args = {"size": [16, 16, 16], "fields": "image", "label_field": "label", "batches_to_gen_at_once": 3}
        for section in sections:
            chain = config[section]["pre_transforms"]
            chain[:] = [one for one in chain if one.get("name") != "FastPosNegRatioCropROI"]
            chain.append({"name": "FastCropByPosNegRatio", "args": args})

    report = check(small_mmar(change) / "config/config_train.json")
    assert not report.errors
    [told] = [notice for notice in report.notices if "batches_to_gen_at_once is 3" in notice.text]
    assert f" {place}.pre_transforms[" in str(told)


def test_an_unknown_path_of_set_is_an_error_and_an_unknown_variable_a_notice(small_mmar: Make) -> None:
    mmar = small_mmar()
    with pytest.raises(ClaraError, match=r"train.pre_transform\[0\].*pre_transforms"):
        train(mmar, overrides=["train.pre_transforms[0].nam=x", "train.pre_transform[0].name=x"])
    report = check(mmar / "config/config_train.json", overrides=["epoch=1"])
    assert report.passed
    assert any("did you mean 'epochs'" in str(notice) for notice in report.notices)


def _with_item(small_mmar: Make, small_scans: Path, folder: Path, **item: str) -> tuple[Path, dict[str, str]]:
    items = json.loads((small_scans / "dataset.json").read_text())
    items = {key: [{f: str(small_scans / p) for f, p in one.items()} for one in found] for key, found in items.items()}
    items["training"][1] |= item
    (folder / "dataset.json").write_text(json.dumps(items))
    return small_mmar(), {"DATASET_JSON": str(folder / "dataset.json")}


def test_an_item_that_is_wrong_has_the_file_it_stands_in(small_mmar: Make, small_scans: Path, tmp_path: Path) -> None:
    mmar, listed = small_mmar(), tmp_path / "listed.json"
    listed.write_text(json.dumps({"training": [{"label": "x"}], "validation": [{"label": "y"}]}))
    errors = check(mmar / "config/config_train.json", overrides={"DATASET_JSON": str(listed)}).errors
    assert [str(error) for error in errors] == [
        f"{listed}: training[0] has no 'image' (label {small_scans / 'x'})",
        f"{listed}: validation[0] has no 'image' (label {small_scans / 'y'})",
    ]


def test_what_the_pipeline_declares_wrongly_is_said_at_the_pipeline(small_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        for section in ("train", "validate"):
            config[section]["image_pipeline"]["args"]["output_image_channels"] = 2

    mmar = small_mmar(change)
    with pytest.raises(ClaraError, match=r"config_train.json:\d+ train.image_pipeline: 'image' has 1 channels"):
        raise check(mmar / "config/config_train.json").errors[0]


def test_a_missing_scan_is_named(small_mmar: Make, small_scans: Path, tmp_path: Path) -> None:
    mmar, overrides = _with_item(small_mmar, small_scans, tmp_path, image="/nowhere/scan.nii.gz")
    with pytest.raises(
        ClaraError, match=r"/nowhere/scan.nii.gz does not exist \(named by training\[1\]\): check DATA_ROOT"
    ):
        train(mmar, overrides=overrides)


def test_a_label_of_another_shape_is_named(small_mmar: Make, small_scans: Path, tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.zeros((24, 22, 19), np.uint8), np.eye(4)), tmp_path / "short.nii.gz")
    mmar, overrides = _with_item(small_mmar, small_scans, tmp_path, label=str(tmp_path / "short.nii.gz"))
    with pytest.raises(ClaraError, match=r"different shapes, \(24, 22, 20\) and \(24, 22, 19\) voxels: .*short.nii.gz"):
        train(mmar, overrides=overrides)


def test_a_file_that_is_no_nifti_is_named(small_mmar: Make, small_scans: Path, tmp_path: Path) -> None:
    (tmp_path / "text.nii.gz").write_text("not an image")
    mmar, overrides = _with_item(small_mmar, small_scans, tmp_path, image=str(tmp_path / "text.nii.gz"))
    with pytest.raises(ClaraError, match="text.nii.gz' cannot be read: it is not a NIfTI file"):
        train(mmar, overrides=overrides)


def test_a_truncated_scan_is_named_when_it_is_read(small_mmar: Make, small_scans: Path, tmp_path: Path) -> None:
    whole = gzip.decompress((small_scans / "case1_image.nii.gz").read_bytes())
    (tmp_path / "torn.nii.gz").write_bytes(gzip.compress(whole)[: len(whole) // 3])
    mmar, overrides = _with_item(small_mmar, small_scans, tmp_path, image=str(tmp_path / "torn.nii.gz"))
    with pytest.raises(ClaraError, match=r"config_train.json:\d+ train.pre_transforms\[0\]: .*torn.nii.gz"):
        train(mmar, overrides=overrides)


def test_an_output_folder_that_cannot_be_made_is_said(small_mmar: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClaraError, match="the output folder .* cannot be made: .*file is a file; mend MMAR_CKPT_DIR"):
        train(small_mmar(), overrides={"MMAR_CKPT_DIR": str(tmp_path / "file" / "models")})


def test_an_undefined_variable_is_named(small_mmar: Make) -> None:
    mmar = small_mmar()
    environment = mmar / "config/environment.json"
    environment.write_text(json.dumps({"DATA_ROOT": "/data"}))
    with pytest.raises(ClaraError, match="data_list_file_path.*DATASET_JSON.*not defined"):
        train(mmar)


def test_strings_with_meaning_to_config_parser_reach_the_component_as_text(
    small_mmar: Make, small_scans: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "data#1 @home $x"
    folder.mkdir()
    for file in small_scans.iterdir():
        (folder / file.name).symlink_to(file)
    seen = tmp_path / "seen.json"
    spicy = {
        "path": "$__import__('os').system('true')",
        "ref": "@network",
        "macro": "%a",
        "_target_": "os.system",
        "n": {"#": "@"},
    }

    def change(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        config["train"]["pre_transforms"].append({"path": "spy.Spy", "args": {"seen": str(seen), "given": spicy}})

    mmar = small_mmar(change)
    (mmar / "custom").mkdir()
    (mmar / "custom/spy.py").write_text(
        "import json\n"
        "class Spy:\n"
        "    def __init__(self, seen, given):\n"
        "        open(seen, 'w').write(json.dumps(given))\n"
        "    def transform(self, ctx):\n"
        "        return ctx\n"
    )
    train(mmar, overrides={"DATA_ROOT": str(folder), "DATASET_JSON": str(folder / "dataset.json")})
    assert json.loads(seen.read_text()) == spicy


@pytest.mark.parametrize("text", ['{"epochs": ture}', '{"epochs": 1,}', "{'epochs': 1}"])
def test_what_is_not_json_is_said_with_line_and_column(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config_train.json"
    path.write_text("\n\n" + text)
    with pytest.raises(ClaraError, match=r"config_train.json:3: not valid JSON at line 3, column \d+"):
        train(tmp_path, path)


def _byoc(mmar: Path, text: str) -> None:
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(text)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "del transform_ctx['label']",
            "at the end of the transforms the field 'label' is missing",
        ),
        ("transform_ctx['label'] = 3", "the field 'label' is a int, not an image"),
        ("import sys; sys.exit('bad data')", r"pre_transforms\[5\]: .*mine.py:3: SystemExit: bad data"),
    ],
)
def test_what_a_users_transform_does_to_an_item_is_not_our_defect(small_mmar: Make, body: str, message: str) -> None:
    mmar = small_mmar(lambda config: config["train"]["pre_transforms"].append({"path": "mine.Mine"}))
    _byoc(mmar, f"class Mine:\n    def transform(self, transform_ctx):\n        {body}\n        return transform_ctx\n")
    with pytest.raises(ClaraError, match=message):
        train(mmar)


def test_an_error_in_a_users_metric_has_its_line(small_mmar: Make) -> None:
    mmar = small_mmar(lambda c: c["validate"]["metrics"].append({"path": "mine.Mine", "args": {"name": "mine"}}))
    _byoc(
        mmar,
        "from ai4med.components.metric import Metric\n"
        "from ai4med.libs.metrics.metric_list import MetricList\n\n\n"
        "class List(MetricList):\n"
        "    def update(self, value, label_value=None, filename='', data_prop=None):\n"
        "        return [][3]\n\n\n"
        "class Mine(Metric):\n"
        "    def __init__(self, name):\n"
        "        Metric.__init__(self, List(name), field='negloss', is_key_metric=True)\n",
    )
    with pytest.raises(ClaraError, match=r"metric 'mine': .*mine.py:7: IndexError"):
        train(mmar)
    assert (mmar / "models/checkpoint.pt").exists(), "the epoch before the failing validation is kept"
    assert any("2 metrics have is_key_metric" in str(n) for n in check(mmar / "config/config_train.json").notices)


def test_a_full_disk_is_the_users(small_mmar: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("torch.save", full)
    with pytest.raises(
        ClaraError, match=r"models/checkpoint.pt cannot be written: No space left on device \(.* MB free"
    ):
        train(small_mmar())


def test_running_out_of_memory_names_the_levers(small_mmar: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def allocate(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("clara_compat.engine.losses.dice.ClaraDiceLoss.forward", allocate)
    with pytest.raises(ClaraError, match=r"memory of the GPU ran out in a step .*: lower output_batch_size \(now 2; "):
        train(small_mmar())


def test_a_log_config_that_cannot_be_used_is_said(small_mmar: Make) -> None:
    mmar = small_mmar()
    (mmar / "resources").mkdir()
    (mmar / "resources/log.config").write_text(
        "[loggers]\nkeys=root\n[handlers]\nkeys=c\n[formatters]\nkeys=f\n[logger_root]\nlevel=INFO\nhandlers=c\n"
        "[handler_c]\nclass=StreamHandler\nargs=(sys.stdout,)\nformatter=f\n[formatter_f]\nformat=%(nonsense\n"
    )
    with pytest.raises(ClaraError, match=r"log\.config"):
        train(mmar)


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_output_folder_is_refused(small_mmar: Make, empty: str | None) -> None:
    mmar, given = small_mmar(), {"MMAR_CKPT_DIR": empty}
    with pytest.raises(ClaraError, match=r"config_train.json:1: MMAR_CKPT_DIR is empty: name the folder"):
        train(mmar, overrides=given)
    [error] = check(mmar / "config/config_train.json", overrides=given, data=False).errors
    assert "MMAR_CKPT_DIR is empty" in str(error)


def test_an_output_folder_that_the_system_refuses(small_mmar: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permission bits do not tell everything: network folders, /sys."""
    mmar, original = small_mmar(), Path.mkdir

    def mkdir(self: Path, *args: Any, **options: Any) -> None:
        if self.name == "models":
            raise PermissionError(1, "Operation not permitted", str(self))
        original(self, *args, **options)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(ClaraError, match="models cannot be made: Operation not permitted; mend MMAR_CKPT_DIR"):
        train(mmar)
