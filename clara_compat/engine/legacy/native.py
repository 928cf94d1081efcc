"""Run a built-in's MONAI entries on a legacy context, for users' classes that call ``super().transform(ctx)``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import monai.transforms
import numpy as np
from monai.transforms import Compose, Randomizable
from monai.utils import optional_import

from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine.legacy.views import to_medical_image, to_tensor

__all__ = ["run_entries"]


def run_entries(entries: Sequence[Any], context: TransformContext, name: str) -> TransformContext:
    """Run a chain of bundle entries on the images of ``context`` and put the results back.

    Random transforms are seeded from ``numpy.random``, which the data side seeds for every item.

    Args:
        entries: objects with ``target`` and ``arguments``.
        context: changed in place.
        name: the component, for messages.
    """
    chain = Compose([_instantiate(entry) for entry in entries])
    if isinstance(chain, Randomizable):
        chain.set_random_state(seed=int(np.random.randint(2**31)))
    before = {
        field: to_tensor(value, None, field, name) if isinstance(value, MedicalImage) else value
        for field, value in context.items()
    }
    for field, value in chain(before).items():
        if hasattr(value, "meta"):
            context.set_image(field, to_medical_image(value))
        else:
            context[field] = value
    return context


def _instantiate(entry: Any) -> Any:
    module, _, name = entry.target.rpartition(".")
    factory = optional_import(module, name=name)[0] if module else getattr(monai.transforms, name)
    return factory(**entry.arguments)
