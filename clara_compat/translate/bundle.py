"""What a workflow becomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from clara_compat.components.entry import Entry, Expression
from clara_compat.config.problems import Notice
from clara_compat.errors import Address

if TYPE_CHECKING:
    from clara_compat.translate.memory_levers import MemoryLever

__all__ = ["DEVICE", "Bundle", "Seeds", "addresses_of", "autocast", "initialize"]

DEVICE = Expression("$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')")
"""Entry ``device`` of a config."""


@dataclass(frozen=True)
class Seeds:
    """The seeds of a run: ``data`` for everything the data side draws, the others by their Clara names."""

    data: int
    torch: int
    numpy: int
    python: int

    def referred(self) -> dict[str, int | Expression]:
        """Return them by name; those that are the data side's refer to the entry ``seed``, which is that."""
        return {name: Expression("@seed") if seed == self.data else seed for name, seed in asdict(self).items()}


@dataclass(frozen=True)
class Bundle:
    """What a workflow became.

    Args:
        config: the MONAI bundle config, plain JSON.
        sources: for ``train`` and ``validate``, where each transform of the chain came from, with ``.batch`` those of
            the batch, with ``.pipeline`` where the image pipeline stands.
        notices: choices the user should know of.
        memory_levers: values of the config that say how much memory it takes.
        addresses: of the entries of the config that are components, where these stand, by MONAI's ids of the entries
            (``validate::key_metric::mean_dice``).
    """

    config: dict[str, Any]
    sources: dict[str, list[Address]]
    notices: list[Notice]
    memory_levers: list[MemoryLever] = field(default_factory=list)
    addresses: dict[str, Address] = field(default_factory=dict)


def initialize(seeds: Seeds, *, deterministic: bool = False, **more: Any) -> list[Entry]:
    """Return the entries ``initialize`` of a config that has ``user_code``: they run before anything is made.

    Args:
        seeds: of the run.
        deterministic: reproducible kernels.
        more: further arguments of ``seed_run``.
    """
    drawn = seeds.referred()
    seeding = Entry(
        "clara_compat.engine.determinism.seed_run",
        torch_seed=drawn["torch"],
        numpy_seed=drawn["numpy"],
        random_seed=drawn["python"],
        deterministic=deterministic,
        **more,
    )
    return [Entry("clara_compat.tensorflow.loader.use", roots=Expression("@user_code")), seeding]


def addresses_of(value: Any, at: str = "") -> dict[str, Address]:
    """Return where the components stand that entries of a config are, by MONAI's ids of the entries.

    Args:
        value: a config, or a part of one, before its paths and texts are written for MONAI.
        at: id of the part.
    """
    return dict(_addresses(value, at))


def _addresses(value: Any, at: str) -> Iterator[tuple[str, Address]]:
    if isinstance(value, Entry):
        if value.address is not None:
            yield at, value.address
        value = value.arguments
    if isinstance(value, (list, tuple)):
        value = dict(enumerate(value))
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _addresses(part, f"{at}::{name}" if at else str(name))


def autocast(inferer: Entry, *, use_amp: bool) -> Entry:
    """Return an inferer that runs the network in bfloat16 where the config asks for it."""
    if not use_amp:
        return inferer
    return Entry("clara_compat.engine.inferers.AutocastInferer", inferer=inferer, device=Expression("@device"))
