import contextlib
import pickle

import numpy as np
import pytest
import torch

from clara_compat.engine.weights import read_weights
from clara_compat.errors import ClaraError

STATE = torch.nn.Linear(2, 3).state_dict()


@pytest.mark.parametrize("content", [STATE, {"network": STATE, "epoch": 3}, {"state_dict": STATE}])
def test_state_dicts_and_checkpoints(tmp_path, content):
    torch.save(content, tmp_path / "model.pt")
    found = read_weights(tmp_path / "model.pt")
    assert found.keys() == STATE.keys()
    assert all(torch.equal(found[name], STATE[name]) for name in STATE)


class Harmful:
    def __reduce__(self):
        return (print, ("ran",))


def test_nothing_of_a_file_is_run(tmp_path, capsys):
    (tmp_path / "model.pt").write_bytes(pickle.dumps({"network": Harmful()}))
    torch.save({"network": Harmful()}, tmp_path / "other.pt")
    for name in ("model.pt", "other.pt"):
        with pytest.raises(ClaraError, match=r"is damaged or no file of weights"):
            read_weights(tmp_path / name)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [torch.zeros(2), {"a": 1}, {}, {"network": {"a": "b"}}])
def test_no_weights(tmp_path, content):
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(ClaraError, match=r"model.pt' holds no weights by name"):
        read_weights(tmp_path / "model.pt")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ClaraError, match=r"model.pt' cannot be read: No such file"):
        read_weights(tmp_path / "model.pt")
    torch.save(STATE, tmp_path / "model.pt")
    (tmp_path / "model.pt").write_bytes((tmp_path / "model.pt").read_bytes()[:200])
    with pytest.raises(ClaraError, match=r"is damaged"):
        read_weights(tmp_path / "model.pt")


def test_damage_of_any_kind_is_told_alike(tmp_path):
    torch.save(STATE, tmp_path / "model.pt")
    whole = (tmp_path / "model.pt").read_bytes()
    random = np.random.default_rng(0)
    for _ in range(150):
        damaged = bytearray(whole)
        for place in random.integers(len(damaged), size=20):
            damaged[place] = random.integers(256)
        (tmp_path / "model.pt").write_bytes(damaged)
        with contextlib.suppress(ClaraError):  # nothing else may come out; some damage does not show
            read_weights(tmp_path / "model.pt")
