"""Finding the user's own class without importing it.

Configs come from strangers: the source is only parsed (``ast``), and only files on PYTHONPATH or below the MMAR count.
Where user code lies: clara-3.1 facts, section 1.1.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clara_compat.config.user_roots import UserRoots
from clara_compat.config.user_source import Source, UserArgument, read_source
from clara_compat.errors import Address, ClaraError, nearest

__all__ = [
    "ModuleNotFound",
    "UserArgument",
    "UserClass",
    "find_user_class",
    "uses_tensorflow",
]

_PART = re.compile(r"[^\W\d][\w-]*")
_LONGEST = 250
"""Characters of a path; file systems take no longer name of a file."""
_MAX_DEPTH = 4
_OUTPUTS = frozenset({"models", "eval"})
_FAMILIES = {
    "Transformer": "transforms",
    "MultiFieldTransformer": "transforms",
    "Loss": "losses",
    "Model": "models",
    "Metric": "metrics",
    "MetricList": "metrics",
    "Optimizer": "optimizers",
    "LRPolicy": "lr_policies",
    "AuxiliaryOperation": "aux_ops",
    "TrainHandler": "handlers",
    "Inferer": "inferers",
    "EvalWriter": "writers",
    "DataPipeline": "pipelines",
    "BaseImagePipeline": "pipelines",
    "ImagePipeline": "pipelines",
    "KerasImagePipeline": "pipelines",
    "ModelLoader": "model_loaders",
}
# Tried in this order: a loss with a get_predictions helper does not exist, a model with get_loss is the rule.
_METHODS = {
    "get_predictions": "models",
    "get_loss": "losses",
    "get_optimizer": "optimizers",
    "get_output_tensors": "aux_ops",
    "transform": "transforms",
    "infer": "inferers",
    "get_next_batch": "pipelines",
    "evaluate": "lr_policies",
    "start_train": "handlers",
    "end_train": "handlers",
    "start_epoch": "handlers",
    "end_epoch": "handlers",
    "start_iteration": "handlers",
    "end_iteration": "handlers",
    "key_metric_computed": "handlers",
}


class ModuleNotFound(ClaraError):
    """The file of a user's class is not there."""


@dataclass(frozen=True)
class UserClass:
    """A component the user wrote, as its source shows it.

    Args:
        path: dotted path as in the config.
        file: file that defines the class.
        module: dotted module name of the config's path, below ``root``.
        class_name: name of the class in the config's path.
        root: folder to put on ``sys.path`` so that ``module`` can be found.
        bases: names of the direct base classes, without their modules; those of torch and MONAI with them.
        ancestors: names of all base classes that could be followed.
        signature: arguments of ``__init__``; None when it takes ``**kwargs`` or is not visible.
        line: line of the class.
        init_line: line of ``__init__``, or of the class.
        family: what it is by its bases (or methods): ``transforms``, ``losses``, ...; None when unknown.
        imports: names of the top-level modules its file imports.
        inherits: name of a base that is not the user's, whose ``__init__`` it takes over as it is; None otherwise.
        methods: names of the methods that it and its visible bases define.
        deterministic: what its own ``is_deterministic`` always says, or None.
        literals: keyword arguments that its ``__init__`` hands to other calls as literals (``is_key_metric=True``).
    """

    path: str
    file: Path
    module: str
    class_name: str
    root: Path
    bases: tuple[str, ...]
    ancestors: tuple[str, ...]
    signature: tuple[UserArgument, ...] | None
    line: int
    init_line: int
    family: str | None
    imports: frozenset[str]
    literals: Mapping[str, Any] = field(default_factory=dict)
    inherits: str | None = None
    methods: frozenset[str] = frozenset()
    deterministic: bool | None = None

    @property
    def is_module(self) -> bool:
        """Whether it derives from a class of torch or MONAI, which in a model's or loss's place is a ``Module``."""
        return any(base.startswith(("torch.", "monai.")) for base in self.ancestors)

    @property
    def address(self) -> Address:
        """Where the class is defined."""
        return Address(str(self.file), self.line)


def find_user_class(
    path: str,
    roots: UserRoots,
    address: Address | None = None,
    families: Callable[[str], str | None] = lambda _name: None,
) -> UserClass:
    """Find the class a config's dotted ``path`` names; its file is parsed, never imported.

    Args:
        path: ``module.Class`` or ``package.module.Class``; names may hold hyphens. Packages need no ``__init__.py``;
            a class that the module itself imports from another user file is followed.
        roots: where to look.
        address: where the config names it, for errors.
        families: family of a catalogue class by its name, for users' subclasses of built-ins.

    Raises:
        ClaraError: a path that is none, a module or class that is not there, a syntax error in the user's file, or
            several modules of that name below the MMAR; any class, where user code may not run.
    """
    parts = path.split(".")
    if len(parts) < 2 or len(path) > _LONGEST or not all(_PART.fullmatch(part) for part in parts):
        raise ClaraError(
            f"'{path}' is not the path of a class; write module.Class or package.module.Class, for a file below the "
            "MMAR or on PYTHONPATH (no slashes, no absolute paths)",
            address,
        )
    modules, name = parts[:-1], parts[-1]
    file, root = _find_module(modules, path, roots, address)
    source, found = _find_class(file, root, name, address)
    bases, ancestors, methods, visible = source.lineage(found, root)
    family = next((known for base in ancestors if (known := _FAMILIES.get(base) or families(base))), None)
    if family is None and visible:
        family = next((known for method, known in _METHODS.items() if method in methods), None)
    if family is None and visible and "__call__" not in methods:
        raise ClaraError(
            f"{name} ({source.file}:{found.lineno}) is not a component: it derives from no class of ai4med "
            "and has no method such as transform, get_loss or get_predictions",
            address,
        )
    signature, init_line = source.signature(found, root)
    return UserClass(
        path=path,
        file=source.file,
        module=".".join(modules),
        class_name=name,
        root=root,
        bases=bases,
        ancestors=ancestors,
        signature=signature,
        line=found.lineno,
        init_line=init_line,
        family=family,
        imports=source.imported_modules(),
        literals=source.literals(found),
        inherits=source.outside_base(found, root),
        methods=methods,
        deterministic=source.answer(found, "is_deterministic", root),
    )


def uses_tensorflow(user: UserClass) -> bool:
    """Whether the class needs TensorFlow where only models and losses have it: an auxiliary operation or optimizer.

    User files of numpy transforms often import tensorflow without using it; those do not count, nor does an optimizer
    that leaves ``get_optimizer`` to the built-in it derives from.
    """
    own = user.family != "optimizers" or "get_optimizer" in user.methods
    return user.family in {"aux_ops", "optimizers"} and own and bool({"tensorflow", "keras"} & user.imports)


def _find_module(modules: list[str], path: str, roots: UserRoots, address: Address | None) -> tuple[Path, Path]:
    """The file of a module and the folder its name starts from."""
    for root in roots.ordered:
        if file := _module_file(root, modules):
            return file, root
    below = list(_folders_below(roots.mmar)) if roots.mmar else []
    hits = [(file, root) for root in below if root not in roots.ordered and (file := _module_file(root, modules))]
    if len(hits) == 1:
        return hits[0]
    if hits:
        names = ", ".join(str(file) for file, _ in hits)
        raise ClaraError(f"'{path}' is ambiguous: {names}; add the folder of the right one to PYTHONPATH", address)
    raise _no_module(modules, path, roots, below, address)


def _module_file(root: Path, modules: Iterable[str]) -> Path | None:
    place = root.joinpath(*modules)
    for file in (place / "__init__.py", place.parent / f"{place.name}.py"):
        if file.is_file():
            return file
    return None


def _folders_below(mmar: Path) -> Iterable[Path]:
    for folder, names, _ in os.walk(mmar):
        depth = len(Path(folder).relative_to(mmar).parts)
        skipped = _OUTPUTS if depth == 0 else frozenset()
        names[:] = sorted(n for n in names if n not in skipped and n != "__pycache__" and not n.startswith("."))
        if depth >= _MAX_DEPTH:
            names.clear()
        if depth:
            yield Path(folder)


def _no_module(
    modules: list[str], path: str, roots: UserRoots, below: list[Path], address: Address | None
) -> ClaraError:
    wanted = "/".join(modules) + ".py"
    if modules[0] in sys.stdlib_module_names or modules[0] in {"builtins", "__main__"}:
        return ClaraError(
            f"'{path}' is refused: a config may only name classes of the catalogue, below the MMAR or on PYTHONPATH, "
            "not of Python's library",
            address,
        )
    if not roots.allowed:
        return ClaraError(
            f"'{path}' is user code, which is not run with --no-user-code: leave that out if you trust the code, or "
            "name components of the catalogue (clara-compat components)",
            address,
        )
    places = ", ".join(str(root) for root in roots.ordered) or "no folder"
    if roots.mmar:
        places += f" and the folders up to {_MAX_DEPTH} levels below {roots.mmar}"
    around = {entry.stem: entry for folder in (*roots.ordered, *below) for entry in sorted(folder.glob("*.py"))}
    found = nearest(modules[-1], around)
    hint = f"; the nearest file is {around[found]}" if found else ""
    return ModuleNotFound(
        f"the module of '{path}' was not found: looked for {wanted} in {places}{hint}; "
        "put it into the MMAR's custom folder or add its folder to PYTHONPATH",
        address,
    )


def _find_class(file: Path, root: Path, name: str, address: Address | None) -> tuple[Source, ast.ClassDef]:
    source = read_source(file)
    if found := source.find(name, root):
        return found
    where = {definition.name: definition.lineno for definition in source.classes()}
    near = nearest(name, where)
    hint = f"; did you mean '{near}' ({file}:{where[near]})?" if near else ""
    if not near and where:
        hint = f"; it defines {', '.join(sorted(where))}"
    raise ClaraError(f"{file} has no class '{name}'{hint}", address)
