"""Whether the transforms of a batch find in it what they work on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from clara_compat.components.transforms.loader import ImageLoader
from clara_compat.components.transforms.merge_batch_dims import MergeBatchDims
from clara_compat.components.transforms.native import NativeTransform
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.errors import ClaraError, suggestion
from clara_compat.translate.validation_fields import named_fields

__all__ = ["check_batch_chain"]


def check_batch_chain(specs: Sequence[ComponentSpec], fields: Iterable[str]) -> None:
    """Check the transforms of a batch up to the first of the user's own, which may make any field.

    A batch has its fields, and what an earlier transform of it names. Nothing of it is a path that could be loaded.

    Args:
        specs: the transforms.
        fields: of the batch.

    Raises:
        ClaraError: one loads files, or works on a field that is not there.
    """
    known = list(fields)
    for spec in specs:
        component = None if spec.cls is None else create(spec)
        if not isinstance(component, NativeTransform):
            return
        if isinstance(component, MergeBatchDims):
            continue  # the collation does it, whatever there is
        if isinstance(component, ImageLoader):
            raise ClaraError(
                f"{spec.name} loads files, but a batch is of images that are loaded: move it to the pre_transforms",
                spec.address,
            )
        for field in component.used_fields():
            if field not in known:
                raise ClaraError(
                    f"{spec.name} works on the field '{field}', which a batch does not have"
                    f"{suggestion(field, known)} (there are {', '.join(known)}): name one of these, or move it to the "
                    "pre_transforms",
                    spec.address,
                )
        known += sorted(named_fields([spec]) - {*known})
