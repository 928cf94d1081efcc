"""What tells the beginning of a chain of transforms from every other one."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

from clara_compat.common.blame import own_name
from clara_compat.engine.data.describe import Describer, IndescribableError

__all__ = ["ChainIdentity"]

_PACKAGES = {"clara_compat": "clara-compat", "monai": "monai", "torch": "torch"}
"""What every chain is made of; these are told by their versions, also where they are worked on."""
_INSTALLED = frozenset({"site-packages", "dist-packages"})


class ChainIdentity:
    """Describes the transforms of a chain as they are now: before they run, which may change them.

    Args:
        transforms: from the first one on.
    """

    def __init__(self, transforms: Sequence[Any]) -> None:
        self._described: list[tuple[str, set[str]]] = []
        self._refusal: IndescribableError | None = None
        for transform in transforms:
            describer = Describer()
            try:
                self._described.append((describer.describe(transform), describer.modules))
            except IndescribableError as error:
                self._refusal = IndescribableError(f"{getattr(transform, 'name', type(transform).__name__)}: {error}")
                break

    def key(self, length: int) -> str:
        """Return a digest of the first ``length`` transforms: of their arguments, and of the code they run.

        Code is that of Python, of installed packages (their versions), and of everybody else (every Python file below
        the folder that it was imported from, as any of them may have a part in what a class does).

        Raises:
            IndescribableError: one of them cannot be described.
        """
        if length > len(self._described) and self._refusal is not None:
            raise self._refusal
        described = self._described[:length]
        digest = hashlib.blake2b(digest_size=16)
        for text in [*_code(set().union(*(modules for _, modules in described))), *(text for text, _ in described)]:
            digest.update(hashlib.blake2b(text.encode(errors="surrogatepass")).digest())
        return digest.hexdigest()


def _code(modules: Iterable[str]) -> list[str]:
    """Return what says which code the modules have."""
    packages, roots = set(_PACKAGES), set()
    for module in modules:
        top = module.partition(".")[0]
        if top in sys.stdlib_module_names or top in _PACKAGES:
            continue
        file = Path(getattr(sys.modules.get(module), "__file__", None) or "")
        if _INSTALLED.intersection(file.parts):
            packages.add(top)
        elif file.is_file():
            depth = own_name(module).count(".") + (file.name == "__init__.py")
            roots.add(file.resolve().parents[depth])
        else:
            raise IndescribableError(f"the code of {own_name(module)} is in no file")
    found = [f"python {sys.version_info[:2]}", *(f"{name} {_versions(name)}" for name in sorted(packages))]
    return [*found, *sorted(_files(root) for root in roots)]


def _versions(package: str) -> str:
    """Return the version of an installed package; of several, where they share its folder."""
    try:
        return version(_PACKAGES.get(package, package))
    except PackageNotFoundError:
        return " ".join(version(name) for name in sorted(set(packages_distributions().get(package, []))))


def _files(root: Path) -> str:
    """Return a digest of the Python files below a folder, and of their places in it."""
    digest = hashlib.blake2b()
    for file in _python_files(root):
        with suppress(OSError):  # a dangling link, a file of somebody else's: nothing that could be imported
            content = hashlib.blake2b(file.read_bytes()).hexdigest()
            digest.update(f"{file.relative_to(root)} {content}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _python_files(root: Path) -> Iterator[Path]:
    for folder, names, here in os.walk(root):
        names[:] = sorted(
            name for name in names if not name.startswith((".", "__pycache__")) and name not in _INSTALLED
        )
        found = (Path(folder, name) for name in sorted(here) if name.endswith(".py") and not name.startswith("."))
        yield from (file for file in found if file.is_file())
