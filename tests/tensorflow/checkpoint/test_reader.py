"""Checkpoints that real TensorFlow wrote (``tests/references/make_tensorflow_checkpoints.py``)."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest

from clara_compat.errors import ClaraError
from clara_compat.tensorflow.checkpoint.reader import open_checkpoint

NAMES = ["network", "dtypes", "sharded", "partitioned", "objects"]


@pytest.mark.parametrize("name", NAMES)
def test_every_value_is_tensorflows(checkpoints, expected, name):
    checkpoint = open_checkpoint(checkpoints / name)
    values = {key.removeprefix(f"{name}/"): one for key, one in expected.items() if key.startswith(f"{name}/")}
    texts = {"dtypes": {"text"}, "objects": {"_CHECKPOINTABLE_OBJECT_GRAPH"}}.get(name, set())
    assert checkpoint.variables.keys() == values.keys() | texts
    for key, value in values.items():
        found = checkpoint.read(key)
        assert (found.dtype, found.shape) == (value.dtype, value.shape)
        assert found.dtype.isnative
        assert found.shape == checkpoint.variables[key].shape
        np.testing.assert_array_equal(found, value)


def test_types(checkpoints):
    variables = open_checkpoint(checkpoints / "dtypes").variables
    assert {name for name, entry in variables.items() if entry.dtype != name} == {"scalar", "empty", "text"}
    assert (variables["scalar"].shape, variables["empty"].shape) == ((), (0, 3))


def test_what_is_not_read(checkpoints):
    checkpoint = open_checkpoint(checkpoints / "dtypes")
    with pytest.raises(ClaraError, match=r"the variable 'text' of '.*dtypes' is a string, which holds no weights"):
        checkpoint.read("text")
    with pytest.raises(ClaraError, match=r"'.*dtypes' has no variable 'scalr'; did you mean 'scalar'\?"):
        checkpoint.read("scalr")


def test_the_first_format_is_told(checkpoints):
    message = r"^'.*first_format' is a checkpoint of TensorFlow's first format \(V1\), which is not read: load it where"
    with pytest.raises(ClaraError, match=message):
        open_checkpoint(checkpoints / "first_format")


def test_missing_files(checkpoints, tmp_path):
    with pytest.raises(ClaraError, match=r"^'.*model.ckpt.index' cannot be read: No such file or directory$"):
        open_checkpoint(tmp_path / "model.ckpt")
    shutil.copytree(checkpoints, tmp_path, dirs_exist_ok=True)
    (tmp_path / "sharded.data-00001-of-00003").unlink()
    message = r"^'.*sharded.data-00001-of-00003' is missing, which holds data of .*: copy all files sharded\.\*$"
    with pytest.raises(ClaraError, match=message):
        open_checkpoint(tmp_path / "sharded")


def test_the_graph_is_never_opened(checkpoints, tmp_path):
    shutil.copytree(checkpoints, tmp_path, dirs_exist_ok=True)
    (tmp_path / "network.meta").mkdir()
    assert open_checkpoint(str(tmp_path / "network")).read("global_step") == 2


def test_tensorflow_is_not_imported():
    assert "tensorflow" not in sys.modules


@pytest.mark.parametrize("big_endian", [False, True])
def test_byte_orders(tmp_path, table, proto, big_endian):
    """TensorFlow writes the machine's order; nobody's machine here has the other one."""
    from clara_compat.tensorflow.checkpoint.crc import crc32c, masked

    value = np.array([[1.5, -2.0, 3e7]], ">f4" if big_endian else "<f4")
    crc = masked(crc32c(value.tobytes()))
    shape = proto((2, proto((1, 1))), (2, proto((1, 3))))
    header = proto((1, 1), (2, int(big_endian)))
    entry = proto((1, 1), (2, shape), (5, 12), (6, crc))
    (tmp_path / "m.index").write_bytes(table([(b"", header), (b"net/kernel", entry)]))
    (tmp_path / "m.data-00000-of-00001").write_bytes(value.tobytes())
    np.testing.assert_array_equal(open_checkpoint(tmp_path / "m").read("net/kernel"), value)


def test_many_blocks(tmp_path, table, proto):
    names = sorted(f"net/layer_{number}/bias" for number in range(200))
    entries = [(name.encode(), proto((1, 1), (2, proto((2, b""))))) for name in names]
    (tmp_path / "m.index").write_bytes(table([(b"", proto((1, 1))), *entries], per_block=7))
    (tmp_path / "m.data-00000-of-00001").write_bytes(b"")
    checkpoint = open_checkpoint(tmp_path / "m")
    assert list(checkpoint.variables) == names
    assert checkpoint.variables[names[0]].shape == (0,)
