"""Products of matrices, norms, and what is sorted or counted."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from clara_compat.tensorflow.convert import alike, as_tensor, tensors
from clara_compat.tensorflow.dtypes import torch_dtype
from clara_compat.tensorflow.operands import not_fitting
from clara_compat.tensorflow.ops.arguments import axes_of, axis_of, given, narrow_again, wide
from clara_compat.tensorflow.ops.elementwise import maximum
from clara_compat.tensorflow.ops.roots import square_root
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol
from clara_compat.tensorflow.shapes import sizes

__all__ = ["TopK", "l2_normalize", "matmul", "norm", "tensordot", "top_k"]


@symbol("matrix_band_part", "linalg.band_part")
def matrix_band_part(input: Any, num_lower: Any, num_upper: Any, name: str | None = None) -> torch.Tensor:
    """Return matrices with zeros outside of a band: so many diagonals below and above the main one, all if negative."""
    matrix = as_tensor(input)
    lower, upper = (sizes(one)[0] for one in (num_lower, num_upper))
    matrix = matrix if lower < 0 else matrix.triu(-lower)
    return matrix if upper < 0 else matrix.tril(upper)


@symbol("nn.xw_plus_b")
def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> torch.Tensor:
    """Return the product of two matrices, plus one number per column."""
    return matmul(x, weights) + biases


@symbol("nn.relu_layer")
def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> torch.Tensor:
    """Return :func:`xw_plus_b` without what is below 0."""
    return xw_plus_b(x, weights, biases).relu()


@symbol("matmul", "linalg.matmul", "batch_matmul")
def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
    adj_x: bool = False,
    adj_y: bool = False,
) -> torch.Tensor:
    """Return the product of the matrices in the last two axes.

    Raises:
        ClaraError: the sizes do not fit, or there are less than two axes.
    """
    first, second = alike(*tensors(a, b))
    if first.ndim < 2 or second.ndim < 2:
        raise refusal(f"tf.matmul takes tensors of two axes or more, not {list(first.shape)} and {list(second.shape)}")
    if transpose_a or adjoint_a or adj_x:
        first = first.transpose(-1, -2)
    if transpose_b or adjoint_b or adj_y:
        second = second.transpose(-1, -2)
    try:
        return first @ second
    except RuntimeError as error:
        if first.dtype != second.dtype:
            raise not_fitting(first, second, error) from error
        raise refusal(f"tf.matmul: the shapes {list(first.shape)} and {list(second.shape)} do not fit") from error


@symbol("linalg.matvec")
def matvec(a: Any, b: Any, transpose_a: bool = False, name: str | None = None) -> torch.Tensor:
    """Return the product of matrices and vectors."""
    first, second = tensors(a, b)
    return matmul(first, second.unsqueeze(-1), transpose_a).squeeze(-1)


@symbol("einsum", "linalg.einsum")
def einsum(equation: str, *inputs: Any, **_: Any) -> torch.Tensor:
    """Return Einstein's sum of products."""
    try:
        return torch.einsum(equation, *alike(*tensors(*inputs)))
    except RuntimeError as error:
        raise refusal(f"tf.einsum('{equation}'): {error}") from error


@symbol("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> torch.Tensor:
    """Return the sum of products over axes of both tensors: a number of the inner ones, or two lists."""
    first, second = alike(*tensors(a, b), autocast=False)
    if isinstance(axes, int):
        return torch.tensordot(first, second, dims=axes)
    of_first, of_second = (sizes(one) for one in axes)
    return torch.tensordot(first, second, dims=(of_first, of_second))


@symbol("norm", "linalg.norm")
def norm(
    tensor: Any,
    ord: Any = "euclidean",
    axis: Any = None,
    keepdims: bool | None = None,
    name: str | None = None,
    keep_dims: bool | None = None,
) -> torch.Tensor:
    """Return a norm over axes, of the whole tensor if none is given.

    Raises:
        ClaraError: it is another one than euclidean, 1, 2, inf or a number.
    """
    x, keep = wide(tensor), bool(given(keepdims, keep_dims))
    axes = axes_of(axis, x.ndim, "tf.norm")
    if ord in ("euclidean", 2, "fro"):
        found = square_root((x * x).sum(axes, keep))
    elif ord == 1:
        found = x.abs().sum(axes, keep)
    elif ord == float("inf"):
        found = x.abs().amax(axes, keep)
    elif isinstance(ord, int | float):
        found = x.abs().pow(ord).sum(axes, keep).pow(1.0 / ord)
    else:
        raise refusal(f"tf.norm: ord is {ord!r}, expected 'euclidean' or a number")
    return narrow_again(found, tensor)


@symbol("global_norm", "linalg.global_norm")
def global_norm(t_list: Any, name: str | None = None) -> torch.Tensor:
    """Return the Euclidean norm of all values of a list of tensors."""
    return square_root(torch.stack([wide(one).square().sum() for one in t_list if one is not None]).sum())


@symbol("nn.l2_normalize", "math.l2_normalize", "linalg.l2_normalize")
def l2_normalize(
    x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None
) -> torch.Tensor:
    """Return a tensor divided by its Euclidean norm over axes, of the whole tensor if none is given."""
    found = wide(x)
    axes = axes_of(given(axis, dim), found.ndim, "tf.nn.l2_normalize")
    return narrow_again(found * maximum((found * found).sum(axes, True), epsilon).rsqrt(), x)


@symbol("trace", "linalg.trace")
def trace(x: Any, name: str | None = None) -> torch.Tensor:
    """Return the sum of the diagonals of the matrices in the last two axes."""
    return as_tensor(x).diagonal(dim1=-2, dim2=-1).sum(-1)


@symbol("diag", "linalg.diag", "matrix_diag")
def diag(diagonal: Any, name: str | None = None) -> torch.Tensor:
    """Return matrices with the given diagonals."""
    return torch.diag_embed(as_tensor(diagonal))


@symbol("diag_part", "linalg.diag_part", "matrix_diag_part")
def diag_part(input: Any, name: str | None = None) -> torch.Tensor:
    """Return the diagonals of the matrices in the last two axes."""
    return as_tensor(input).diagonal(dim1=-2, dim2=-1)


@symbol("linalg.inv", "matrix_inverse")
def inverse(input: Any, adjoint: bool = False, name: str | None = None) -> torch.Tensor:
    """Return the inverse matrices."""
    return torch.linalg.inv(as_tensor(input))


@symbol("linalg.det", "matrix_determinant")
def determinant(input: Any, name: str | None = None) -> torch.Tensor:
    """Return the determinants."""
    return torch.linalg.det(as_tensor(input))


@symbol("linalg.cross", "cross")
def cross(a: Any, b: Any, name: str | None = None) -> torch.Tensor:
    """Return the vector products along the last axis."""
    return torch.linalg.cross(*tensors(a, b))


class TopK(NamedTuple):
    """The largest values and where they are."""

    values: torch.Tensor
    indices: torch.Tensor


@symbol("nn.top_k", "math.top_k")
def top_k(input: Any, k: Any = 1, sorted: bool = True, name: str | None = None) -> TopK:
    """Return the ``k`` largest values along the last axis, of equal ones the first.

    Raises:
        ClaraError: there are not that many.
    """
    tensor, count = as_tensor(input), sizes(k)[0]
    if tensor.ndim == 0 or tensor.shape[-1] < count:
        raise refusal(f"tf.nn.top_k: there are no {count} values along the last axis of {list(tensor.shape)}")
    values, indices = torch.sort(tensor, dim=-1, descending=True, stable=True)
    return TopK(values[..., :count], indices[..., :count].int())


@symbol("nn.in_top_k", "math.in_top_k")
def in_top_k(predictions: Any, targets: Any, k: Any, name: str | None = None) -> torch.Tensor:
    """Return whether less than ``k`` predictions are larger than that of the target; (N, classes) and (N)."""
    given_scores = as_tensor(predictions)
    wanted = as_tensor(targets).to(given_scores.device, torch.int64)
    inside = (wanted >= 0) & (wanted < given_scores.shape[-1])
    score = given_scores.gather(-1, wanted.clamp(0, given_scores.shape[-1] - 1).unsqueeze(-1))
    return ((given_scores > score).sum(-1) < sizes(k)[0]) & inside & score.squeeze(-1).isfinite()


@symbol("sort")
def tf_sort(values: Any, axis: Any = -1, direction: str = "ASCENDING", name: str | None = None) -> torch.Tensor:
    """Return the values along an axis in order."""
    tensor = as_tensor(values)
    at = axis_of(axis, tensor.ndim, "tf.sort")
    return torch.sort(tensor, dim=at, descending=_descending(direction), stable=True).values


@symbol("argsort")
def argsort(
    values: Any, axis: Any = -1, direction: str = "ASCENDING", stable: bool = False, name: str | None = None
) -> torch.Tensor:
    """Return the indices that put the values along an axis in order."""
    tensor = as_tensor(values)
    at = axis_of(axis, tensor.ndim, "tf.argsort")
    return torch.sort(tensor, dim=at, descending=_descending(direction), stable=True).indices.int()


def _descending(direction: str) -> bool:
    if direction not in ("ASCENDING", "DESCENDING"):
        raise refusal(f"direction is '{direction}', expected ASCENDING or DESCENDING")
    return direction == "DESCENDING"


@symbol("confusion_matrix", "math.confusion_matrix")
def confusion_matrix(
    labels: Any,
    predictions: Any,
    num_classes: Any = None,
    dtype: Any = "int32",
    name: str | None = None,
    weights: Any = None,
) -> torch.Tensor:
    """Return how often each label (row) met each prediction (column), or the sums of the weights."""
    rows, columns = (as_tensor(one).reshape(-1).long() for one in (labels, predictions))
    count = int(max(int(rows.max()), int(columns.max())) + 1) if num_classes is None else sizes(num_classes)[0]
    values = torch.ones_like(rows) if weights is None else as_tensor(weights).reshape(-1)
    matrix = torch.zeros(count, count, dtype=values.dtype, device=rows.device)
    return matrix.index_put((rows, columns), values, accumulate=True).to(torch_dtype(dtype))


def _segments(reduce: str) -> Any:
    def segment(data: Any, segment_ids: Any, num_segments: Any = None, name: str | None = None) -> torch.Tensor:
        values = as_tensor(data)
        which = as_tensor(segment_ids).to(values.device, torch.int64).reshape(-1)
        flat = values.reshape(which.numel(), *values.shape[as_tensor(segment_ids).ndim :])
        count = int(which.max()) + 1 if num_segments is None else sizes(num_segments)[0]
        kept = ((which >= 0) & (which < count)).to(flat.dtype)
        which = which.clamp(0, max(count - 1, 0))
        flat = flat * kept.reshape([-1] + [1] * (flat.ndim - 1))
        result = torch.zeros(count, *flat.shape[1:], dtype=values.dtype, device=values.device).index_add(0, which, flat)
        if reduce == "sum":
            return result
        counts = torch.zeros(count, dtype=flat.dtype, device=values.device).index_add(0, which, kept)
        return result / counts.clamp(min=1).reshape([-1] + [1] * (result.ndim - 1))

    return segment


register(_segments("sum"), "segment_sum", "unsorted_segment_sum", "math.segment_sum", "math.unsorted_segment_sum")
register(_segments("mean"), "segment_mean", "unsorted_segment_mean", "math.segment_mean", "math.unsorted_segment_mean")
