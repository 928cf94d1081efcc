"""Runs that follow each other in one process, such as a notebook's, leave each other the memory and the processors."""

from __future__ import annotations

import multiprocessing
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from clara_compat import train
from clara_compat.errors import ClaraError

WORKERS = {
    "epochs": 2,
    "train.image_pipeline.args.num_workers": 2,
    "validate.image_pipeline.args.num_workers": 2,
    "cache_gb": 0,
}


def test_a_result_holds_no_worker_processes(small_mmar: Callable[..., Path]) -> None:
    result = train(small_mmar(), overrides=WORKERS)
    assert not multiprocessing.active_children()
    loader = result.parser.get_parsed_content("train#dataloader")
    assert len(list(loader)) == len(loader)
    assert multiprocessing.active_children()  # it starts others, and keeps them
    loader.stop_workers()


def test_a_failed_run_holds_none(small_mmar: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    mmar = small_mmar()

    def fail(*_: object, **__: object) -> None:
        assert multiprocessing.active_children()
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr("torch.optim.Adam.step", fail)
    with pytest.raises(ClaraError, match="memory"):
        train(mmar, overrides=WORKERS)
    assert not multiprocessing.active_children()


def test_the_next_run_frees_what_nobody_holds(small_mmar: Callable[..., Path]) -> None:
    mmar = small_mmar()
    result = train(mmar, overrides=WORKERS)
    held = weakref.ref(result.network), weakref.ref(result.parser.get_parsed_content("train#dataset"))
    del result
    train(mmar, overrides=WORKERS)
    assert [one() for one in held] == [None, None]
