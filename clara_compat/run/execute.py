"""Run a bundle config: ``initialize``, ``run``, ``finalize``, and nothing else."""

from __future__ import annotations

import errno
import json

import torch
from monai.bundle import ConfigParser

from clara_compat.common.blame import user_line
from clara_compat.engine.data.failure import ItemError
from clara_compat.errors import Address, ClaraError
from clara_compat.translate.bundle import Bundle

__all__ = ["execute"]


def execute(bundle: Bundle) -> ConfigParser:
    """Run the config exactly as it is written to disk and return the parser that holds its objects.

    Raises:
        ClaraError: something of the user's went wrong; the message carries the place in the legacy config.
    """
    parser = ConfigParser(json.loads(json.dumps(bundle.config)))
    try:
        for stage in ("initialize", "run", "finalize"):
            parser.get_parsed_content(stage)
    except Exception as error:
        mendable = _mendable(error, bundle)
        if mendable is not None:
            raise mendable from error
        defects = [found.failure.trace for found in _chain(error) if isinstance(found, ItemError)]
        if defects:
            raise RuntimeError(defects[0]) from error
        raise
    return parser


def _chain(error: BaseException) -> list[BaseException]:
    """Return ``error`` and what it was raised from, MONAI's and Ignite's wrappings first."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain


def _mendable(error: BaseException, bundle: Bundle) -> ClaraError | None:
    """Return the user's part of ``error``, or None for a defect."""
    for found in _chain(error):
        if isinstance(found, ClaraError):
            return found
        if isinstance(found, ItemError):
            return _item_error(found, bundle)
        if isinstance(found, ValueError) and _raised_by_engine(found):
            return ClaraError(str(found))
        if isinstance(found, RuntimeError) and "does not require grad" in str(found):
            return ClaraError(
                "the loss has no gradient by which the network could be trained: nothing derives it from the "
                "predictions (py_func, numpy, argmax, comparisons and stop_gradient let no gradient through)",
                _place("loss", bundle),
            )
        if isinstance(found, OSError) and found.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            return ClaraError(f"{found.strerror}: {found.filename or _folder(bundle)}; free or change the folder")
        if isinstance(found, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(found):
            return ClaraError(
                "out of memory: lower output_batch_size or the crop size of training, the inferer's roi_size or "
                "batch_size, or num_workers"
            )
    return next(filter(None, (_of_a_module(found, bundle) for found in _chain(error))), None)


def _of_a_module(error: BaseException, bundle: Bundle) -> ClaraError | None:
    """Return what the user's own code raised, or a network or loss of MONAI or torch that a config names."""
    message = f"{type(error).__name__}: {error}"
    place = user_line(error)
    if place:
        return ClaraError(f"{place}: {message}")
    modules = _modules(error)
    for kind, entry, origins in (
        ("loss", "loss_def", ("monai.losses.", "torch.nn.modules.loss")),
        ("network", "network_def", ("monai.networks.",)),
    ):
        target = bundle.config.get(entry, {}).get("_target_", "")
        if target.startswith(("monai.", "torch.")) and any(module.startswith(origins) for module in modules):
            return ClaraError(f"{target}: {message}", _place(kind, bundle))
    return None


def _place(kind: str, bundle: Bundle) -> Address | None:
    return next(iter(bundle.sources.get(kind, [])), None)


def _modules(error: BaseException) -> list[str]:
    """Return the modules that an error passed."""
    found, tb = [], error.__traceback__
    while tb is not None:
        found.append(str(tb.tb_frame.f_globals.get("__name__", "")))
        tb = tb.tb_next
    return found


def _folder(bundle: Bundle) -> str:
    return str(bundle.config.get("output_dir", bundle.config.get("ckpt_dir", "")))


def _item_error(error: ItemError, bundle: Bundle) -> ClaraError | None:
    failure = error.failure
    if not failure.mendable:
        return None
    sources = bundle.sources.get(failure.section, [])
    index = failure.transform
    return ClaraError(str(error), sources[index] if index is not None and index < len(sources) else None)


def _raised_by_engine(error: BaseException) -> bool:
    """Whether one of our networks or losses refused the sizes or options it was given."""
    modules = _modules(error)
    return bool(modules) and modules[-1].startswith("clara_compat.engine.")
