from __future__ import annotations

import pytest

from clara_compat.tensorflow.checkpoint.wire import Malformed, fields, number, part, signed, slice_key, varint


@pytest.mark.parametrize(
    ("data", "value"), [(b"\x00", 0), (b"\x7f", 127), (b"\xac\x02", 300), (b"\xff" * 9 + b"\x01", 2**64 - 1)]
)
def test_varint(data, value):
    assert varint(b"?" + data + b"?", 1) == (value, 1 + len(data))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 9 + b"\x02", b"\x80" * 11])
def test_a_number_that_does_not_end(data):
    with pytest.raises(Malformed, match="a number does not end"):
        varint(data, 0)


def test_fields_of_a_message():
    data = b"\x08\x96\x01" + b"\x12\x02hi" + b"\x1d\x01\x00\x00\x00" + b"\x21" + b"\x02" + bytes(7)
    assert list(fields(data)) == [(1, 150), (2, b"hi"), (3, 1), (4, 2)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x12\x05hi", "a field is cut off"),
        (b"\x12\xff\xff\xff\xff\x0fhi", "a field is cut off"),
        (b"\x1d\x01", "a field is cut off"),
        (b"\x0b", "a field has the unknown kind 3"),
    ],
)
def test_messages_that_are_none(data, message):
    with pytest.raises(Malformed, match=message):
        list(fields(data))


def test_kinds_of_values():
    assert signed(2**64 - 1) == -1
    assert signed(5) == 5
    with pytest.raises(Malformed, match="a field holds no number"):
        number(b"1")
    with pytest.raises(Malformed, match="a field holds a number in place of a message"):
        part(1)


@pytest.mark.parametrize(
    ("extents", "key"),  # the bytes that TensorFlow wrote for such slices
    [
        ([(0, 3), (0, 3)], "0102 80 83 80 83"),
        ([(0, 2), (100, 100), (0, 3)], "0103 80 82 c064 c064 80 83"),
        ([(0, -1), (8191, 8192)], "0102 80 7f dfff e02000"),
        ([], "00"),
    ],
)
def test_the_key_of_a_slice(extents, key):
    assert slice_key("rows", extents) == b"\x00rows\x00\x01" + bytes.fromhex(key)
