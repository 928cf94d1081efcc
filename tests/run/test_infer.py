"""Single images through annotation configs: masks in the geometry of the image's file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image

from clara_compat import check, infer
from clara_compat.cli.main import main
from clara_compat.common.files import save_json
from clara_compat.errors import ClaraError

Make = Callable[..., Path]

LOAD = {"name": "LoadNifti", "args": {"fields": "image", "as_closest_canonical": "true"}}
FIRST = {"name": "ConvertToChannelsFirst", "args": {"fields": "image"}}
SCALE = {"name": "ScaleByResolution", "args": {"fields": "image", "target_resolution": [1.0, 1.0, 1.0]}}
RANGE = {"name": "ScaleIntensityRange", "args": {"fields": "image", "a_min": 0, "a_max": 100, "b_min": 0, "b_max": 1}}
ARGMAX = {"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}}
POINTS = {"name": "FetchExtremePoints", "args": {"image_field": "image", "label_field": "model", "points": "points"}}
WRITER = {"name": "WriteNifti", "args": {"field": "model", "dtype": "uint8"}}
WINDOWS = {"name": "TRTISInference", "args": {"roi": [16, 16, 16], "scanning_window": True, "batch_size": 2}}
V3: dict[str, Any] = {
    "version": "3",
    "type": "segmentation",
    "labels": ["ball"],
    "pre_transforms": [LOAD, FIRST, SCALE, RANGE],
    "inference": WINDOWS,
    "post_transforms": [ARGMAX, POINTS],
    "writer": WRITER,
}
INSIDE = {"pre_transforms": [LOAD, FIRST, SCALE, RANGE], "post_transforms": [ARGMAX], **WINDOWS}
CONFIGS: dict[str, dict[str, Any]] = {
    "version 3": V3,
    "version 2, below the name of the model": {"ball_model": {key: V3[key] for key in V3 if key != "version"}},
    "transforms below inference": {"version": "3", "inference": INSIDE, "writer": WRITER},
    "no windows": {**V3, "inference": {"name": "TFInference", "args": {"scanning_window": "false", "roi": [8, 8, 8]}}},
    "an inferer of the catalogue": {
        **V3,
        "inference": {"name": "TFScanWindowInferer", "args": {"roi_size": [16, 16, 16]}},
    },
    "no writer": {key: V3[key] for key in V3 if key != "writer"},
}


@pytest.fixture
def scan(tmp_path: Path, oblique_affine: np.ndarray) -> Path:
    """A scan in a rotated, flipped frame with a bright box."""
    image = np.zeros((20, 24, 14), np.int16)
    image[4:9, 12:21, 3:8] = 100
    nibabel.save(nibabel.Nifti1Image(image, oblique_affine), tmp_path / "scan.nii.gz")
    return tmp_path / "scan.nii.gz"


def write(mmar: Path, config: dict[str, Any]) -> Path:
    file = mmar / "config/config_aiaa.json"
    file.write_text(json.dumps(config, indent=2))
    return file


@pytest.mark.parametrize("name", CONFIGS)
def test_the_mask_lies_on_the_grid_of_the_file(evaluation_mmar: Make, scan: Path, tmp_path: Path, name: str) -> None:
    mmar = evaluation_mmar()
    config = write(mmar, CONFIGS[name])
    result = infer(scan, config, tmp_path / "out", model=mmar / "models/model.ts")
    [file] = result.files[str(scan)]
    assert file == tmp_path / "out/scan/scan_model.nii.gz"
    mask, image = nibabel.load(file), nibabel.load(scan)
    assert mask.shape == image.shape
    np.testing.assert_allclose(mask.affine, image.affine, atol=1e-5)
    found, true = np.asarray(mask.dataobj) > 0, np.asarray(image.dataobj) > 50
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.85
    assert not [path for path in (tmp_path / "out").iterdir() if path.name != "scan"]
    if "points" in result.values[str(scan)]:
        points = np.array(result.values[str(scan)]["points"])
        assert points.shape == (6, 3)
        assert all(true[tuple(slice(max(0, n - 1), n + 2) for n in point)].any() for point in points)


def test_without_resampling_the_mask_is_exact(evaluation_mmar: Make, scan: Path, tmp_path: Path) -> None:
    """The loader turned the axes; they are turned back."""
    mmar = evaluation_mmar()
    config = write(mmar, {**V3, "pre_transforms": [LOAD, FIRST, RANGE]})
    infer([scan], config, tmp_path / "mask.nii.gz", model=mmar / "models/model.ts")
    mask = nibabel.load(tmp_path / "mask.nii.gz")
    np.testing.assert_array_equal(np.asarray(mask.dataobj), np.asarray(nibabel.load(scan).dataobj) == 100)
    assert mask.get_data_dtype() == np.uint8


def test_a_crop_leaves_the_rest_empty(evaluation_mmar: Make, scan: Path, tmp_path: Path) -> None:
    crop = {"name": "CropSubVolumeCenter", "args": {"fields": "image", "size": [10, 16, 10]}}
    mmar = evaluation_mmar()
    config = write(mmar, {**V3, "pre_transforms": [LOAD, FIRST, RANGE, crop]})
    infer(scan, config, tmp_path / "mask.nii.gz", model=mmar / "models/model.ts")
    mask, image = (np.asarray(nibabel.load(file).dataobj) for file in (tmp_path / "mask.nii.gz", scan))
    assert mask.shape == image.shape
    assert 0 < mask.sum() < (image == 100).sum()
    assert not (mask[image == 0]).any()


def test_an_evaluation_config_and_several_images(
    evaluation_mmar: Make, small_scans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mmar = evaluation_mmar()
    images = [str(small_scans / f"case{i}_image.nii.gz") for i in (2, 3)]
    with pytest.raises(SystemExit) as end:
        main(["infer", *images, "-c", "config/config_validation.json", "-m", str(mmar), "-o", str(tmp_path / "out")])
    assert not end.value.code
    out = capsys.readouterr().out
    for image in images:
        case = Path(image).name.removesuffix(".nii.gz")
        for field in ("model", "pred_1"):
            file = tmp_path / f"out/{case}/{case}_{field}.nii.gz"
            assert f"{image} -> {file}" in out
            np.testing.assert_array_equal(nibabel.load(file).dataobj, np.asarray(nibabel.load(image).dataobj) > 50)
    assert not (mmar / "eval").exists()


def test_a_plain_callable_of_the_users(evaluation_mmar: Make, scan: Path, tmp_path: Path) -> None:
    mmar = evaluation_mmar()
    (mmar / "custom").mkdir()
    (mmar / "custom/mine.py").write_text(
        "import numpy as np\n\n\nclass Brighter:\n"
        "    def __init__(self, fields):\n        self.fields = fields\n\n"
        "    def __call__(self, data):\n"
        "        data[self.fields] = np.clip(data[self.fields] * 10, 0, 1)\n        return data\n"
    )
    mine = {"path": "mine.Brighter", "args": {"fields": "image"}}
    wide = {**RANGE, "args": {**RANGE["args"], "a_max": 1000}}
    config = write(mmar, {**V3, "pre_transforms": [LOAD, FIRST, wide, mine]})
    infer(scan, config, tmp_path / "mask.nii.gz", model=mmar / "models/model.ts")
    mask = np.asarray(nibabel.load(tmp_path / "mask.nii.gz").dataobj)
    np.testing.assert_array_equal(mask, np.asarray(nibabel.load(scan).dataobj) == 100)


def test_a_picture_is_classified(classifying_mmar: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 51, np.uint8)).save(tmp_path / "a.png")
    config = classifying_mmar / "config/config_validation.json"
    result = infer(tmp_path / "a.png", config, tmp_path / "out")
    assert result.values[str(tmp_path / "a.png")]["model"] == pytest.approx([0.8, 0.2], abs=1e-6)
    assert (tmp_path / "out/preds_model.csv").read_text().startswith(str(tmp_path / "a.png"))


def test_a_folder_of_a_training_and_a_file_of_weights(small_mmar: Make, evaluation_mmar: Make, tmp_path: Path) -> None:
    from clara_compat import train

    trained = train(small_mmar(lambda config: config.update(epochs=1)))
    mmar = evaluation_mmar(name="other")
    config = write(mmar, {**V3, "inference": {**WINDOWS, "args": {"roi": [16, 16, 16]}}})
    image = tmp_path / "scan.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros((16, 16, 16), np.int16), np.eye(4)), image)
    for model in (trained.paths["model"].parent, trained.paths["final_model"]):
        result = infer(image, config, tmp_path / "out", model=model)
        assert Path(result.stats["model"]).name == ("model.pt" if model.is_dir() else "final_model.pt")
        shutil.rmtree(tmp_path / "out")
    shutil.copytree(trained.paths["model"].parent, mmar / "models", dirs_exist_ok=True)
    assert infer(image, config, tmp_path / "out").stats["model"] == str(mmar / "models/model.pt")


@pytest.mark.parametrize(
    ("config", "out", "message"),
    [
        (V3, "taken", "'.*taken' is a file, expected a folder for the results"),
        (V3, "taken/below", "taken is a file; mend the output folder"),
        ({**V3, "writer": {"name": "WriteNift"}}, "out", "writer.name: 'WriteNift' is no known component"),
        (
            {"one": {"pre_transforms": []}, "two": {"pre_transforms": []}},
            "out",
            r"two: this file describes several models \(one, two\): keep one of them",
        ),
        (
            {**V3, "writer": None, "writers": [WRITER, {**WRITER, "args": {"field": "image"}}]},
            "mask.nii.gz",
            r"is one file, but the config writes 2 \(fields: model, image\): give a folder",
        ),
        ({**V3, "inference": {"args": {"roi": [16, "x", 16]}}}, "out", "argument 'roi_size' of TFScanWindowInferer"),
    ],
)
def test_what_must_be_mended(
    evaluation_mmar: Make, scan: Path, tmp_path: Path, config: Any, out: str, message: str
) -> None:
    mmar = evaluation_mmar()
    (tmp_path / "taken").write_text("")
    with pytest.raises(ClaraError, match=message):
        infer(scan, write(mmar, config), tmp_path / out, model=mmar / "models/model.ts")
    assert not (tmp_path / "out").exists()


def test_images_that_cannot_be_run(evaluation_mmar: Make, scan: Path, tmp_path: Path) -> None:
    mmar = evaluation_mmar()
    config = write(mmar, V3)
    with pytest.raises(ClaraError, match="no image is given"):
        infer([], config, tmp_path / "out")
    with pytest.raises(ClaraError, match="the image 'nowhere.nii' does not exist"):
        infer("nowhere.nii", config, tmp_path / "out")
    with pytest.raises(ClaraError, match="is one file, but 2 images are given: name a folder"):
        infer([scan, scan], config, tmp_path / "mask.nii.gz")
    (tmp_path / "other").mkdir()
    shutil.copy(scan, tmp_path / "other")
    model = mmar / "models/model.ts"
    twins = (
        r"^'.*other/scan.nii.gz' and '.*/scan.nii.gz' are both called 'scan', so their results would go into the same"
    )
    with pytest.raises(ClaraError, match=twins):
        infer([scan, tmp_path / "other/scan.nii.gz"], config, tmp_path / "out", model=model)
    with pytest.raises(ClaraError, match=r"the results of '\.' have no name: expected the path of a file"):
        infer([scan, "."], config, tmp_path / "out", model=model)
    assert not (tmp_path / "out").exists()
    (tmp_path / "text.nii.gz").write_text("no scan")
    with pytest.raises(ClaraError, match=r"config_aiaa.json:\d+ pre_transforms\[0\]: .*text.nii.gz"):
        infer(tmp_path / "text.nii.gz", config, tmp_path / "out", model=mmar / "models/model.ts")


def test_headers_of_all_images_are_read_before_the_first_is_run(
    evaluation_mmar: Make, scan: Path, tmp_path: Path
) -> None:
    mmar = evaluation_mmar()
    config = write(mmar, V3)
    (tmp_path / "text.nii.gz").write_text("no scan")
    with pytest.raises(ClaraError, match=r"pre_transforms\[0\]: .*text.nii.gz"):
        infer([scan, tmp_path / "text.nii.gz"], config, tmp_path / "out", model=mmar / "models/model.ts")
    assert not (tmp_path / "out").exists()
    network = {
        "_target_": "clara_compat.engine.networks.unet.ClaraUNet",
        "spatial_dims": 3,
        "in_channels": 2,
        "out_channels": 2,
    }
    save_json({"network_def": network}, mmar / "models/configs/train.json")
    with pytest.raises(
        ClaraError, match=r"the image has 1 channels at the end of pre_transforms, but the network takes"
    ):
        infer(scan, config, tmp_path / "out", model=mmar / "models/model.ts")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("out", ["scan.nii.gz", "folder/../scan.nii.gz", "link.nii.gz"])
def test_the_image_itself_is_not_replaced(evaluation_mmar: Make, scan: Path, tmp_path: Path, out: str) -> None:
    mmar = evaluation_mmar()
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.nii.gz").symlink_to(scan)
    before = scan.read_bytes()
    with pytest.raises(ClaraError, match="is the image itself, which the result would replace: name another file"):
        infer(scan, write(mmar, V3), tmp_path / out, model=mmar / "models/model.ts")
    assert scan.read_bytes() == before


def test_a_folder_called_like_a_file_is_refused(evaluation_mmar: Make, scan: Path, tmp_path: Path) -> None:
    mmar = evaluation_mmar()
    (tmp_path / "mask.nii.gz").mkdir()
    with pytest.raises(ClaraError, match="'.*mask.nii.gz' is a folder, expected the name of a file"):
        infer(scan, write(mmar, V3), tmp_path / "mask.nii.gz", model=mmar / "models/model.ts")


def test_check_takes_annotation_configs(evaluation_mmar: Make) -> None:
    mmar = evaluation_mmar()
    config = write(mmar, V3)
    report = check(config)
    [error] = report.errors
    assert "models/model.ckpt' do not exist: train first, or name other weights" in str(error)
    assert check(config, data=False).passed
    assert report.rows[0].component == "TFScanWindowInferer"
