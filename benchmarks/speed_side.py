"""One of the sides that ``speed.py`` compares: a process that trains in turns with the others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from speed_facts import Utilisation

__all__ = ["Side"]


@dataclass
class Side:
    """A process that trains in turns with the others.

    Args:
        name: one of :data:`speed_sides.SIDES`.
        process: the process.
        reports: what it tells.
        log: what it printed.
        warm_up: seconds until its first epoch, which does not count, had ended; a trial of the levers among them.
        seconds: of each epoch that counts.
        cpu: seconds of processor time of each.
        busy: readings of the GPU's utilisation in percent.
    """

    name: str
    process: subprocess.Popen[str]
    reports: IO[str]
    log: Path
    warm_up: float = 0.0
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    @classmethod
    def start(cls, name: str, facts: dict[str, Any]) -> Side:
        """Start a side and wait until it is ready."""
        started = time.perf_counter()
        reading, writing = os.pipe()
        log = Path(facts["folder"]) / f"{name}.log"
        command = [sys.executable, str(Path(__file__).with_name("speed_sides.py")), name, json.dumps(facts)]
        hidden = {} if facts["device"] == "cuda" else {"CUDA_VISIBLE_DEVICES": ""}
        with log.open("w") as stream:
            process = subprocess.Popen(  # noqa: S603 -- our own script
                [*command, str(writing)],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=stream,
                text=True,
                pass_fds=[writing],
                env={**os.environ, **hidden},
            )
        os.close(writing)
        side = cls(name, process, os.fdopen(reading), log)
        side._report()
        side.warm_up = time.perf_counter() - started
        return side

    def train(self, *, counts: bool, meter: Utilisation | None = None) -> None:
        """Train one epoch.

        Args:
            counts: the first epoch, which fills caches and warms up, does not.
            meter: reads the GPU's utilisation.
        """
        if self.process.stdin is None:
            raise RuntimeError("the process has no input")
        started = time.perf_counter()
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        taken = self._report()
        if counts:
            self.seconds.append(taken["seconds"])
            self.cpu.append(taken["cpu"])
            self.busy += [] if meter is None else meter.between(started, time.perf_counter())
        else:
            self.warm_up += taken["seconds"]

    def said(self, beginning: str) -> str:
        """Return the first line of what it printed that begins like this; empty when there is none."""
        lines = (line.rpartition(" - ")[2] for line in self.log.read_text().splitlines())
        return next((line for line in lines if line.startswith(beginning)), "")

    def close(self) -> None:
        """Let the process end."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait()
        self.reports.close()

    def _report(self) -> dict[str, float]:
        line = self.reports.readline()
        if not line:
            self.process.wait()  # it may not have said yet what happened
            told = "\n".join(self.log.read_text().splitlines()[-15:])
            sys.exit(f"{self.name} ended before its time:\n{told}")
        told_facts: dict[str, float] = json.loads(line)
        return told_facts
