"""Export a trained network: TorchScript, ONNX, a model repository for Triton, a plan of TensorRT."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clara_compat.common.files import check_inside, replacing
from clara_compat.common.user_code_switch import user_code_allowed
from clara_compat.common.weight_files import find_weights
from clara_compat.config.user_roots import UserRoots, search_roots
from clara_compat.errors import ClaraError
from clara_compat.run.console import logging_of_a_run
from clara_compat.translate.configured_network import configured_network
from clara_compat.translate.saved_network import SAVED, SavedNetwork, has_saved_network, saved_network, saved_sizes

if TYPE_CHECKING:
    import torch

    from clara_compat.engine.export.compare import Exported
    from clara_compat.engine.export.probe import Probe

__all__ = ["ExportOptions", "ExportResult", "export"]

logger = logging.getLogger("clara_compat")

_PRECISIONS = ("FP32", "FP16")
"""Of a TensorRT plan."""


@dataclass(frozen=True)
class ExportOptions:
    """How a network is exported.

    Args:
        model_name: of the checkpoint, and of the files that are written: ``model`` (best), ``model_final`` (last).
        checkpoint_ext: what Clara put behind that name.
        input_name: of the image in ONNX, Triton and TensorRT.
        output_name: of the predictions there.
        input_shape: channels and spatial sizes, in voxels, of the image of Triton and TensorRT; by default the size of
            the training's windows or crops, and any size in Triton where the network takes it.
        max_batch_size: images that a call of Triton or TensorRT may have.
        triton_model: name of the model for Triton; None for no model repository.
        precision: of the TensorRT plan, ``FP32`` or ``FP16``.
        onnx: whether ONNX is written, which the last two need.
        mmar: root folder of the MMAR whose code a network of the user's is of; by default only PYTHONPATH is searched.
            Its training config says the network of weights that no training of this package made.
        user_code: whether that code may run; a network of the user's own is an error otherwise.
    """

    model_name: str = "model"
    checkpoint_ext: str = ".ckpt"
    input_name: str = "NV_MODEL_INPUT"
    output_name: str = "NV_MODEL_OUTPUT"
    input_shape: Sequence[int] | None = None
    max_batch_size: int = 4
    triton_model: str | None = None
    precision: str = "FP32"
    onnx: bool = True
    mmar: str | os.PathLike[str] | None = None
    user_code: bool = True


@dataclass(frozen=True)
class ExportResult:
    """What an export gives.

    Args:
        paths: the files, by kind: ``torchscript``, ``onnx``, ``triton`` (its ``config.pbtxt``), ``tensorrt``.
        differences: the largest difference from the network's own outputs, by kind.
        notices: what the user should know.
    """

    paths: dict[str, Path] = field(default_factory=dict)
    differences: dict[str, float] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def export(folder: str | os.PathLike[str], options: ExportOptions | None = None, **more: Any) -> ExportResult:
    """Export the network of an earlier training into its own output folder.

    Every file is compared with the network on random images before it is written. The folder may come from a stranger:
    nothing that it holds is run. A network of the user's own is made by the user's code, as ``mmar`` and PYTHONPATH
    have it now.

    Args:
        folder: ``MMAR_CKPT_DIR`` of the training.
        options: see :class:`ExportOptions`.
        more: options by name: ``export("models", triton_model="spleen")``.

    Returns:
        the files, and how far each is from the network.

    Raises:
        ClaraError: something of the user's must be mended, or a file would not give what the network gives.
    """
    chosen = replace(options or ExportOptions(), **more)
    with user_code_allowed(chosen.user_code, chosen.mmar), logging_of_a_run(None):
        return _Export(Path(folder), chosen).run()


class _Export:
    def __init__(self, folder: Path, options: ExportOptions) -> None:
        self.folder = folder
        self.options = options
        self.result = ExportResult()
        self.probed: Probe | None = None
        self.sizes: list[tuple[int, ...]] = []

    def run(self) -> ExportResult:
        self._check()
        saved, weights = self._found()
        from clara_compat.engine.export.onnx_file import check_libraries, onnx_file
        from clara_compat.engine.export.torchscript import torchscript_file

        if self.options.onnx:
            check_libraries()
        network, probed = self._network(saved, weights)
        self.probed = probed
        name = self.options.model_name
        self._write("torchscript", f"{name}.ts", "TorchScript", torchscript_file(network, probed))
        if not self.options.onnx:
            return self.result
        exported = onnx_file(network, probed, self.options.input_name, self.options.output_name)
        self._write("onnx", f"{name}.onnx", "ONNX", exported)
        if self.options.triton_model is not None:
            self._triton(self.options.triton_model, network, probed, exported)
        self._tensorrt(network, probed, exported)
        return self.result

    def _check(self) -> None:
        from clara_compat.engine.export.triton import check_name

        options = self.options
        if not self.folder.is_dir():
            raise ClaraError(f"the folder {self.folder} does not exist: name the MMAR_CKPT_DIR of a training")
        for name, what in (
            (options.model_name, "--model_name"),
            (options.input_name, "--input_node_names"),
            (options.output_name, "--output_node_names"),
            (options.triton_model, "--trtis_model_name"),
        ):
            if name is not None:
                check_name(name, what)
        if options.max_batch_size < 1:
            raise ClaraError(f"--max_batch_size is {options.max_batch_size}, expected at least 1")
        if options.precision not in _PRECISIONS:
            raise ClaraError(
                f"--trt_precision_mode is {options.precision}, expected one of {', '.join(_PRECISIONS)} (INT8 would "
                "need images to calibrate it with)"
            )
        if options.triton_model is not None and not options.onnx:
            raise ClaraError("Triton is given the ONNX file: leave --no-onnx or --trtis_export out")

    def _found(self) -> tuple[SavedNetwork, Path]:
        """Return what the folder says of its network, and the file of its weights, before anything large is made."""
        mmar = self.options.mmar
        if mmar is not None and not Path(mmar).is_dir():
            raise ClaraError(f"--mmar is {mmar}, which is no folder: name the MMAR whose code the network is of")
        saved = self._saved()
        weights = find_weights(self.folder / f"{self.options.model_name}{self.options.checkpoint_ext}")
        if weights.notice:
            self._tell(weights.notice)
        shape = self.options.input_shape
        channels, dims = _image(saved)
        if shape is not None and (len(shape) != dims + 1 or shape[0] != channels or min(shape) < 1):
            raise ClaraError(
                f"--trtis_input_shape is {' '.join(map(str, shape))}, expected {channels} (channels) and {dims} sizes"
            )
        return saved, weights.path

    def _saved(self) -> SavedNetwork:
        """Return what is known of the network; of weights that no training of this package made, the MMAR says it."""
        mmar = self.options.mmar
        if not has_saved_network(self.folder):
            configured = (
                None if mmar is None else configured_network(Path(mmar), self.folder, user_code=self.options.user_code)
            )
            if configured is None:
                raise ClaraError(
                    f"{self.folder / SAVED} is missing, which says what network the weights belong to: name the folder "
                    "that a training of this package wrote (MMAR_CKPT_DIR), or with --mmar an MMAR whose "
                    "config/config_train.json says it"
                )
            self._tell(configured.notice(self.folder))
            self.sizes = [configured.size]
            return configured.network
        self.sizes = saved_sizes(self.folder)
        return saved_network(self.folder, self._roots())

    def _roots(self) -> UserRoots:
        """Return where the user's code may lie."""
        mmar = self.options.mmar
        return search_roots(None if mmar is None else Path(mmar), allowed=self.options.user_code)

    def _network(self, saved: SavedNetwork, weights: Path) -> tuple[torch.nn.Module, Probe]:
        from clara_compat.engine.export.probe import probe
        from clara_compat.engine.saved_network import trained_network

        if saved.root is not None:
            from clara_compat.tensorflow.loader import use

            use([str(root) for root in dict.fromkeys([*self._roots().ordered, saved.root])])
        network = trained_network(saved.entry, weights)
        shape = self.options.input_shape
        channels, dims = _image(saved)
        hints = [size for size in self.sizes if len(size) == dims]
        return network, probe(network, channels, dims, None if shape is None else tuple(shape[1:]), hints)

    def _triton(self, name: str, network: torch.nn.Module, probed: Probe, exported: Exported) -> None:
        from clara_compat.engine.export.probe import at_one_size
        from clara_compat.engine.export.triton import model_config

        one = at_one_size(network, probed)
        input_dims, output_dims = list(one.inputs[0].shape[1:]), list(one.outputs[0].shape[1:])
        if exported.any_size and self.options.input_shape is None:
            input_dims[1:], output_dims[1:] = ([-1] * (len(dims) - 1) for dims in (input_dims, output_dims))
        config = model_config(
            name,
            max_batch_size=self.options.max_batch_size,
            input_name=self.options.input_name,
            input_dims=input_dims,
            output_name=self.options.output_name,
            output_dims=output_dims,
        )
        repository = self.folder / name
        check_inside(repository / "1" / "model.onnx", self.folder)
        _save(repository / "1" / "model.onnx", exported.content)
        _save(repository / "config.pbtxt", config.encode())
        self.result.paths["triton"] = repository / "config.pbtxt"
        self.result.differences["triton"] = exported.difference
        logger.info("%s: model repository of Triton with that ONNX file; input %s", repository, input_dims)

    def _tensorrt(self, network: torch.nn.Module, probed: Probe, exported: Exported) -> None:
        from clara_compat.engine.export.probe import at_one_size
        from clara_compat.engine.export.tensorrt_plan import is_installed, plan_file, trtexec_line

        name, options = self.options.model_name, self.options
        line = trtexec_line(
            f"{name}.onnx", f"{name}.plan", options.input_name, probed, options.max_batch_size, options.precision
        )
        if not is_installed():
            self._tell(f"no TensorRT plan is made, as TensorRT is not installed here; where it is, run: {line}")
            return
        try:
            one = at_one_size(network, probed)
            plan = plan_file(exported.content, one, options.input_name, options.max_batch_size, options.precision)
        except ClaraError as error:
            self._tell(f"no TensorRT plan is made: {error.message}; the command for it is: {line}")
            return
        self._write("tensorrt", f"{name}.plan", f"TensorRT {options.precision}", plan)

    def _write(self, kind: str, name: str, title: str, exported: Exported) -> None:
        from clara_compat.engine.export.compare import TOLERANCE

        path = self.folder / name
        _save(path, exported.content)
        self.result.paths[kind], self.result.differences[kind] = path, exported.difference
        takes = "any number of images, of any size the network takes"
        if not exported.any_size and self.probed is not None:
            takes = f"any number of images of {list(self.probed.size)} voxels"
        logger.info("%s: %s for %s; largest difference from the network %.1e", path, title, takes, exported.difference)
        if kind != "tensorrt" and exported.difference > TOLERANCE and self.probed is not None:
            self._tell(
                f"{name} is {exported.difference:.1e} from the network, more than {TOLERANCE:.0e}: its weights magnify "
                f"rounding, the network itself is {self.probed.rounding():.1e} from its values in double precision"
            )

    def _tell(self, notice: str) -> None:
        self.result.notices.append(notice)
        logger.warning("%s", notice)


def _image(saved: SavedNetwork) -> tuple[int, int]:
    """Return the channels and the spatial dimensions of the network's image.

    Raises:
        ClaraError: the folder does not say them.
    """
    try:
        return saved.numbers["in_channels"], saved.numbers["spatial_dims"]
    except KeyError as error:
        raise ClaraError(
            f"configs/train.json does not say {error.args[0]} of the network: train with this version"
        ) from error


def _save(path: Path, content: bytes) -> None:
    try:
        with replacing(path) as stream:
            stream.write(content)
    except OSError as error:
        raise ClaraError(f"{path} cannot be written: {error.strerror}") from error
