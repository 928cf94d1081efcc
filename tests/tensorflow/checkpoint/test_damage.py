"""Files from strangers: cut off, changed, or made to harm."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clara_compat.errors import ClaraError
from clara_compat.tensorflow.checkpoint.crc import crc32c, masked
from clara_compat.tensorflow.checkpoint.reader import open_checkpoint


def read_all(prefix):
    checkpoint = open_checkpoint(prefix)
    return {name: checkpoint.read(name) for name, entry in checkpoint.variables.items() if entry.storage is not None}


@pytest.fixture
def copy(checkpoints, tmp_path):
    shutil.copytree(checkpoints, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.mark.parametrize("name", ["partitioned", "sharded", "dtypes"])
def test_every_truncation(copy, name):
    for file in sorted(copy.glob(f"{name}.*")):
        whole = file.read_bytes()
        for size in range(len(whole)) if len(whole) < 1000 else range(0, len(whole), 97):
            file.write_bytes(whole[:size])
            if name == "dtypes" and file.suffix != ".index" and size >= len(whole) - 40:
                continue  # a text, which is not read, ends this file
            with pytest.raises(ClaraError, match=rf"^'{file}' is damaged or no part of a TensorFlow checkpoint: .*"):
                read_all(copy / name)
        file.write_bytes(whole)
    read_all(copy / name)


@pytest.mark.parametrize("name", ["partitioned", "sharded"])
def test_every_changed_byte_is_seen(copy, name):
    """All but what fills the footer, on which nothing depends."""
    value = read_all(copy / name)
    for file in sorted(copy.glob(f"{name}.*")):
        whole = file.read_bytes()
        harmless = range(len(whole) - 48, len(whole) - 8) if file.suffix == ".index" else range(0)
        for place in range(0, len(whole), 1 if len(whole) < 1000 else 53):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
            try:
                found = read_all(copy / name)
            except ClaraError as error:
                assert str(error).startswith(f"'{file}' is damaged")  # noqa: PT017
            else:
                assert place in harmless
                assert all(np.array_equal(found[key], value[key]) for key in value)
        file.write_bytes(whole)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(data=st.data())
def test_changes_that_have_good_checksums(checkpoints, tmp_path, table, data):
    """What checksums would hide: whatever a changed entry says is an error or a value, never something else."""
    from clara_compat.tensorflow.checkpoint.table import table_items

    items = dict(table_items((checkpoints / "partitioned.index").read_bytes()))
    key = data.draw(st.sampled_from(sorted(items)))
    value = bytearray(items[key])
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    items[key] = bytes(value[: data.draw(st.integers(0, len(value)))])
    (tmp_path / "partitioned.index").write_bytes(table(sorted(items.items())))
    shutil.copy(checkpoints / "partitioned.data-00000-of-00001", tmp_path)
    try:
        read_all(tmp_path / "partitioned")
    except ClaraError as error:
        assert str(error).startswith(f"'{tmp_path}/partitioned.")  # noqa: PT017


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), footer=st.binary(min_size=40, max_size=40))
def test_any_bytes_with_a_footer(tmp_path, data, footer):
    magic = (0xDB4775248B80FB57).to_bytes(8, "little")
    (tmp_path / "m.index").write_bytes(data + footer + magic)
    with pytest.raises(ClaraError, match=r"^'.*m.index' is damaged or no part of a TensorFlow checkpoint: "):
        open_checkpoint(tmp_path / "m")


@pytest.fixture
def written(tmp_path, table, proto):
    """Write a checkpoint of one variable, what its entry says changed."""

    def write(entry=None, header=((1, 1),), data=bytes(24), key=b"kernel", **more):
        fields = {1: 1, 2: proto((2, proto((1, 2))), (2, proto((1, 3)))), 5: 24, 6: masked(crc32c(bytes(24)))}
        fields |= entry or {}
        items = [(b"", proto(*header)), (key, proto(*fields.items()))]
        (tmp_path / "m.index").write_bytes(table(items, **more))
        (tmp_path / "m.data-00000-of-00001").write_bytes(data)
        return tmp_path / "m"

    return write


def test_the_written_one_is_good(written):
    np.testing.assert_array_equal(read_all(written())["kernel"], np.zeros((2, 3), np.float32))


def axes(proto, *sizes):
    return proto(*((2, proto((1, size))) for size in sizes))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entry": {4: 1}}, "is damaged.*: it is cut off .24 bytes, expected at least 25."),
        ({"entry": {4: 2**63 - 1}}, "it is cut off"),
        ({"entry": {4: 2**64 - 1}}, "a variable lies in file 0 of 1 at byte -1"),
        ({"entry": {3: 1}}, "a variable lies in file 1 of 1 at byte 0"),
        ({"entry": {5: 28}}, r"a variable of float32 and shape \(2, 3\) has 28 bytes"),
        ({"entry": {1: 2}}, r"a variable of float64 and shape \(2, 3\) has 24 bytes"),
        ({"entry": {1: b"x"}}, "a field holds no number"),
        ({"entry": {2: 5}}, "a field holds a number in place of a message"),
        ({"entry": {6: 7}}, "the variable 'kernel' does not have its checksum"),
        ({"header": ((1, 0),)}, "its header says 0 files of data and byte order 0"),
        ({"header": ((1, 1), (2, 7))}, "its header says 1 files of data and byte order 7"),
        ({"key": b"\xff\xfe"}, "a variable's name is no text"),
        ({"kind": 1}, r"a block is compressed \(snappy\)"),
        ({"kind": 9}, r"a block is compressed \(kind 9\)"),
    ],
)
def test_what_an_index_must_not_say(written, change, message):
    with pytest.raises(ClaraError, match=message):
        read_all(written(**change))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((2**40, 2**40), "a variable has the shape"),
        ((0, 2**62), "a variable has the shape"),
        ((2**64 - 2,), "a variable has the shape"),
        ((1,) * 40, "a variable has the shape"),
        ((2**30, 2**10), "has 24 bytes"),
    ],
)
def test_shapes_of_nonsense(written, proto, sizes, message):
    with pytest.raises(ClaraError, match=message):
        read_all(written({2: axes(proto, *sizes)}))
    with pytest.raises(ClaraError, match="a variable has an unknown shape"):
        read_all(written({2: proto((3, 1))}))


def test_an_unknown_type_is_listed_and_not_read(written):
    checkpoint = open_checkpoint(written({1: 99}))
    assert checkpoint.variables["kernel"].dtype == "type 99"
    with pytest.raises(ClaraError, match="the variable 'kernel' of '.*m' is a type 99, which holds no weights"):
        checkpoint.read("kernel")


def test_keys(tmp_path, table, proto):
    header, entry = (b"", proto((1, 1))), proto((1, 1))
    for entries, message in (
        ([(b"a", entry)], "it has no header"),
        ([header, (b"b", entry), (b"a", entry)], "its keys are not in order"),
        ([header, (b"a", entry), (b"a", entry)], "its keys are not in order"),
    ):
        (tmp_path / "m.index").write_bytes(table(entries))
        with pytest.raises(ClaraError, match=rf"^'{tmp_path}/m.index' is damaged .*: {message}; copy it again$"):
            open_checkpoint(tmp_path / "m")


def test_shared_beginnings_do_not_fill_the_memory(tmp_path, table, proto):
    """A file of 100 kB whose 5,000 keys would be 200 MB."""
    begin = b"x" * 40_000
    entries = [(b"", proto((1, 1))), *((begin + number.to_bytes(4, "big"), b"") for number in range(5_000))]
    (tmp_path / "m.index").write_bytes(table(entries, per_block=6_000))
    assert (tmp_path / "m.index").stat().st_size < 200_000
    with pytest.raises(ClaraError, match="its keys are longer than the file can hold"):
        open_checkpoint(tmp_path / "m")


def test_several_variables_may_not_share_their_data(tmp_path, table, proto):
    entry = proto((1, 1), (2, proto((2, proto((1, 6))))), (5, 24), (6, masked(crc32c(bytes(24)))))
    names = [f"v{number}".encode() for number in range(5)]
    (tmp_path / "m.index").write_bytes(table([(b"", proto((1, 1))), *((name, entry) for name in names)]))
    (tmp_path / "m.data-00000-of-00001").write_bytes(bytes(24))
    with pytest.raises(ClaraError, match=r"m.index' is damaged .*: it says more data than 'm.data-00000-of-00001' has"):
        open_checkpoint(tmp_path / "m")


@pytest.mark.parametrize(
    ("slices", "message"),
    [
        ([(0, 2), (1, 2)], "slices of the variable 'v' overlap"),
        ([(0, 2)], "the slices of the variable 'v' do not make it up"),
        ([(0, 2), (3, 2)], "a slice of the variable 'v' lies outside of it"),
        ([(0, 2), (2, None)], "a slice of the variable 'v' is missing"),
    ],
)
def test_slices_that_do_not_fit(tmp_path, table, proto, slices, message):
    from clara_compat.tensorflow.checkpoint.wire import slice_key

    def extent(start, length):
        return proto((1, proto((1, start), (2, length))))

    items = {b"": proto((1, 1))}
    for start, length in slices:
        shape = proto((2, proto((1, length or 2))))
        entry = proto((1, 1), (2, shape), (4, 8 * start), (5, 8), (6, masked(crc32c(bytes(8)))))
        if length:
            items[slice_key("v", [(start, length)])] = entry
    whole = proto(
        (1, 1), (2, proto((2, proto((1, 4))))), *((7, extent(start, length or 2)) for start, length in slices)
    )
    items[b"v"] = whole
    (tmp_path / "m.index").write_bytes(table(sorted(items.items())))
    (tmp_path / "m.data-00000-of-00001").write_bytes(bytes(64))
    with pytest.raises(ClaraError, match=message):
        read_all(tmp_path / "m")
