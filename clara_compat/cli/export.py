"""The command ``clara-compat export``, which is also ``python -m nvmidl.apps.export`` with Clara's flags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clara_compat.cli.flags import spread
from clara_compat.cli.options import NoUserCode
from clara_compat.errors import ClaraError

__all__ = ["export", "spread_shape"]

_SHAPE = "--trtis_input_shape"
_IS_TRAINING = "NV_IS_TRAINING"
_IGNORED = "Accepted as in Clara, without effect here."


def export(
    folder: Annotated[
        Path | None, typer.Argument(help="Output folder of a training (MMAR_CKPT_DIR); the files go there too.")
    ] = None,
    model_file_path: Annotated[
        Path | None, typer.Option("--model_file_path", help="The same, by Clara's flag.")
    ] = None,
    mmar: Annotated[
        Path | None,
        typer.Option(
            "--mmar",
            "-m",
            help="The MMAR of the network: its code, and the training config that says it beside TensorFlow's weights.",
        ),
    ] = None,
    model_name: Annotated[
        str,
        typer.Option(
            "--model_name", help="'model' for the best weights, 'model_final' for the last; also names the files."
        ),
    ] = "model",
    input_node_names: Annotated[str, typer.Option("--input_node_names", help="Name of the image.")] = "NV_MODEL_INPUT",
    output_node_names: Annotated[
        str, typer.Option("--output_node_names", help="Name of the predictions.")
    ] = "NV_MODEL_OUTPUT",
    trtis_export: Annotated[bool, typer.Option("--trtis_export", help="Also write a model repository.")] = False,
    trtis_model_name: Annotated[
        str, typer.Option("--trtis_model_name", help="Name of the model in that repository.")
    ] = "tlt_model",
    trtis_input_shape: Annotated[
        list[int] | None,
        typer.Option(
            _SHAPE,
            metavar="C D H W",
            help="Channels and sizes of an image, for Triton and TensorRT. By default the size of the training's "
            "windows, and any size in Triton where the network takes it.",
        ),
    ] = None,
    max_batch_size: Annotated[
        int, typer.Option("--max_batch_size", help="Images that a call of Triton or TensorRT may have.")
    ] = 4,
    trt_precision_mode: Annotated[
        str, typer.Option("--trt_precision_mode", help="FP32 or FP16, of the TensorRT plan.")
    ] = "FP32",
    no_onnx: Annotated[bool, typer.Option("--no-onnx", help="Write TorchScript only.")] = False,
    no_user_code: NoUserCode = False,
    checkpoint_ext: Annotated[
        str, typer.Option("--checkpoint_ext", help="What Clara put behind the name of the checkpoint.")
    ] = ".ckpt",
    model_file_format: Annotated[str, typer.Option("--model_file_format", help="CKPT.")] = "CKPT",
    meta_file_ext: Annotated[str, typer.Option("--meta_file_ext", help=_IGNORED)] = ".meta",  # noqa: ARG001 -- Clara's flags
    regular_frozen_file_ext: Annotated[  # noqa: ARG001
        str, typer.Option("--regular_frozen_file_ext", help=_IGNORED)
    ] = ".fzn.pb",
    trt_file_ext: Annotated[str, typer.Option("--trt_file_ext", help=_IGNORED)] = ".trt.pb",  # noqa: ARG001
    trt_dynamic_mode: Annotated[bool, typer.Option("--trt_dynamic_mode", help=_IGNORED)] = False,  # noqa: ARG001
    trt_min_seg_size: Annotated[int, typer.Option("--trt_min_seg_size", help=_IGNORED)] = 50,  # noqa: ARG001
) -> None:
    """Write a trained network as TorchScript (model.ts), ONNX (model.onnx) and, if asked, for Triton.

    Each file is compared with the network on random images before it is written. model.ts takes the place of Clara's
    model.fzn.pb and model.trt.pb. A TensorRT plan is made where TensorRT is installed.

    Example: clara-compat export my_mmar/models --trtis_export --trtis_model_name spleen
    """
    from clara_compat.run.export import ExportOptions
    from clara_compat.run.export import export as run

    if folder is not None and model_file_path is not None and folder != model_file_path:
        raise ClaraError(f"two folders are named, {folder} and {model_file_path} (--model_file_path): leave one out")
    chosen = folder or model_file_path
    if chosen is None:
        raise ClaraError("no folder is named: add --model_file_path and the MMAR_CKPT_DIR of a training")
    if model_file_format.upper() != "CKPT":
        raise ClaraError(f"--model_file_format is {model_file_format}, expected CKPT")
    run(
        chosen,
        ExportOptions(
            model_name=model_name,
            checkpoint_ext=checkpoint_ext,
            input_name=_one(input_node_names, "--input_node_names"),
            output_name=_one(output_node_names, "--output_node_names"),
            input_shape=trtis_input_shape or None,
            max_batch_size=max_batch_size,
            triton_model=trtis_model_name if trtis_export else None,
            precision=trt_precision_mode.upper(),
            onnx=not no_onnx,
            mmar=mmar,
            user_code=not no_user_code,
        ),
    )


def spread_shape(arguments: list[str]) -> list[str]:
    """Write ``--trtis_input_shape 1 96 96 96`` with the flag before each number, as typer reads it."""
    return spread(arguments, _SHAPE, _sizes)


def _sizes(text: str) -> list[str]:
    found = text.replace(",", " ").split()
    return found if all(size.lstrip("-").isdecimal() for size in found) else []


def _one(names: str, flag: str) -> str:
    """Return the one name of a list separated by commas; whether it trains is no input of an exported network."""
    found = [name.strip().removesuffix(":0") for name in names.split(",")]
    found = [name for name in found if name and name != _IS_TRAINING]
    if len(found) != 1:
        raise ClaraError(f"{flag} is '{names}', expected one name: the networks of this package have one image each")
    return found[0]
