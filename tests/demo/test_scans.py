"""The synthetic scans are scans: geometry, intensities, and a task that needs both place and intensity."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from scipy.ndimage import binary_dilation, gaussian_filter, label

from clara_compat.demo.scans import make_scan, make_scans

SIZE = (48, 48, 32)  # of the files: fast
CASES = 6


def _dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.fixture(scope="module")
def cases() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    return [make_scan((80, 80, 40), np.random.default_rng([7, index])) for index in range(CASES)]


@pytest.fixture(scope="module")
def data_list(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_scans(tmp_path_factory.mktemp("scans"), training=5, validation=2, testing=1, size=SIZE, seed=3)


def _content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_the_data_list_is_a_decathlon_one(data_list: Path) -> None:
    content = json.loads(data_list.read_text())
    assert data_list.name == "dataset.json"
    assert content["labels"] == {"0": "background", "1": "spleen"}
    assert content["modality"] == {"0": "CT"}
    assert (content["numTraining"], len(content["training"]), len(content["validation"]), content["numTest"]) == (
        5,
        5,
        2,
        1,
    )
    items = content["training"] + content["validation"] + content["testing"]
    assert all(item.keys() == {"image", "label"} for item in items)
    assert all(not Path(file).is_absolute() for item in items for file in item.values())
    assert len({file for item in items for file in item.values()}) == 16


def test_files_are_scanner_like(data_list: Path) -> None:
    spacings, signs = set(), set()
    for item in json.loads(data_list.read_text())["training"]:
        image, mask = (nibabel.load(data_list.parent / item[field]) for field in ("image", "label"))
        assert image.shape == mask.shape == SIZE
        assert image.get_data_dtype() == np.int16
        assert (image.dataobj.slope, image.dataobj.inter) == (1.0, -1024.0)
        assert np.asarray(image.dataobj.get_unscaled()).min() >= 0
        np.testing.assert_array_equal(image.affine, mask.affine)
        assert image.header.get_xyzt_units()[0] == "mm"
        x, y, z = (float(zoom) for zoom in image.header.get_zooms())
        assert x == pytest.approx(y)
        assert abs(z / x - 1) > 1e-3
        assert np.abs(image.affine[:3, 3]).min() > 1
        spacings.add((x, z))
        signs.add(tuple(np.sign(np.diag(image.affine)[:3]).tolist()))
        assert set(np.unique(np.asarray(mask.dataobj))) == {0, 1}
    assert len(spacings) == 5
    assert len(signs) > 1, "some scans must be flipped"


def test_spacing_is_anisotropic_at_the_demos_size() -> None:
    for index in range(5):
        affine = make_scan((80, 80, 40), np.random.default_rng(index))[2]
        x, _, z = np.abs(np.diag(affine)[:3])
        assert 1.15 < z / x < 1.6


def test_intensities_are_those_of_ct(cases: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    for image, _, _ in cases:
        corner = image[:4, :4]
        assert corner.mean() == pytest.approx(-1000, abs=10)
        assert corner.std() == pytest.approx(18, abs=3)
        assert (image > 300).mean() > 0.003, "bone"
        assert ((image > -850) & (image < -600)).mean() > 0.02, "lung"
        assert ((image > -150) & (image < -50)).mean() > 0.05, "fat"
        assert ((image > 0) & (image < 200)).mean() > 0.08, "soft tissue"


def test_the_organ_is_one_piece_in_the_left_back(cases: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    middle = (np.asarray((80, 80, 40)) - 1) / 2
    for image, mask, affine in cases:
        pieces, count = label(mask)
        assert np.bincount(pieces.ravel())[1:].max() > 0.97 * mask.sum(), count
        volume = mask.sum() * abs(np.linalg.det(affine)) / 1000
        assert 60 < volume < 500, "millilitres"
        x, y, _ = affine[:3, :3] @ (np.argwhere(mask).mean(axis=0) - middle)
        assert -125 < x < -50
        assert -75 < y < 10
        assert 85 < np.median(image[mask > 0]) < 150


def test_intensity_alone_does_not_find_the_organ(cases: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    for image, mask, _ in cases:
        smooth = gaussian_filter(image, 0.7)
        bounds = np.percentile(smooth[mask > 0], [2, 5, 10, 20, 30, 70, 80, 90, 95, 98])
        best = max(_dice((smooth >= low) & (smooth <= high), mask > 0) for low in bounds[:5] for high in bounds[5:])
        assert best < 0.6


def test_place_alone_does_not_find_the_organ(cases: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    turned = [mask[tuple(slice(None, None, int(s)) for s in np.sign(np.diag(affine)[:3]))] for _, mask, affine in cases]
    for index, mask in enumerate(turned):
        atlas = np.mean([other for k, other in enumerate(turned) if k != index], axis=0)
        assert max(_dice(atlas >= level, mask > 0) for level in (0.2, 0.4, 0.6)) < 0.85


def test_place_and_intensity_together_find_it(cases: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    for image, mask, _ in cases:
        near = binary_dilation(mask)
        smooth = gaussian_filter(image, 0.5)
        middle = np.median(image[mask > 0])
        assert _dice(near & (smooth > middle - 30) & (smooth < middle + 30), mask > 0) > 0.75


def test_the_same_seed_gives_the_same_files(tmp_path: Path, data_list: Path) -> None:
    make_scans(tmp_path / "again", training=5, validation=2, testing=1, size=SIZE, seed=3)
    assert _content(tmp_path / "again") == _content(data_list.parent)


def test_another_seed_gives_other_scans_and_replaces_the_old_ones(tmp_path: Path) -> None:
    make_scans(tmp_path, training=1, validation=1, testing=0, size=SIZE, seed=0)
    before = _content(tmp_path)
    make_scans(tmp_path, training=1, validation=1, testing=0, size=SIZE, seed=1)
    after = _content(tmp_path)
    assert before.keys() == after.keys()
    assert all(before[name] != after[name] for name in before if name.endswith(".nii.gz"))


def test_validation_scans_do_not_depend_on_the_training_scans(tmp_path: Path, data_list: Path) -> None:
    make_scans(tmp_path, training=0, validation=1, testing=0, size=SIZE, seed=3)
    name = "imagesTr/ct_validation_000.nii.gz"
    assert (tmp_path / name).read_bytes() == (data_list.parent / name).read_bytes()


def test_a_made_folder_is_left_alone_and_an_interrupted_one_completed(tmp_path: Path) -> None:
    data_list = make_scans(tmp_path, training=2, validation=1, testing=0, size=SIZE)
    whole = _content(tmp_path)
    times = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.gz")}
    make_scans(tmp_path, training=2, validation=1, testing=0, size=SIZE)
    assert times == {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.gz")}
    (tmp_path / "labelsTr/ct_training_001.nii.gz").unlink()
    data_list.unlink()
    make_scans(tmp_path, training=2, validation=1, testing=0, size=SIZE)
    assert _content(tmp_path) == whole
    untouched = tmp_path / "imagesTr/ct_training_000.nii.gz"
    assert untouched.stat().st_mtime_ns == times[untouched]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"training": -1}, "at least 0"),
        ({"training": 0, "validation": 0, "testing": 0}, "not all 0"),
        ({"size": (48, 48)}, "three numbers"),
        ({"size": (48, 48, 4)}, "at least 8"),
    ],
)
def test_impossible_parameters(tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_scans(tmp_path, **arguments)
