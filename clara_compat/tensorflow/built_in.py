"""What a built-in needs to run inside of a user's class that derives from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.data_prop import DataProperty
from clara_compat.tensorflow.graph import running
from clara_compat.tensorflow.layout import channel_first, laid_out, plain

__all__ = ["Surroundings", "run_loss"]

_MOST_LOSSES = 100
_losses: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {}


@dataclass(frozen=True)
class Surroundings:
    """What the running step says of its data.

    Args:
        data_property: what the pipeline says of its data; None outside of a run, where data are channel-first.
        final_activation: what the predictions have gone through, where it is known.
    """

    data_property: DataProperty | None
    final_activation: str | None

    @classmethod
    def of(cls, build_ctx: BuildContext | None) -> Surroundings:
        """Return those of a context, or of the pass that is going on: user code need not hand its context on."""
        graph = running()
        context = (None if graph is None else graph.context) if build_ctx is None else build_ctx
        if context is None:
            return cls(None, None)
        return cls(context.get(BuildContext.KEY_DATA_PROP), getattr(context, "final_activation", None))

    @property
    def label_format(self) -> tuple[int, ...] | None:
        """Classes per label of a classification, or None."""
        declared = getattr(self.data_property, "label_format", None)
        return None if declared is None else tuple(declared.classes_per_label)

    def channel_first(self, values: Any) -> torch.Tensor:
        """Return a batch in the pipeline's layout, a tensor or an array, as a tensor (N, C, spatial...)."""
        tensor = plain(torch.as_tensor(values))
        return tensor if self.data_property is None else channel_first(tensor, self.data_property)

    def laid_out(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return a tensor (N, C, spatial...) in the pipeline's layout."""
        return tensor if self.data_property is None else laid_out(tensor, self.data_property)

    def crop_size(self, image: torch.Tensor) -> tuple[int, ...] | None:
        """Return the spatial size that training images will have in the place of ``image`` (N, C, spatial...).

        That is its own, where the pipeline declares one for every axis: a user's class may have cut it, or made it
        smaller. Otherwise it is what the pipeline declares; the network is then built on a size that is assumed.
        """
        if self.data_property is None:
            return tuple(image.shape[2:])
        declared = self.data_property.crop_size
        if not declared or min(declared) < 1:
            return None if declared is None else tuple(declared)
        return tuple(image.shape[2:])


def run_loss(entry: Any, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the loss of a bundle entry, a scalar.

    Args:
        entry: an object whose ``made()`` makes the loss.
        predictions: (N, C, spatial...) or (N, C).
        targets: labels, of any device.
    """
    key = repr(entry)
    if key not in _losses:
        if len(_losses) >= _MOST_LOSSES:
            _losses.clear()
        _losses[key] = entry.made()
    return _losses[key](predictions, targets.to(predictions.device))
