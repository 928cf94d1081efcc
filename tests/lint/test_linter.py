"""Files and folders: what is read, what is refused, and that nothing is run."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clara_compat.errors import ClaraError
from clara_compat.lint.findings import Status
from clara_compat.lint.linter import lint

SOURCES = [path.read_text() for path in sorted((Path(__file__).parents[1] / "byoc").glob("*.py"))]
SOURCES += [path.read_text() for path in sorted((Path(__file__).parents[1] / "tensorflow/components").glob("*.py"))]
SOURCES.append(Path(__file__).read_text())


def test_nothing_of_a_file_is_run(tmp_path, table) -> None:
    victim = tmp_path / "touched"
    (tmp_path / "mine.py").write_text(
        f"open({str(victim)!r}, 'w')\nimport beside\nclass A:\n    def transform(self, ctx): return ctx\n"
    )
    (tmp_path / "beside.py").write_text(f"open({str(victim)!r}, 'w')\n")
    modules = set(sys.modules)
    report = lint([tmp_path], table)
    assert report.passed
    assert [one.name for file in report.files for one in file.components] == ["A"]
    assert not victim.exists()
    assert not {"mine", "beside"} & (set(sys.modules) - modules)


def test_all_files_below_a_folder(tmp_path, table) -> None:
    for name in ("b.py", "a/c.py", ".git/d.py", "a/__pycache__/e.py", "venv/f.py", "a/.hidden.py", "a/text.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "venv/pyvenv.cfg").write_text("")
    report = lint([tmp_path, tmp_path / "b.py"], table)
    assert [one.file for one in report.files] == [str(tmp_path / "b.py"), str(tmp_path / "a/c.py")]
    assert report.as_json()["counts"]["files"] == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "there is no such file or folder"),
        ("text.txt", "is no Python file: lint reads files that end in .py, and folders"),
        ("empty", "there is no Python file in this folder"),
    ],
)
def test_paths_that_cannot_be_read(tmp_path, table, name, message) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("")
    with pytest.raises(ClaraError, match=f"{name}: {message}"):
        lint([tmp_path / name], table)


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"x = 1\nprint 'loss', x\n", 2, "is not Python 3: 'print' is written as in Python 2; write print(...)"),
        (b"try:\n    pass\nexcept ValueError, e:\n    pass\n", 3, "write 'except Error as error:'"),
        (b"import os\nos.chmod('x', 0777)\n", 2, "write 0o777 for an octal number"),
        (b"class A:\n    def f(self:\n", 2, "is not Python 3: "),
        (b"if x:\n\ty = 1\n        z = 2\n", 3, "is not Python 3: "),
        (b"x = 1\nreturn x\n", 2, "is not Python 3: 'return' outside function"),
        (b"x = '\xff'\n", 1, "is not Python 3: "),
        (b"x = \0\n", 1, "null bytes"),
        (b"x = " + b"(" * 5000, 1, "Python"),
    ],
)
def test_what_is_not_python_3_is_one_line(tmp_path, table, content, line, words) -> None:
    (tmp_path / "mine.py").write_bytes(content)
    report = lint([tmp_path], table)
    (finding,) = report.files[0].findings
    assert (finding.line, finding.status) == (line, Status.FAILS)
    assert words in finding.message
    assert not report.passed


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import ai4med.nothing", "there is no module ai4med.nothing in clara_compat"),
        (
            "from ai4med.libs.losses.dice import Dice",
            "there is no module ai4med.libs.losses.dice in clara_compat; Dice is in ai4med.components.losses.dice",
        ),
        (
            "from ai4med.components.losses.los import something",
            (
                "there is no module ai4med.components.losses.los in clara_compat; "
                "did you mean 'ai4med.components.losses.loss'?"
            ),
        ),
        (
            "from ai4med.components.losses.loss import Losss",
            "there is no Losss in ai4med.components.losses.loss; did you mean 'Loss'?",
        ),
        (
            "from ai4med.components.losses.loss import Model",
            "there is no Model in ai4med.components.losses.loss; it is in ai4med.components.models.model",
        ),
        (
            "import tensorflow_addons as tfa",
            "imports tensorflow_addons, which needs TensorFlow itself: use torch or MONAI in its place",
        ),
        (
            "from nowhere_installed import x",
            (
                "imports nowhere_installed, which is neither installed here nor beside this file: "
                "make sure it is where this runs"
            ),
        ),
        ("import ai4med.components.losses.loss", None),
        ("from ai4med.components.losses import loss", None),
        ("from ai4med.operations.dropout import spatial_dropout", None),
        ("from .nothing import x", None),
        ("import tensorflow.contrib.nothing, keras.nothing", None),
        ("import os, numpy, torch.nn, scipy.ndimage", None),
        ("try:\n    import horovod\nexcept ImportError:\n    pass", None),
        ("from beside import x", None),
    ],
)
def test_imports(lint_text, tmp_path, line, message) -> None:
    (tmp_path / "beside.py").write_text("x = 1\n")
    assert [one.message for one in lint_text(line).findings] == ([] if message is None else [message])


def test_modules_in_other_folders_that_are_read_too_are_there(tmp_path, table) -> None:
    for name in ("one/a.py", "two/helpers.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("import helpers\n")
    assert all(not one.findings for one in lint([tmp_path], table).files)


def test_a_package_is_followed_from_its_top(tmp_path, table) -> None:
    (tmp_path / "pkg/sub").mkdir(parents=True)
    for name in ("pkg/__init__.py", "pkg/sub/__init__.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "pkg/base.py").write_text(
        "from ai4med.components.losses.loss import Loss\nclass Base(Loss):\n    def get_loss(self, p, t, c): return 0\n"
    )
    (tmp_path / "pkg/sub/leaf.py").write_text("from ..base import Base\nclass Leaf(Base):\n    pass\n")
    report = lint([tmp_path / "pkg/sub/leaf.py"], table)
    assert [one.message for one in report.files[0].components] == ["loss Leaf: runs as it is"]
    assert report.passed


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A real file with lines dropped, doubled, swapped and changed."""
    lines = draw(st.sampled_from(SOURCES)).splitlines()
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(lines) - 1, 0)))
        change = draw(st.sampled_from(["drop", "double", "swap", "word", "indent"]))
        if not lines:
            break
        if change == "drop":
            del lines[at]
        elif change == "double":
            lines.insert(at, lines[at])
        elif change == "swap":
            lines[at], lines[0] = lines[0], lines[at]
        elif change == "word":
            lines[at] = lines[at].replace(
                "tf", draw(st.sampled_from(["KL", "self", "tf.nn", "", "lambda tf: tf", "*"]))
            )
        else:
            lines[at] = lines[at][draw(st.integers(0, 8)) :]
    return "\n".join(lines)


@given(source=st.one_of(mutated(), st.text(max_size=200)))
@example(source="x = " + "+".join("1" * 4000))
@example(source="x = a" + ".b" * 3000)
@example(source="import tensorflow as tf\na = tf\n" + "\n".join(f"a{i} = a{i - 1}" for i in range(60)) + "\na59.x()")
@example(source="import tensorflow as tf\ntf = tf\na = b\nb = a\na.x()\ntf.x()")
@example(source="def f():\n    global x\n    nonlocal y\n")
@example(source="from keras.layers import *\nclass Model(Model): pass\nclass A(A): pass\n")
@example(source="match x:\n    case {'a': b, **rest}: pass\n    case [*c] | d: pass\n")
@example(source="class A(Loss, metaclass=M): pass\nclass B(f(x).y, A): get_loss = 3\n")
@example(source="[(x := y) for x in (z := tf.a)]\nasync def f():\n    async for x in y: await z\n")
@settings(max_examples=120)
def test_no_source_makes_it_stumble(source, tmp_path_factory, table) -> None:
    file = tmp_path_factory.mktemp("any") / "mine.py"
    file.write_bytes(source.encode("utf-8", "surrogatepass"))
    report = lint([file], table)
    lines = source.count("\n") + source.count("\r") + source.count("\f") + 2
    assert all(1 <= one.line <= lines for one in report.files[0].findings)
    try:
        ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        assert not report.passed
