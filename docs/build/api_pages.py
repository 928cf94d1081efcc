"""Which modules the API reference has, by rule: what is public in these places is on a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class ApiPage:
    """A page of the reference.

    Args:
        path: of the page, below ``docs/``.
        title: in the navigation.
        about: what stands above the classes.
        names: dotted names of the modules, or of single functions and classes, that it documents.
    """

    path: str
    title: str
    about: str
    names: tuple[str, ...]

    @property
    def text(self) -> str:
        """The page as Markdown, with a block of mkdocstrings for each name."""
        return "\n\n".join([f"# {self.title}", self.about, *(f"::: {name}" for name in self.names)]) + "\n"


_ENGINE = {
    "acceleration": "What makes a training faster, and the trial that chooses it.",
    "losses": "Losses: `torch.nn.Module`s with Clara's mathematics.",
    "networks": "Networks with Clara's names of arguments, layers and initial weights.",
    "transforms": "Dictionary transforms that MONAI lacks, or whose mathematics differ from Clara's. They are "
    "`monai.transforms.MapTransform`s and fit into any `Compose`.",
    "metrics": "Ignite metrics of the validation.",
    "optimizers": "Optimizers with TensorFlow's update rules.",
    "handlers": "Ignite handlers: checkpoints, statistics, progress, TensorBoard.",
    "data": "Data lists, seeding, caching and loading.",
    "readers": "Readers of images and volumes.",
    "writers": "Writers of results.",
    "distributed": "One run on several processes.",
    "evaluation": "The steps of an evaluation.",
    "legacy": "Adapters: your transforms, metrics, optimizers and writers for Clara as parts of MONAI.",
    "export": "TorchScript, ONNX and Triton.",
}
_FOR_COMPONENTS = frozenset({"checks", "native"})
"""Modules of the catalogue's families that only its own components use."""
_FACADE = ("loader", "network", "loss")
"""Modules of ``clara_compat.tensorflow`` that a bundle entry points at."""


def api_pages() -> list[ApiPage]:
    """Return the pages of the reference, in their order."""
    elsewhere = _exported("common", "components", "engine")
    pages = [
        ApiPage(
            "api/clara_compat.md",
            "From Python",
            "What a command does, as a function. What a command would refuse with a message is a `ClaraError` here. "
            f"{_listed(elsewhere)} can be imported from `clara_compat`, too; they are on the pages of their modules.",
            (*_exported("run"), "clara_compat.errors"),
        ),
        ApiPage(
            "api/common.md",
            "What your code touches",
            "Your components find these below `ai4med.common`, `ai4med.utils` and `ai4med.libs`; the paths here are "
            "where they are defined.",
            tuple(modules("common")),
        ),
        ApiPage(
            "api/bases.md",
            "Base classes",
            "What your own components derive from, with the names of `ai4med.components`. The components themselves "
            "are in [COMPONENTS](../COMPONENTS.md).",
            tuple(_bases()),
        ),
        ApiPage(
            "api/tensorflow.md",
            "User code",
            "What runs models and losses that were written for Clara. The symbols of the facade are in "
            "[TENSORFLOW](../TENSORFLOW.md).",
            tuple(f"clara_compat.tensorflow.{name}" for name in _FACADE),
        ),
        ApiPage(
            "api/engine.md",
            "Engine",
            "What the entries of a bundle config point at where MONAI has no such class.",
            tuple(modules("engine")),
        ),
    ]
    for name, about in _ENGINE.items():
        names = tuple(modules(f"engine/{name}"))
        pages.append(ApiPage(f"api/engine-{name}.md", f"Engine: {name}", about, names))
    return [*_index(pages), *pages]


def modules(folder: str) -> Iterator[str]:
    """Yield the dotted names of the public modules right in a folder of the package."""
    for path in sorted((ROOT / "clara_compat" / folder).glob("*.py")):
        if not path.stem.startswith("_"):
            yield ".".join(("clara_compat", *folder.split("/"), path.stem))


def _exported(*rooms: str) -> list[str]:
    """Return where the functions and classes that ``clara_compat`` exports are defined, functions first.

    Args:
        rooms: only what is defined there.
    """
    import clara_compat

    names = sorted(clara_compat.__all__, key=lambda name: (name[0].isupper(), name))
    homes = [f"{clara_compat._HOMES[name]}.{name}" for name in names]  # noqa: SLF001 -- the table behind __all__
    return [home for home in homes if home.split(".")[1] in rooms]


def _listed(names: list[str]) -> str:
    """Return names as links to where they are documented."""
    links = [f"[`{name.rpartition('.')[2]}`][{name}]" for name in names]
    return f"{', '.join(links[:-1])} and {links[-1]}"


def _bases() -> Iterator[str]:
    """Yield the public modules of the catalogue's families in which no component is defined."""
    from clara_compat.components.catalogue import FAMILIES, components

    defining = {cls.__module__ for cls in components().values()}
    for family in (*FAMILIES, "readers"):
        for name in modules(f"components/{family}"):
            if name not in defining and name.rpartition(".")[2] not in _FOR_COMPONENTS:
                yield name


def _index(pages: list[ApiPage]) -> list[ApiPage]:
    rows = [f"| [{one.title}]({one.path.removeprefix('api/')}) | {one.about.split('. ')[0]} |" for one in pages]
    about = (
        "Built from the docstrings. Shapes are channel-first, (C, spatial...) for an item and (N, C, spatial...) for a "
        "batch, unless something else is said.\n\n| page | what is on it |\n| --- | --- |\n" + "\n".join(rows)
    )
    return [ApiPage("api/index.md", "API reference", about, ())]
