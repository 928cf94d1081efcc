"""Networks and losses that are made once before a run, to see whether they can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from clara_compat.components.entry import Entry
from clara_compat.config.components import ComponentSpec
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.errors import ClaraError
from clara_compat.translate.own_modules import kind_of, network_def_entry
from clara_compat.translate.render import render
from clara_compat.translate.section_data import section_context
from clara_compat.translate.stock import stock_entry, untrained

__all__ = ["made_network", "unmade"]


def made_network(workflow: TrainWorkflow) -> Any:
    """Make the network, which must not be of user code; for its shapes only, its weights may be on no device.

    Nothing is downloaded, and the state of torch's generator stays as it is.
    """
    context = section_context(workflow, "train", workflow.ckpt_dir)
    return _made(network_def_entry(workflow, context, alone=True))


def unmade(workflow: TrainWorkflow) -> Iterator[ClaraError]:
    """Find networks and losses of MONAI and torch that refuse the values they are given; only making them tells."""
    if kind_of(workflow.train.model) == "stock":
        yield from _refusals(workflow.train.model, lambda: made_network(workflow))
    if kind_of(workflow.train.loss) == "stock":
        yield from _refusals(workflow.train.loss, lambda: _made(stock_entry(workflow.train.loss)))


def _made(entry: Entry) -> Any:
    import torch
    from monai.bundle import ConfigParser

    from clara_compat.engine.unallocated import unallocated

    if entry.target.startswith("monai.networks.nets."):
        entry = Entry(entry.target, **untrained(entry.target, entry.arguments))
    config = {"made": render(entry)}
    with torch.random.fork_rng(devices=[]):
        try:
            with unallocated():
                return ConfigParser(config).get_parsed_content("made")
        except Exception:  # noqa: BLE001 -- some classes compute with their weights: the real error is told
            return ConfigParser(config).get_parsed_content("made")


def _refusals(spec: ComponentSpec, make: Callable[[], Any]) -> Iterator[ClaraError]:
    try:
        make()
    except ClaraError as error:
        yield error
    except Exception as error:  # noqa: BLE001 -- whatever the class raises, which MONAI wraps
        first: BaseException = error
        while first.__cause__ is not None:
            first = first.__cause__
        yield ClaraError(f"{spec.dotted} cannot be made: {type(first).__name__}: {first}", spec.address)
