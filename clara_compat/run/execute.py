"""Run a bundle config: ``initialize``, ``run``, ``finalize``, and nothing else."""

from __future__ import annotations

import json
from itertools import count

from monai.bundle import ConfigParser

from clara_compat.engine.acceleration.memory import give_back_memory
from clara_compat.engine.data.failure import ItemError
from clara_compat.engine.data.loader import stop_workers
from clara_compat.run.faults import chain_of, mendable
from clara_compat.translate.bundle import Bundle

__all__ = ["execute"]

_earlier_runs = count()
"""Of this process; the first has nothing to give back, and looking for it takes a third of a second."""


def execute(bundle: Bundle) -> ConfigParser:
    """Run the config exactly as it is written to disk and return the parser that holds its objects.

    What earlier runs of this process left in memory is given back first; when it ends, its worker processes are gone.

    Raises:
        ClaraError: something of the user's went wrong; the message carries the place in the legacy config.
    """
    if next(_earlier_runs):
        give_back_memory()
    parser = ConfigParser(json.loads(json.dumps(bundle.config)))
    try:
        for stage in ("initialize", "run", "finalize"):
            parser.get_parsed_content(stage)
    except Exception as error:
        told = mendable(error, bundle, parser.ref_resolver.resolved_content)
        if told is not None:
            raise told from error
        defects = [found.failure.trace for found in chain_of(error) if isinstance(found, ItemError)]
        if defects:
            raise RuntimeError(defects[0]) from error
        raise
    finally:
        stop_workers(parser.ref_resolver.resolved_content.values())
    return parser
