"""From items to the tensors a network sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from monai.data import list_data_collate

from clara_compat.engine.data.failure import ItemError, ItemFailure
from clara_compat.engine.data.skipping import SkippingBatch

__all__ = ["check_batch", "collate", "prepare_batch"]


def collate(items: Sequence[Any]) -> Any:
    """Stack the items of a batch; the first failed item, if any, is the batch, unless it was skipped.

    Args:
        items: as the dataset gives them: dictionaries, lists of them, or failures.
    """
    skipped = [item for item in items if isinstance(item, ItemFailure)]
    for item in skipped:
        if not item.skipped:
            return item
    if skipped:
        made = [item for item in items if not isinstance(item, ItemFailure)]
        batch = collate(made) if made else None
        return batch if isinstance(batch, ItemFailure) else SkippingBatch(batch, skipped, skipped[0].fills)
    for field, value in items[0].items():
        if not isinstance(value, torch.Tensor):
            continue
        shapes = {tuple(item[field].shape) for item in items}
        if len(shapes) > 1:
            return ItemFailure(
                f"the items of a batch have different shapes of '{field}' ({', '.join(map(str, sorted(shapes)))}): "
                "crop or resize to one size, or set output_batch_size to 1",
                files="",
            )
    return list_data_collate(items)


def prepare_batch(
    batch: Any, device: torch.device | str | None = None, non_blocking: bool = False, **kwargs: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return image and label of a batch on the device; MONAI's engines call this at the start of every step.

    Args:
        batch: what the loader gave.
        device: where to put the tensors; None leaves them.
        non_blocking: copy while the device works.
        kwargs: further arguments of ``Tensor.to``.

    Raises:
        ItemError: the batch holds a failed item.
    """
    check_batch(batch)
    image = batch["image"].to(device=device, non_blocking=non_blocking, **kwargs)
    label = batch["label"].to(device=device, non_blocking=non_blocking, **kwargs)
    return image, label


def check_batch(batch: Any) -> None:
    """Raise what a batch failed by.

    Args:
        batch: what the loader gave.

    Raises:
        ItemError: the batch holds a failed item.
    """
    if isinstance(batch, ItemFailure):
        raise ItemError(batch)
