"""Runs bundle configs where Clara's packages and this one cannot be imported: a path in, a result out, line by line.

Started as a process of its own. A result is JSON: what was logged of the losses and metrics, or an error.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import json
import sys
import traceback
import warnings

REFUSED = ("clara_compat", "ai4med", "nvmidl")
"""What cannot be imported, though it may be installed."""

UNWANTED = (*REFUSED, "tensorflow", "keras")
"""What must not be loaded at the end; torch itself asks whether the last two are there."""


class Refusal(importlib.abc.MetaPathFinder):
    """Refuses to import what is not there where a native config runs."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)


def run(file: str) -> dict:
    """Run a config as ``python -m monai.bundle run`` does, and return what it came to."""
    from monai.bundle import ConfigParser

    parser = ConfigParser()
    parser.read_config(file)
    for name in ("initialize", "run", "finalize"):
        parser.get_parsed_content(name, default=[])
    engine = parser.get_parsed_content("validate#evaluator" if "validate" in parser else "evaluator", default=None)
    trainer = parser.get_parsed_content("train#trainer") if "train" in parser else None
    metrics = {} if engine is None else {name: float(value) for name, value in engine.state.metrics.items()}
    output = {} if trainer is None else {"loss": float(trainer.state.output["loss"]), "steps": trainer.state.iteration}
    rates = {} if trainer is None else {"rate": trainer.optimizer.param_groups[0]["lr"], "epoch": trainer.state.epoch}
    return {"metrics": metrics, **output, **rates}


def main() -> None:
    """Answer line by line."""
    sys.meta_path.insert(0, Refusal())
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            try:
                result = run(line.strip())
            except Exception:  # noqa: BLE001 -- the test shows it
                result = {"error": traceback.format_exc()}
        loaded = [name for name in sys.modules if name.partition(".")[0] in UNWANTED]
        sys.stdout.write(json.dumps({**result, "loaded": loaded}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
