"""One MMAR that every case is written into, and what is done with a case."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from clara_compat.config.evaluate_workflow import EvaluateWorkflow
from clara_compat.config.log_config import read_log_config
from clara_compat.errors import ClaraError
from clara_compat.run.check import CheckReport, check
from clara_compat.run.migrate import migrate
from clara_compat.run.train import train
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.train import translate_train
from tests.fuzz.grammar import Grammar
from tests.fuzz.mutation import mutated, scrambled
from tests.fuzz.oracle import assert_bundle, assert_catalogued, assert_notice, watched

__all__ = ["Case", "Mmar", "check_log_config", "drawn_case", "logging_case", "mutated_case", "tame_case"]

_CONFIG = "config/config_train.json"
_MINE = """
from torch import nn
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer

open("canary", "w").close()


class Mine(MultiFieldTransformer):
    def __init__(self, fields, size=None):
        MultiFieldTransformer.__init__(self, fields)

    def transform(self, transform_ctx):
        return transform_ctx


class Network(nn.Module):
    def __init__(self, in_channels=1, out_channels=2):
        super().__init__()
        self.only = nn.Conv3d(in_channels, out_channels, 1)

    def forward(self, x):
        return self.only(x)
"""


@dataclass
class Case:
    """What a stranger hands over.

    Args:
        files: contents by their places in the MMAR.
        sets: what stands behind ``--set``.
        data: whether the data are looked at, too.
    """

    files: dict[str, bytes]
    sets: list[str] = field(default_factory=list)
    data: bool = False

    @classmethod
    def of(cls, documents: Mapping[str, Any], sets: list[str], *, data: bool) -> Case:
        """Return a case of documents that become JSON."""
        files = {place: written(document) for place, document in documents.items()}
        return cls(files, sets, data)


def written(document: Any) -> bytes:
    """Return a document as JSON, or a text or bytes as they are."""
    if isinstance(document, bytes):
        return document
    text = document if isinstance(document, str) else json.dumps(document)
    return text.encode("utf-8", "surrogatepass")


class Mmar:
    """A folder with an MMAR whose files are a case's.

    Args:
        folder: everything is below it.
        scans: a folder of small scans with their ``dataset.json``.
    """

    def __init__(self, folder: Path, scans: Path) -> None:
        self.folder = folder
        self.root = folder / "mmar"
        self.environment = {
            "DATA_ROOT": str(scans),
            "DATASET_JSON": str(scans / "dataset.json"),
            "PROCESSING_TASK": "segmentation",
            "MMAR_CKPT_DIR": "models",
        }
        self.data_list = json.loads((scans / "dataset.json").read_text())
        for name in ("config", "custom", "resources"):
            (self.root / name).mkdir(parents=True)
        (self.root / "custom/mine.py").write_text(_MINE)
        (self.root / "custom/broken.py").write_text("class Broken(:\n")
        self._usual = json.dumps(self.environment).encode()

    @contextmanager
    def holding(self, case: Case) -> Iterator[Path]:
        """Give the config's path while the MMAR holds a case."""
        files = {"config/environment.json": self._usual, **case.files}
        for place, content in files.items():
            (self.root / place).write_bytes(content)
        before = Path.cwd()
        os.chdir(self.folder)  # what a stranger's code would make is made here
        try:
            yield self.root / _CONFIG
        finally:
            os.chdir(before)
            for place in files:
                (self.root / place).unlink(missing_ok=True)

    def run(self, case: Case, *, translate: bool = True) -> CheckReport:
        """Check a case, and translate it once more where there is nothing to mend.

        Raises:
            AssertionError: the outcome is neither a success nor an error that the user can mend.
        """
        with self.holding(case) as config:
            with watched(self.folder, self.root):
                report = check(config, self.root, overrides=case.sets, data=case.data)
                plain = json.dumps(report.as_json())
            assert len(plain) < 2_000_000
            for error in [*report.errors, *report.limits]:
                assert_catalogued(error)
            for notice in [*report.notices, *report.code]:
                assert_notice(notice)
            workflow = report.workflow
            if translate and report.passed and workflow is not None and not report.limits:
                if isinstance(workflow, EvaluateWorkflow):
                    assert report.bundle is not None
                    assert_bundle(report.bundle.config)
                else:
                    with watched(self.folder, self.root):
                        bundle = translate_train(workflow, Seeds(1, 2, 3, 4), self.folder / "models")
                    assert_bundle(bundle.config)
            self._untouched()
        return report

    def migrate(self, case: Case, *, native: bool) -> bool:
        """Write a case as a bundle and return whether that went well.

        Raises:
            AssertionError: as :meth:`run`; a failed migration left something.
        """
        out = self.folder / "bundle"
        with self.holding(case):
            error: ClaraError | None = None
            with watched(self.folder, self.root, limit=20):
                try:
                    result = migrate(out, self.root, [_CONFIG], overrides=case.sets, native=native)
                except ClaraError as caught:
                    error = caught
            if error is not None:
                assert_catalogued(error)
                assert not out.exists()
            else:
                for notice in result.notices:
                    assert_notice(notice)
                for config in result.configs.values():
                    assert_bundle(config)
                shutil.rmtree(out)
            self._untouched()
        return error is None

    def train(self, case: Case) -> str:
        """Train a case and return how that ended, or why it is not tried; code of the config is run.

        Raises:
            AssertionError: as :meth:`run`.
        """
        with self.holding(case) as config:
            report = check(config, self.root, overrides=case.sets, data=True)
            if not report.passed or report.limits:
                return "refused"
            out = self.root / "models"
            error: ClaraError | None = None
            with watched(self.folder, limit=120):
                try:
                    train(self.root, _CONFIG, overrides=case.sets)
                except ClaraError as caught:
                    error = caught
            shutil.rmtree(out, ignore_errors=True)
        if error is not None:
            assert_catalogued(error)
        return "trained" if error is None else "ended"

    def _untouched(self) -> None:
        assert sorted(entry.name for entry in self.folder.iterdir()) == ["mmar"]
        assert sorted(entry.name for entry in self.root.iterdir()) == ["config", "custom", "resources"]


def drawn_case(mmar: Mmar, draw: Random) -> Case:
    """Return a case of the grammar."""
    grammar = Grammar(draw, draw.choice([0, 0.01, 0.03]))
    config = grammar.evaluation() if draw.random() < 0.25 else grammar.training()
    documents: dict[str, Any] = {_CONFIG: config, "config/environment.json": grammar.environment(mmar.environment)}
    data = draw.random() < 0.4
    sets = grammar.sets()
    if data and draw.random() < 0.5:
        documents["config/dataset.json"] = grammar.data_list(mmar.data_list)
        documents["config/environment.json"]["DATASET_JSON"] = str(mmar.root / "config/dataset.json")
    return Case.of(documents, sets, data=data)


def tame_case(mmar: Mmar, draw: Random) -> Case:
    """Return a case of the grammar in which nothing is meant to be wrong."""
    documents = {_CONFIG: Grammar(draw, 0).training(), "config/environment.json": mmar.environment}
    return Case.of(documents, ["epochs=1"], data=True)


def mutated_case(mmar: Mmar, seeds: list[bytes], draw: Random) -> Case:
    """Return a case of a config that exists, changed."""
    files = {_CONFIG: mutated(draw.choice(seeds), draw)}
    if draw.random() < 0.15:
        files["config/environment.json"] = mutated(json.dumps(mmar.environment, indent=1).encode(), draw)
    data = draw.random() < 0.4
    if data and draw.random() < 0.3:
        place = mmar.root / "config/dataset.json"
        files["config/environment.json"] = json.dumps({**mmar.environment, "DATASET_JSON": str(place)}).encode()
        files["config/dataset.json"] = mutated(json.dumps(mmar.data_list, indent=1).encode(), draw)
    sets = Grammar(draw).sets() if draw.random() < 0.2 else []
    return Case(files, sets, data)


def logging_case(usual: str, draw: Random) -> bytes:
    """Return a logging configuration of the grammar, or a changed one."""
    if draw.random() < 0.5:
        return written(Grammar(draw).log_config(usual))
    return scrambled(usual.encode(), draw)


def check_log_config(folder: Path, content: bytes) -> bool:
    """Read a logging configuration and return whether that went well.

    Raises:
        AssertionError: as :meth:`Mmar.run`.
    """
    file = folder / "log.config"
    file.write_bytes(content)
    error: ClaraError | None = None
    with watched(folder, folder):
        try:
            json.dumps(read_log_config(file, folder))
        except ClaraError as caught:
            error = caught
    if error is not None:
        assert_catalogued(error)
    return error is None
