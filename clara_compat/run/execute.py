"""Run a bundle config: ``initialize``, ``run``, ``finalize``, and nothing else."""

from __future__ import annotations

import json

from monai.bundle import ConfigParser

from clara_compat.engine.data.failure import ItemError
from clara_compat.run.faults import chain_of, mendable
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
        told = mendable(error, bundle, parser.ref_resolver.resolved_content)
        if told is not None:
            raise told from error
        defects = [found.failure.trace for found in chain_of(error) if isinstance(found, ItemError)]
        if defects:
            raise RuntimeError(defects[0]) from error
        raise
    return parser
