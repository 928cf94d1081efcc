"""What a workflow becomes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from clara_compat.components.entry import Entry, Expression
from clara_compat.config.problems import Notice
from clara_compat.errors import Address

if TYPE_CHECKING:
    from clara_compat.translate.levers import Lever

__all__ = ["DEVICE", "Bundle", "Seeds", "autocast", "initialize"]

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
        sources: for ``train`` and ``validate``, where each transform of the chain came from; for ``network`` and
            ``loss`` of a training, where they stand.
        notices: choices the user should know of.
        levers: values of the config that say how much memory it takes.
    """

    config: dict[str, Any]
    sources: dict[str, list[Address]]
    notices: list[Notice]
    levers: list[Lever] = field(default_factory=list)


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


def autocast(inferer: Entry, *, use_amp: bool) -> Entry:
    """Return an inferer that runs the network in bfloat16 where the config asks for it."""
    if not use_amp:
        return inferer
    return Entry("clara_compat.engine.inferers.AutocastInferer", inferer=inferer, device=Expression("@device"))
