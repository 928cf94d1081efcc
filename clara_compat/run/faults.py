"""From what was raised in a run to one sentence that helps: a table of faults."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from traceback import walk_tb
from types import FrameType
from typing import Any, NamedTuple

import torch

from clara_compat.common.blame import user_line
from clara_compat.common.full_disk import is_full, unwritten
from clara_compat.engine.data.failure import ItemError
from clara_compat.engine.data.memory import ran_out
from clara_compat.errors import ClaraError
from clara_compat.translate.bundle import Bundle
from clara_compat.translate.memory_levers import MemoryLever, Stage

__all__ = ["chain_of", "mendable"]

_Chain = Sequence[BaseException]

_NEAR = 6
"""Frames around the place of an error that say what was done there."""
_LOADERS = ("torch.utils.data.", "clara_compat.engine.data.", "multiprocessing.")
_EVALUATORS = ("monai.engines.evaluator", "clara_compat.engine.evaluation.step")
_STAGES: dict[Stage, str] = {
    "train": "in a step of the training",
    "validate": "in a validation",
    "load": "while scans were loaded",
}


def mendable(error: BaseException, bundle: Bundle, made: Mapping[str, Any]) -> ClaraError | None:
    """Return what of ``error`` the user can mend, or None for a defect of ours.

    Args:
        error: what a run raised.
        bundle: what ran.
        made: the objects of the config, by their ids. An error is that of the component of the user's config whose
            code was left last.
    """
    chain = chain_of(error)
    for found in chain:
        for fault in _FAULTS:
            if fault.is_it(found):
                told = fault.tell(found, bundle, chain)
                if told is not None:
                    return _located(told, found, bundle, made) if fault.of_component else told
    told = next(filter(None, (_of_a_module(found, bundle) for found in chain)), None)
    return told or next(filter(None, (_misfit(found, bundle, made) for found in chain)), None)


def chain_of(error: BaseException) -> list[BaseException]:
    """Return ``error`` and what it was raised from, MONAI's and Ignite's wrappings first.

    Args:
        error: what was raised.
    """
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return chain


def _located(told: ClaraError, error: BaseException, bundle: Bundle, made: Mapping[str, Any]) -> ClaraError:
    """Return what is told with the address of the component in which ``error`` was raised, where none is told."""
    owner = None if told.address else _owner(error, bundle, made)
    return told if owner is None else ClaraError(told.message, bundle.addresses[owner])


def _owner(error: BaseException, bundle: Bundle, made: Mapping[str, Any]) -> str | None:
    """Return the id of the component in whose code an error was raised, the innermost one."""
    owners = {id(made[name]): name for name in bundle.addresses if name in made}
    passed = (owners.get(id(frame.f_locals.get("self"))) for frame in reversed(_frames_of(error)))
    return next(filter(None, passed), None)


def _starved(error: BaseException, bundle: Bundle, chain: _Chain) -> ClaraError | None:
    """Tell of users' code in which memory ran out."""
    return None if error.__cause__ is None else _memory(error.__cause__, bundle, chain)


def _said(error: BaseException, _: Bundle, __: _Chain) -> ClaraError | None:
    return error if isinstance(error, ClaraError) else None


def _item(error: BaseException, bundle: Bundle, chain: _Chain) -> ClaraError | None:
    """Tell of an item or a batch that cannot be made, with the transform that failed."""
    if not isinstance(error, ItemError) or not error.failure.mendable:
        return None
    failure = error.failure
    if failure.memory:
        return _memory(error, bundle, chain)
    sources, index = bundle.sources.get(failure.section, []), failure.transform
    told = f"{error}{_without_it(error, bundle)}"
    if index is not None and index < len(sources):
        return ClaraError(told, sources[index])
    section = failure.section.split(".")[0] or ("validate" if _in_evaluator(chain) else "train")
    return ClaraError(told, next(iter(bundle.sources.get(f"{section}.pipeline", [])), None))


def _without_it(error: ItemError, bundle: Bundle) -> str:
    """Return how a training goes on without the item, where it can and was not told to."""
    failure = error.failure
    section = bundle.config.get(failure.section)
    if "train" not in bundle.config or not isinstance(section, dict) or not failure.skippable:
        return ""
    if "on_bad_item" in section.get("dataset", {}):
        return ""
    return "; --on-bad-item skip goes on without such scans"


def _refused(error: BaseException, _: Bundle, __: _Chain) -> ClaraError:
    return ClaraError(str(error))


def _no_gradient(_: BaseException, bundle: Bundle, __: _Chain) -> ClaraError:
    return ClaraError(
        "the loss has no gradient by which the network could be trained: nothing derives it from the "
        "predictions (py_func, numpy, argmax, comparisons and stop_gradient let no gradient through)",
        bundle.addresses.get("loss"),
    )


def _disk(error: BaseException, bundle: Bundle, _: _Chain) -> ClaraError | None:
    if not isinstance(error, OSError):
        return None
    resumed = (_folder(bundle) / "checkpoint.pt").exists()
    more = ", and --resume goes on from checkpoint.pt" if resumed and "train" in bundle.config else ""
    return ClaraError(
        f"{unwritten(error)}; free some space or name another folder: what was written before is whole{more}"
    )


def _forbidden(error: BaseException, bundle: Bundle, _: _Chain) -> ClaraError | None:
    if not isinstance(error, OSError):
        return None
    return ClaraError(f"{error.strerror}: {error.filename or _folder(bundle)}; free or change the folder")


def _memory(error: BaseException, bundle: Bundle, chain: _Chain) -> ClaraError:
    """Tell where memory ran out, and the values of the config that help there."""
    stage = _stage(error, chain)
    gpu = isinstance(error, torch.OutOfMemoryError) or "CUBLAS" in str(error)
    of_what = "the memory of the GPU" if gpu else "memory"
    where = _STAGES[stage] if stage != "validate" or "train" in bundle.config else "in the evaluation"
    place = user_line(error)
    files = error.failure.files if isinstance(error, ItemError) else ""
    told = f" ({place or files})" if place or files else ""
    otherwise = f"lower the size of the {'crops' if stage == 'train' else 'scans'}, or take a machine with more memory"
    held = not gpu and stage != "load"  # what a cache holds is missing elsewhere
    levers = [one for one in bundle.memory_levers if one.stage == stage or (held and one.name == "cache_gb")]
    advice = _advice(levers)
    return ClaraError(f"{of_what} ran out {where}{told}: {advice or otherwise}")


def _stage(error: BaseException, chain: _Chain) -> Stage:
    if isinstance(error, ItemError):
        return "load" if error.failure.section.split(".")[0] in ("train", "validate", "pre_transforms") else "validate"
    if any(f"{module}.".startswith(_LOADERS) for module in _modules_of(error)[-_NEAR:]):
        return "load"
    return "validate" if _in_evaluator(chain) else "train"


def _in_evaluator(chain: _Chain) -> bool:
    return any(module.startswith(_EVALUATORS) for one in chain for module in _modules_of(one))


def _advice(levers: Sequence[MemoryLever]) -> str:
    """Return ``lower A (now 2; where it stands) or B (...), or turn on C (...)``."""
    words = dict.fromkeys(one.advice for one in levers)
    return ", or ".join(
        f"{word} "
        + " or ".join(
            f"{one.name} (now {json.dumps(one.value)}; {one.address})" for one in levers if one.advice == word
        )
        for word in words
    )


def _worker(_: BaseException, bundle: Bundle, chain: _Chain) -> ClaraError:
    """Tell of a process that loads scans and was killed: of its end no more is known than the signal."""
    text = " ".join(str(one) for one in chain)
    found = re.search(r"killed by signal: ([A-Z][\w ]*\w)", text)
    ended = f"({found[1]})" if found else "unexpectedly"
    if "Bus error" in text:
        why = ", as shared memory (/dev/shm) is too small: give the container more (docker run --shm-size=8g)"
    elif "Segmentation fault" in text or "Aborted" in text:
        why = " in compiled code, of a reader or of your own transforms: num_workers=0 shows where"
    else:
        why = (
            ", as a rule by the system because memory ran out: give the machine or the container more memory (also "
            "shared memory: docker run --shm-size=8g)"
        )
    advice = _advice([one for one in bundle.memory_levers if one.stage == "load" and one.name == "num_workers"])
    return ClaraError(f"a process that loads scans ended {ended}{why}{f', or {advice}' if advice else ''}")


def _shared(_: BaseException, bundle: Bundle, __: _Chain) -> ClaraError:
    advice = _advice([one for one in bundle.memory_levers if one.stage == "load" and one.name == "num_workers"])
    return ClaraError(
        "shared memory (/dev/shm), through which processes hand scans over, is full: give the container more (docker "
        f"run --shm-size=8g){f', or {advice}' if advice else ''}"
    )


class _Fault(NamedTuple):
    """A row of the table.

    Args:
        is_it: whether an error is this fault.
        tell: says what it means to the user; None when it is a defect after all.
        of_component: it is the fault of the component in whose code it was raised.
    """

    is_it: Callable[[BaseException], bool]
    tell: Callable[[BaseException, Bundle, _Chain], ClaraError | None]
    of_component: bool = False


def _by_errno(*numbers: int) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, OSError) and error.errno in numbers


def _runtime(words: str) -> Callable[[BaseException], bool]:
    return lambda error: isinstance(error, RuntimeError) and words in str(error)


def _of_starved_code(error: BaseException) -> bool:
    return isinstance(error, ClaraError) and error.__cause__ is not None and ran_out(error.__cause__)


def _raised_by_engine(error: BaseException) -> bool:
    """Whether one of our networks or losses refused the sizes or options it was given."""
    modules = _modules_of(error)
    return isinstance(error, ValueError) and bool(modules) and modules[-1].startswith("clara_compat.engine.")


_FAULTS: tuple[_Fault, ...] = (
    _Fault(_of_starved_code, _starved),
    _Fault(lambda error: isinstance(error, ClaraError), _said, of_component=True),
    _Fault(lambda error: isinstance(error, ItemError), _item),
    _Fault(_raised_by_engine, _refused, of_component=True),
    _Fault(_runtime("does not require grad"), _no_gradient),
    _Fault(is_full, _disk),
    _Fault(_by_errno(errno.EACCES, errno.EROFS), _forbidden),
    _Fault(ran_out, _memory),
    _Fault(_runtime("DataLoader worker (pid"), _worker),
    _Fault(_runtime("</torch_"), _shared),  # its name for a file there
)
"""What is looked for in every error of a chain, the first row first."""


def _of_a_module(error: BaseException, bundle: Bundle) -> ClaraError | None:
    """Return what the user's own code raised, or a network or loss of MONAI or torch that a config names."""
    message = f"{type(error).__name__}: {error}"
    place = user_line(error)
    if place:
        return ClaraError(f"{place}: {message}")
    modules = _modules_of(error)
    for kind, entry, origins in (
        ("loss", "loss_def", ("monai.losses.", "torch.nn.modules.loss")),
        ("network", "network_def", ("monai.networks.",)),
    ):
        target = bundle.config.get(entry, {}).get("_target_", "")
        if target.startswith(("monai.", "torch.")) and any(module.startswith(origins) for module in modules):
            return ClaraError(f"{target}: {message}", bundle.addresses.get(kind))
    return None


def _misfit(error: BaseException, bundle: Bundle, made: Mapping[str, Any]) -> ClaraError | None:
    """Return what was raised by a network that is not of the catalogue, or by what works with its output."""
    network = bundle.config.get("network_def", {}).get("_target_", "")
    owner = _owner(error, bundle, made)
    if owner is None or not network or network.startswith("clara_compat.engine.networks."):
        return None
    whose = "the network" if owner in ("network", "network_def") else "what the network returns does not fit here"
    return ClaraError(f"{whose}: {type(error).__name__}: {error}", bundle.addresses[owner])


def _frames_of(error: BaseException) -> list[FrameType]:
    """Return the frames that an error passed, the outermost first."""
    return [frame for frame, _ in walk_tb(error.__traceback__)]


def _modules_of(error: BaseException) -> list[str]:
    """Return the modules that an error passed, the outermost first."""
    return [str(frame.f_globals.get("__name__", "")) for frame in _frames_of(error)]


def _folder(bundle: Bundle) -> Path:
    return Path(str(bundle.config.get("output_dir", bundle.config.get("ckpt_dir", ""))))
