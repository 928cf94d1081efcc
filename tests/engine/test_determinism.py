"""A bundle whose config has nothing for several processes, under a launcher."""

from __future__ import annotations

import pytest

from clara_compat.engine.determinism import seed_run
from clara_compat.errors import ClaraError

_TORCH = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "localhost"}


def test_each_would_do_the_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**_TORCH, "MASTER_PORT": "29500"}.items():
        monkeypatch.setenv(name, value)
    told = (
        "torchrun started 2 processes, but the config was written without multi_gpu.*migrate with --set multi_gpu=true"
    )
    with pytest.raises(ClaraError, match=told):
        seed_run(1, 1, 1, deterministic=False)
