"""Clara's names of checkpoints, and the files of weights they mean."""

from __future__ import annotations

import pytest

from clara_compat.common.weight_files import WeightsFile, find_weights
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
    folder(tmp_path, "model.pt", "final_model.pt", "checkpoint.pt", "other.weights", "model.ckpt.index")
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
def test_tensorflows_weights_are_not_read_yet(tmp_path, named):
    folder(tmp_path, "model.ckpt.index", "model.ckpt.meta", "model.ckpt.data-00000-of-00001")
    with pytest.raises(ClaraError, match=r"model(\.ckpt)?' is a TensorFlow checkpoint, .* not read yet: name a"):
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
