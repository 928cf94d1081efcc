"""Parts of native configs: names of metrics, which can be any texts; channels and groups that follow from others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clara_compat.translate.native.facts import Facts
from clara_compat.translate.native.metrics import AVERAGE, DICE_OUTPUTS, native_metric
from clara_compat.translate.native.networks import NETWORKS
from clara_compat.translate.native.validation import named_metrics
from clara_compat.translate.render import literal


@given(st.lists(st.text(max_size=6), min_size=1, max_size=6, unique=True))
def test_they_are_kept_apart(names: list[str]) -> None:
    entry = {
        "_target_": "clara_compat.engine.metrics.named.named_metrics",
        "names": literal(names),
        "metrics": [{"number": number} for number in range(len(names))],
    }
    found = list(named_metrics(entry, taken=["metric"]))
    assert [one.entry["number"] for one in found] == list(range(len(names)))
    assert len({one.name for one in found} | {"metric"}) == len(names) + 1
    assert all(one.name.replace("_", "a").isalnum() and not one.name.startswith("_") for one in found)
    assert [one.place for one in found] == [f"metrics#{number}" for number in range(len(names))]


def test_a_name_that_was_escaped_is_read_back() -> None:
    entry = {
        "_target_": "clara_compat.engine.metrics.named.named_metrics",
        "names": [literal("dice $#::")],
        "metrics": [{}],
    }
    assert [one.name for one in named_metrics(entry)] == ["dice"]


@pytest.mark.parametrize(
    ("tag", "skip", "channels"), [("a", True, "[1:2]"), ("b", True, "[2:3]"), ("a", False, "[0:1]"), ("b", False, "[1:2]")]
)
def test_a_tag_of_a_class_is_its_channel(tag: str, skip: bool, channels: str) -> None:
    operation = {
        "_target_": DICE_OUTPUTS,
        "tags": ["all", "a", "b"],
        "skip_background": skip,
        "is_onehot_targets": False,
    }
    form = native_metric({"_target_": AVERAGE, "field": tag}, [operation], Facts(channels=3, activation="softmax"))
    assert form.entry is not None
    assert form.entry["include_background"]
    assert form.entry["output_transform"].count(channels) == 2
    whole = native_metric({"_target_": AVERAGE, "field": "all"}, [operation], Facts(channels=3)).entry
    assert whole is not None
    assert whole["include_background"] is not skip


def test_groups_divide_the_channels_of_every_level() -> None:
    entry = {
        "spatial_dims": 3, "in_channels": 1, "out_channels": 2, "encoder_channels": [8, 12], "decoder_channels": [8, 4],
        "dropout_prob": 0.0, "norm": ["group", {"num_groups": 8}],
    }  # fmt: skip
    native, _ = NETWORKS["clara_compat.engine.networks.unet.ClaraUNet"](entry)
    assert native.entries[0]["norm_name"] == ["group", {"num_groups": 4}]
