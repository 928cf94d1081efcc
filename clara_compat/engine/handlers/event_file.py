"""A file of TensorBoard events on a disk that may become full."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from clara_compat.common.full_disk import is_full, why

__all__ = ["go_on_when_full"]

logger = logging.getLogger("clara_compat")


def go_on_when_full(writer: SummaryWriter) -> None:
    """Let a full disk end the file of events rather than the training: ``train_stats.json`` has the curves, too.

    TensorBoard writes in a thread, which would print a traceback and leave a part of an event.

    Args:
        writer: just made.
    """
    # TensorBoard names no way to the file that its thread writes to.
    records = writer._get_file_writer().event_writer._async_writer._writer  # noqa: SLF001
    records._writer = _EventFile(records._writer)  # noqa: SLF001


class _EventFile:
    """Writes whole events until the disk is full, then nothing.

    Args:
        file: TensorBoard's, which opens the file anew for every event.
    """

    def __init__(self, file: Any) -> None:
        self.file = file
        self._is_full = False

    def write(self, event: bytes) -> None:
        """Write an event."""
        self._try(self.file.write, event)

    def flush(self) -> None:
        """Write what is held back."""
        self._try(self.file.flush)

    def close(self) -> None:
        """Write what is held back, and close the file."""
        self._try(self.file.close)

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return bool(self.file.closed)

    def _try(self, method: Any, *arguments: Any) -> None:
        if self._is_full:
            return
        path = Path(os.fsdecode(self.file.filename))
        size = path.stat().st_size if path.exists() else 0
        try:
            method(*arguments)
        except OSError as error:
            if not is_full(error):
                raise
            self._is_full = True
            if path.exists() and path.stat().st_size > size:
                os.truncate(path, size)
            error.filename = error.filename or str(path)
            logger.warning(
                "%s cannot be written: %s; TensorBoard sees nothing of what follows, the training goes on",
                path,
                why(error),
            )
