"""Run an entry as it is and in plain MONAI, the way ``monai.bundle`` makes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.data.utils import to_affine_nd
from monai.transforms import Compose

from clara_compat.components.entry import Entry
from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.native import Native
from clara_compat.translate.native.transforms import native_transform
from clara_compat.translate.native.writing import names_package
from clara_compat.translate.render import render


class Pair(NamedTuple):
    """An entry as it is, what it became, and that as a chain."""

    exact: Compose
    native: Native
    plain: Compose


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def chain() -> Callable[..., Compose]:
    """Make a chain from JSON."""

    def make(entries: Sequence[Mapping[str, Any]], imports: Sequence[str] = (), seed: int = 0) -> Compose:
        config = {"imports": [f"${one}" for one in imports], "chain": list(entries)}
        parser = ConfigParser(json.loads(json.dumps(config)))
        return Compose(parser.get_parsed_content("chain")).set_random_state(seed)

    return make


@pytest.fixture(scope="session")
def plain(chain: Callable[..., Compose]) -> Callable[..., Compose]:
    """Make a chain of what entries became, in which this package is not named."""

    def make(natives: Sequence[Native], seed: int = 0) -> Compose:
        entries = [entry for native in natives for entry in native.entries]
        imports = [one for native in natives for one in native.imports]
        assert not names_package([entries, imports])
        return chain(entries, imports, seed)

    return make


@pytest.fixture(scope="session")
def pair(chain: Callable[..., Compose], plain: Callable[..., Compose]) -> Callable[..., Pair]:
    """Make an entry of this package, given by target and arguments, both ways."""

    def make(target: str, rank: int = 3, seed: int = 0, **arguments: Any) -> Pair:
        entry = render(Entry(f"clara_compat.engine.transforms.{target}", **arguments))
        native = native_transform(entry, NativeContext(spatial_dims=rank))
        return Pair(chain([entry], seed=seed), native, plain([native], seed))

    return make


@pytest.fixture(scope="session")
def close() -> Callable[[Any, Any], None]:
    """Check for values within 1e-5 of their range, and the same place in space."""

    def check(one: Any, other: Any) -> None:
        if not isinstance(one, torch.Tensor):
            assert one == other
            return
        assert one.dtype == other.dtype
        expected = other.as_tensor().numpy() if isinstance(other, MetaTensor) else other.numpy()
        scale = max(1.0, float(np.ptp(expected)))
        np.testing.assert_allclose(torch.as_tensor(one).numpy(), expected, rtol=0, atol=1e-5 * scale)
        if isinstance(one, MetaTensor) and isinstance(other, MetaTensor):
            rank = one.ndim - 1
            np.testing.assert_allclose(to_affine_nd(rank, one.affine), to_affine_nd(rank, other.affine), atol=1e-4)

    return check
