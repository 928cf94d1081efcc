"""Evaluation configs as typed workflows: keys, defaults, places of the annotation server's files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clara_compat.config.evaluate_workflow import is_evaluation, load_evaluate_workflow
from clara_compat.errors import ClaraError

LOAD = {"name": "LoadNifti", "args": {"fields": "image", "as_closest_canonical": "false"}}
LOADER = {"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}}
WRITER = {"name": "WriteNifti", "args": {"field": "model", "dtype": "uint8"}}


def load(folder: Path, config: dict[str, Any], overrides: Any = (), environment: Any = None) -> Any:
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config/config.json").write_text(json.dumps(config, indent=1))
    (folder / "config/environment.json").write_text(json.dumps(environment or {}))
    return load_evaluate_workflow(folder / "config/config.json", overrides=overrides)


def test_defaults(tmp_path: Path) -> None:
    workflow = load(tmp_path, {"pre_transforms": [LOAD], "model_loader": LOADER})
    settings = workflow.settings
    assert (settings.do_validation, settings.output_infer_result, settings.overwrite_previous_result) == (
        False,
        True,
        True,
    )
    assert (settings.batch_size, settings.DATA_LIST_KEY, settings.use_amp) == (1, "validation", False)
    assert workflow.model_loader.args == {"checkpoint_dir": f"{tmp_path}/models"}
    assert workflow.variables["MMAR_EVAL_OUTPUT_PATH"] == f"{tmp_path}/eval"
    assert (workflow.inferer, workflow.writers, workflow.annotation) == (None, [], False)
    assert workflow.notices == []


def test_who_wins(tmp_path: Path) -> None:
    """--set over the environment over the config; paths into the config."""
    config = {"pre_transforms": [LOAD], "model_loader": LOADER, "use_amp": True, "DATA_LIST_KEY": "testing"}
    workflow = load(
        tmp_path,
        config,
        ["do_validation=true", "use_amp=false", 'pre_transforms[0].args.fields=["image"]'],
        {"DATA_LIST_KEY": "training", "MMAR_CKPT_DIR": "elsewhere"},
    )
    assert (workflow.settings.do_validation, workflow.settings.use_amp) == (True, False)
    assert workflow.settings.DATA_LIST_KEY == "training"
    assert workflow.model_loader.args["checkpoint_dir"] == f"{tmp_path}/elsewhere"
    assert workflow.pre_transforms[0].args["fields"] == ["image"]


@pytest.mark.parametrize(
    ("config", "path", "windows"),
    [
        ({"version": "3", "pre_transforms": [LOAD], "writer": WRITER}, "pre_transforms[0]", None),
        (
            {"pre_transforms": [LOAD], "inference": {"args": {"roi": [8, 8, 8], "batch_size": 2}}, "writers": [WRITER]},
            "pre_transforms[0]",
            {"roi_size": [8, 8, 8], "batch_size": 2},
        ),
        (
            {"spleen model": {"pre_transforms": [LOAD], "inference": {"roi_size": [8, 8, 4]}, "writer": WRITER}},
            '["spleen model"].pre_transforms[0]',
            {"roi_size": [8, 8, 4]},
        ),
        (
            {"version": 3, "inference": {"pre_transforms": [LOAD], "args": {"roi": [8, 8]}}, "writer": WRITER},
            "inference.pre_transforms[0]",
            {"roi_size": [8, 8]},
        ),
        (
            {
                "pre_transforms": [LOAD],
                "inference": {"args": {"roi": [8], "scanning_window": "false"}},
                "writer": WRITER,
            },
            "pre_transforms[0]",
            None,
        ),
    ],
)
def test_annotation_files(tmp_path: Path, config: dict[str, Any], path: str, windows: Any) -> None:
    assert is_evaluation(config)
    workflow = load(tmp_path, config)
    assert workflow.annotation
    [loader] = workflow.pre_transforms
    assert loader.address.path == path
    assert loader.address.line is not None
    assert [writer.args["write_path"] for writer in workflow.writers] == [f"{tmp_path}/eval"] * (
        "writer" in str(config)
    )
    assert (workflow.inferer and workflow.inferer.args) == windows
    assert workflow.notices == []


def test_older_names_in_annotation_files(tmp_path: Path) -> None:
    old = {"name": "LoadNifty", "args": {"applied_key": "image"}}
    workflow = load(tmp_path, {"model": {"pre_transforms": [old], "writer": WRITER}})
    assert workflow.pre_transforms[0].name == "LoadNifti"
    assert workflow.pre_transforms[0].args == {"fields": "image"}
    assert any("'LoadNifty' is an older name of LoadNifti" in notice.text for notice in workflow.notices)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"train": {}, "val_metrics": []}, False),
        ({"epochs": 1}, False),
        ({"post_transforms": []}, True),
        ({"pre_transforms": []}, True),
        ({"a": {"pre_transforms": []}}, True),
        ({"a": {"pre_transforms": []}, "b": {"pre_transforms": []}}, False),
    ],
)
def test_what_is_an_evaluation(config: dict[str, Any], expected: bool) -> None:
    assert is_evaluation(config) is expected


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"writers": []}, "there are no 'pre_transforms', which load the image"),
        ({"pre_transforms": "{CHAIN}", "writers": []}, "which load the image because {CHAIN} is not defined"),
        (
            {"pre_transforms": [LOAD], "writers": [WRITER]},
            r"writers\[0\]: WriteNifti: WriteNifti needs the argument 'write_path'",
        ),
        (
            {"pre_transforms": [LOAD], "inferer": LOADER},
            "inferer: 'CheckpointLoader' is a model loader and cannot",
        ),
        ({"pre_transforms": [LOAD], "batch_size": "two", "writers": []}, "'batch_size' is 'two', expected a whole"),
        ({"pre_transforms": LOAD, "writers": []}, "pre_transforms: is an object, expected a list of components"),
    ],
)
def test_what_is_wrong(tmp_path: Path, config: dict[str, Any], message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        load(tmp_path, config)
