"""A data list that is another one than before is noticed, and a moved one is not another one."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn
from torch.utils.data import TensorDataset

from clara_compat.engine.handlers.data_lists import data_digests, warn_of_other_lists

ITEMS: list[dict[str, Any]] = [
    {"image": "/data/spleen/images/1.nii.gz", "label": "/data/spleen/labels/1.nii.gz", "category": "a"},
    {"image": ["/data/spleen/images/2.nii.gz", "/data/spleen/images/3.nii.gz"], "label": [0, 1.5]},
]


def digests(train: Any, validate: Any = None) -> dict[str, str]:
    engines = [SimpleNamespace(data_loader=SimpleNamespace(dataset=one)) for one in (train, validate)]
    return data_digests(*engines)  # type: ignore[arg-type]


def of(items: Any) -> str:
    return digests(SimpleNamespace(data=items))["train"]


def test_by_section() -> None:
    both = digests(SimpleNamespace(data=ITEMS), SimpleNamespace(data=ITEMS[:1]))
    assert both.keys() == {"train", "validate"}
    assert both["train"] != both["validate"]
    assert data_digests(SimpleNamespace(), None) == {}  # type: ignore[arg-type]
    assert digests(TensorDataset(), nn.Identity()) == {}


def moved(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("/data/spleen", "/mnt/else")
    if isinstance(value, dict):
        return {name: moved(one) for name, one in value.items()}
    return [moved(one) for one in value] if isinstance(value, list) else value


def test_another_folder_is_no_other_list() -> None:
    assert of(moved(ITEMS)) == of(ITEMS)
    assert of(moved(ITEMS[:1])) == of(ITEMS[:1])
    assert of([{"image": "/one/a.nii"}]) != of([{"image": "/one/b.nii"}])


@pytest.mark.parametrize(
    "change",
    [
        lambda items: items.reverse(),
        lambda items: items[0].update(image="/data/spleen/images/9.nii.gz"),
        lambda items: items[0].update(category="b"),
        lambda items: items[1]["image"].reverse(),
        lambda items: items[1].update(label=[0, 1]),
        lambda items: items[1].update(more=object()),
        lambda items: items.append(items[0]),
    ],
)
def test_what_makes_another_list(change: Any) -> None:
    other = copy.deepcopy(ITEMS)
    change(other)
    assert of(other) != of(ITEMS)


def test_the_warning_names_the_section(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_other_lists({}, {"train": "1"})
    warn_of_other_lists({"train": "1", "validate": "2"}, {"train": "1"})
    assert not caplog.text
    warn_of_other_lists({"train": "1", "validate": "2"}, {"train": "1", "validate": "3"})
    assert "the data list of validate is another one than before" in caplog.text
    assert "train is" not in caplog.text
