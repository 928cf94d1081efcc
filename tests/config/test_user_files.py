"""The files that a user's components are made of, and which of them may be copied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clara_compat.config.user_code import UserClass, find_user_class
from clara_compat.config.user_files import files_of, trusted
from clara_compat.config.user_roots import UserRoots
from clara_compat.errors import Address

HEAD = "class Own:\n    def transform(self, transform_ctx):\n        return transform_ctx\n"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(**files: str) -> Path:
        """Write files by their paths, ``__`` for a slash, and return the folder."""
        for name, text in files.items():
            file = tmp_path / f"{name.replace('__', '/')}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path

    return make


def own(path: str, *roots: Path) -> UserClass:
    return find_user_class(path, UserRoots(roots), Address("config.json", 1), lambda _: None)


def found(user: UserClass, *roots: Path) -> list[str]:
    return [below.as_posix() for below in files_of([user], roots)]


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("import numpy, helper\n", ["helper.py"]),
        ("from helper import x\n", ["helper.py"]),
        ("from helper import *\n", ["helper.py"]),
        ("def later():\n    import helper as h\n", ["helper.py"]),
        ("try:\n    import helper\nexcept ImportError:\n    pass\n", ["helper.py"]),
        ("import pkg.inner.deep\n", ["pkg/__init__.py", "pkg/inner/__init__.py", "pkg/inner/deep.py"]),
        ("from pkg.inner import deep\n", ["pkg/__init__.py", "pkg/inner/__init__.py", "pkg/inner/deep.py"]),
        ("import chain\n", ["chain.py", "helper.py"]),
        ("import ring\n", ["ring.py"]),
        ("import broken\n", ["broken.py"]),
        ("import ai4med\nimport clara_compat\nimport nvmidl.apps\nimport dlmed\n", []),
        ("import absent\nfrom absent import helper\n", []),
    ],
)
def test_what_a_file_imports_comes_along(write: Write, text: str, more: list[str]) -> None:
    root = write(
        mine=text + HEAD,
        helper="x = 1\n",
        pkg______init____="",
        chain="import helper\n",
        ring="import ring, mine\n",
        broken="def (:\n",
        unused="",
        pkg__inner__deep="",
        ai4med="",
        clara_compat="",
        dlmed="",
    )
    (root / "pkg/__init__.py").write_text("")
    (root / "pkg/inner/__init__.py").write_text("")
    assert found(own("mine.Own", root), root) == sorted(["mine.py", *more])


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("from . import near\n", ["pack/near.py"]),
        ("from .near import x\n", ["pack/near.py"]),
        ("from .. import far\n", ["far.py"]),
        ("from .....too import x\n", []),
    ],
)
def test_relative_imports_start_from_the_package(write: Write, text: str, more: list[str]) -> None:
    root = write(pack__mine=text + HEAD, pack__near="x = 1\n", far="x = 1\n")
    (root / "pack/__init__.py").write_text("")
    assert found(own("pack.mine.Own", root), root) == sorted(["pack/__init__.py", "pack/mine.py", *more])


def test_the_first_folder_wins(write: Write) -> None:
    root = write(a__helper="first = 1\n", b__helper="second = 1\n", b__mine="import helper\n" + HEAD)
    roots = (root / "a", root / "b")
    files = files_of([own("mine.Own", *roots)], roots)
    assert files == {Path("helper.py"): root / "a/helper.py", Path("mine.py"): root / "b/mine.py"}


def test_what_links_lead_to_elsewhere_is_not_trusted(write: Write) -> None:
    root = write(mmar__mine="import secret, shared, near\n" + HEAD, mmar__deep__near="x = 1\n", lib__shared="x = 1\n")
    (root / "key").write_text("x = 'private'\n")
    (root / "mmar/secret.py").symlink_to(root / "key")
    (root / "mmar/near.py").symlink_to(root / "mmar/deep/near.py")
    roots = (root / "mmar", root / "lib")
    files = files_of([own("mine.Own", *roots)], roots)
    kept, outside = trusted(files, root / "mmar", roots)
    assert [below.name for below in kept] == ["mine.py", "near.py", "shared.py"]
    assert outside == [root / "mmar/secret.py"]


def test_a_folder_of_the_mmar_that_is_a_link_is_not_trusted(write: Write) -> None:
    root = write(elsewhere__mine=HEAD)
    (root / "mmar").mkdir()
    (root / "mmar/custom").symlink_to(root / "elsewhere")
    roots = (root / "mmar/custom",)
    files = files_of([own("mine.Own", *roots)], roots)
    assert trusted(files, root / "mmar", roots) == ({}, [root / "mmar/custom/mine.py"])
    assert trusted(files, root / "mmar", (root / "elsewhere",))[1] == []
