"""Look into files of weights, and write TensorFlow's as a state dict."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clara_compat.common.files import replacing
from clara_compat.common.weight_files import find_weights, index_of, is_tensorflow, prefix_of
from clara_compat.errors import Address, ClaraError, suggestion

if TYPE_CHECKING:
    import numpy as np
    import torch

    from clara_compat.config.positions import Located
    from clara_compat.tensorflow.checkpoint.reader import TensorFlowCheckpoint

__all__ = ["Conversion", "Tensor", "Weights", "convert_weights", "list_weights"]


@dataclass(frozen=True)
class Tensor:
    """One tensor of a file of weights.

    Args:
        name: its name.
        dtype: its type.
        shape: length of each axis.
        of_training: it is an optimizer's, a counter, or no tensor of numbers.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    of_training: bool = False

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        count = 1
        for length in self.shape:
            count *= length
        return count


@dataclass(frozen=True)
class Weights:
    """What a file of weights holds.

    Args:
        path: the file; of a TensorFlow checkpoint its index.
        tensors: in the order of the file.
    """

    path: Path
    tensors: list[Tensor]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "path": str(self.path),
            "format": "TensorFlow checkpoint" if is_tensorflow(self.path) else "state dict",
            "tensors": [
                {"name": one.name, "dtype": one.dtype, "shape": list(one.shape), "of_training": one.of_training}
                for one in self.tensors
            ],
        }


@dataclass(frozen=True)
class Conversion:
    """What a conversion wrote.

    Args:
        path: the file.
        names: of each tensor in it, by its name in the checkpoint.
        left: variables that the mapping does not name.
        of_training: how many variables were left out as an optimizer's, counters, or texts.
    """

    path: Path
    names: dict[str, str]
    left: list[str] = field(default_factory=list)
    of_training: int = 0


def list_weights(path: str | os.PathLike[str]) -> Weights:
    """Return the names, types and shapes in a file of weights.

    Args:
        path: a TensorFlow checkpoint (``models/model.ckpt``), a state dict, or a checkpoint that holds one.

    Raises:
        ClaraError: it cannot be read.
    """
    file = _found(Path(path))
    if is_tensorflow(file):
        from clara_compat.tensorflow.checkpoint.matching import weights_of
        from clara_compat.tensorflow.checkpoint.reader import open_checkpoint

        checkpoint = open_checkpoint(prefix_of(file))
        weights = weights_of(checkpoint)
        variables = checkpoint.variables.items()
        return Weights(file, [Tensor(name, one.dtype, one.shape, name not in weights) for name, one in variables])
    from clara_compat.engine.weights import read_weights

    found = read_weights(file).items()
    return Weights(file, [Tensor(name, str(one.dtype).removeprefix("torch."), (*one.shape,)) for name, one in found])


def convert_weights(
    checkpoint: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    names: str | os.PathLike[str] | None = None,
    like: str | os.PathLike[str] | None = None,
    force: bool = False,
) -> Conversion:
    """Write the weights of a TensorFlow checkpoint as a state dict, which ``MMAR_CKPT`` takes.

    Without a mapping the tensors keep TensorFlow's names and order of axes: for a network that runs code written for
    TensorFlow. With one they get the names of a network of torch's, and kernels get its order of axes.

    Args:
        checkpoint: of TensorFlow, such as ``models/model.ckpt``.
        out: the file that is written, whole or not at all.
        names: JSON file that gives TensorFlow's names the network's.
        like: weights of the network they are for, such as the ``model.pt`` of a training of it: names and shapes are
            checked against them.
        force: whether ``out`` may be replaced.

    Raises:
        ClaraError: something cannot be read or written, or names or shapes do not fit.
    """
    target = Path(out)
    if target.exists() and not force:
        raise ClaraError(f"{target} exists: name another file, or add --force to replace it")
    if target.suffix != ".pt":
        raise ClaraError(f"{target} does not end in .pt, by which weights are found: name it {target.stem}.pt")
    if like is not None and names is None:
        raise ClaraError("--like checks what --map names: name the mapping, too")
    file = _found(Path(checkpoint))
    if not is_tensorflow(file):
        raise ClaraError(f"'{file}' is no TensorFlow checkpoint: it needs no conversion, MMAR_CKPT takes it as it is")
    from clara_compat.tensorflow.checkpoint.matching import weights_of
    from clara_compat.tensorflow.checkpoint.reader import open_checkpoint

    source = open_checkpoint(prefix_of(file))
    weights = weights_of(source)
    if names is None:
        chosen = {name: name for name in weights}
        arrays = {name: source.read(name) for name in weights}
    else:
        from clara_compat.config.positions import read_json

        chosen = _mapping(read_json(Path(names)), source)
        arrays = _for_torch(chosen, source, None if like is None else Path(like), str(names))
    if not arrays:
        raise ClaraError(f"the TensorFlow checkpoint '{source.prefix}' holds no weights")
    _save(arrays, target)
    left = [name for name in weights if name not in chosen]
    others = sum(name not in weights and name not in chosen for name in source.variables)
    return Conversion(target, chosen, left, others)


def _found(named: Path) -> Path:
    """Return the file that is meant: a TensorFlow checkpoint of exactly that name, or what Clara's name means."""
    exact = index_of(named)
    return exact if exact.is_file() else find_weights(named).path


def _mapping(document: Located, source: TensorFlowCheckpoint) -> dict[str, str]:
    """Return the mapping of a file, each of its names checked."""
    if document.notices:
        raise ClaraError(document.notices[0].text, document.notices[0].address)
    chosen: dict[str, str] = {}
    seen: dict[str, str] = {}
    for name, tensor in document.data.items():
        address = document.address(name)
        if not isinstance(tensor, str) or not tensor:
            raise ClaraError(f"'{name}' is given {tensor!r}, expected the name of a tensor of the network", address)
        entry = source.variables.get(name)
        if entry is None or entry.storage is None:
            hint = suggestion(name, source.variables) or f" (clara-compat weights list {source.prefix} shows its names)"
            raise ClaraError(f"'{source.prefix}' has no weights '{name}'{hint}", address)
        if tensor in seen:
            raise ClaraError(f"'{seen[tensor]}' and '{name}' are both given the name '{tensor}'", address)
        chosen[name], seen[tensor] = tensor, name
    if not chosen:
        raise ClaraError('names nothing, expected {"TensorFlow\'s name": "the network\'s"}', Address(document.file))
    return chosen


def _for_torch(
    chosen: Mapping[str, str], source: TensorFlowCheckpoint, like: Path | None, shown: str
) -> dict[str, np.ndarray]:
    from clara_compat.tensorflow.checkpoint.layout import torch_layout

    if like is None:
        return {tensor: torch_layout(name, source.read(name)) for name, tensor in chosen.items()}
    from clara_compat.engine.weights import read_weights

    file = find_weights(like).path
    own = read_weights(file)
    arrays = {}
    for name, tensor in chosen.items():
        if tensor not in own:
            raise ClaraError(f"'{file}' has no tensor '{tensor}'{suggestion(tensor, own)}", Address(shown, None, name))
        arrays[tensor] = _fitting(name, source.read(name), tensor, own[tensor], Address(shown, None, name))
    return arrays


def _fitting(name: str, value: np.ndarray, tensor: str, own: torch.Tensor, address: Address) -> np.ndarray:
    """Return a variable in the order of axes in which it has the shape of the network's tensor."""
    from clara_compat.tensorflow.checkpoint.layout import torch_layout

    for candidate in (torch_layout(name, value), value, torch_layout("kernel", value)):
        if candidate.shape == tuple(own.shape):
            return candidate
    turned = torch_layout(name, value).shape
    raise ClaraError(
        f"'{name}' is {value.shape}{'' if turned == value.shape else f', in torch {turned}'}, the network's '{tensor}' "
        f"is {tuple(own.shape)}",
        address,
    )


def _save(arrays: Mapping[str, np.ndarray], target: Path) -> None:
    import numpy as np
    import torch

    tensors = {name: torch.from_numpy(np.array(value, order="C")) for name, value in arrays.items()}
    try:
        with replacing(target) as stream:
            torch.save(tensors, stream)
    except OSError as error:
        raise ClaraError(f"{target} cannot be written: {error.strerror}") from error
