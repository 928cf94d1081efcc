"""Which files a model loader takes, and what it says when there are none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clara_compat.components.entry import BundleContext, Expression
from clara_compat.components.model_loaders.checkpoint_loader import CheckpointLoader
from clara_compat.components.model_loaders.frozen_graph_model_loader import FrozenGraphModelLoader
from clara_compat.components.model_loaders.trtis_model_loader import TRTISModelLoader
from clara_compat.errors import ClaraError


def make(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("")


@pytest.mark.parametrize(
    ("prefix", "file"),
    [
        ("model.ckpt", "model.pt"),
        ("model_final.ckpt", "final_model.pt"),
        ("checkpoint.pt", "checkpoint.pt"),
        ("checkpoint", "checkpoint.pt"),
    ],
)
def test_names_of_checkpoints(tmp_path: Path, prefix: str, file: str) -> None:
    make(tmp_path / "models", "model.pt", "final_model.pt", "checkpoint.pt")
    found = CheckpointLoader("models", checkpoint_file_prefix=prefix).files(str(tmp_path))
    assert (found.folder, found.weights, found.exported) == (tmp_path / "models", tmp_path / "models" / file, None)
    entry = CheckpointLoader("models", checkpoint_file_prefix=prefix).bundle_entry(BundleContext(mmar=str(tmp_path)))
    assert entry.arguments["network"] == Expression("@network_def")
    assert entry.arguments["file"] == str(tmp_path / "models" / file)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ((), r"the weights '.*models/model.ckpt' do not exist: train first, or name other weights"),
        (("modell.pt",), r"models/model.ckpt' do not exist; did you mean 'modell.pt'\?"),
        (("model.ckpt.meta",), r"models/model.ckpt.index' is missing, without which the TensorFlow checkpoint that"),
    ],
)
def test_no_weights(tmp_path: Path, files: tuple[str, ...], message: str) -> None:
    make(tmp_path / "models", *files)
    with pytest.raises(ClaraError, match=message):
        CheckpointLoader("models").files(str(tmp_path))
    with pytest.raises(ClaraError, match="the folder '.*nowhere' does not exist: train first, or mend MMAR_CKPT_DIR"):
        CheckpointLoader("nowhere").files(str(tmp_path))


def test_a_tensorflow_checkpoint(tmp_path: Path) -> None:
    make(tmp_path, "model.ckpt.index", "model.ckpt.meta")
    assert CheckpointLoader("").files(str(tmp_path)).weights == tmp_path / "model.ckpt.index"
    make(tmp_path, "model.pt")
    found = CheckpointLoader("").files(str(tmp_path))
    assert found.weights == tmp_path / "model.pt"
    assert "model.pt and model.ckpt.index are both in" in found.notice
    named = CheckpointLoader("", checkpoint_file_prefix="model.ckpt.index").files(str(tmp_path))
    assert named.weights == tmp_path / "model.ckpt.index"


def test_the_last_weights_where_there_are_no_best(tmp_path: Path) -> None:
    make(tmp_path, "final_model.pt")
    found = CheckpointLoader("").files(str(tmp_path))
    assert found.weights == tmp_path / "final_model.pt"
    assert "as the training had no validation: final_model.pt is taken" in found.notice


def test_weights_of_ours_beside_those_of_tensorflow(tmp_path: Path) -> None:
    make(tmp_path, "model.ckpt.index", "model.pt")
    assert CheckpointLoader("").files(str(tmp_path)).weights == tmp_path / "model.pt"


@pytest.mark.parametrize(
    ("named", "there"),
    [
        ("model.trt.pb", "model.ts"),
        ("model.fzn.pb", "model.ts"),
        ("spleen.trt.pb", "spleen.trt.ts"),
        ("spleen.pb", "spleen.ts"),
        ("model.ts", "model.ts"),
    ],
)
def test_exported_networks(tmp_path: Path, named: str, there: str) -> None:
    make(tmp_path, there, named)
    found = FrozenGraphModelLoader(f"{tmp_path}/{named}").files("/elsewhere")
    assert (found.exported, found.notice) == (tmp_path / there, "")
    entry = FrozenGraphModelLoader(f"{tmp_path}/{named}").bundle_entry(BundleContext())
    assert entry.arguments == {"file": str(tmp_path / there), "device": Expression("@device")}


def test_a_training_in_place_of_an_export_is_told(tmp_path: Path) -> None:
    make(tmp_path, "model.pt")
    found = FrozenGraphModelLoader("model.trt.pb").files(str(tmp_path))
    assert (found.exported, found.weights) == (None, tmp_path / "model.pt")
    assert "model.ts' does not exist: the weights of the training in that folder are used (model.pt)" in found.notice


@pytest.mark.parametrize("named", ["model_final.trt.pb", "model_final.fzn.pb", "model_final.ts"])
def test_the_last_weights_in_place_of_their_export(tmp_path: Path, named: str) -> None:
    make(tmp_path, "model.pt", "final_model.pt")
    found = FrozenGraphModelLoader(named).files(str(tmp_path))
    assert found.weights == tmp_path / "final_model.pt"
    assert re.search(r"model_final.ts' does not exist: .* are used \(final_model.pt\); .* model_final.ts", found.notice)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ((), "model.ts' does not exist: write it with clara-compat export"),
        (("model.trt.pb",), "does not exist, and the frozen graph of TensorFlow that is there is not read: write it"),
    ],
)
def test_no_export(tmp_path: Path, files: tuple[str, ...], message: str) -> None:
    make(tmp_path, *files)
    with pytest.raises(ClaraError, match=message):
        FrozenGraphModelLoader("model.trt.pb").files(str(tmp_path))


def test_no_server_is_asked() -> None:
    with pytest.raises(ClaraError, match="inference by a server is not supported: use CheckpointLoader"):
        TRTISModelLoader("model.json").files("")
