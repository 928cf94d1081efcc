"""What reaches the terminal: the user's log configuration, our own lines, and no library's chatter."""

from __future__ import annotations

import logging
import logging.config
import logging.handlers
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clara_compat.common.full_disk import unwritten
from clara_compat.common.launch import is_first_process
from clara_compat.errors import ClaraError

__all__ = ["default_log_config", "logging_of_a_run", "noted_warnings", "say_loading"]

logger = logging.getLogger("clara_compat")

_LIBRARIES = ("ignite", "monai", "torch", "PIL", "matplotlib", "tensorboard", "tqdm")


@contextmanager
def logging_of_a_run(log_config: dict[str, object] | None) -> Iterator[None]:
    """Set up logging for a run and keep the libraries quiet inside the block.

    Args:
        log_config: the MMAR's parsed ``log.config`` as a ``dictConfig`` mapping, or None for plain lines on standard
            output.
    """
    ours = logging.getLogger("clara_compat")
    handler: logging.Handler | None = None
    level = ours.level
    propagates = ours.propagate
    if not is_first_process():  # one writes the log; the warnings of the others are told at the end
        handler = logging.NullHandler()
        ours.addHandler(handler)
        ours.propagate = False
    elif log_config is not None:
        _configure(log_config)
    elif not ours.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s"))
        ours.addHandler(handler)
    if not ours.isEnabledFor(logging.INFO):
        ours.setLevel(logging.INFO)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            for name in _LIBRARIES:
                warnings.filterwarnings("ignore", module=rf"{name}(\..*)?$")
            from tqdm.contrib.logging import logging_redirect_tqdm  # warns where a notebook lacks ipywidgets

            with logging_redirect_tqdm(_on_terminal(ours)):
                yield
    finally:
        if handler is not None:
            ours.removeHandler(handler)
        ours.propagate = propagates
        ours.setLevel(level)


@contextmanager
def noted_warnings() -> Iterator[list[str]]:
    """Give a list that fills with the warnings that are logged inside the block, each once."""
    found: list[str] = []
    handler = _Noting(found)
    ours = logging.getLogger("clara_compat")
    ours.addHandler(handler)
    try:
        yield found
    finally:
        ours.removeHandler(handler)


def say_loading() -> None:
    """Say that PyTorch and MONAI are about to be loaded, which takes seconds; nothing where they are already."""
    if "monai" not in sys.modules:
        logger.info("loading PyTorch and MONAI")


class _Noting(logging.Handler):
    """Keeps the texts of warnings."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.found = found

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text not in self.found:
            self.found.append(text)


class _GoesOn(logging.Handler):
    """Says once that a log file cannot be written, in place of a traceback for every line; the run goes on."""

    _failed = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Tell of the error that is being handled."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._failed:
            self._failed = True
            error.filename = error.filename or getattr(self, "baseFilename", None)
            sys.stderr.write(f"{unwritten(error)}; the run goes on without it\n")


_LOG_FILES = {
    f"{kind.__module__}.{kind.__name__}": type(f"_{kind.__name__}", (_GoesOn, kind), {})
    for kind in (
        logging.FileHandler,
        logging.handlers.RotatingFileHandler,
        logging.handlers.TimedRotatingFileHandler,
    )
}
"""What makes the handlers of a log.config that write to a file, by their classes there."""


def _configure(log_config: dict[str, object]) -> None:
    handlers = log_config.get("handlers")
    for handler in handlers.values() if isinstance(handlers, dict) else ():
        if "filename" in handler:
            Path(handler["filename"]).parent.mkdir(parents=True, exist_ok=True)
            handler["()"] = _LOG_FILES[handler.pop("class")]
    try:
        logging.config.dictConfig(log_config)
    except ValueError as error:
        reason = error.__cause__ or error
        raise ClaraError(f"the logging configuration is not usable: {reason}; mend resources/log.config") from error


def _on_terminal(ours: logging.Logger) -> list[logging.Logger]:
    """Return the loggers that write to the terminal, where their lines must not tear the progress bar."""
    streams = (sys.stdout, sys.stderr)
    return [
        logger
        for logger in (ours, logging.getLogger())
        if any(getattr(handler, "stream", None) in streams for handler in logger.handlers)
    ]


def default_log_config(mmar: Path) -> Path | None:
    """Return the MMAR's own ``resources/log.config`` when there is one."""
    path = mmar / "resources" / "log.config"
    return path if path.is_file() else None
