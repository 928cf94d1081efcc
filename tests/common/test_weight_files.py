"""Clara's names of checkpoints, and the files of weights they mean."""

from __future__ import annotations

import pytest

from clara_compat.common.weight_files import WeightsFile, find_weights, index_of, is_tensorflow, prefix_of
from clara_compat.errors import ClaraError


def folder(tmp_path, *names):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("model.pt", "model.pt"),
        ("checkpoint.pt", "checkpoint.pt"),
        ("other.weights", "other.weights"),
        ("model.ckpt", "model.pt"),
        ("model", "model.pt"),
        ("", "model.pt"),
        ("model_final.ckpt", "final_model.pt"),
        ("model.ckpt.index", "model.pt"),
        ("model.ckpt.data-00000-of-00001", "model.pt"),
    ],
)
def test_what_a_name_means(tmp_path, named, found):
    folder(tmp_path, "model.pt", "final_model.pt", "checkpoint.pt", "other.weights")
    assert find_weights(tmp_path / named) == WeightsFile(tmp_path / found)


@pytest.mark.parametrize("named", ["", "model.ckpt", "model.pt"])
def test_without_validation_the_last_weights_are_the_best(tmp_path, named):
    found = find_weights(folder(tmp_path, "final_model.pt") / named)
    assert found.path == tmp_path / "final_model.pt"
    assert found.notice == (
        f"there is no {tmp_path / 'model.pt'}, as the training had no validation: final_model.pt is taken, its last "
        "weights"
    )


@pytest.mark.parametrize("named", ["model.ckpt", "model.ckpt.meta", "."])
def test_tensorflows_weights(tmp_path, named):
    folder(tmp_path, "model.ckpt.index", "model.ckpt.meta", "model.ckpt.data-00000-of-00001")
    found = find_weights(tmp_path / named)
    assert found == WeightsFile(tmp_path / "model.ckpt.index")
    assert is_tensorflow(found.path)
    assert prefix_of(found.path) == tmp_path / "model.ckpt"
    assert index_of(tmp_path / "model.ckpt") == found.path


@pytest.mark.parametrize("named", ["", "model.ckpt", "model.pt", "model"])
def test_of_both_kinds_this_packages_are_taken(tmp_path, named):
    folder(tmp_path, "model.ckpt.index", "model.pt")
    index = tmp_path / "model.ckpt.index"
    notice = (
        f"model.pt and model.ckpt.index are both in {tmp_path}: model.pt is taken (for the TensorFlow checkpoint name "
        f"{index})"
    )
    told = "" if named == "model.pt" else notice  # a file that is named is no choice
    assert find_weights(tmp_path / named) == WeightsFile(tmp_path / "model.pt", told)
    for part in ("index", "meta", "data-00000-of-00001"):
        assert find_weights(tmp_path / f"model.ckpt.{part}") == WeightsFile(index)


def test_the_last_weights_of_both_kinds(tmp_path):
    folder(tmp_path, "model_final.ckpt.index")
    assert find_weights(tmp_path / "model_final.ckpt").path == tmp_path / "model_final.ckpt.index"
    folder(tmp_path, "final_model.pt")
    found = find_weights(tmp_path / "model_final.ckpt")
    assert found.path == tmp_path / "final_model.pt"
    assert found.notice.startswith("final_model.pt and model_final.ckpt.index are both in")


def test_a_checkpoint_without_its_index(tmp_path):
    folder(tmp_path, "model.ckpt.meta", "model.ckpt.data-00000-of-00001")
    for named in ("", "model.ckpt", "model.ckpt.meta"):
        with pytest.raises(
            ClaraError, match=r"^'.*/model.ckpt.index' is missing, without which the TensorFlow .* copy"
        ):
            find_weights(tmp_path / named)


def test_where_missing_weights_may_be(tmp_path):
    with pytest.raises(
        ClaraError, match=r"the weights '/nowhere/model.pt' do not exist: train first, or name other weights$"
    ):
        find_weights(tmp_path / "/nowhere/model.pt")
    folder(tmp_path, "model.pt")
    with pytest.raises(ClaraError, match=r"modle.pt' do not exist; did you mean 'model.pt'\?"):
        find_weights(tmp_path / "modle.pt")
    (tmp_path / "model.pt").unlink()
    folder(tmp_path, "previous_1/model.pt")
    with pytest.raises(ClaraError, match=r"; those of an earlier run are in .*/previous_1/model.pt$"):
        find_weights(tmp_path / "model.ckpt")


@pytest.mark.parametrize("length", [240, 252, 255, 300])
def test_a_name_that_is_too_long_is_told_as_missing(tmp_path, length):
    with pytest.raises(ClaraError, match="the weights '.*n' do not exist: train first"):
        find_weights(tmp_path / ("n" * length))
