"""How a process of several ends: ``RANK=0 WORLD_SIZE=2 ... python ends.py HOW``."""

from __future__ import annotations

import os
import signal
import sys

from clara_compat.cli.exit import exit_code
from clara_compat.engine.distributed import gather, processes
from clara_compat.errors import ClaraError


def run(how: str) -> None:
    with processes.job():
        with processes.job():
            gather.everybody(None)
            processes.end()  # as the finalize of a config does
        if how == "error" and gather.rank() == 1:
            raise ClaraError("this scan cannot be read")
        if how == "same error":
            processes._PATIENCE = 2.0
            raise ClaraError("this scan cannot be read")
        if how == "killed" and gather.rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "asked to stop":
            raise SystemExit(143)
        sys.stdout.write(f"{gather.everybody(gather.rank())}\n")


def main(how: str) -> None:
    run(how)
    if how == "twice":
        run(how)
    sys.stdout.write(f"{gather.size()}\n")


if __name__ == "__main__":
    sys.exit(exit_code(lambda: main(sys.argv[1])))
