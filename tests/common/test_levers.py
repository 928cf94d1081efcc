"""Names of levers."""

from __future__ import annotations

import pytest

from clara_compat.common.levers import levers_of


@pytest.mark.parametrize(
    ("text", "levers"),
    [
        ("auto", None),
        (True, None),
        ("off", ()),
        (False, ()),
        ("channels_last, bf16", ("bf16", "channels_last")),
        ("compile", ("compile",)),
    ],
)
def test_what_a_setting_names(text, levers):
    assert levers_of(text) == levers


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (
            "",
            r"auto, off, or levers with commas between them \(bf16, .*, compile, gpu_data\)$",
        ),
        ("bf16,chanels_last", "did you mean 'channels_last'"),
        ("gpudata", "did you mean 'gpu_data'"),
        ("auto,bf16", "auto, off, or levers"),
        ("of", "did you mean 'off'"),
    ],
)
def test_other_words_are_refused(text, match):
    with pytest.raises(ValueError, match=match):
        levers_of(text)
