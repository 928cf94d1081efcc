"""What is said of a file that cannot be written."""

from __future__ import annotations

import errno

import pytest

from clara_compat.common.full_disk import is_full


@pytest.mark.parametrize(
    ("number", "full"),
    [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EFBIG, True), (errno.EACCES, False), (errno.EIO, False)],
)
def test_no_room_is_the_disks_the_quotas_or_the_limit_of_a_file(number: int, full: bool) -> None:
    assert is_full(OSError(number, "")) == full
