"""The best model's answers to the items of a data list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from clara_compat.run.train import TrainResult

__all__ = ["predictions"]


def predictions(
    result: TrainResult, data_list: Path, key: str = "testing"
) -> Iterator[tuple[dict[str, Any], NDArray[np.float32]]]:
    """Give the items of a list to the best model of a finished run, prepared as its validation prepares them.

    Args:
        result: of a run whose config has a ``validate`` section.
        data_list: the data list file.
        key: which of its lists.

    Yields:
        Each item, and the network's output for it without the batch axis.
    """
    import copy

    import torch

    from clara_compat.engine.data.datalist import load_datalist
    from clara_compat.engine.data.dataset import SeededDataset
    from clara_compat.engine.model_files import network_with_weights

    items = load_datalist(data_list, key, data_list.parent)
    dataset = SeededDataset(items, result.parser.get_parsed_content("validate#preprocessing"))
    inferer = result.parser.get_parsed_content("validate#inferer")
    device = next(result.network.parameters()).device
    network = network_with_weights(copy.deepcopy(result.network), result.paths["model"], device)
    for index in range(len(dataset)):
        item = dataset[index]
        with torch.no_grad():
            scores = inferer(item["image"].as_tensor()[None].to(device), network)
        yield item, scores[0].float().cpu().numpy()
