"""Run a bundle config: ``initialize``, ``run``, ``finalize``, and nothing else."""

from __future__ import annotations

import json
import logging
from typing import Any

from monai.bundle import ConfigParser

from clara_compat.engine.data.failure import ItemError
from clara_compat.errors import ClaraError
from clara_compat.translate.bundle import Bundle

__all__ = ["execute"]

logger = logging.getLogger("clara_compat")


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
        if mendable is None:
            raise
        raise mendable from error
    return parser


def _mendable(error: BaseException, bundle: Bundle) -> ClaraError | None:
    """Return the user's part of ``error``, found below MONAI's and Ignite's own wrappings, or None for a defect."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, (ClaraError, ItemError)):
        if isinstance(found, ValueError) and _raised_by_engine(found):
            return ClaraError(str(found))
        found = found.__cause__ or found.__context__
    if isinstance(found, ItemError):
        failure = found.failure
        logger.debug("%s", failure.trace)
        if not failure.mendable:
            return None
        sources = bundle.sources.get(failure.section, [])
        index: Any = failure.transform
        address = sources[index] if index is not None and index < len(sources) else None
        return ClaraError(str(found), address)
    return found


def _raised_by_engine(error: BaseException) -> bool:
    """Whether one of our networks or losses refused the sizes or options it was given."""
    tb = error.__traceback__
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    return tb is not None and tb.tb_frame.f_globals.get("__name__", "").startswith("clara_compat.engine.")
