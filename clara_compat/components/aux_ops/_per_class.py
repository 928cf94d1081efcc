"""What the operations have in common that give a mean, and a value for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clara_compat.components.aux_ops.native import NativeOperation
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.errors import ClaraError

__all__ = ["PerClassOperation"]


class PerClassOperation(NativeOperation):
    """The first tag is the mean over the classes, further tags are those of each class.

    Args:
        tags: one, or one more than there are classes.
        skip_background: leave channel 0 out.
        is_onehot_targets: the label has one channel per class.
        do_summary: average the values over a training epoch, for TensorBoard.
        do_print: the same, for the console.
    """

    def __init__(
        self,
        tags: Sequence[str],
        skip_background: bool = False,
        is_onehot_targets: bool = False,
        do_summary: bool = True,
        do_print: bool = True,
    ) -> None:
        NativeOperation.__init__(self, tags, do_summary, do_print)
        self.skip_background = skip_background
        self.is_onehot_targets = is_onehot_targets

    def check_channels(self, channels: int) -> None:
        """Refuse a number of tags that the classes do not have, and a background that is all there is."""
        counted = channels - self.skip_background
        if counted < 1:
            raise ClaraError("skip_background is true but the network has a single channel, so nothing would be left")
        if len(self.tags) not in (1, 1 + counted):
            raise ClaraError(
                f"{len(self.tags)} tags for {counted} counted channels, expected one tag for the mean, or "
                f"{1 + counted} for the mean and each channel"
            )

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the operation."""
        return Entry(
            self.becomes,
            tags=list(self.tags),
            skip_background=self.skip_background,
            is_onehot_targets=self.is_onehot_targets,
            **self._more(),
            do_summary=self.do_summary,
            do_print=self.do_print,
        )

    def _more(self) -> dict[str, Any]:
        """Return further arguments of the entry."""
        return {}
