"""A training that goes on: what the checkpoint says about it, and what of its config is another now."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from clara_compat.common.files import replacing
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.run.outputs import OUTPUTS, write_bundle
from clara_compat.run.seeds import seeds_of
from clara_compat.run.strangers_json import mapping, read_json
from clara_compat.translate.bundle import Seeds

__all__ = ["resumed_seeds", "with_config", "without_start_weights"]

logger = logging.getLogger("clara_compat")

_MAY_DIFFER = ("epochs", "resume")
_MOST = 12
_SEEDS = ("data", "torch", "numpy", "python")


def without_start_weights(workflow: TrainWorkflow) -> TrainWorkflow:
    """Return a workflow that starts from no file of weights: the checkpoint has them, and the file may be gone.

    Args:
        workflow: of the training that goes on.
    """
    gone = dict.fromkeys(("MMAR_CKPT", "PRETRAIN_WEIGHTS_FILE"), "")
    return replace(workflow, variables={**workflow.variables, **gone})


def resumed_seeds(workflow: TrainWorkflow, checkpoint: Mapping[str, Any]) -> Seeds:
    """Return the seeds of a training that goes on: those of the config, or those that were drawn when it began.

    Args:
        workflow: of the training.
        checkpoint: what it goes on from.
    """
    drawn = mapping(checkpoint.get("seeds"))
    is_known = all(type(drawn.get(name)) is int for name in _SEEDS)
    if workflow.settings.determinism is not None or not is_known:
        return seeds_of(workflow.settings.determinism)
    return Seeds(**{name: drawn[name] for name in _SEEDS})


@contextmanager
def with_config(folder: Path, config: dict[str, Any]) -> Iterator[None]:
    """Have the config of a training that goes on in its folder.

    When the block fails before there is another checkpoint, the config that was there is put back: it is that of the
    weights in the folder.

    Args:
        folder: the output folder.
        config: the bundle config that goes on.
    """
    files = [folder / OUTPUTS[name] for name in ("bundle", "metadata", "logging")]
    before = {file: file.read_bytes() for file in files if file.exists()}
    saved = _written_at(folder)
    _write_resumed(folder, config)
    try:
        yield
    except BaseException:
        if _written_at(folder) == saved:
            for file, content in before.items():
                with replacing(file) as stream:
                    stream.write(content)
        raise


def _written_at(folder: Path) -> int | None:
    checkpoint = folder / OUTPUTS["checkpoint"]
    return checkpoint.stat().st_mtime_ns if checkpoint.exists() else None


def _write_resumed(folder: Path, config: dict[str, Any]) -> None:
    """Say what of a config is another than when the training began, and write it where something is.

    What lies in the folder is read as data and never run. It stays as it is when nothing differs but the weights that
    the training began with.
    """
    remarks: list[str] = []
    before = read_json(folder / OUTPUTS["bundle"], remarks)
    if not before:
        write_bundle(folder, config)
        return
    found = list(_differing(before, config))
    if found:
        more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
        logger.warning(
            "the config is another one than that of the training that goes on, in %s%s: it goes on with the new one",
            ", ".join(found[:_MOST]),
            more,
        )
    if found or before.get("epochs") != config.get("epochs"):
        write_bundle(folder, config)


def _differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids of entries that differ and may change results."""
    left_out = [*_MAY_DIFFER]
    left_out += [name for name in ("network", "loss") if _starts_from_weights(before.get(name))]
    if all(one.get("val_interval") == one.get("epochs") for one in (before, now)):  # one validation, at the end
        left_out.append("val_interval")
    for name in dict.fromkeys([*before, *now]):
        if name not in left_out:
            yield from _places(before.get(name), now.get(name), name)


def _starts_from_weights(entry: Any) -> bool:
    return isinstance(entry, Mapping) and "path" in entry and str(entry.get("_target_")).endswith("_into")


def _places(before: Any, now: Any, place: str) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys([*before, *now]):
            yield from _places(before.get(name), now.get(name), f"{place}#{name}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, pair in enumerate(zip(before, now, strict=True)):
            yield from _places(*pair, f"{place}#{number}")
    elif before != now:
        yield place
