"""Scans into other formats and resolutions: geometry and values against nibabel and scipy, and what goes wrong."""

from __future__ import annotations

import locale
import os
import struct
from itertools import product
from pathlib import Path
from typing import Any

import itk
import nibabel as nib
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from clara_compat.errors import ClaraError
from clara_compat.run.dataconvert import Job, Outcome, Request, convert, plan
from clara_compat.run.dataconvert.images import new_size

SPACING = (0.8, 1.5, 4.0)  # of the fixture oblique_affine


def run(folder: Path, ask: Any = None, **arguments: Any) -> list[Outcome]:
    arguments = {"output": folder.parent / "out", **arguments}
    request = Request(folder, **arguments)
    return list(convert(request, plan(request), ask))


def one(folder: Path, **arguments: Any) -> Path:
    (outcome,) = run(folder, **arguments)
    assert outcome.status == "converted", outcome.text
    return outcome.job.target


def failure(folder: Path, **arguments: Any) -> str:
    (outcome,) = run(folder, **arguments)
    assert outcome.status == "failed"
    assert not outcome.job.target.exists()
    return outcome.text


def write(path: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(array, affine, dtype=array.dtype)
    if array.ndim == 4:
        image.header["pixdim"][4] = 2.5
        image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    return path


def noise(shape: tuple[int, ...] = (9, 8, 7), dtype: Any = np.int16) -> np.ndarray:
    generator = np.random.default_rng(0)
    if np.issubdtype(dtype, np.integer):
        limits = np.iinfo(dtype)
        return generator.integers(max(limits.min, -1000), min(limits.max, 3000), shape).astype(dtype)
    return generator.normal(0, 500, shape).astype(dtype)


def voxels(path: Path) -> np.ndarray:
    return np.asarray(nib.load(path).dataobj)


# Geometry and types


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float32, np.float64])
@pytest.mark.parametrize("between", [".mha", ".mhd", ".nrrd", ".nii.gz"])
def test_there_and_back_keeps_voxels_type_and_affine(
    tmp_path: Path, oblique_affine: np.ndarray, dtype: Any, between: str
) -> None:
    array = noise(dtype=dtype)
    write(tmp_path / "in/a.b.nii", array, oblique_affine)
    assert one(tmp_path / "in", target_ext=between, output=tmp_path / "mid").name == f"a.b{between}"
    back = nib.load(one(tmp_path / "mid", source_ext=between, target_ext="nii"))
    assert back.get_data_dtype() == dtype
    np.testing.assert_array_equal(np.asarray(back.dataobj), array)
    np.testing.assert_allclose(back.affine, oblique_affine, atol=2e-4)


def test_a_metaimage_stands_where_the_nifti_stood(tmp_path: Path, oblique_affine: np.ndarray) -> None:
    write(tmp_path / "in/a.nii", noise(), oblique_affine)
    target = one(tmp_path / "in", target_ext=".mhd")
    header = dict(line.split(" = ") for line in target.read_text().splitlines())
    lps = np.diag([-1, -1, 1]) @ oblique_affine[:3]
    np.testing.assert_allclose(np.array(header["Offset"].split(), float), lps[:, 3], atol=1e-4)
    matrix = np.array(header["TransformMatrix"].split(), float).reshape(3, 3).T * np.array(SPACING)
    np.testing.assert_allclose(matrix, lps[:, :3], atol=1e-4)
    assert header["ElementDataFile"] == "a.raw"
    np.testing.assert_array_equal(np.fromfile(target.with_suffix(".raw"), "<i2"), noise().ravel(order="F"))


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.int32, np.float32, np.float64])
@pytest.mark.parametrize(("resolution", "edge"), [((1.1, 2.0, 5.5), False), ((0.7, 1.0, 1.0), False), ((1,), True)])
def test_linear_values_are_those_of_scipy(
    tmp_path: Path, oblique_affine: np.ndarray, dtype: Any, resolution: tuple[float, ...], edge: bool
) -> None:
    array = noise(dtype=dtype)
    write(tmp_path / "in/a.nii", array, oblique_affine)
    result = nib.load(one(tmp_path / "in", resolution=resolution, edge=edge))
    target = np.array(resolution * (3 // len(resolution)))
    size = np.maximum(1, np.floor(np.array(array.shape) * SPACING / target + 1e-9)).astype(int)
    assert result.shape == tuple(size)
    assert result.get_data_dtype() == dtype
    affine = oblique_affine @ np.diag([*(target / SPACING), 1])
    np.testing.assert_allclose(result.affine, affine, atol=2e-4)

    grid = zip(size, target, SPACING, strict=True)
    places = np.stack(np.meshgrid(*(np.arange(n) * t / s for n, t, s in grid), indexing="ij"))
    expected = map_coordinates(array.astype(np.float64), places, order=1, mode="nearest")
    beyond = (places >= np.array(array.shape)[:, None, None, None] - 0.5).any(0)
    assert beyond.any() == (resolution != (1.1, 2.0, 5.5))
    if not edge:
        expected[beyond] = 0
    found = np.asarray(result.dataobj).astype(np.float64)
    np.testing.assert_allclose(found, expected, atol=0.501 if np.issubdtype(dtype, np.integer) else 2e-3)


def test_whole_numbers_are_rounded_not_cut(tmp_path: Path) -> None:
    write(tmp_path / "in/a.nii", np.array([-1000, -997], np.int16).reshape(2, 1, 1), np.eye(4))
    out = voxels(one(tmp_path / "in", resolution=(0.25, 1, 1), edge=True))
    assert out.ravel().tolist() == [-1000, -999, -998, -998, -997, -997, -997, -997]  # -1000, -999.25, -998.5, ...


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
@pytest.mark.parametrize("resolution", [(1.0,), (0.4, 0.75, 2.0), (1.6, 3.0, 8.0), (0.27, 2.9, 3.3)])
def test_labels_are_the_nearest_voxel_and_never_mixed(
    tmp_path: Path, oblique_affine: np.ndarray, dtype: Any, resolution: tuple[float, ...]
) -> None:
    array = np.random.default_rng(1).choice([0, 3, 7, 200 if dtype != np.int32 else 2**30 + 1], (9, 8, 7)).astype(dtype)
    write(tmp_path / "in/a.nii", array, oblique_affine)
    result = nib.load(one(tmp_path / "in", resolution=resolution, label=True))
    assert result.get_data_dtype() == dtype
    found = np.asarray(result.dataobj)
    target = resolution * (3 // len(resolution))
    grid = zip(found.shape, target, SPACING, strict=True)
    nearest = [np.floor(np.arange(n) * t / s + 0.5 + 1e-6).astype(int) for n, t, s in grid]
    padded = np.pad(array, 1)[1:, 1:, 1:]  # beyond the image: 0
    np.testing.assert_array_equal(found, padded[np.ix_(*nearest)])


@pytest.mark.parametrize(
    ("size", "spacing", "target", "precision", "expected"),
    [
        (100, 1.0, 1.5, 3, 66),  # floor, not 67
        (100, 0.99999994, 1.0, 3, 100),  # a float32 header
        (100, 0.99999994, 1.0, 9, 99),
        (10, 0.3, 0.1, 3, 30),  # 29.999999999999996 in floating point
        (512, 0.793457, 1.0, 3, 406),  # 512 * 0.793 = 406.016
        (512, 0.793457, 1.0, 2, 404),
        (3, 1.0, 10.0, 3, 1),
        (10, 0.0004, 0.0002, 3, 20),  # rounding to 0 would leave nothing
    ],
)
def test_the_new_size_is_rounded_down(size: int, spacing: float, target: float, precision: int, expected: int) -> None:
    assert new_size((size,), (spacing,), (target,), precision) == (expected,)


def test_its_own_resolution_leaves_the_voxels_alone(tmp_path: Path, oblique_affine: np.ndarray) -> None:
    write(tmp_path / "in/a.nii", noise(), oblique_affine)
    np.testing.assert_array_equal(voxels(one(tmp_path / "in", resolution=SPACING)), noise())


def test_a_time_series_is_resampled_in_space_only(tmp_path: Path, oblique_affine: np.ndarray) -> None:
    array = noise((9, 8, 7, 3))
    write(tmp_path / "in/a.nii", array, oblique_affine)
    for time in range(3):
        write(tmp_path / f"single/t{time}.nii", array[..., time], oblique_affine)
    result = nib.load(one(tmp_path / "in", resolution=(2,)))
    assert result.header.get_zooms() == (2, 2, 2, 2.5)
    for time, outcome in enumerate(run(tmp_path / "single", resolution=(2,))):
        np.testing.assert_array_equal(np.asarray(result.dataobj)[..., time], voxels(outcome.job.target))
    kept = nib.load(one(tmp_path / "in", target_ext=".nii.gz"))
    assert kept.header.get_zooms()[3] == 2.5
    np.testing.assert_array_equal(np.asarray(kept.dataobj), array)


def test_a_plane_takes_the_first_two_numbers(tmp_path: Path) -> None:
    write(tmp_path / "in/a.nii", noise((8, 6)), np.diag([1.0, 2.0, 1.0, 1.0]))
    assert nib.load(one(tmp_path / "in", resolution=(2, 1, 5))).shape == (4, 12)


def test_scaled_values_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "in/a.nii", noise(), np.eye(4))
    data = bytearray(path.read_bytes())
    data[112:120] = struct.pack("<ff", 0.5, -1024)  # scl_slope, scl_inter
    path.write_bytes(data)
    np.testing.assert_array_equal(voxels(one(tmp_path / "in")), noise() * 0.5 - 1024)


@pytest.mark.parametrize(("dtype", "stored"), [(np.int8, np.int16), (np.int64, np.int32), (np.uint64, np.uint32)])
@pytest.mark.parametrize("resolution", [(), (2,)])
def test_types_that_itk_lacks_are_widened_or_narrowed_and_it_is_said(
    tmp_path: Path, dtype: Any, stored: Any, resolution: tuple[float, ...]
) -> None:
    write(tmp_path / "in/a.nii", noise(dtype=dtype), np.eye(4))
    (outcome,) = run(tmp_path / "in", resolution=resolution, label=True)
    assert f"{np.dtype(dtype)} is stored as {np.dtype(stored)}" in outcome.text
    assert nib.load(outcome.job.target).get_data_dtype() == stored
    expected = noise(dtype=dtype)[:8:2, ::2, :6:2] if resolution else noise(dtype=dtype)
    np.testing.assert_array_equal(voxels(outcome.job.target), expected)


# What cannot be converted


def rgb() -> np.ndarray:
    return np.zeros((4, 5, 6), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])


@pytest.mark.parametrize(
    ("array", "affine", "reason"),
    [
        (rgb(), np.eye(4), r"each voxel holds 3 values \(rgb\); only images of one value"),
        (noise(dtype=np.float32).astype(np.complex64), np.eye(4), r"each voxel holds 2 values \(complex\)"),
        (noise((3, 3, 3, 2, 2)), np.eye(4), "it has 5 axes; images of 2 to 4 axes are converted"),
        (np.full((3, 3, 3), 2**40), np.eye(4), "it holds the value 1099511627776, which does not fit int32"),
        (noise(), np.eye(4) + np.eye(4, k=1) * [[1], [0], [0], [0]], "its axes are not at right angles"),
    ],
    ids=["rgb", "complex", "5d", "int64", "shear"],
)
def test_images_that_are_refused(tmp_path: Path, array: np.ndarray, affine: np.ndarray, reason: str) -> None:
    write(tmp_path / "in/a.nii", array, affine)
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(failure(tmp_path / "in"))


def damage(path: Path, kind: str) -> None:
    data = bytearray(path.read_bytes())
    if kind == "cut":
        data = data[: len(data) * 3 // 4]
    elif kind == "flipped":
        data[len(data) * 3 // 4] ^= 0xFF
    elif kind == "empty":
        data = bytearray()
    else:
        data = bytearray(b"these are no voxels " * 40)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("extension", "kind", "reason"),
    [
        (".nii", "cut", "it is cut off: 1020 of 1360 bytes are there"),
        (".nii", "empty", "its header is damaged"),
        (".nii", "text", "not of the format its name says"),
        (".nii.gz", "cut", "its compressed data are damaged or cut off"),
        (".nii.gz", "flipped", "its compressed data are damaged or cut off"),
        (".nii.gz", "text", "not of the format its name says"),
        (".mha", "cut", "it is cut off"),
        (".mha", "text", "damaged, or not of the format"),
        (".mha", "compressed", "its compressed data are damaged or cut off"),
        (".mhd", "text", "damaged, or not of the format"),
        (".mhd", "lost", "its voxels are in bad.raw, which is not there"),
        (".nrrd", "cut", "ITK cannot convert it"),
    ],
)
def test_a_damaged_file_is_said_and_the_others_are_converted(
    tmp_path: Path, extension: str, kind: str, reason: str
) -> None:
    for name in ("a", "bad", "c"):
        write(tmp_path / f"nii/{name}.nii", noise(), np.eye(4))
    run(tmp_path / "nii", target_ext=extension, output=tmp_path / "in")
    bad = tmp_path / f"in/bad{extension}"
    if kind == "lost":
        bad.with_suffix(".raw").unlink()
    elif kind == "compressed":
        itk.imwrite(itk.imread(bad), bad, compression=True)
        damage(bad, "flipped")
    else:
        damage(bad, kind)
    outcomes = run(tmp_path / "in", source_ext=extension)
    assert [outcome.status for outcome in outcomes] == ["converted", "failed", "converted"]
    assert reason in outcomes[1].text
    assert "\n" not in outcomes[1].text
    assert sorted(os.listdir(tmp_path / "out")) == ["a.nii", "c.nii"]


# DICOM


def write_series(
    folder: Path,
    shift: Any = lambda k: (0, 0, 2.5 * k),
    turn: np.ndarray | None = None,
    count: int = 5,
    uid: str = "1.2.3.4",
) -> np.ndarray:
    """Write slices of 0.7 x 0.9 mm that begin at (-10, 20, 30) LPS mm plus ``shift``, under names out of order."""
    folder.mkdir(parents=True, exist_ok=True)
    turn = np.eye(3) if turn is None else turn
    volume = noise((count, 7, 6))
    before = locale.setlocale(locale.LC_ALL, None)
    for k, plane in enumerate(volume):
        corner = np.array([-10.0, 20.0, 30.0]) + turn @ shift(k)
        image = itk.image_from_array(plane[None])
        image.SetSpacing([0.7, 0.9, 2.5])
        tags = image.GetMetaDataDictionary()
        for tag, value in {
            "0008|0016": "1.2.840.10008.5.1.4.1.1.2",
            "0008|0018": f"{uid}.{k + 1}",
            "0008|0060": "CT",
            "0010|0010": "Doe^Jane",
            "0018|0050": "2.5",
            "0020|000d": "1.2.3",
            "0020|000e": uid,
            "0020|0013": str(k + 1),
            "0020|0032": "\\".join(f"{x:.6f}" for x in corner),
            "0020|0037": "\\".join(f"{x:.9f}" for x in turn[:, :2].T.ravel()),
        }.items():
            tags[tag] = value
        writer = itk.GDCMImageIO.New()
        writer.KeepOriginalUIDOn()
        itk.imwrite(image, folder / f"{uid}_{'caebdf'[k]}.dcm", imageio=writer)
    locale.setlocale(locale.LC_ALL, before)  # GDCM's writer leaves "C" behind, and with it ASCII for every later text
    return volume


def test_a_series_becomes_a_volume_in_its_place(tmp_path: Path, oblique_affine: np.ndarray) -> None:
    turn = oblique_affine[:3, :3] / SPACING * [-1, 1, 1]
    volume = write_series(tmp_path / "in/patient/ct", turn=turn)
    target = one(tmp_path / "in", source_ext=".dcm", target_ext=".nii.gz")
    assert target == tmp_path / "out/patient/ct.nii.gz"
    image = nib.load(target)
    assert image.get_data_dtype() == np.int16
    np.testing.assert_array_equal(np.asarray(image.dataobj), volume.transpose())
    lps = np.eye(4)
    lps[:3, :3] = turn * [0.7, 0.9, 2.5]
    lps[:3, 3] = [-10, 20, 30]
    np.testing.assert_allclose(image.affine, np.diag([-1, -1, 1, 1]) @ lps, atol=1e-4)


def test_each_folder_is_a_series_and_names_its_result(tmp_path: Path) -> None:
    for name in ("in", "in/p1/ct", "in/p1/mr", "in/p2"):
        write_series(tmp_path / name, count=3)
    outcomes = run(tmp_path / "in", source_ext="DCM", resolution=(1,))
    below = [str(outcome.job.target.relative_to(tmp_path / "out")) for outcome in outcomes]
    assert below == ["in.nii", "p1/ct.nii", "p1/mr.nii", "p2.nii"]
    assert [nib.load(outcome.job.target).shape for outcome in outcomes] == [(4, 6, 7)] * 4


def test_no_patient_data_go_into_the_result(tmp_path: Path) -> None:
    write_series(tmp_path / "in/ct", count=1)
    assert b"Doe" in (tmp_path / "in/ct/1.2.3.4_c.dcm").read_bytes()
    for extension in (".mha", ".mhd", ".nrrd", ".nii"):
        content = one(tmp_path / "in", source_ext=".dcm", target_ext=extension).read_bytes()
        assert b"Doe" not in content
        assert b"0020|" not in content


def two_series(folder: Path) -> None:
    write_series(folder)
    write_series(folder, uid="1.2.3.9", count=2)


def one_lost(folder: Path) -> None:
    write_series(folder)
    damage(folder / "1.2.3.4_d.dcm", "cut")  # the last slice: without it the others are still evenly spaced


def no_image(folder: Path) -> None:
    folder.mkdir()
    (folder / "notes.dcm").write_bytes(b"no DICOM")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (two_series, "holds 2 DICOM series, expected one: put each into a folder of its own"),
        (one_lost, "1.2.3.4_d.dcm' is a DICOM file that is damaged or no image: mend it or take it away"),
        (no_image, "is a folder without DICOM files in it"),
        (lambda folder: write_series(folder, lambda k: (0, 0, [0, 2, 4, 8, 10][k])), "lie 2 to 4 mm apart"),
        (lambda folder: write_series(folder, lambda k: (0, 0.5 * k, 2.5 * k)), "shifted sideways by up to 2.00 mm"),
    ],
    ids=["two", "damaged", "none", "gap", "tilt"],
)
def test_folders_that_are_no_volume(tmp_path: Path, make: Any, reason: str) -> None:
    (tmp_path / "in").mkdir()
    make(tmp_path / "in/ct")
    assert reason in failure(tmp_path / "in", source_ext=".dcm")


def test_small_differences_between_slices_are_no_reason(tmp_path: Path) -> None:
    write_series(tmp_path / "in/ct", lambda k: (0.01 * (k % 2), 0, 2.5 * k + 0.02 * (k % 3)))
    assert nib.load(one(tmp_path / "in", source_ext=".dcm")).shape == (6, 7, 5)


# What exists


class Answers:
    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)

    def __call__(self, job: Job) -> Any:
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("answers", "force", "converted"),
    [
        (["yes", "no", "yes", "no"], False, "ac"),
        (["no", "always"], False, "bcd"),
        (["yes", "skip"], False, "a"),
        ([], True, "abcd"),
        (None, False, ""),
    ],
)
def test_what_exists_is_asked_about(tmp_path: Path, answers: list[str] | None, force: bool, converted: str) -> None:
    for name in "abcd":
        write(tmp_path / f"in/{name}.nii", noise(), np.eye(4))
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / f"out/{name}.nii").write_text("old")
    write(tmp_path / "in/new.nii", noise(), np.eye(4))
    ask = None if answers is None else Answers(*answers)
    outcomes = run(tmp_path / "in", ask, force=force)
    assert "".join(o.job.target.stem for o in outcomes if o.status == "converted") == converted + "new"
    for name in "abcd":
        assert ((tmp_path / f"out/{name}.nii").read_bytes() == b"old") == (name not in converted)
    assert ask is None or not ask.answers
    if answers is None:
        assert "exists, and there is no terminal to ask: -f overwrites" in outcomes[0].text


def test_the_voxels_beside_a_header_count_as_existing(tmp_path: Path) -> None:
    write(tmp_path / "in/a.nii", noise(), np.eye(4))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.raw").write_text("someone else's")
    (outcome,) = run(tmp_path / "in", target_ext=".mhd")
    assert outcome.status == "skipped"
    assert os.listdir(tmp_path / "out") == ["a.raw"]


def test_a_result_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "in/a.nii", noise(), np.eye(4))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.nii").write_text("old")
    imwrite = itk.imwrite

    def disk_full(image: Any, path: Path) -> None:
        imwrite(image, path)
        damage(path, "cut")

    monkeypatch.setattr(itk, "imwrite", disk_full)
    (outcome,) = run(tmp_path / "in", force=True)
    assert (outcome.status, outcome.text) == ("failed", "it is cut off: 1020 of 1360 bytes are there")
    assert os.listdir(tmp_path / "out") == ["a.nii"]
    assert (tmp_path / "out/a.nii").read_text() == "old"


def test_in_place_a_source_may_be_replaced_when_forced(tmp_path: Path) -> None:
    write(tmp_path / "in/a.nii", noise(), np.eye(4))
    (outcome,) = run(tmp_path / "in", output=tmp_path / "in", resolution=(2,))
    assert outcome.status == "skipped"
    assert nib.load(one(tmp_path / "in", output=tmp_path / "in", resolution=(2,), force=True)).shape == (4, 4, 3)


def test_two_sources_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    write(tmp_path / "in/a.nii", noise(), np.eye(4))
    (tmp_path / "in/a.NII").write_bytes((tmp_path / "in/a.nii").read_bytes())
    for dry_run, first in ((True, "planned"), (False, "converted")):
        outcomes = run(tmp_path / "in", force=True, dry_run=dry_run)
        assert [outcome.status for outcome in outcomes] == [first, "failed"]
        assert "a.NII has the same result" in outcomes[1].text


def test_a_folder_that_may_not_be_written_is_a_failure(tmp_path: Path) -> None:
    write(tmp_path / "in/sub/a.nii", noise(), np.eye(4))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/sub").write_text("a file in the way")
    assert run(tmp_path / "in")[0].text == f"File exists: {tmp_path / 'out/sub'}"


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / f"in/{name}.nii", noise(), np.eye(4))
    run(tmp_path / "in")
    (tmp_path / "out/b.nii").unlink()
    for force, text in ((True, "overwrites what exists"), (False, "exists: asked before it is overwritten")):
        outcomes = run(tmp_path / "in", dry_run=True, force=force)
        assert [(outcome.status, outcome.text) for outcome in outcomes] == [("planned", text), ("planned", "")]
    assert os.listdir(tmp_path / "out") == ["a.nii"]


# What is searched


def test_the_tree_is_kept_and_hidden_and_own_results_are_left_out(tmp_path: Path) -> None:
    for name in ("b.nii", "x/y/c.nii", "a.nii", ".hidden.nii", ".cache/d.nii", "results/e.nii", "z.nii.gz"):
        write(tmp_path / f"in/{name}", noise((2, 2, 2)), np.eye(4))
    outcomes = run(tmp_path / "in", output=tmp_path / "in/results", target_ext=".mha")
    assert [outcome.job.name for outcome in outcomes] == ["a.nii", "b.nii", "x/y/c.nii"]
    assert (tmp_path / "in/results/x/y/c.mha").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"source_ext": ".niii"},
            r"-s: \.niii is no format that can be read; did you mean '\.nii'\? \(formats: \.dcm, ",
        ),
        ({"target_ext": "mhda"}, r"-e: mhda is no format that can be written; did you mean '\.mh[ad]'\?"),
        ({"target_ext": "dcm"}, r"-e: DICOM is only read, not written; give one of \.nii, "),
        ({"resolution": (1, 2)}, r"one positive number for all axes, or three \(got 1 2\)"),
        ({"resolution": (0,)}, r"got 0"),
        ({"resolution": (1, 1, float("nan"))}, r"got 1 1 nan"),
        ({"folder": "nowhere"}, r"-d: there is no folder .*nowhere"),
        ({"output": "a.nii.gz"}, r"-o: .*a\.nii\.gz is a file"),
        ({}, r"no \.nii files below .*; it holds 2 \.nii\.gz, 1 \.mha: give -s \.nii\.gz"),
        ({"folder": "empty"}, r"no \.nii files below .*; check the folder, or give another format"),
        ({"folder": "empty", "source_ext": ".dcm"}, r"no \.dcm files below .*recognised by this ending"),
    ],
)
def test_a_request_that_must_be_mended(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("a.nii.gz", "b.nii.gz", "c.mha", "notes.txt", ".nii"):
        (tmp_path / name).touch()
    paths = {key: tmp_path / value for key, value in arguments.items() if key in {"folder", "output"}}
    with pytest.raises(ClaraError, match=message):
        plan(Request(**{"folder": tmp_path, "output": tmp_path / "out", **arguments, **paths}))


@pytest.mark.real
@pytest.mark.parametrize(("kind", "label"), [("imagesTr", False), ("labelsTr", True)])
def test_a_real_scan_at_2_mm(tmp_path: Path, clara_examples: Path, kind: str, label: bool) -> None:
    source = nib.load(clara_examples / f"sampleData/{kind}/spleen_8.nii.gz")
    folder = clara_examples / f"sampleData/{kind}"
    arguments = {"source_ext": ".nii.gz", "target_ext": ".nii.gz", "output": tmp_path, "resolution": (2,)}
    result = nib.load(one(folder, label=label, **arguments))
    old, new = np.asarray(source.dataobj), np.asarray(result.dataobj)
    spacing = np.array(source.header.get_zooms(), np.float64)
    assert new.dtype == old.dtype
    assert new.shape == tuple(np.floor(np.array(old.shape) * spacing.round(3) / 2).astype(int))
    corners = np.array([(*corner, 1) for corner in product(*((0, n) for n in new.shape))])
    in_old = corners * [*(2 / spacing), 1]
    np.testing.assert_allclose(corners @ result.affine.T, in_old @ source.affine.T, atol=1e-2)

    picked = np.stack([np.random.default_rng(0).integers(0, n, 5000) for n in new.shape])
    places = picked * (2 / spacing[:, None])
    expected = map_coordinates(old.astype(np.float64), places, order=0 if label else 1, mode="nearest")
    expected[(places >= np.array(old.shape)[:, None] - 0.5).any(0)] = 0
    difference = np.abs(new[tuple(picked)] - expected)
    assert difference.max() <= (0 if label else 0.501)
    assert label or np.unique(new).size > 1000
    if label:
        assert set(np.unique(new)) == set(np.unique(old))
