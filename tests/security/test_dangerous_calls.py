"""Calls that can run what a file says: each that the package has is listed here with its reason.

A new one fails this test until somebody has thought about it and writes it down.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MODULES = sorted(file for top in ("clara_compat", "shims") for file in (REPOSITORY / top).rglob("*.py"))

WATCHED_NAMES = {"eval", "exec", "compile", "__import__", "breakpoint"}
WATCHED_MODULES = {
    *("pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "yaml", "subprocess", "pty"),
    *("socket", "ssl", "http", "urllib", "urllib3", "requests", "ftplib", "smtplib", "xmlrpc", "webbrowser"),
    *("tarfile", "zipfile", "ctypes", "code", "runpy"),
}
WATCHED_ATTRIBUTES = {
    *("import_module", "__import__", "exec_module", "load_module", "spec_from_file_location", "module_from_spec"),
    *("system", "popen", "fork", "posix_spawn", "execv", "execve", "execl", "spawnl", "spawnv", "startfile"),
    *("unpack_archive", "extractall", "extract", "load_library", "load_inline", "fileConfig", "dictConfig"),
    *("load_state_dict_from_url", "download_url", "download_and_extract", "urlretrieve", "from_pretrained"),
}
WATCHED_LOADS = {"load", "fromfile", "genfromtxt", "load_module"}
LOADERS = {"np", "numpy", "torch", "torch.jit", "torch.hub", "torch.export", "onnx", "monai", "pickle", "nibabel", "ET"}

ALLOWED = {
    ("clara_compat/__init__.py", "import_module"): "modules of this package, from a table of names",
    ("clara_compat/components/catalogue.py", "importlib.import_module"): "modules of this package, by its own folders",
    ("clara_compat/components/entry.py", "importlib.import_module"): "a bundle entry that this package wrote",
    ("clara_compat/engine/acceleration/memory.py", "ctypes"): "one function of the C library that runs already",
    ("clara_compat/engine/checkpoint_files.py", "torch.load"): "weights_only",
    ("clara_compat/engine/data/disk_cache.py", "torch.load"): "weights_only: tensors and text of our own cache",
    ("clara_compat/engine/distributed/processes.py", "socket"): "the name of this machine",
    ("clara_compat/engine/export/tensorrt_plan.py", "import_module"): "the literal name tensorrt",
    ("clara_compat/engine/export/torchscript.py", "torch.jit.load"): "the bytes that this export has just made",
    ("clara_compat/engine/loss_variables.py", "torch.load"): "weights_only",
    ("clara_compat/engine/model_files.py", "torch.jit.load"): "TorchScript without operators on files; --no-user-code",
    ("clara_compat/engine/readers/array_file.py", "np.load"): "allow_pickle=False",
    ("clara_compat/engine/readers/nifti.py", "nibabel.load"): "a header and numbers, no objects",
    ("clara_compat/engine/weights.py", "torch.load"): "weights_only",
    ("clara_compat/lint/source.py", "compile"): "finds syntax errors; the result is thrown away",
    ("clara_compat/run/bundle_folder.py", "zipfile"): "asks whether a file of weights is a zip file; extracts nothing",
    ("clara_compat/run/console.py", "logging.config.dictConfig"): "of config/log_config.py: plain values only",
    ("clara_compat/tensorflow/checkpoint/reader.py", "np.fromfile"): "numbers of a file whose header was checked",
    ("clara_compat/tensorflow/loader.py", "builtins.__import__"): "an import statement of user code that may run",
    ("clara_compat/tensorflow/loader.py", "compile"): "user code that may run",
    ("clara_compat/tensorflow/loader.py", "exec"): "user code that may run",
    ("clara_compat/tensorflow/loader.py", "importlib.util.module_from_spec"): "an empty module for user code",
    ("clara_compat/tensorflow/namespace.py", "importlib.import_module"): "modules of the TensorFlow facade",
    (
        "clara_compat/translate/stock.py",
        "importlib.import_module",
    ): "three modules of MONAI and torch (config/stock.py)",
}


def dotted(node: ast.expr) -> str:
    """The name of what is called, such as ``torch.jit.load``; ``?`` stands for what is no name."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def watched(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the calls and imports of a module that could run, fetch or unpack something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.name, node) for name in node.names if name.name.split(".")[0] in WATCHED_MODULES)
        elif isinstance(node, ast.ImportFrom):
            if not node.level and (node.module or "").split(".")[0] in WATCHED_MODULES:
                yield str(node.module), node
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            before, _, last = name.rpartition(".")
            if (
                (not before and name in WATCHED_NAMES | WATCHED_ATTRIBUTES)
                or (before and before != "self" and last in WATCHED_ATTRIBUTES)
                or (before == "builtins" and last in WATCHED_NAMES)
                or (before in LOADERS and last in WATCHED_LOADS)
            ):
                yield name, node


def found() -> dict[tuple[str, str], list[ast.AST]]:
    calls: dict[tuple[str, str], list[ast.AST]] = {}
    for module in MODULES:
        for name, node in watched(ast.parse(module.read_text())):
            calls.setdefault((str(module.relative_to(REPOSITORY)), name), []).append(node)
    return calls


def test_every_such_call_has_its_reason() -> None:
    assert sorted(found()) == sorted(ALLOWED)


def test_weights_are_read_without_objects_and_arrays_without_pickles() -> None:
    seen = 0
    for (module, name), nodes in found().items():
        wanted = {"torch.load": ("weights_only", True), "np.load": ("allow_pickle", False)}.get(name)
        for node in nodes if wanted else ():
            assert isinstance(node, ast.Call)
            options = {one.arg: ast.literal_eval(one.value) for one in node.keywords if one.arg == wanted[0]}
            assert options == dict([wanted]), f"{module}:{node.lineno}"
            seen += 1
    assert seen >= 4


def test_bundle_configs_read_weights_without_objects() -> None:
    texts = {
        str(module.relative_to(REPOSITORY)): node.value
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "torch.load(@" in node.value
    }
    assert list(texts) == ["clara_compat/translate/native/train.py"]
    assert all("weights_only=True" in text for text in texts.values())


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("import pickle", "pickle"),
        ("from urllib.request import urlopen", "urllib.request"),
        ("eval('1')", "eval"),
        ("import os\nos.system('x')", "os.system"),
        ("import torch\ntorch.load('x')", "torch.load"),
        ("import shutil\nshutil.unpack_archive('x')", "shutil.unpack_archive"),
        ("import numpy as np\nnp.load('x')", "np.load"),
        ("import builtins\nbuiltins.exec('x')", "builtins.exec"),
        ("from importlib import import_module\nimport_module('x')", "import_module"),
    ],
)
def test_what_is_looked_for(source: str, name: str) -> None:
    assert [found for found, _ in watched(ast.parse(source))] == [name]
