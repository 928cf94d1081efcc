"""What a chain's beginning is known by on disk: its transforms, their versions and the user's code among them."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
from monai.transforms import Lambdad, NormalizeIntensityd, ScaleIntensityd, Transform

from clara_compat.engine.data import chain_identity
from clara_compat.engine.data.chain_identity import ChainIdentity
from clara_compat.engine.data.describe import IndescribableError
from clara_compat.engine.legacy.transform import legacy_transform
from clara_compat.tensorflow.loader import component, use

Key = Callable[..., str]


def key(*transforms: Any) -> str:
    return ChainIdentity(transforms).key(len(transforms))


def test_every_transform_and_their_order_count() -> None:
    scale, normal = ScaleIntensityd("image"), NormalizeIntensityd("image")
    chains = [(), (scale,), (normal,), (scale, normal), (normal, scale), (scale, scale), (ScaleIntensityd("label"),)]
    assert len({key(*chain) for chain in chains}) == len(chains)
    both = ChainIdentity([scale, normal])
    assert [both.key(length) for length in range(3)] == [key(), key(scale), key(scale, normal)]
    assert key(ScaleIntensityd("image")) == key(scale)


def test_what_lies_beside_a_package_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package may import what lies beside it, as a module may."""
    (tmp_path / "own_package").mkdir()
    (tmp_path / "own_package/__init__.py").write_text("def same(x):\n    return x\n")
    (tmp_path / "beside.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("own_package")
    chain = Lambdad("image", module.same)
    before = key(chain)
    (tmp_path / "beside.py").write_text("x = 2\n")
    assert key(chain) != before
    monkeypatch.delitem(sys.modules, "own_package")


class Counts(Transform):
    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, data: Any) -> Any:
        return data


def test_what_they_are_before_they_run_counts() -> None:
    one = Counts()
    identity, before = ChainIdentity([one]), key(one)
    one.seen = 3
    assert identity.key(1) == before != key(one)


@pytest.mark.parametrize("package", ["clara-compat", "monai", "torch", "scipy"])
def test_versions_count(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.ndimage import gaussian_filter

    chain = Lambdad("image", gaussian_filter)
    before, version = key(chain), chain_identity.version
    assert key(chain) == before
    monkeypatch.setattr(chain_identity, "version", lambda name: "0.0" if name == package else version(name))
    assert key(chain) != before


def test_a_package_of_another_name_than_its_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL.ImageOps import invert

    assert chain_identity._versions("PIL") == chain_identity.version("pillow")
    before, version = key(Lambdad("image", invert)), chain_identity.version
    monkeypatch.setattr(chain_identity, "version", lambda name: "0.0" if name == "pillow" else version(name))
    assert key(Lambdad("image", invert)) != before


MINE = dedent("""
    from helpers.base import Base

    class Mine(Base):
        def __init__(self, size=1):
            self.size = size

        def transform(self, transform_ctx):
            return transform_ctx
""")


@pytest.fixture
def users(tmp_path: Path) -> Iterator[Key]:
    """Return the key of a chain that ends with a user's transform, the files written and read anew each time."""

    def made(args: dict[str, Any] | None = None, place: str = "code", **files: str) -> str:
        folder = tmp_path / place
        for name, text in {"mine": MINE, "helpers__base": "class Base: pass", **files}.items():
            path = folder / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        use([str(folder)])
        return key(ScaleIntensityd("image"), legacy_transform(component("mine.Mine", args)))

    yield made
    use([])


def test_the_users_code_counts(users: Key, tmp_path: Path) -> None:
    first = users()
    assert users() == first
    keys = [
        first,
        users({"size": 2}),
        users(mine=MINE + "# "),
        users(helpers__base="class Base: limit = 2"),
        users(helpers__other="VALUE = 1"),
    ]
    assert len(set(keys)) == 5
    before = users()
    (tmp_path / "code/notes.txt").write_text("")
    (tmp_path / "code/gone.py").symlink_to(tmp_path / "nowhere")
    (tmp_path / "code/.hidden").mkdir()
    (tmp_path / "code/.hidden/mine.py").write_text("")
    (tmp_path / "code/venv/lib/site-packages").mkdir(parents=True)
    (tmp_path / "code/venv/lib/site-packages/other.py").write_text("")
    assert users() == before
    assert key(ScaleIntensityd("image")) != before


def test_a_copy_elsewhere_is_the_same_code(users: Key) -> None:
    """A bundle may be moved, and the code of a MMAR is copied into it."""
    assert users() == users(place="elsewhere")


def test_the_base_class_may_come_from_another_folder(tmp_path: Path) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    for root, text in zip(roots, (MINE, "class Base: pass"), strict=True):
        (root / "helpers").mkdir(parents=True)
        (root / ("mine.py" if root.name == "one" else "helpers/base.py")).write_text(text)
    (roots[0] / "helpers").rmdir()
    keys = []
    for text in ("class Base: pass", "class Base: limit = 1"):
        (roots[1] / "helpers/base.py").write_text(text)
        use(list(map(str, roots)))
        keys.append(key(legacy_transform(component("mine.Mine"))))
    use([])
    assert keys[0] != keys[1]


@pytest.mark.parametrize("name", ["mytransforms", "scripts.mytransforms", "scripts"])
def test_code_that_python_imports_counts(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner of a bundle may write MONAI transforms of their own beside it."""
    place = tmp_path / name.replace(".", "/")
    file = place / "__init__.py" if name == "scripts" else place.with_suffix(".py")
    file.parent.mkdir(exist_ok=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    keys = []
    for text in ("", "    limit = 2\n"):
        file.write_text(f"class Mine:\n    size = 1\n{text}")
        for loaded in [one for one in sys.modules if one.partition(".")[0] == name.partition(".")[0]]:
            monkeypatch.delitem(sys.modules, loaded)
        module = __import__(name, fromlist=["Mine"])
        keys.append(key(module.Mine()))
        assert key(module.Mine()) == keys[-1]
    assert keys[0] != keys[1]


def test_code_in_no_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook."""
    monkeypatch.delattr(sys.modules[__name__], "__file__")
    with pytest.raises(IndescribableError, match=r"the code of .*test_chain_identity is in no file"):
        key(Counts())


class Locked:
    def __init__(self) -> None:
        self.lock = threading.Lock()

    def transform(self, transform_ctx: Any) -> Any:
        return transform_ctx


def test_what_nobody_can_tell_apart_is_refused() -> None:
    """Only from there on: a chain that is cached in front of it has its key."""
    chain = ChainIdentity([ScaleIntensityd("image"), legacy_transform(Locked()), Lambdad("image", np.abs)])
    assert chain.key(1) == key(ScaleIntensityd("image"))
    for length in (2, 3):
        with pytest.raises(IndescribableError, match=r"^Locked: transform\.lock cannot be described"):
            chain.key(length)
