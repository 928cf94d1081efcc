"""Evaluation configs end to end: figures against numpy, files against independent readers, every option."""

from __future__ import annotations

import csv
import json
import logging
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import itk
import nibabel
import numpy as np
import pytest
from PIL import Image

import clara_compat
from clara_compat import evaluate
from clara_compat.cli.evaluation_tables import print_evaluation
from clara_compat.common.files import save_json
from clara_compat.config.problems import ConfigErrors
from clara_compat.errors import ClaraError

Make = Callable[..., Path]
CASES = [f"case{i}_image" for i in range(4)]
VALIDATE = {"do_validation": True}
EXPORTED = {
    "model_loader.name": "FrozenGraphModelLoader",
    "model_loader.args": {"model_file_path": "{MMAR_CKPT_DIR}/model.trt.pb"},
}


def voxels(file: Path) -> np.ndarray:
    return np.asarray(nibabel.load(file).dataobj)


def numpy_dice(predicted: np.ndarray, true: np.ndarray) -> float:
    return 2.0 * np.logical_and(predicted, true).sum(dtype=np.float64) / (predicted.sum() + true.sum())


def test_dice_per_case_is_that_of_the_written_masks(evaluation_mmar: Make, small_scans: Path) -> None:
    mmar = evaluation_mmar()
    result = evaluate(mmar, overrides=VALIDATE)
    expected = {}
    for case in CASES:
        mask = voxels(mmar / "eval" / case / f"{case}_pred_1.nii.gz")
        image, label = (voxels(small_scans / f"{case[:5]}_{kind}.nii.gz") for kind in ("image", "label"))
        np.testing.assert_array_equal(mask, image > 50)
        assert mask.dtype == np.uint8
        expected[case] = numpy_dice(mask == 1, label == 1)
    assert {case: values["dice"] for case, values in result.cases.items()} == pytest.approx(expected, abs=1e-12)
    assert result.metrics == pytest.approx({"dice": np.mean(list(expected.values()))}, abs=1e-12)
    raw = (mmar / "eval/dice_raw_results.txt").read_text()
    assert all(f"{case}.nii.gz" in raw for case in CASES)
    assert (mmar / "eval/dice_summary_results.txt").is_file()


def test_what_is_left(
    evaluation_mmar: Make, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """One folder per case; figures and the bundle config as JSON; a line per case and a table."""
    mmar = evaluation_mmar()
    with caplog.at_level(logging.INFO, "clara_compat"):
        result = evaluate(mmar, overrides=VALIDATE)
    folders = sorted(path.name for path in (mmar / "eval").iterdir() if path.is_dir())
    assert folders == CASES
    assert sorted(path.name for path in (mmar / "eval" / CASES[0]).iterdir()) == [
        f"{CASES[0]}_model.nii.gz",
        f"{CASES[0]}_pred_1.nii.gz",
    ]
    stats = json.loads(result.paths["stats"].read_text())
    assert stats == result.stats
    assert stats["model"] == str(mmar / "models/model.ts")
    assert [case["name"] for case in stats["cases"]] == CASES
    assert all(Path(path).is_file() for case in stats["cases"] for path in case["paths"])
    assert json.loads(result.paths["bundle"].read_text())["evaluator"]["_target_"] == "SupervisedEvaluator"
    print_evaluation(result)
    out = capsys.readouterr().out
    assert f"case 1/4 case0_image: {result.stats['cases'][0]['seconds']:.1f} s, dice 0." in caplog.text
    for text in (*CASES, "all cases", "dice", f"{result.metrics['dice']:.4f}", "8 files of predictions"):
        assert text in out


@pytest.mark.parametrize("canonical", [False, True])
@pytest.mark.parametrize("spacing", [None, [1.0, 1.0, 1.0], [1.3, 0.9, 2.5]])
@pytest.mark.parametrize("restore", [False, True])
def test_masks_lie_where_the_scan_does(
    evaluation_mmar: Make, tmp_path: Path, oblique_affine: np.ndarray, canonical: bool, spacing: Any, restore: bool
) -> None:
    """A scan in a rotated, flipped frame, read back by nibabel and ITK; restored, the grids are the same."""
    shape = (20, 24, 14)
    label = np.zeros(shape, np.uint8)
    label[4:9, 12:21, 3:8] = 1
    for kind, data in (("image", (label * 100).astype(np.int16)), ("label", label)):
        nibabel.save(nibabel.Nifti1Image(data, oblique_affine), tmp_path / f"{kind}.nii.gz")
    save_json({"training": [{"image": "image.nii.gz", "label": "label.nii.gz"}]}, tmp_path / "list.json")

    def change(config: dict[str, Any]) -> None:
        for name in ("pre_transforms", "label_transforms"):
            chain, field = config[name], name.startswith("label")
            chain[0]["args"]["as_closest_canonical"] = canonical
            if spacing and not (restore and field):
                args = {"fields": chain[0]["args"]["fields"], "target_resolution": spacing, "is_label": field}
                chain.insert(2, {"name": "ScaleByResolution", "args": args})
        if restore:
            args = {"field": "model", "src_field": "image", "is_label": True}
            config["post_transforms"].insert(1, {"name": "RestoreOriginalShape", "args": args})
            copied = config["post_transforms"][-1]["args"]["properties"]
            copied += ["original_affine", "as_canonical"]
            for writer in config["writers"]:
                writer["args"]["revert_canonical"] = True

    data = {"DATA_ROOT": str(tmp_path), "DATASET_JSON": str(tmp_path / "list.json")}
    mmar = evaluation_mmar(change)
    result = evaluate(mmar, overrides={**VALIDATE, **data})
    file = mmar / "eval/image/image_model.nii.gz"
    mask = nibabel.load(file)
    if restore or not (canonical or spacing):
        assert mask.shape == shape
        np.testing.assert_allclose(mask.affine, oblique_affine, atol=1e-4)
        wrong = np.count_nonzero(voxels(file) != label)
        assert wrong == 0 if not spacing else wrong < 0.5 * label.sum()
    expected = _centre(label, oblique_affine)
    aside = np.linalg.norm(_centre(voxels(file), mask.affine) - expected)
    assert aside < (2.0 if spacing else 1e-3)  # mm; voxels are up to 4 mm long
    read = itk.imread(str(file))
    index = np.argwhere(itk.array_from_image(read) > 0).mean(axis=0)[::-1]
    turn = itk.array_from_matrix(read.GetDirection())
    lps = np.asarray(read.GetOrigin()) + turn @ (np.asarray(read.GetSpacing()) * index)
    np.testing.assert_allclose(np.asarray(lps) * [-1, -1, 1], _centre(voxels(file), mask.affine), atol=1e-3)
    assert result.metrics["dice"] > 0.75


def _centre(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Return the RAS mm of the middle of a mask."""
    return affine[:3, :3] @ np.argwhere(mask > 0).mean(axis=0) + affine[:3, 3]


def test_without_validation_no_label_is_read(evaluation_mmar: Make, small_scans: Path, tmp_path: Path) -> None:
    save_json({"training": [{"image": "case0_image.nii.gz", "label": "nowhere.nii.gz"}]}, tmp_path / "list.json")
    mmar = evaluation_mmar()
    result = evaluate(mmar, overrides={"DATASET_JSON": str(tmp_path / "list.json")})
    assert result.metrics == {}
    assert result.cases == {CASES[0]: {}}
    assert len(result.stats["cases"][0]["paths"]) == 2
    assert not list((mmar / "eval").glob("*results.txt"))
    with pytest.raises(ClaraError, match=r"nowhere.nii.gz does not exist \(named by training\[0\]\): check DATA_ROOT"):
        evaluate(mmar, overrides={**VALIDATE, "DATASET_JSON": str(tmp_path / "list.json")})


def test_without_output_only_figures_are_left(evaluation_mmar: Make) -> None:
    mmar = evaluation_mmar()
    result = evaluate(mmar, overrides={**VALIDATE, "output_infer_result": False})
    assert result.metrics["dice"] > 0.9
    assert not [path for path in (mmar / "eval").iterdir() if path.is_dir()]
    assert all(case["paths"] == [] for case in result.stats["cases"])
    with pytest.raises(ClaraError, match="the run would leave nothing: set output_infer_result=true with a writer"):
        evaluate(mmar, overrides={"output_infer_result": False})


def test_earlier_results_take_the_place_of_a_prediction(evaluation_mmar: Make) -> None:
    mmar = evaluation_mmar()
    first = evaluate(mmar, overrides=VALIDATE)
    (mmar / "eval" / CASES[1] / f"{CASES[1]}_model.nii.gz").unlink()
    file = mmar / "eval" / CASES[2] / f"{CASES[2]}_pred_1.nii.gz"
    empty = nibabel.Nifti1Image(np.zeros_like(voxels(file)), nibabel.load(file).affine)
    nibabel.save(empty, file)  # so that a reloaded mask is told from a predicted one
    again = evaluate(mmar, overrides={**VALIDATE, "overwrite_previous_result": False})
    assert [case["reused"] for case in again.stats["cases"]] == [True, False, True, True]
    assert again.cases[CASES[2]] == {"dice": 0.0}
    for case in (CASES[0], CASES[1], CASES[3]):
        assert again.cases[case] == pytest.approx(first.cases[case], abs=1e-12)
    assert (mmar / "eval" / CASES[1] / f"{CASES[1]}_model.nii.gz").is_file()
    plain = evaluate(mmar, overrides={"overwrite_previous_result": False})
    assert all(case["reused"] for case in plain.stats["cases"])
    anew = evaluate(mmar, overrides=VALIDATE)
    assert anew.cases == first.cases


def test_a_metric_of_a_field_that_is_not_kept_needs_a_new_prediction(
    evaluation_mmar: Make, caplog: pytest.LogCaptureFixture
) -> None:
    mmar = evaluation_mmar(lambda config: config["writers"].pop())
    evaluate(mmar, overrides=VALIDATE)
    with caplog.at_level(logging.WARNING, "clara_compat"):
        result = evaluate(mmar, overrides={**VALIDATE, "overwrite_previous_result": False})
    assert not any(case["reused"] for case in result.stats["cases"])
    assert "no writer keeps 'pred_1', which ComputeAverageDice reads: every case is evaluated anew" in caplog.text


def test_a_training_is_evaluated(small_mmar: Make, evaluation_mmar: Make) -> None:
    """The best weights give the validation's own figure; so do the last ones, by their own name."""
    trained = clara_compat.train(small_mmar())

    def change(config: dict[str, Any]) -> None:
        config["DATA_LIST_KEY"] = "validation"
        config["model_loader"] = {"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}}
        config["pre_transforms"][2]["args"].update(a_min=-50, a_max=150)
        config["post_transforms"] = []
        config["label_transforms"].pop()
        config["val_metrics"][0]["args"].update(field="model", label_field="label")
        config["writers"] = []

    mmar = evaluation_mmar(change, name="evaluated")
    folder = {"MMAR_CKPT_DIR": str(trained.paths["model"].parent), **VALIDATE}
    best = evaluate(mmar, overrides=folder)
    assert best.metrics["dice"] == pytest.approx(trained.stats["best_value"], abs=1e-6)
    last = evaluate(mmar, overrides={**folder, "model_loader.args.checkpoint_file_prefix": "model_final.ckpt"})
    assert last.stats["model"].endswith("final_model.pt")
    assert last.metrics["dice"] == pytest.approx(trained.stats["epochs"][-1]["metrics"]["mean_dice"], abs=1e-6)
    amp = evaluate(mmar, overrides={**folder, "use_amp": True})
    assert amp.metrics["dice"] == pytest.approx(best.metrics["dice"], abs=0.05)
    missing = evaluate(mmar, overrides={**folder, **EXPORTED})
    assert missing.stats["model"].endswith("model.pt")
    assert missing.metrics == best.metrics
    clara_compat.export(trained.paths["model"].parent, onnx=False)
    exported = evaluate(mmar, overrides={**folder, **EXPORTED})
    assert exported.stats["model"].endswith("model.ts")
    for case, values in best.cases.items():
        assert exported.cases[case] == pytest.approx(values, abs=1e-4)


def test_weights_that_no_training_of_this_package_made(
    small_mmar: Make, evaluation_mmar: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Beside converted weights the MMAR's training config says what network they are of."""
    trained = clara_compat.train(small_mmar())
    mmar = evaluation_mmar(
        lambda c: c.update(model_loader={"name": "CheckpointLoader", "args": {"checkpoint_dir": "{MMAR_CKPT_DIR}"}}),
        name="evaluated",
    )
    shutil.copy(trained.paths["model"], mmar / "models/model.pt")
    with pytest.raises(ClaraError, match=r"models/configs/train.json is missing, which says what network"):
        evaluate(mmar)
    shutil.copy(trained.paths["model"].parents[1] / "config/config_train.json", mmar / "config")
    with caplog.at_level(logging.WARNING, "clara_compat"):
        found = evaluate(mmar)
    assert (
        f"{mmar}/models does not say what network the weights belong to: it is taken from {mmar}/config" in caplog.text
    )
    shutil.copytree(trained.paths["bundle"].parent, mmar / "models/configs")
    for case in CASES:
        image = f"{case}/{case}_model.nii.gz"
        shutil.copy(found.paths["folder"] / image, mmar / f"{case}.nii.gz")
    evaluate(mmar)
    for case in CASES:
        again = voxels(mmar / "eval" / case / f"{case}_model.nii.gz")
        np.testing.assert_array_equal(voxels(mmar / f"{case}.nii.gz"), again)


def test_a_tensorflow_checkpoint_of_a_network_of_torchs(small_mmar: Make, evaluation_mmar: Make) -> None:
    """What Clara called the built-in networks' variables is not known: the error says how they are given names."""
    config = small_mmar() / "config/config_train.json"
    mmar = evaluation_mmar(
        lambda c: c.update(model_loader={"name": "CheckpointLoader", "args": {"checkpoint_dir": "tf"}}),
        name="evaluated",
    )
    checkpoints = Path(__file__).parents[1] / "references" / "tensorflow_checkpoints"
    (mmar / "tf").mkdir()
    for file in checkpoints.glob("network.*"):
        shutil.copy(file, mmar / "tf" / file.name.replace("network", "model.ckpt"))
    shutil.copy(config, mmar / "config/config_train.json")
    with pytest.raises(
        ClaraError, match=r"CustomNetwork/conv3d/bias, .* have no known place in ClaraUNet, .*weights conve"
    ):
        evaluate(mmar)


def test_values_that_are_no_numbers_are_told(
    evaluation_mmar: Make, small_scans: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "scans"
    shutil.copytree(small_scans, data)
    [first, *_] = json.loads((data / "dataset.json").read_text())["validation"]
    scan = nibabel.load(data / first["image"])
    values = scan.get_fdata(dtype=np.float32)
    values[3, 4, 5] = np.nan
    nibabel.save(nibabel.Nifti1Image(values, scan.affine), data / first["image"])
    given = {"DATA_ROOT": str(data), "DATASET_JSON": str(data / "dataset.json"), "DATA_LIST_KEY": "validation"}
    evaluate(evaluation_mmar(), overrides={**VALIDATE, **given})
    [told] = [record.getMessage() for record in caplog.records if "nan or infinite" in record.getMessage()]
    assert first["image"] in told


def test_classes_of_pictures(classifying_mmar: Path, tmp_path: Path) -> None:
    """Two pictures per forward pass; one file of class values, which a second run takes over."""
    means = {"a": 10, "b": 200, "c": 90}
    for name, value in means.items():
        Image.fromarray(np.full((8, 8), value, np.uint8)).save(tmp_path / f"{name}.png")
    save_json({"training": [{"image": f"{name}.png", "label": [0]} for name in means]}, tmp_path / "list.json")
    data = {"DATA_ROOT": str(tmp_path), "DATASET_JSON": str(tmp_path / "list.json")}
    result = evaluate(classifying_mmar, overrides=data)
    rows = list(csv.reader((classifying_mmar / "eval/preds_model.csv").open()))
    assert [Path(row[0]).name for row in rows] == ["a.png", "b.png", "c.png"]
    expected = [[1 - value / 255, value / 255] for value in means.values()]
    np.testing.assert_allclose(np.array([row[1:] for row in rows], float), expected, atol=1e-6)
    assert result.stats["cases"][1]["values"]["model"] == pytest.approx(expected[1], abs=1e-6)
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(tmp_path / "d.png")
    save_json({"training": [{"image": f"{name}.png"} for name in "abcd"]}, tmp_path / "list.json")
    again = evaluate(classifying_mmar, overrides={**data, "overwrite_previous_result": False})
    assert [case["reused"] for case in again.stats["cases"]] == [True, True, True, False]
    assert len((classifying_mmar / "eval/preds_model.csv").read_text().splitlines()) == 4


def test_finished_cases_are_kept_when_a_later_one_fails(
    classifying_mmar: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in (("a", 10), ("b", 90), ("c", 200)):
        Image.fromarray(np.full((8, 8), value, np.uint8)).save(tmp_path / f"{name}.png")
    save_json({"training": [{"image": f"{name}.png"} for name in "abc"]}, tmp_path / "list.json")
    (classifying_mmar / "custom").mkdir()
    (classifying_mmar / "custom/mine.py").write_text(
        "class Fails:\n"
        "    def __call__(self, data):\n"
        "        if float(data['model'].max()) < 0.7:\n"
        "            raise ValueError('no such luck')\n"
        "        return data\n"
    )
    file = classifying_mmar / "config/config_validation.json"
    config = json.loads(file.read_text())
    save_json({**config, "batch_size": 1, "post_transforms": [{"path": "mine.Fails"}]}, file)
    data = {"DATA_ROOT": str(tmp_path), "DATASET_JSON": str(tmp_path / "list.json")}
    with pytest.raises(ClaraError, match=r"post_transforms\[0\]: .*no such luck .*b.png"):
        evaluate(classifying_mmar, overrides=data)
    results = classifying_mmar / "eval/preds_model.csv"
    assert [Path(row[0]).name for row in csv.reader(results.open())] == ["a.png"]
    save_json({**config, "batch_size": 1}, file)
    again = evaluate(classifying_mmar, overrides={**data, "overwrite_previous_result": False})
    assert [case["reused"] for case in again.stats["cases"]] == [True, False, False]


def test_area_under_the_curve_of_pictures(classifying_mmar: Path, tmp_path: Path) -> None:
    """The label is a number of the data list; the area is the share of pairs in the right order."""
    values, labels = [10, 200, 90, 120, 30], [0, 1, 1, 0, 0]
    items = []
    for index, (value, label) in enumerate(zip(values, labels, strict=True)):
        Image.fromarray(np.full((8, 8), value, np.uint8)).save(tmp_path / f"p{index}.png")
        items.append({"image": f"p{index}.png", "label": [1 - label, label]})
    save_json({"training": items}, tmp_path / "list.json")
    auc = {"name": "ComputeAUC", "args": {"name": "auc", "field": "model", "label_field": "label", "class_index": 1}}
    config = json.loads((classifying_mmar / "config/config_validation.json").read_text())
    save_json({**config, "val_metrics": [auc]}, classifying_mmar / "config/config_validation.json")
    data = {"DATA_ROOT": str(tmp_path), "DATASET_JSON": str(tmp_path / "list.json")}
    result = evaluate(classifying_mmar, overrides={**data, **VALIDATE})
    pairs = [
        one > other
        for one, is_one in zip(values, labels, strict=True)
        for other, is_other in zip(values, labels, strict=True)
        if is_one and not is_other
    ]
    assert result.metrics["auc"] == pytest.approx(np.mean(pairs), abs=1e-9)
    assert set().union(*result.cases.values()) == set()  # it needs all cases


USER_CODE = """
import numpy as np
from ai4med.components.eval_writers.eval_writer import EvalWriter
from ai4med.components.metric import Metric
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
from ai4med.libs.metrics.metric_list import MetricList


class Negate(MultiFieldTransformer):
    def __init__(self, fields):
        MultiFieldTransformer.__init__(self, fields)

    def transform(self, transform_ctx):
        for field in self.fields:
            image = transform_ctx.get_image(field)
            transform_ctx.set_image(field, image.new_image(1 - image.get_data(), image.get_shape_format()))
        return transform_ctx


class Largest:
    def __init__(self, fields):
        self.fields = fields

    def __call__(self, data):
        data["largest"] = float(data[self.fields].max())
        return data


class TextWriter(EvalWriter):
    def __init__(self, field, folder):
        EvalWriter.__init__(self, field)
        self.folder = folder
        self.seen = []

    def write(self, input_file_name, data_dict):
        image = data_dict.get_image(self.field)
        self.seen.append((input_file_name, int(image.get_data().sum()), str(image.get_shape_format())))

    def finalize(self):
        with open(self.folder + "/sums.txt", "w") as stream:
            stream.write("\\n".join("%s %d %s" % one for one in self.seen))


class Volume(Metric):
    def __init__(self, name, field):
        Metric.__init__(self, MetricList(name), field)

    def update(self, value, label_value=None, filename="", data_prop=None):
        self.metric.update(np.sum(value), None, filename, data_prop)
"""


def test_user_written_components(evaluation_mmar: Make) -> None:
    """Transform, plain callable, writer and metric of the user's own, after the network."""

    def change(config: dict[str, Any]) -> None:
        config["post_transforms"] += [
            {"path": "mine.Negate", "args": {"fields": ["pred_0"]}},
            {"path": "mine.Largest", "args": {"fields": "pred_1"}},
        ]
        config["writers"].append({"path": "mine.TextWriter", "args": {"field": "pred_0", "folder": "{FOLDER}"}})
        config["val_metrics"].append({"path": "mine.Volume", "args": {"name": "volume", "field": "pred_0"}})

    mmar = evaluation_mmar(change)
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(USER_CODE)
    result = evaluate(mmar, overrides={**VALIDATE, "FOLDER": str(mmar)})
    lines = (mmar / "sums.txt").read_text().splitlines()
    assert len(lines) == 4
    for line, case in zip(lines, CASES, strict=True):
        file, total, layout = line.split()
        assert (Path(file).name, layout) == (f"{case}.nii.gz", "CDHW")
        assert int(total) == voxels(mmar / "eval" / case / f"{case}_pred_1.nii.gz").sum()
        assert result.cases[case]["volume"] == int(total)
    assert result.stats["cases"][0]["values"] == {"largest": 1.0}


def test_a_writer_of_the_users_may_load_its_results(evaluation_mmar: Make) -> None:
    code = (
        "import os\nfrom ai4med.components.eval_writers.write_nifti import WriteNifti\n\n\n"
        "class Mine(WriteNifti):\n"
        "    def check_results_exist(self, input_file_name):\n"
        "        return WriteNifti.check_results_exist(self, input_file_name)\n"
    )

    def change(config: dict[str, Any]) -> None:
        config["writers"] = [
            {
                "path": "mine.Mine",
                "args": {"field": "pred_1", "dtype": "uint8", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"},
            }
        ]

    mmar = evaluation_mmar(change)
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(code)
    first = evaluate(mmar, overrides=VALIDATE)
    again = evaluate(mmar, overrides={**VALIDATE, "overwrite_previous_result": False})
    assert all(case["reused"] for case in again.stats["cases"])
    assert again.cases == first.cases


def _first(chain: str, element: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda config: config[chain].insert(0, element)


CROP = {
    "name": "FastCropByPosNegRatio",
    "args": {"size": [8, 8, 8], "fields": "image", "label_field": "image", "pos": 1, "neg": 1, "batch_size": 2},
}
REPEAT = {"name": "RepeatChannel", "args": {"fields": ["image"], "repeats": 2}}


@pytest.mark.parametrize(
    ("change", "overrides", "message"),
    [
        (lambda c: c.update(train={}), {}, "train: this is a config for training: run it with clara-compat train"),
        (None, {"DATASET_JSON": ""}, "DATASET_JSON is not set, which names the data list"),
        (None, {"DATA_LIST_KEY": "trainig"}, "no list 'trainig' in this data list; did you mean 'training'?"),
        (None, {"MMAR_CKPT_DIR": "nowhere"}, r"model_loader: '.*nowhere/model.ts' does not exist: write it with"),
        (None, {"MMAR_EVAL_OUTPUT_PATH": ""}, "WriteNifti needs the argument 'write_path', the folder for the results"),
        (
            lambda c: c.update(writers=[], val_metrics=[]),
            {"MMAR_EVAL_OUTPUT_PATH": ""},
            "MMAR_EVAL_OUTPUT_PATH is empty: name the folder for the results",
        ),
        (None, {"MMAR_EVAL_OUTPUT_PATH": "config/environment.json"}, "is a file; mend MMAR_EVAL_OUTPUT_PATH"),
        (None, {"batch_size": 0}, "'batch_size' is 0, expected greater than or equal to 1"),
        (
            lambda c: c.update(model_loader={"name": "TRTISModelLoader", "args": {"model_spec_file_name": "x"}}),
            {},
            "model_loader: inference by a server is not supported: use CheckpointLoader",
        ),
        (lambda c: c.pop("pre_transforms"), {}, "there are no 'pre_transforms', which load the image"),
        (lambda c: c["pre_transforms"].append(CROP), {}, "makes several crops of an image, which an evaluation"),
        (
            lambda c: c["val_metrics"][0]["args"].update(field="pred_2"),
            VALIDATE,
            r"val_metrics\[0\].args.field: nothing produces the field 'pred_2'",
        ),
        (
            lambda c: c["writers"][0]["args"].update(field="modell"),
            {},
            "nothing produces the field 'modell'; did you mean 'model'",
        ),
        (
            lambda c: c["post_transforms"][0]["args"].update(fields="modul"),
            {},
            r"post_transforms\[0\]: ArgmaxAcrossChannels works on the field 'modul', which is not there; did you mean",
        ),
        (
            lambda c: c["pre_transforms"].append(
                {"name": "ScaleByResolution", "args": {"fields": "image", "target_resolution": [2, 2, 2]}}
            ),
            VALIDATE,
            r"ComputeAverageDice compares 'pred_1' \[12, 11, 15\] and 'label_1' \[24, 22, 20\] voxels: bring both",
        ),
        (
            lambda c: c["val_metrics"].append(c["val_metrics"][0]),
            VALIDATE,
            "two metrics are called 'dice': give one of them another name",
        ),
        (lambda c: c["inferer"]["args"].update(roi_size=[16, 16]), {}, "roi_size is .16, 16. but the data have 3"),
        (_first("pre_transforms", {"name": "LoadNiftii"}), {}, "'LoadNiftii' is no known component; did you mean"),
        (_first("writers", {"name": "LoadNifti", "args": {"fields": "image"}}), {}, "'LoadNifti' is a transform and"),
    ],
)
def test_what_must_be_mended_is_told_before_anything_is_written(
    evaluation_mmar: Make, change: Any, overrides: dict[str, Any], message: str
) -> None:
    mmar = evaluation_mmar(change)
    _with_network(mmar)
    with pytest.raises(ClaraError, match=message):
        evaluate(mmar, overrides=overrides)
    assert not (mmar / "eval").exists()


def _with_network(mmar: Path, in_channels: int = 1) -> None:
    """Say what network was exported, as a training's folder does: what is compared with it can be checked ahead."""
    network = {
        "_target_": "clara_compat.engine.networks.unet.ClaraUNet",
        "spatial_dims": 3,
        "in_channels": in_channels,
        "out_channels": 2,
    }
    save_json({"network_def": network}, mmar / "models/configs/train.json")


def test_channels_of_the_image_and_the_network_are_compared(evaluation_mmar: Make) -> None:
    mmar = evaluation_mmar()
    _with_network(mmar, in_channels=3)
    with pytest.raises(ClaraError, match="the image has 1 channels at the end of pre_transforms, but the network "):
        evaluate(mmar)


def test_the_field_of_a_label_that_a_metric_takes_by_default_is_checked(
    evaluation_mmar: Make, small_scans: Path, tmp_path: Path
) -> None:
    def change(config: dict[str, Any]) -> None:
        config["label_transforms"] = []
        config["val_metrics"] = [{"name": "ComputeAverageDice", "args": {"name": "dice", "field": "model"}}]

    mmar = evaluation_mmar(change)
    _with_network(mmar)
    save_json({"training": [{"image": "case0_image.nii.gz"}]}, tmp_path / "list.json")
    with pytest.raises(ClaraError, match=r"val_metrics\[0\].*: nothing produces the field 'label' \(there are image, "):
        evaluate(mmar, overrides={**VALIDATE, "DATASET_JSON": str(tmp_path / "list.json")})
    assert not (mmar / "eval").exists()


@pytest.mark.parametrize("argument", ["write_path", "report_path"])
def test_only_folders_that_are_written_to_are_looked_at(evaluation_mmar: Make, argument: str) -> None:
    key = "writers" if argument == "write_path" else "val_metrics"

    def change(config: dict[str, Any]) -> None:
        config[key][0]["args"][argument] = "config/environment.json"

    mmar = evaluation_mmar(change)
    with pytest.raises(ClaraError, match=rf"{key}\[0\].args.{argument}: .*environment.json is a file; mend {argument}"):
        evaluate(mmar, overrides=VALIDATE)
    assert not (mmar / "eval").exists()
    unwritten = {**VALIDATE, "output_infer_result": False} if key == "writers" else {}
    assert len(evaluate(mmar, overrides=unwritten).stats["cases"]) == 4


def test_cases_of_the_same_name_are_refused(evaluation_mmar: Make, small_scans: Path, tmp_path: Path) -> None:
    items = [{"image": "case0_image.nii.gz"}, {"image": f"../{small_scans.name}/case0_image.nii.gz"}]
    save_json({"training": items}, tmp_path / "list.json")
    mmar = evaluation_mmar()
    with pytest.raises(ClaraError, match=r"training\[1\] and training\[0\] are both called 'case0_image'"):
        evaluate(mmar, overrides={"DATASET_JSON": str(tmp_path / "list.json")})
    assert not (mmar / "eval").exists()
    save_json({"training": items[:1] * 2}, tmp_path / "list.json")  # the same case twice counts twice
    assert len(evaluate(mmar, overrides={"DATASET_JSON": str(tmp_path / "list.json")}).stats["cases"]) == 2


def test_problems_of_many_items_are_counted(evaluation_mmar: Make, tmp_path: Path) -> None:
    save_json({"training": [{"image": f"{number}.nii.gz"} for number in range(8)]}, tmp_path / "list.json")
    with pytest.raises(ConfigErrors) as error:
        evaluate(evaluation_mmar(), overrides={"DATASET_JSON": str(tmp_path / "list.json")})
    messages = [one.message for one in error.value.errors]
    assert all(f"/{number}.nii.gz does not exist" in messages[number] for number in range(5))
    assert messages[5:] == [f"... and 3 more problems of this kind in {tmp_path / 'list.json'}"]


FAILING = (
    "from ai4med.components.transforms.transformer import Transformer\n\n\n"
    "class Fails(Transformer):\n"
    "    def transform(self, transform_ctx):\n"
    "        raise ValueError('no such luck')\n"
)


@pytest.mark.parametrize("chain", ["pre_transforms", "post_transforms", "label_transforms"])
def test_a_failing_transform_is_told_with_its_place(evaluation_mmar: Make, chain: str) -> None:
    mmar = evaluation_mmar(lambda config: config[chain].append({"path": "mine.Fails"}))
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(FAILING)
    place = rf"config_validation.json:\d+ {chain}\[3\]: .*mine.py:6: ValueError: no such luck \(.*case0_image.nii.gz"
    with pytest.raises(ClaraError, match=place):
        evaluate(mmar, overrides=VALIDATE)


def test_a_failing_writer_is_told_with_its_place(evaluation_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["post_transforms"] = []  # probabilities above 1 and below 0 do not fit into whole numbers of 8 bits
        config["pre_transforms"][2]["args"].update(b_max=1000, a_max=100)
        config["writers"][1]["args"].update(field="image")

    mmar = evaluation_mmar(change)
    place = r"config_validation.json:\d+ writers\[1\]: .*uint8 cannot hold: set 'dtype' to a type that can"
    with pytest.raises(ClaraError, match=place):
        evaluate(mmar)
    assert not list(mmar.glob("eval/*/*_image_image.nii.gz"))


def test_notices(evaluation_mmar: Make, caplog: pytest.LogCaptureFixture) -> None:
    def change(config: dict[str, Any]) -> None:
        config["val_metrics"] = []
        config["writer"] = []
        config["post_transform"] = []

    mmar = evaluation_mmar(change)
    with caplog.at_level(logging.WARNING, "clara_compat"):
        evaluate(mmar, overrides=VALIDATE)
    assert "do_validation is true, but there are no val_metrics" in caplog.text
    assert "the key 'post_transform' is ignored; did you mean 'post_transforms'?" in caplog.text


def test_references_within_the_file(evaluation_mmar: Make) -> None:
    mmar = evaluation_mmar(lambda config: config["writers"].append({"ref": "WriteNifti"}))
    with pytest.raises(ClaraError, match="the ref 'WriteNifti' is ambiguous"):
        evaluate(mmar)
    mmar = evaluation_mmar(lambda config: config["writers"].append({"ref": "WriteNift"}), name="other")
    with pytest.raises(ClaraError, match="the ref 'WriteNift' names no component of this file; did you mean"):
        evaluate(mmar)


def test_several_errors_come_at_once(evaluation_mmar: Make) -> None:
    def change(config: dict[str, Any]) -> None:
        config["writers"][0]["args"]["dtyp"] = "uint8"
        config["inferer"]["args"]["roi"] = [1]

    with pytest.raises(ConfigErrors) as error:
        evaluate(evaluation_mmar(change))
    assert [one.address.path for one in error.value.errors] == ["inferer.args.roi", "writers[0].args.dtyp"]


def test_training_mode(small_mmar: Make, evaluation_mmar: Make) -> None:
    """With batch statistics of the case itself another prediction than with those of the training."""

    def normalised(config: dict[str, Any]) -> None:
        config["epochs"] = 1
        config["train"]["model"]["args"]["use_batch_norm"] = True

    trained = clara_compat.train(small_mmar(normalised))

    def change(config: dict[str, Any]) -> None:
        args = {"checkpoint_dir": "{MMAR_CKPT_DIR}", "infer_in_training_mode": "true"}
        config["model_loader"] = {"name": "CheckpointLoader", "args": args}
        config["post_transforms"] = []
        config["writers"] = [
            {"name": "WriteNifti", "args": {"field": "model", "write_path": "{MMAR_EVAL_OUTPUT_PATH}"}}
        ]

    mmar = evaluation_mmar(change, name="evaluated")
    found = []
    for mode in (True, False):
        overrides = {
            "MMAR_CKPT_DIR": str(trained.paths["model"].parent),
            "model_loader.args.infer_in_training_mode": mode,
            "MMAR_EVAL_OUTPUT_PATH": f"eval_{mode}",
        }
        evaluate(mmar, overrides=overrides)
        found.append(voxels(mmar / f"eval_{mode}" / CASES[0] / f"{CASES[0]}_model.nii.gz"))
    assert np.abs(found[0] - found[1]).max() > 1e-3
    assert math.isfinite(np.abs(found[0]).max())


def test_legacy_command_line_and_function(evaluation_mmar: Make) -> None:
    mmar = evaluation_mmar()
    command = [sys.executable, "-u", "-m", "nvmidl.apps.evaluate", "-m", str(mmar)]
    command += ["-c", "config/config_validation.json", "-e", "config/environment.json"]
    command += ["--set", "do_validation=true", "output_infer_result=false"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Evaluation finished" in done.stdout
    assert not done.stderr.strip()
    from nvmidl.utils import evaluate_mmar

    result = evaluate_mmar(
        str(mmar), "config/config_validation.json", "config/environment.json", None, ["do_validation=true"]
    )
    assert f"{result.metrics['dice']:.4f}" in done.stdout


def test_check_tells_what_an_evaluation_is_made_of(evaluation_mmar: Make) -> None:
    mmar = evaluation_mmar()
    report = clara_compat.check(mmar / "config/config_validation.json")
    assert report.passed, report.errors
    assert {row.component for row in report.rows} >= {"FrozenGraphModelLoader", "WriteNifti", "ComputeAverageDice"}
    (mmar / "models/model.ts").unlink()
    report = clara_compat.check(mmar / "config/config_validation.json")
    [error] = report.errors
    assert "model.ts' does not exist: write it with clara-compat export" in str(error)
    assert clara_compat.check(mmar / "config/config_validation.json", data=False).passed
