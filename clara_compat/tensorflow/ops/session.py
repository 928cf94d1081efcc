"""Sessions, graphs and initialisers, which user code makes out of habit: here everything is computed at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from clara_compat.tensorflow.graph import current, running
from clara_compat.tensorflow.operands import ATTRIBUTES
from clara_compat.tensorflow.place import refusal
from clara_compat.tensorflow.registry import register, symbol

__all__ = ["Session"]

_INERT = "Accepted and without effect."


class _Options:
    """Options of a session: any attribute can be read and set, none means anything."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.__dict__.update(kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.__dict__[name] = found = _Options()
        return found


for _name in ("ConfigProto", "GPUOptions", "OptimizerOptions", "GraphOptions", "RunOptions", "RunMetadata"):
    register(type(_name, (_Options,), {"__doc__": "Options without effect."}), _name, note=_INERT)


def _values(fetches: Any) -> Any:
    if isinstance(fetches, torch.Tensor):
        return ATTRIBUTES["numpy"](fetches)()
    if isinstance(fetches, list | tuple):
        return type(fetches)(_values(one) for one in fetches)
    if isinstance(fetches, dict):
        return {key: _values(one) for key, one in fetches.items()}
    return fetches


@symbol("Session", note="Gives the values of tensors, which are known already; nothing can be fed.")
class Session:
    """Gives the values of tensors.

    Args:
        target: ignored.
        graph: ignored.
        config: ignored.
    """

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        self.graph = graph

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Return the values of tensors as numpy arrays, in the structure they are given.

        Raises:
            ClaraError: something shall be fed.
        """
        if feed_dict:
            raise refusal("Session.run(feed_dict=...) cannot feed anything: tensors have their values already")
        return _values(fetches)

    def as_default(self) -> Session:
        """Return the session."""
        return self

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> Session:  # noqa: PYI034 -- Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


register(type("InteractiveSession", (Session,), {"__doc__": Session.__doc__}), "InteractiveSession")
_session = Session()


@symbol("get_default_session", "keras.backend.get_session")
def get_session(op_input_list: Any = ()) -> Session:
    """Return the session."""
    return _session


@symbol("keras.backend.set_session", "keras.backend.clear_session", "reset_default_graph", note=_INERT)
def forget(session: Any = None) -> None:
    """Do nothing."""


class _GraphOfTensorFlow:
    """The default graph, as far as user code looks into it."""

    def get_collection(self, name: str, scope: str | None = None) -> list[Any]:
        """Return what is in a collection."""
        from clara_compat.tensorflow.scopes import get_collection

        return get_collection(name, scope)

    def add_to_collection(self, name: str, value: Any) -> None:
        """Put a value into a collection."""
        current("a collection").collect(name, value)

    def get_name_scope(self) -> str:
        """Return the current name scope."""
        graph = running()
        return "" if graph is None else graph.name_scope

    @contextmanager
    def as_default(self) -> Iterator[Any]:
        """Do nothing."""
        yield self

    @contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Open a name scope."""
        with current("a name scope").named(name) as full:
            yield full

    @contextmanager
    def device(self, name: Any) -> Iterator[None]:
        """Do nothing."""
        yield

    def finalize(self) -> None:
        """Do nothing."""


register(_GraphOfTensorFlow, "Graph", note=_INERT)
_graph = _GraphOfTensorFlow()


@symbol("get_default_graph", "keras.backend.get_graph")
def get_default_graph() -> Any:
    """Return the graph."""
    return _graph


@symbol(
    "global_variables_initializer",
    "local_variables_initializer",
    "tables_initializer",
    "initialize_all_variables",
    "variables_initializer",
    note=_INERT,
)
def initializer(*args: Any, **kwargs: Any) -> None:
    """Return nothing: variables have their values."""


@symbol(
    "enable_eager_execution", "disable_eager_execution", "disable_v2_behavior", "enable_resource_variables", note=_INERT
)
def ignored(*args: Any, **kwargs: Any) -> None:
    """Do nothing."""


@symbol("executing_eagerly")
def executing_eagerly() -> bool:
    """Return False, as TensorFlow 1 does in a graph."""
    return False


@symbol("test.is_gpu_available", "test.is_built_with_cuda")
def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether there is an accelerator."""
    return torch.cuda.is_available()


@symbol("test.gpu_device_name")
def gpu_device_name() -> str:
    """Return the name of the first accelerator, or an empty string."""
    return "/device:GPU:0" if torch.cuda.is_available() else ""


register("1.15.0", "__version__", "VERSION", "version.VERSION")


class _Nothing:
    """Something that is made and then told things, which nobody needs here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take whatever is given."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return ignored

    def __enter__(self) -> _Nothing:  # noqa: PYI034 -- Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""


for _name in ("summary.FileWriter", "train.Saver", "train.SummaryWriter", "train.Coordinator"):
    register(type(_name.rpartition(".")[2], (_Nothing,), {"__doc__": "Does nothing."}), _name, note=_INERT)
for _name in ("scalar", "image", "histogram", "audio", "text", "tensor_summary", "merge", "merge_all"):
    register(ignored, f"summary.{_name}", note=_INERT)
