"""Names out of configs, data lists and MMARs: whatever they are, results lie in the output folder, and nothing is lost.

An MMAR of a stranger may hold links, to have the user's own files overwritten through them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from clara_compat import evaluate, train
from clara_compat.common.files import check_inside
from clara_compat.common.metric_report import write_reports
from clara_compat.common.result_files import ResultFiles
from clara_compat.engine.transforms.save_nifti import SaveNiftid
from clara_compat.engine.transforms.write_results import WriteNiftid
from clara_compat.engine.writers.nifti import write_nifti
from clara_compat.errors import ClaraError
from clara_compat.run.export import export
from clara_compat.run.outputs import write_bundle
from clara_compat.run.training_report import training_report

Make = Callable[..., Path]
SECRET = "the user's own"
NAMES = {
    "../../out": {"case"},
    "/tmp/out": {"case"},
    "..": {"field"},
    ".": {"field"},
    "": set(),
    "a/../../b": {"case"},
    "a\0b": set(),
    "..\\..\\b": {"case"},
    "a" * 300: set(),
    "con:in": {"case", "field"},
    "~/x": {"case"},
    "$HOME": {"case", "field"},
    "-rf": {"case", "field"},
}
"""Names, and what a file can be called after: a case at a path of that name, a field. Else there is none."""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder of the user's outside of every MMAR; it is as it was at the end of the test."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    names = [
        "train.json",
        "metadata.json",
        "logging.conf",
        "model.pt",
        "notes",
        "case4_image_model.nii.gz",
        "model.onnx",
    ]
    for name in names:
        (folder / name).write_text(SECRET)
    yield folder
    assert sorted(os.listdir(folder)) == sorted(names)
    assert {(folder / name).read_text() for name in names} == {SECRET}


def files_below(folder: Path) -> set[Path]:
    return {Path(root, name) for root, _, names in os.walk(folder) for name in names}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_cases_and_fields(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a/b/c/out"
    written = []
    for case, field, named in (
        (f"/data/{name}.nii.gz", "model", {"case"}),
        ("/data/case.nii.gz", name, {"field"}),
        (name, name, {"case", "field"}),
    ):
        with contextlib.suppress(ClaraError):
            path = ResultFiles(folder, field, ".nii.gz").claim(case)
            write_nifti(path, np.zeros((1, 2, 2, 2)), np.eye(4))
            written.append(path)
            assert named <= NAMES[name]
    assert len(written) == sum(named <= NAMES[name] for named in ({"case"}, {"field"}, {"case", "field"}))
    assert {path.parent.parent for path in written} <= {folder}
    assert files_below(tmp_path) == set(written)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_metrics(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a/b/c/out"
    try:
        write_reports(folder, name, ["case"], [0.5])
    except ClaraError as error:
        assert "cannot be written to" in error.message  # noqa: PT017 -- too long a name, in every file system
    assert all(file.parent == folder for file in files_below(tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_names_of_debug_images(tmp_path: Path, name: str) -> None:
    from monai.data import MetaTensor

    folder = tmp_path / "a/b/c/out"
    image = MetaTensor(torch.zeros(1, 2, 2, 2), meta={"filename_or_obj": f"/data/{name}.nii.gz"})
    with contextlib.suppress(ClaraError):
        SaveNiftid("image", folder)({"image": image})
    assert {file.parent for file in files_below(tmp_path)} == ({folder} if "case" in NAMES[name] else set())


@pytest.mark.parametrize("name", [*list(NAMES)[:8], "spleen/../../x"])
def test_names_of_exported_files(tmp_path: Path, name: str) -> None:
    for option, what in (("triton_model", "--trtis_model_name"), ("model_name", "--model_name")):
        with pytest.raises(ClaraError, match=f"{what} is '.*', expected a name of letters, digits and"):
            export(tmp_path, **{option: name})
    assert not files_below(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "model.pt",
        "configs/train.json",
        "train_stats.json",
        "x.html",
        "../out.log",
        "/tmp/out.log",
        "link/out.log",
        ".",
        "a\0b",
    ],
)
def test_names_of_log_files(hostile_mmar: Make, elsewhere: Path, name: str) -> None:
    mmar = hostile_mmar()
    (mmar / "models").mkdir()
    (mmar / "models/link").symlink_to(elsewhere)
    (mmar / "models/model.pt").write_text("weights of an earlier run")
    (mmar / "resources").mkdir()
    (mmar / "resources/log.config").write_text(
        "[loggers]\nkeys=root\n[handlers]\nkeys=file\n[formatters]\nkeys=\n[logger_root]\nlevel=INFO\nhandlers=file\n"
        f"[handler_file]\nclass=FileHandler\nargs=({name!r}, 'w')\n"
    )
    with pytest.raises(ClaraError, match=r"log\.config:\d+ \[handler_file\]: the log file"):
        train(mmar)
    assert (mmar / "models/model.pt").read_text() == "weights of an earlier run"
    assert len(files_below(mmar / "models")) == 1


def test_links_in_the_output_folder_of_a_training(hostile_mmar: Make, elsewhere: Path) -> None:
    mmar = hostile_mmar()
    models = mmar / "models"
    (models / "configs").mkdir(parents=True)
    for name, target in (
        ("configs/train.json", "train.json"),
        ("configs/metadata.json", "metadata.json"),
        ("configs/logging.conf", "logging.conf"),
        ("model.pt", "model.pt"),
        ("final_model.pt", "model.pt"),
        ("checkpoint.pt", "model.pt"),
        ("train_stats.json", "notes"),
        ("report.html", "notes"),
    ):
        (models / name).symlink_to(elsewhere / target)
    train(mmar, overrides={"epochs": 1})
    shutil.rmtree(models)
    models.mkdir()
    for name in ("model.pt", "final_model.pt", "checkpoint.pt", "report.html"):  # dangling: nothing to keep
        (models / name).symlink_to(elsewhere / f"new_{name}")
    train(mmar, overrides={"epochs": 1})
    assert not (models / "model.pt").is_symlink()


@pytest.mark.parametrize("name", ["configs", "debug"])
def test_folders_that_lead_out_of_the_output_folder(hostile_mmar: Make, tmp_path: Path, name: str) -> None:
    mmar = hostile_mmar()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/notes").write_text(SECRET)
    (mmar / "models").mkdir()
    (mmar / "models" / name).symlink_to(tmp_path / "other")
    with pytest.raises(ClaraError, match=rf"models/{name}' leads out of the output folder '.*models', and nothing is"):
        train(mmar, overrides={"epochs": 1})
    assert files_below(tmp_path / "other") == {tmp_path / "other/notes"}


def test_an_output_folder_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "models").symlink_to(tmp_path / "large")
    write_bundle(tmp_path / "models", {})
    assert (tmp_path / "large/configs/train.json").is_file()
    check_inside(tmp_path / "models/a/b/c", tmp_path / "models")
    (tmp_path / "models/a").symlink_to(tmp_path)
    with pytest.raises(
        ClaraError, match=r"models/a/b' leads out of the output folder '.*models', and nothing is written"
    ):
        check_inside(tmp_path / "models/a/b/c", tmp_path / "models")


def test_links_in_the_output_folder_of_an_evaluation(tmp_path: Path, elsewhere: Path) -> None:
    from monai.data import MetaTensor

    item = {"image": MetaTensor(torch.zeros(1, 2, 2, 2), meta={"filename_or_obj": "case4_image.nii.gz"})}
    item["model"] = item["image"]
    out = tmp_path / "eval"
    out.mkdir()
    (out / "case4_image").symlink_to(elsewhere)
    with pytest.raises(ClaraError, match=r"eval/case4_image' leads out of the output folder '.*eval', and nothing is"):
        WriteNiftid("model", out)(item)
    (out / "case4_image").unlink()
    (out / "case4_image").mkdir()
    (out / "case4_image/case4_image_model.nii.gz").symlink_to(elsewhere / "case4_image_model.nii.gz")
    WriteNiftid("model", out)(item)
    assert not (out / "case4_image/case4_image_model.nii.gz").is_symlink()


def test_links_in_the_place_of_a_model_repository(hostile_mmar: Make, elsewhere: Path) -> None:
    pytest.importorskip("onnx")
    mmar = hostile_mmar()
    train(mmar, overrides={"epochs": 1})
    (mmar / "models/spleen").mkdir()
    (mmar / "models/spleen/1").symlink_to(elsewhere)
    with pytest.raises(ClaraError, match=r"models/spleen/1' leads out of the output folder '.*models', and nothing is"):
        export(mmar / "models", triton_model="spleen")


def test_a_report_takes_no_other_files_place(tmp_path: Path) -> None:
    (tmp_path / "train_stats.json").write_text("{}")
    (tmp_path / "model.pt").write_text(SECRET)
    with pytest.raises(
        ClaraError, match=r"the report is a page, and '.*model\.pt' is no name of one: let it end in .html"
    ):
        training_report(tmp_path, out=tmp_path / "model.pt")
    assert (tmp_path / "model.pt").read_text() == SECRET


def test_scans_stay_as_they_are(hostile_mmar: Make, small_scans: Path, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    shutil.copytree(small_scans, scans)
    before = {file: file.read_bytes() for file in files_below(scans)}
    mmar = hostile_mmar()
    fields = {"fields": ["image"]}
    evaluation: dict[str, Any] = {
        "batch_size": 1,
        "DATA_LIST_KEY": "validation",
        "inferer": {"name": "TFScanWindowInferer", "args": {"roi_size": [16, 16, 16]}},
        "pre_transforms": [{"name": "LoadNifti", "args": fields}, {"name": "ConvertToChannelsFirst", "args": fields}],
        "post_transforms": [{"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}}],
        "writers": [{"name": "WriteNifti", "args": {"field": "model", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"}}],
    }
    (mmar / "config/config_validation.json").write_text(json.dumps(evaluation))
    data = {"DATA_ROOT": str(scans), "DATASET_JSON": str(scans / "dataset.json")}
    train(mmar, overrides={"epochs": 1, **data})
    evaluate(mmar, overrides={"MMAR_EVAL_OUTPUT_PATH": str(scans), **data})
    assert {file: file.read_bytes() for file in before} == before
    listed = json.loads((scans / "dataset.json").read_text())
    listed["validation"][0]["label"] = "case4_image/case4_image_model.nii.gz"  # a prediction of that evaluation
    (scans / "dataset.json").write_text(json.dumps(listed))
    kept = (scans / "case4_image/case4_image_model.nii.gz").read_bytes()
    with pytest.raises(ClaraError, match="case4_image_model.nii.gz"):
        evaluate(mmar, overrides={"MMAR_EVAL_OUTPUT_PATH": str(scans), **data})
    assert (scans / "case4_image/case4_image_model.nii.gz").read_bytes() == kept
