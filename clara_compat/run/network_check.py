"""Whether a network can take the scans of a validation, as far as headers tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clara_compat.components.inferers.tf_scan_window_inferer import TFScanWindowInferer
from clara_compat.components.inferers.tf_simple_inferer import TFSimpleInferer
from clara_compat.components.models._common import BuiltInModel
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.errors import ClaraError
from clara_compat.translate.label_fit import comparing
from clara_compat.translate.model_side import ModelSide
from clara_compat.translate.section_data import SectionName

__all__ = ["SizeCheck", "compares_voxels", "validation_size_check"]

SizeCheck = Callable[[str, Sequence[int]], None]
"""Takes what an image is and its spatial size; raises :class:`ClaraError` when the network cannot take it."""


def compares_voxels(workflow: TrainWorkflow, section: SectionName) -> ComponentSpec | None:
    """Return what compares predictions, which are as large as the images, with labels voxel by voxel.

    Args:
        workflow: a config that translates.
        section: whose steps compare them.

    Returns:
        The first component that does; None when there is none, or the network may make other sizes.
    """
    model = ModelSide(workflow.train.model).built_in
    if model is None or model.task != "segmentation":
        return None
    return next((spec for spec, _ in comparing(workflow, section)), None)


def validation_size_check(model_spec: ComponentSpec, inferer_spec: ComponentSpec | None) -> SizeCheck | None:
    """Return the check of a validation's images at the end of their transforms; None when nothing is known to check.

    A network that halves its input needs sizes it can halve, in Clara as here: what is enlarged again would not fit
    what it is joined with. With TFSimpleInferer that is the size of the scan, with windows that of an axis whose
    ``roi_size`` is -1.

    Args:
        model_spec: the model.
        inferer_spec: the inferer of the validation, if it has one.
    """
    model = None if model_spec.cls is None else create(model_spec)
    inferer = TFSimpleInferer() if inferer_spec is None else None if inferer_spec.cls is None else create(inferer_spec)
    if not isinstance(model, BuiltInModel) or not isinstance(inferer, (TFSimpleInferer, TFScanWindowInferer)):
        return None
    windows = inferer.roi_size if isinstance(inferer, TFScanWindowInferer) else None
    if windows is not None and -1 not in windows:
        return None  # the translation has checked them
    advice = (
        "resample or pad the scans to such a size, or give roi_size a number for every axis"
        if windows is not None
        else "resample or pad the scans to such a size, or scan them window by window with TFScanWindowInferer"
    )

    def check(what: str, size: Sequence[int]) -> None:
        given = [n if roi == -1 else roi for n, roi in zip(size, windows or [-1] * len(size), strict=True)]
        try:
            model.check_size(f"the size the network gets of {what}", given)
        except ClaraError as error:
            address = None if inferer_spec is None else inferer_spec.address
            raise ClaraError(f"{error.message}; {advice}", address) from None

    return check
