"""SIGTERM and SIGINT: a training ends where nothing is lost."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

from ignite.engine import Engine, Events

from clara_compat.engine.distributed.gather import largest, size

__all__ = ["Interruption", "StopRequest"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_NOTE = b"%s: the running step is finished, then the training is saved; once more to end at once\n"


class StopRequest(BaseException):
    """Ends a training that a signal asked to end.

    No ``Exception``, and no ``SystemExit`` either: what runs users' code takes both for errors of that code.
    """


class Interruption:
    """Notes the signals SIGTERM and SIGINT while an engine runs, and says when it has to stop.

    The first signal lets the running step, or scan of a validation, come to its end; where an engine waits for data it
    ends at once. The second one ends the process. Worker processes, which inherit the handlers, ignore SIGINT (a
    terminal sends it to all) and end by SIGTERM. Signals are only taken in the main thread, and one that the process
    ignores (``nohup``) stays ignored.
    """

    def __init__(self) -> None:
        self.number: signal.Signals | None = None
        """The signal that came."""
        self._process = os.getpid()
        self._before: dict[signal.Signals, Any] = {}
        self._waits = False

    def install(self) -> None:
        """Take the signals from now on."""
        self.number, self._process, self._waits = None, os.getpid(), False
        if self._before or threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._before[number] = signal.signal(number, self._signalled)

    def finish(self) -> signal.Signals | None:
        """Return the signal that came; one that comes later is only noted, as what runs now saves the training."""
        self._waits = False
        return self.number

    def restore(self) -> None:
        """Give the signals back to those who had them."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        self._waits = False

    def watch(self, engine: Engine, stopped: Callable[[], bool] | None = None) -> None:
        """End at once what an engine waits for.

        Args:
            engine: a trainer or an evaluator that has all its handlers.
            stopped: asked after every step of it; True ends it there.
        """
        engine.add_event_handler(Events.EPOCH_STARTED, self._wait)
        engine.add_event_handler(Events.GET_BATCH_STARTED, self._wait)
        engine.add_event_handler(Events.GET_BATCH_COMPLETED, self._go_on)
        engine.add_event_handler(Events.DATALOADER_STOP_ITERATION, self._go_on)
        if stopped is not None:
            engine.add_event_handler(Events.ITERATION_COMPLETED, self._stop_where, stopped)

    def stop_asked(self) -> bool:
        """Whether the training has to end here; every process of it asks at the same steps."""
        if size() > 1:
            agreed = largest(int(self.number or 0))
            self.number = signal.Signals(agreed) if agreed else None
        return self.number is not None

    @property
    def is_alone(self) -> bool:
        """Whether this process may end without asking others."""
        return size() == 1

    def ending(self) -> BaseException:
        """Return what ends the process with the exit code of the signal; in a notebook SIGINT ends the cell only."""
        number = self.number or signal.SIGTERM
        is_interactive = "ipykernel" in sys.modules or hasattr(sys, "ps1")
        return KeyboardInterrupt() if number == signal.SIGINT and is_interactive else SystemExit(128 + number)

    def _wait(self, engine: Engine) -> None:
        self._waits = self.is_alone
        if self._waits and self.number is not None:
            self._stop()

    def _go_on(self, engine: Engine) -> None:
        self._waits = False

    def _stop_where(self, engine: Engine, stopped: Callable[[], bool]) -> None:
        if stopped():
            raise StopRequest

    def _stop(self) -> NoReturn:
        self._waits = False
        raise StopRequest

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:
            if number == signal.SIGTERM:
                _end_by(number)
            return
        if self.number is not None:
            _end_by(number)
        self.number = signal.Signals(number)
        self._ignore_workers()
        if self._waits:
            self._stop()
        os.write(2, _NOTE % self.number.name.encode())

    def _ignore_workers(self) -> None:
        """Finish the step although workers that got the same signal are gone: torch raises an error when one dies."""
        if signal.SIGCHLD not in self._before:
            handler = signal.getsignal(signal.SIGCHLD)
            if callable(handler):
                self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _end_by(number: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
