"""How many cases, from which seed, and where a case that fails is kept.

``FUZZ_CASES`` is the number of cases of all tests together (by default 10,000 and a few), ``FUZZ_SEED`` the seed of
the draws, ``FUZZ_KEEP`` a folder for the inputs that fail.
"""

from __future__ import annotations

import os
import pickle
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import hypothesis
import pytest

from tests.fuzz.cases import Case, Mmar
from tests.fuzz.oracle import TooLongError

SEED = int(os.environ.get("FUZZ_SEED", "0"))
USUAL = 10_000
SHARE = int(os.environ.get("FUZZ_CASES", USUAL)) / USUAL
MOST_FAILURES = 10

hypothesis.settings.register_profile("fuzz", derandomize=SEED == 0, print_blob=True)


@pytest.fixture(scope="session")
def mmar(tmp_path_factory: pytest.TempPathFactory, small_scans: Path) -> Mmar:
    return Mmar(tmp_path_factory.mktemp("fuzz"), small_scans)


@pytest.fixture(scope="session")
def seeds() -> list[bytes]:
    """Configs that run: those that ship with the project and, where they are here, the published ones."""
    repository = Path(__file__).parents[2]
    named = os.environ.get("CLARA_EXAMPLES")
    examples = Path(named) if named else repository.parent / "shared/data/clara-train-examples"
    files = [*sorted((repository / "configs").glob("*/config/config_*.json"))]
    if SEED:  # the cases of the usual run are the same on every machine
        files += sorted(file for file in examples.rglob("config*/*.json") if b"pre_transforms" in file.read_bytes())
    return [file.read_bytes() for file in files]


Each = Callable[[Random], Any]


@pytest.fixture
def every(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Run a function on many generators, and fail with the first few that it fails on.

    Each outcome that is wanted comes at least once: cases that all end alike would test nothing.
    """

    def run(usual: int, each: Each, *outcomes_wanted: str, part: int = 0) -> None:
        count = max(1, round(usual * SHARE))
        outcomes: Counter[str] = Counter()
        failed: list[str] = []
        for number in range(count):
            seed = f"{SEED}-{request.node.originalname}-{part}-{number}"
            try:
                outcomes[str(each(Random(seed)))] += 1
            except (Exception, TooLongError) as error:  # noqa: BLE001 -- whatever it is, it is what is looked for
                failed.append(f"{seed}: {type(error).__name__}: {str(error)[:1000]}\n{_where(error)}")
                if len(failed) >= MOST_FAILURES:
                    break
        if failed:
            pytest.fail(f"{len(failed)} of {count} cases:\n" + "\n".join(failed))
        assert count < usual or all(outcomes[one] for one in outcomes_wanted), outcomes

    return run


@pytest.fixture(scope="session")
def kept() -> Callable[[Case | bytes, Callable[[], Any]], Any]:
    """Run something; where it fails, write what it was given to ``FUZZ_KEEP``."""
    folder = os.environ.get("FUZZ_KEEP")

    def run(given: Case | bytes, what: Callable[[], Any]) -> Any:
        try:
            return what()
        except BaseException:
            if folder is not None:
                Path(folder).mkdir(parents=True, exist_ok=True)
                number = len(list(Path(folder).iterdir()))
                (Path(folder) / f"{number:04}.pickle").write_bytes(pickle.dumps(given))
            raise

    return run


def _where(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "clara_compat" in frame.filename]
    return "".join(traceback.format_list(frames[-3:]))


@pytest.fixture(autouse=True)
def _nothing_is_left(mmar: Mmar) -> Iterator[None]:
    yield
    assert sorted(entry.name for entry in mmar.folder.iterdir()) == ["mmar"]
