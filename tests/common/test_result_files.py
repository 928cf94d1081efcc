from __future__ import annotations

from pathlib import Path

import pytest

from clara_compat.common.result_files import ResultFiles, case_name
from clara_compat.errors import ClaraError


@pytest.mark.parametrize(
    ("given", "case"),
    [
        ("/data/imagesTr/spleen_8.nii.gz", "spleen_8"),
        ("spleen_8.nii", "spleen_8"),
        (b"a/b.mha", "b"),
        (Path("a/b.v2.NRRD"), "b.v2"),
        ("a/picture.jpeg", "picture"),
        ("a/picture.png", "picture"),
        ("a/array.npy", "array"),
        ("a/series.1.2/", "series.1.2"),
        ("no_ending", "no_ending"),
        (["a/first_t1.nii.gz", "a/first_t2.nii.gz"], "first_t1"),
    ],
)
def test_case_name(given, case):
    assert case_name(given) == case


@pytest.mark.parametrize("given", ["", "..", "a/..", "/", ".nii.gz", [], None, 3])
def test_what_has_no_name(given):
    with pytest.raises(ClaraError, match="have no name: expected the path of a file"):
        case_name(given)


def test_one_file_per_input():
    files = ResultFiles("out", "model", ".nii.gz")
    assert files.path("a/scan.nii.gz") == Path("out/scan/scan_model.nii.gz")
    assert files.claim("a/scan.nii.gz") == files.claim("a/scan.nii.gz") == files.path("a/scan.nii.gz")
    with pytest.raises(ClaraError, match="'b/scan.nii.gz' would overwrite those of 'a/scan.nii.gz', both are 'out"):
        files.claim("b/scan.nii.gz")


@pytest.mark.parametrize("field", ["", "a/b", "../a", "a\\b"])
def test_a_field_is_a_plain_name(field):
    with pytest.raises(ClaraError, match="argument 'field' is .*expected a name without slashes"):
        ResultFiles("out", field, ".png")
