"""Helpers of the linter's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from clara_compat.lint.findings import FileReport
from clara_compat.lint.linter import lint
from clara_compat.lint.table import Provided, Table
from clara_compat.tensorflow.namespace import canonical

Lint = Callable[..., FileReport]


def softmax(logits, axis=None, name=None, dim=None):
    raise AssertionError("the linter calls nothing")


class Conv3D:
    def __init__(self, filters, kernel_size, **rest):
        raise AssertionError("the linter makes nothing")


PROVIDED = {
    "tensorflow.nn.softmax": Provided(softmax),
    "tensorflow.float32": Provided("float32"),
    "tensorflow.GraphKeys": Provided(object()),
    "tensorflow.concat": Provided(),
    "tensorflow.reduce_mean": Provided(),
    "tensorflow.shape": Provided(None, "gives a numpy array."),
    "tensorflow.get_variable": Provided(),
    "tensorflow.Variable": Provided(),
    "tensorflow.Session": Provided(object()),
    "tensorflow.layers.conv3d": Provided(),
    "tensorflow.layers.dense": Provided(),
    "tensorflow.contrib.slim.conv3d": Provided(),
    "tensorflow.keras.layers.Conv3D": Provided(Conv3D),
    "tensorflow.keras.layers.Layer": Provided(),
    "tensorflow.keras.layers.Concatenate": Provided(),
    "tensorflow.keras.layers.BatchNormalization": Provided(),
    "tensorflow.keras.backend.mean": Provided(),
    "tensorflow.keras.backend.get_session": Provided(),
    "ai4med.operations.dropout.spatial_dropout": Provided(),
}


@pytest.fixture(scope="session")
def table() -> Table:
    return Table(PROVIDED, canonical)


@pytest.fixture
def lint_text(tmp_path: Path, table: Table) -> Lint:
    """Lint a text as one file against a small table."""

    def run(text: str, name: str = "mine.py") -> FileReport:
        (tmp_path / name).write_text(dedent(text))
        return lint([tmp_path / name], table).files[0]

    return run
