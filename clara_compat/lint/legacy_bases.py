"""What the linter knows of Clara's base classes and built-in components."""

from __future__ import annotations

from functools import cache

__all__ = ["BASES", "built_in_family"]

BASES: dict[str, tuple[str, ...]] = {
    "Transformer": (),
    "MultiFieldTransformer": ("fields",),
    "GraphComponent": (),
    "Loss": (),
    "Model": (),
    "Metric": ("metric", "field"),
    "MetricList": ("name", "_list"),
    "Optimizer": (),
    "LRPolicy": (),
    "AuxiliaryOperation": (),
    "TrainHandler": (),
    "Inferer": ("predictor",),
    "EvalWriter": (),
    "DataPipeline": (),
    "ModelLoader": (),
}
"""Base classes, with the attributes their constructors set and the run needs."""


def built_in_family(name: str) -> str | None:
    """Return the family of a built-in component, by its name."""
    return _families().get(name)


@cache
def _families() -> dict[str, str]:
    from clara_compat.components import catalogue

    return {name: catalogue.family(cls) for name, cls in catalogue.components().items()}
