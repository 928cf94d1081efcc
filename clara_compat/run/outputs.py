"""The output folder of a run."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clara_compat.common.files import check_inside, impossible, is_folder, replacing, save_json, set_aside
from clara_compat.common.full_disk import unwritten_is_told
from clara_compat.common.records import CASES, PAGE
from clara_compat.errors import ClaraError
from clara_compat.run.metadata import bundle_metadata

__all__ = ["LOGGING_CONF", "OUTPUTS", "check_writable", "prepare", "put_back", "write_bundle"]

logger = logging.getLogger("clara_compat")

OUTPUTS = {
    "model": "model.pt",
    "final_model": "final_model.pt",
    "checkpoint": "checkpoint.pt",
    "stats": "train_stats.json",
    "cases": CASES,
    "report": PAGE,
    "bundle": "configs/train.json",
    "metadata": "configs/metadata.json",
    "logging": "configs/logging.conf",
}
"""What a training run leaves below ``MMAR_CKPT_DIR``."""

_EVENTS = "events.out.tfevents.*"
_FURTHER = (_EVENTS, "checkpoint_previous.pt", "checkpoint_damaged.pt", "*.ts", "*.onnx", "*.plan")
"""What else belongs to a run: an exported file beside other weights would be taken for theirs."""

LOGGING_CONF = """[loggers]
keys=root

[handlers]
keys=consoleHandler

[formatters]
keys=fullFormatter

[logger_root]
level=INFO
handlers=consoleHandler

[handler_consoleHandler]
class=StreamHandler
level=INFO
formatter=fullFormatter
args=(sys.stdout,)

[formatter_fullFormatter]
format=%(asctime)s - %(name)s - %(levelname)s - %(message)s
"""


def check_writable(folder: Path, name: str = "MMAR_CKPT_DIR") -> None:
    """Raise when nothing could be written below ``folder``; nothing is created.

    Raises:
        ClaraError: the folder, or the nearest one above it that exists, is a file or not writable.
    """
    if (reason := impossible(folder)) is not None:
        raise ClaraError(f"the output folder {folder} cannot be made: {reason}; mend {name}")
    existing = folder
    while not os.path.exists(existing) and existing != existing.parent:
        existing = existing.parent
    if not is_folder(existing):
        raise ClaraError(f"the output folder {folder} cannot be made: {existing} is a file; mend {name}")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ClaraError(f"the output folder {folder} cannot be written: no permission for {existing}; mend {name}")


def prepare(folder: Path) -> dict[Path, Path]:
    """Make room in the output folder: results of an earlier run are moved to ``previous_N`` beside the new ones.

    Returns:
        Where each file or folder that was moved is now, by where it was (without symbolic links).

    Raises:
        ClaraError: the folder for them cannot be made.
    """
    if not any((folder / name).exists() for name in OUTPUTS.values()):
        return {}
    names = {Path(name).parts[0] for name in OUTPUTS.values()} | {"debug"}
    earlier = [folder / name for name in sorted(names) if (folder / name).exists()]
    earlier += sorted(path for pattern in _FURTHER for path in folder.glob(pattern))
    earlier += sorted(path.parent for path in folder.glob("*/config.pbtxt"))
    with unwritten_is_told("free some space, or name another folder with MMAR_CKPT_DIR"):
        kept = set_aside(earlier, folder)
    logger.info("the results of an earlier run are kept in %s", kept)
    return {folder.resolve() / path.name: kept / path.name for path in earlier}


def put_back(folder: Path, moved: Mapping[Path, Path]) -> None:
    """Undo :func:`prepare` after a run that ended before it saved anything.

    Args:
        folder: the output folder.
        moved: what :func:`prepare` returned.
    """
    if not moved or any((folder / OUTPUTS[name]).exists() for name in ("model", "final_model", "checkpoint", "stats")):
        return
    for name in ("bundle", "metadata", "logging"):
        (folder / OUTPUTS[name]).unlink(missing_ok=True)
    configs = folder / Path(OUTPUTS["bundle"]).parent
    if configs.is_dir() and not any(configs.iterdir()):
        configs.rmdir()
    for events in folder.glob(_EVENTS):
        events.unlink()
    if any(earlier.exists() for earlier in moved):  # something else that this run wrote, such as debug/
        return
    for earlier, kept in moved.items():
        kept.rename(earlier)
    next(iter(moved.values())).parent.rmdir()
    logger.info("the run ended before it saved anything: the results of the earlier run are where they were")


def write_bundle(folder: Path, config: dict[str, Any]) -> None:
    """Write the bundle config that runs, with its metadata and logging configuration.

    Raises:
        ClaraError: one of the files cannot be written, or a link leads out of the folder.
    """
    for name in (OUTPUTS["bundle"], "debug/any"):
        check_inside(folder / name, folder)
    with unwritten_is_told("free some space, or name another folder with MMAR_CKPT_DIR"):
        save_json(config, folder / OUTPUTS["bundle"])
        save_json(bundle_metadata(config), folder / OUTPUTS["metadata"])
        with replacing(folder / OUTPUTS["logging"]) as stream:
            stream.write(LOGGING_CONF.encode())
