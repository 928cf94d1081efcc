"""What a trained segmentation network finds in scans it never saw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from clara_compat.demo.predict import predictions

if TYPE_CHECKING:
    from clara_compat.demo.pictures import Case
    from clara_compat.run.train import TrainResult

__all__ = ["predict_cases", "show_segmentation"]


def show_segmentation(result: TrainResult, data_list: Path, picture: Path) -> dict[str, float]:
    """Draw the best model's segmentations of the test scans, and return the Dice of each.

    Args:
        result: of the training.
        data_list: the data list file.
        picture: the PNG to write.
    """
    from clara_compat.demo.pictures import save_overview
    from clara_compat.report.course import Course

    cases = predict_cases(result, data_list)
    save_overview(picture, cases, Course.from_stats(result.stats))
    return {case.name: case.dice for case in cases}


def predict_cases(result: TrainResult, data_list: Path, key: str = "testing") -> list[Case]:
    """Segment scans with the best model of a finished run, prepared as its validation prepares them.

    Args:
        result: of a run whose config has a ``validate`` section, with the organ as class 1.
        data_list: the data list file.
        key: which of its lists.

    Returns:
        The scans on the grid the network saw, turned so that their axes run to the right, front and head.
    """
    return [_case(item, scores.argmax(axis=0)) for item, scores in predictions(result, data_list, key)]


def _case(item: Any, prediction: Any) -> Case:
    """Turn a scan to right, front, head; ``item`` has channel-first MetaTensors, ``prediction`` no channel."""
    import nibabel
    import numpy as np

    from clara_compat.demo.pictures import Case

    affine = item["image"].affine.numpy()
    turned = [
        nibabel.as_closest_canonical(nibabel.Nifti1Image(array.astype(np.float32), affine))
        for array in (item["image"][0].numpy(), item["label"][0].numpy(), prediction)
    ]
    image, truth, predicted = (np.asarray(nifti.dataobj) for nifti in turned)
    name = Path(str(item["image"].meta["filename_or_obj"])).name.partition(".")[0]
    dx, dy, dz = (float(zoom) for zoom in turned[0].header.get_zooms())
    return Case(name, image, truth, predicted, (dx, dy, dz))
