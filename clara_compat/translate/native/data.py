"""The data side of a training: data list, transforms, dataset and loader of MONAI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clara_compat.translate.native.chain import label_form, noted_chain
from clara_compat.translate.native.facts import Facts
from clara_compat.translate.native.native_config import Notes

__all__ = ["DataEntries", "native_data", "native_data_list"]

_DRAWS = "Order of the items and random transforms draw other numbers, which depend on the number of workers."
_CATEGORY = "item.get('category', item.get('label'))"


@dataclass(frozen=True)
class DataEntries:
    """The data side of a section.

    Args:
        entries: ``data``, ``preprocessing``, ``dataset``, ``dataloader`` and what they refer to.
        handlers: that the section's engine needs for it.
    """

    entries: dict[str, Any]
    handlers: list[dict[str, Any]] = field(default_factory=list)


def native_data(section: Mapping[str, Any], name: str, notes: Notes, facts: Facts) -> DataEntries:
    """Return the data side of a section.

    Args:
        section: ``train`` or ``validate`` of the exact config.
        name: which of the two.
        notes: takes what changes.
        facts: of the config.
    """
    chain = section["preprocessing"]["transforms"]
    images = ["image"] if facts.classifies else ["image", "label"]
    transforms = noted_chain(chain, f"{name}#preprocessing#transforms", notes, facts, images)
    transforms += label_form(chain[-1], facts)
    if "batch_transform" in section:  # runs on each item of a batch, as those before
        batch = section["batch_transform"]["transforms"]
        transforms += noted_chain(batch, f"{name}#batch_transform#transforms", notes, facts)
    entries = {
        **native_data_list(section["data"], f"{name}#data", f"@{name}#datalist", notes, facts),
        "preprocessing": {"_target_": "Compose", "transforms": transforms},
    }
    dataset, handlers = _dataset(section, name, notes)
    loader = {
        "_target_": "DataLoader",
        "dataset": f"@{name}#dataset",
        "batch_size": section["dataloader"]["batch_size"],
        "num_workers": section["dataloader"]["num_workers"],
    }
    balance = _balance(section["plan"], name, notes, moving=bool(handlers))
    if "sampler" in balance:
        loader["sampler"] = f"@{name}#sampler"
    else:
        loader["shuffle"] = section["plan"]["shuffle"]
    notes.add(f"{name}#dataloader", section["dataloader"], loader)
    return DataEntries({**entries, "dataset": dataset, **balance, "dataloader": loader}, handlers)


def native_data_list(entry: Mapping[str, Any], place: str, listed: str, notes: Notes, facts: Facts) -> dict[str, Any]:
    """Return ``data``, and what it refers to.

    Args:
        entry: of the exact config.
        place: its id.
        listed: reference to the entry ``datalist``.
        notes: takes what changes.
        facts: of the config.
    """
    found: dict[str, Any] = {
        "_target_": "monai.data.load_decathlon_datalist",
        "data_list_file_path": entry["data_list_file_path"],
        "is_segmentation": not facts.classifies,
        "data_list_key": entry["data_list_key"],
        "base_dir": entry["base_dir"],
    }
    notes.add(place, entry, found)
    count = entry.get("duplicate_count", 1)
    if count == 1:
        return {"data": found}
    return {"datalist": found, "data": f"$[item for item in {listed} for _ in range({count})]"}


def _dataset(section: Mapping[str, Any], name: str, notes: Notes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the dataset, and the handler of one whose items change from epoch to epoch."""
    plan, cache = section["plan"], section["cache"]
    given: dict[str, Any] = {"data": f"@{name}#data", "transform": f"@{name}#preprocessing"}
    workers = max(1, section["dataloader"]["num_workers"])
    handlers = []
    if not cache["requested"]:
        dataset = {"_target_": "Dataset", **given}
        text = "The same items, but every epoch loads them anew: nothing is cached."
    elif plan.get("replace_percent"):
        window = {"cache_num": plan["cached"], "replace_rate": plan["replace_percent"], "shuffle": False}
        threads = {"num_init_workers": workers, "num_replace_workers": workers}
        dataset = {"_target_": "SmartCacheDataset", **given, **window, **threads}
        handlers = [{"_target_": "SmartCacheHandler", "smartcacher": f"@{name}#dataset"}]
        text = "Items are replaced at the same rate, their order in the window is another."
    else:
        window = {"data": f"$@{name}#data[:{plan['cached']}]"} if plan.get("cached") else {}
        dataset = {"_target_": "CacheDataset", **given, **window, "num_workers": workers}
        text = ""
    notes.add(f"{name}#dataset", section["dataset"], dataset, text)
    notes.add(f"{name}#cache", cache, dataset)
    notes.add(f"{name}#plan", plan, dataset, _DRAWS if name == "train" else "")
    return dataset, handlers


def _balance(plan: Mapping[str, Any], name: str, notes: Notes, *, moving: bool) -> dict[str, Any]:
    """Return the sampler that balances categories, and what it refers to; nothing where none are balanced."""
    numbers = plan.get("items_per_category")
    weights = numbers or plan.get("category_weights")
    if not weights and not plan.get("sampling"):
        return {}
    place = f"{name}#plan#categories"
    if moving:
        notes.add(place, "categories", "", "Categories are not balanced in a window whose items are replaced.")
        return {}
    data, categories, shares = f"@{name}#data", f"@{name}#categories", f"@{name}#category_shares"
    data = f"{data}[:{plan['cached']}]" if plan.get("cached") else data
    notes.need("import json")
    if isinstance(weights, list):
        drawn: Any = f"$dict(zip(sorted(set({categories})), {weights!r}))"
    elif isinstance(weights, (int, float)) or not weights:
        drawn = f"$dict.fromkeys({categories}, {weights or 1})"
    else:
        drawn = weights
    text = "With replacement: an item can come twice before all have come." if numbers else ""
    notes.add(place, "categories", "torch.utils.data.WeightedRandomSampler", text)
    total = f"$int(sum({shares}.values()))" if numbers else f"$len({categories})"
    values = f"[{_CATEGORY} for item in {data}]"
    return {
        "categories": f"$[value if isinstance(value, str) else json.dumps(value) for value in {values}]",
        "category_shares": drawn,
        "sampler": {
            "_target_": "torch.utils.data.WeightedRandomSampler",
            "weights": f"$[{shares}[one] / {categories}.count(one) for one in {categories}]",
            "num_samples": total,
        },
    }
