"""Segment or classify single images with a legacy configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clara_compat.common.files import endless
from clara_compat.common.user_code_switch import user_code_allowed
from clara_compat.config.evaluate_workflow import load_evaluate_workflow
from clara_compat.errors import ClaraError
from clara_compat.run.evaluate import run_evaluation
from clara_compat.run.several import on_all_processes
from clara_compat.translate.evaluation_writers import Inference

__all__ = ["InferResult", "infer"]

_ONE_FILE = (".nii", ".nii.gz")


@dataclass(frozen=True)
class InferResult:
    """What an inference gives.

    Args:
        files: per image the files that were written.
        values: per image what else the chain left: points, class values.
        stats: of the run: network, seconds, and all of the above.
    """

    files: dict[str, list[Path]]
    values: dict[str, dict[str, Any]]
    stats: dict[str, Any]


@on_all_processes
def infer(
    images: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    config: str | os.PathLike[str],
    out: str | os.PathLike[str] = "infer_results",
    *,
    mmar: str | os.PathLike[str] | None = None,
    model: str | os.PathLike[str] | None = None,
    env: str | os.PathLike[str] | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    log_config: str | os.PathLike[str] | None = None,
    user_code: bool = True,
) -> InferResult:
    """Run images through a config of the annotation server, or of an evaluation, and write what it writes.

    NIfTI files get the affine, the shape and the orientation of the image's file: what the chain left on another grid
    is put onto it, taking the nearest voxel. Labels, metrics and the data list of the config play no part.

    Args:
        images: files (or folders with a DICOM series).
        config: ``config_aiaa.json`` (version 2 or 3) or ``config_validation.json``.
        out: folder of the results, ``<out>/<case>/<case>_<field>.nii.gz``; for one image also the file itself.
        mmar: root folder of the MMAR.
        model: output folder of a training, or an exported network; by default the one the config names, or that of
            MMAR_CKPT_DIR.
        env: the environment file.
        overrides: what ``--set`` takes.
        log_config: a ``logging`` INI file.
        user_code: whether code of the MMAR and of PYTHONPATH, and TorchScript, may run; what needs some is an error
            otherwise.

    Returns:
        the files of each image, and what else the chain left.

    Raises:
        ClaraError: something of the user's must be mended.

    Example::

        infer("scan.nii.gz", "my_mmar/config/config_validation.json", "mask.nii.gz", mmar="my_mmar")
    """
    listed = [images] if isinstance(images, (str, os.PathLike)) else list(images)
    files = [os.fspath(image) for image in listed]
    target = Path(out)
    is_file = target.name.lower().endswith(_ONE_FILE)
    _check_images(files, target, is_file=is_file)
    workflow = load_evaluate_workflow(
        Path(config),
        mmar=None if mmar is None else Path(mmar),
        env=None if env is None else Path(env),
        overrides=overrides,
        user_code=user_code,
    )
    folder = target.absolute().parent if is_file else target.absolute()
    inference = Inference(files, target.absolute() if is_file else None)
    with user_code_allowed(user_code, workflow.mmar):
        result = run_evaluation(workflow, folder, log_config=log_config, model=model, inference=inference)
    cases = result.stats["cases"]
    return InferResult(
        files={case["file"]: [Path(path) for path in case["paths"]] for case in cases},
        values={case["file"]: case["values"] for case in cases},
        stats=result.stats,
    )


def _check_images(files: Sequence[str], out: Path, *, is_file: bool) -> None:
    if not files:
        raise ClaraError("no image is given: name the files to run")
    for file in files:
        if not os.path.exists(file):
            raise ClaraError(f"the image '{file}' does not exist")
        if (kind := endless(file)) is not None:
            raise ClaraError(f"the image '{file}' is {kind}, expected a file, or a folder with a DICOM series")
    if is_file and len(files) > 1:
        raise ClaraError(f"'{out}' is one file, but {len(files)} images are given: name a folder")
    if is_file and out.is_dir():
        raise ClaraError(f"'{out}' is a folder, expected the name of a file")
    if is_file and out.exists() and out.samefile(files[0]):
        raise ClaraError(f"'{out}' is the image itself, which the result would replace: name another file")
    if out.exists() and not out.is_dir() and not is_file:
        raise ClaraError(f"'{out}' is a file, expected a folder for the results (or a .nii.gz file)")
