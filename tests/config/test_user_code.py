from __future__ import annotations

import sys
import sysconfig

import pytest

from clara_compat.config.user_code import find_user_class, uses_tensorflow
from clara_compat.config.user_roots import UserRoots, search_roots
from clara_compat.config.user_source import UserArgument
from clara_compat.errors import Address, ClaraError

TRANSFORM = """
import numpy as np
import tensorflow as tf  # never used
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer


class MyNoise(MultiFieldTransformer):
    def __init__(self, fields, magnitude, dtype=np.float32, scale=0.5, shape=(1, 2)):
        MultiFieldTransformer.__init__(self, fields)

    def transform(self, transform_ctx):
        return transform_ctx
"""
HERE = Address("c.json", 3, "train.loss")


@pytest.fixture
def write(tmp_path):
    def run(name, text=TRANSFORM):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return run


def find(path, *roots, mmar=None, **kwargs):
    return find_user_class(path, UserRoots(roots, mmar), HERE, **kwargs)


def test_what_is_known_of_a_class(tmp_path, write):
    file = write("myNoise.py")
    user = find("myNoise.MyNoise", tmp_path)
    assert (user.path, user.file, user.module, user.class_name, user.root) == (
        "myNoise.MyNoise", file, "myNoise", "MyNoise", tmp_path,
    )  # fmt: skip
    assert (user.bases, user.family, user.line, user.init_line) == (("MultiFieldTransformer",), "transforms", 7, 8)
    assert user.signature == (
        UserArgument("fields", True),
        UserArgument("magnitude", True),
        UserArgument("dtype", False, None),
        UserArgument("scale", False, 0.5),
        UserArgument("shape", False, (1, 2)),
    )
    assert user.imports == {"numpy", "tensorflow", "ai4med"}
    assert str(user.address) == f"{file}:7"
    assert not uses_tensorflow(user)


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("a.py", "a.MyNoise"),
        ("pkg/mod.py", "pkg.mod.MyNoise"),
        ("pkg/__init__.py", "pkg.MyNoise"),
        ("pkg/sub/deep/__init__.py", "pkg.sub.deep.MyNoise"),
        ("my-noise.py", "my-noise.MyNoise"),
        ("my-pkg/my-noise.py", "my-pkg.my-noise.MyNoise"),
        ("_x1.py", "_x1.MyNoise"),
    ],
)
def test_modules_and_packages(tmp_path, write, file, path):
    written = write(file)
    assert find(path, tmp_path).file == written


def test_a_package_wins_over_a_module(tmp_path, write):
    write("a.py")
    package = write("a/__init__.py")
    assert find("a.MyNoise", tmp_path).file == package


def test_nothing_is_run(tmp_path, write):
    write("a.py", TRANSFORM + "\nraise SystemExit('run')\n")
    assert find("a.MyNoise", tmp_path).class_name == "MyNoise"
    assert "a" not in sys.modules
    assert not (tmp_path / "__pycache__").exists()


# Where to look


def test_order_of_the_roots(tmp_path):
    mmar = tmp_path / "mmar"
    extra = tmp_path / "extra"
    for folder in (mmar / "custom", mmar / "BYOC", mmar / "config", extra):
        folder.mkdir(parents=True)
    library = sysconfig.get_path("stdlib")
    environ = {"PYTHONPATH": f"{extra}:{library}:{tmp_path / 'absent'}:{extra}"}
    roots = search_roots(mmar, mmar / "config", environ)
    assert roots == UserRoots((extra, mmar, mmar / "custom", mmar / "BYOC", mmar / "config"), mmar)
    assert search_roots(mmar, mmar, {}).ordered == (mmar, mmar / "custom", mmar / "BYOC")


def test_first_root_wins(tmp_path, write):
    write("one/a.py")
    write("two/a.py")
    assert find("a.MyNoise", tmp_path / "two", tmp_path / "one").file == tmp_path / "two" / "a.py"


@pytest.mark.parametrize(("folder", "found"), [
    ("src", True), ("a/b/c/d", True), ("a/b/c/d/e", False), ("models", False), ("eval", False), (".git", False),
    ("src/models", True),
])  # fmt: skip
def test_any_folder_of_the_mmar(tmp_path, write, folder, found):
    file = write(f"{folder}/noise.py")
    if found:
        user = find("noise.MyNoise", tmp_path, mmar=tmp_path)
        assert (user.file, user.root) == (file, file.parent)
    else:
        with pytest.raises(ClaraError, match="was not found"):
            find("noise.MyNoise", tmp_path, mmar=tmp_path)


def test_several_folders_of_the_mmar(tmp_path, write):
    write("x/a.py")
    write("y/a.py")
    with pytest.raises(ClaraError, match=r"'a.MyNoise' is ambiguous: .*x/a.py, .*y/a.py; add the folder"):
        find("a.MyNoise", tmp_path, mmar=tmp_path)


def test_module_not_found(tmp_path, write):
    write("custom/myTransformation.py")
    with pytest.raises(
        ClaraError,
        match=r"^c.json:3 train.loss: the module of 'myTransformations.X' was not found: looked for "
        r"myTransformations.py in .*custom and the folders up to 4 levels below .*; the nearest file is "
        r".*myTransformation.py; "
        r"put it into the MMAR's custom folder or add its folder to PYTHONPATH",
    ):
        find("myTransformations.X", tmp_path / "custom", mmar=tmp_path)
    with pytest.raises(ClaraError, match=r"looked for a/b.py in no folder; put it"):
        find("a.b.X")


@pytest.mark.parametrize("path", ["os.system", "subprocess.Popen", "os.path.join", "builtins.eval", "ctypes.CDLL"])
def test_pythons_library_is_refused(tmp_path, path):
    with pytest.raises(ClaraError, match=f"'{path}' is refused: a config may only name classes of the catalogue"):
        find(path, tmp_path, mmar=tmp_path)


def test_a_users_file_may_be_called_like_a_library_module(tmp_path, write):
    write("random.py")
    assert find("random.MyNoise", tmp_path).class_name == "MyNoise"


def test_other_installed_packages_are_not_searched(tmp_path):
    with pytest.raises(ClaraError, match="was not found"):
        find("torch.nn.Module", tmp_path)


@pytest.mark.parametrize(
    "path",
    ["../x.Y", "/etc/x.Y", "a/b.C", "..x.Y", "a..B", ".A", "A", "a.", "a b.C", "a.B()", "a.1B", "-a.B", "a.B;c", ""],
)
def test_what_is_no_path_of_a_class(tmp_path, path):
    with pytest.raises(ClaraError, match=r"is not the path of a class; write module.Class"):
        find(path, tmp_path)


# In the file


def test_class_not_in_the_file(tmp_path, write):
    file = write("a.py")
    with pytest.raises(ClaraError, match=rf"{file} has no class 'MyNois'; did you mean 'MyNoise' \({file}:7\)\?"):
        find("a.MyNois", tmp_path)
    with pytest.raises(ClaraError, match="has no class 'Zzz'; it defines MyNoise"):
        find("a.Zzz", tmp_path)
    write("b.py", "def system(command): ...")
    with pytest.raises(ClaraError, match=r"b.py has no class 'system'$"):
        find("b.system", tmp_path)


def test_syntax_error_of_the_user(tmp_path, write):
    file = write("a.py", "x = 1\nprint 'python 2'\n")
    with pytest.raises(ClaraError, match=rf"^{file}:2: is not valid Python 3: ") as raised:
        find("a.MyNoise", tmp_path)
    assert raised.value.address.line == 2


@pytest.mark.parametrize("content", [b"x = '\xff'", b"\0", b"(" * 5000])
def test_unreadable_source(tmp_path, content):
    (tmp_path / "a.py").write_bytes(content)
    with pytest.raises(ClaraError, match=r"a.py(:\d+)?: (is not valid Python 3|cannot be read as Python)"):
        find("a.MyNoise", tmp_path)


def test_declared_encoding(tmp_path):
    (tmp_path / "a.py").write_bytes(b"# -*- coding: latin-1 -*-\n# \xe9\n" + TRANSFORM.encode())
    assert find("a.MyNoise", tmp_path).class_name == "MyNoise"


def test_not_a_component(tmp_path, write):
    write("a.py", "class Reader(object):\n    def read(self): ...\n")
    with pytest.raises(ClaraError, match=r"Reader \(.*a.py:1\) is not a component: it derives from no class of ai4med"):
        find("a.Reader", tmp_path)


def test_class_under_a_condition(tmp_path, write):
    write("a.py", "try:\n    import x\nexcept ImportError:\n    pass\nif True:\n    class A(Loss): ...\n")
    assert find("a.A", tmp_path).family == "losses"


# Re-exports and inheritance


@pytest.mark.parametrize(
    "statement",
    [
        "from .noise import MyNoise",
        "from .noise import *",
        "from pkg.noise import MyNoise",
        "from noise import MyNoise",
        "from .noise import MyNoise as Other",
    ],
)
def test_re_exports(tmp_path, write, statement):
    write("pkg/__init__.py", statement)
    file = write("pkg/noise.py")
    user = find("pkg.Other" if "Other" in statement else "pkg.MyNoise", tmp_path)
    assert (user.file, user.line, user.module) == (file, 7, "pkg")
    assert user.signature[0].name == "fields"


def test_relative_import_may_not_leave_the_root(tmp_path, write):
    write("outside.py")
    write("root/a.py", "from ..outside import MyNoise")
    with pytest.raises(ClaraError, match="has no class 'MyNoise'"):
        find("a.MyNoise", tmp_path / "root")


def test_circles_end(tmp_path, write):
    write("a.py", "from b import X\nfrom b import B\nclass A(B): ...\n")
    write("b.py", "from a import X\nfrom a import A\nclass B(A): ...\nclass C(C): ...\n")
    with pytest.raises(ClaraError, match="has no class 'X'"):
        find("a.X", tmp_path)
    for path in ("a.A", "b.C"):
        with pytest.raises(ClaraError, match="is not a component"):
            find(path, tmp_path)


BASES = """
from ai4med.components.losses.loss import Loss as Base
import ai4med.components.models.model as model

class First(Base):
    def __init__(self, weight=1.0): ...

class Second(First): pass

class Third(Second):
    def __init__(self, **kwargs): ...

class Net(model.Model):
    def __init__(self, classes, *, factor=8): ...

class Bare:
    def get_loss(self, predictions, targets, build_ctx=None): ...

class Away(Missing): ...

@decorated
class Decorated(First): ...

class Two(First, Net): ...

class Odd(make_base(3)): ...

class Called:
    def __call__(self, data): ...
"""


@pytest.mark.parametrize(
    ("name", "bases", "family", "signature"),
    [
        ("First", ("Loss",), "losses", ["weight"]),
        ("Second", ("First",), "losses", ["weight"]),
        ("Third", ("Second",), "losses", None),
        ("Net", ("Model",), "models", ["classes", "factor"]),
        ("Bare", (), "losses", []),
        ("Away", ("Missing",), None, None),
        ("Decorated", ("First",), "losses", None),
        ("Two", ("First", "Net"), "losses", None),
        ("Odd", ("make_base(3)",), None, None),
        ("Called", (), None, []),
    ],
)
def test_inheritance(tmp_path, write, name, bases, family, signature):
    write("a.py", BASES)
    user = find(f"a.{name}", tmp_path)
    assert user.bases == bases
    assert user.family == family
    names = None if user.signature is None else [argument.name for argument in user.signature]
    assert names == signature


def test_required_and_keyword_only(tmp_path, write):
    write("a.py", BASES)
    assert find("a.Net", tmp_path).signature == (UserArgument("classes", True), UserArgument("factor", False, 8))


def test_base_in_another_file_of_the_user(tmp_path, write):
    write("base.py", BASES)
    write("a.py", "from base import First\n\nclass Mine(First): ...\n")
    user = find("a.Mine", tmp_path)
    assert (user.family, user.ancestors) == ("losses", ("First", "Loss"))
    assert user.signature == (UserArgument("weight", False, 1.0),)


def test_subclass_of_a_built_in(tmp_path, write):
    write("a.py", "from ai4med.components.losses.dice import Dice\n\nclass Mine(Dice): ...\n")
    assert find("a.Mine", tmp_path).family is None
    assert find("a.Mine", tmp_path, families={"Dice": "losses"}.get).family == "losses"


@pytest.mark.parametrize(
    ("imports", "base", "expected"),
    [
        ("import tensorflow as tf", "AuxiliaryOperation", True),
        ("import tensorflow.keras.layers as kl", "AuxiliaryOperation", True),
        ("from keras import backend as K", "AuxiliaryOperation", True),
        ("import tensorflow as tf", "Model", False),
        ("import tensorflow as tf", "Loss", False),
        ("from tensorflow.keras import layers", "Middle", True),
        ("import tensorflow as tf", "MultiFieldTransformer", False),
        ("import tensorflow as tf", "Metric", False),
        ("import numpy as np", "AuxiliaryOperation", False),
        ("import tensorflow_like", "AuxiliaryOperation", False),
    ],
)
def test_uses_tensorflow(tmp_path, write, imports, base, expected):
    write("a.py", f"{imports}\nclass Middle(AuxiliaryOperation): ...\nclass X({base}): ...\n")
    assert uses_tensorflow(find("a.X", tmp_path)) is expected


def test_tensorflow_imported_inside_a_function_counts(tmp_path, write):
    write("a.py", "class X(Optimizer):\n    def get_optimizer(self, lr):\n        import tensorflow as tf\n")
    assert uses_tensorflow(find("a.X", tmp_path))


@pytest.mark.parametrize(
    ("imports", "base", "name"),
    [
        ("import torch", "torch.nn.Module", "torch.nn.Module"),
        ("from torch import nn", "nn.Module", "torch.nn.Module"),
        ("import torch.nn as tnn", "tnn.Module", "torch.nn.Module"),
        ("from torch.nn import Module as M", "M", "torch.nn.Module"),
        ("from monai.networks.nets import DenseNet121", "DenseNet121", "monai.networks.nets.DenseNet121"),
        ("from ai4med.components.models.densenet121 import DenseNet121 as D", "D", "DenseNet121"),
        ("from .base import Own as O", "O", "Own"),
        ("import tensorflow as tf", "tf.keras.Model", "Model"),
    ],
)
def test_classes_of_torch_and_monai_are_told_from_claras(tmp_path, write, imports, base, name):
    write("a.py", f"{imports}\nclass X({base}): ...\n")
    user = find("a.X", tmp_path, families={"DenseNet121": "models"}.get)
    assert user.bases == (name,)
    assert user.is_module == ("." in name)
    assert user.family == ("models" if name in ("DenseNet121", "Model") else None)


def test_a_module_of_a_module_is_one(tmp_path, write):
    write("a.py", "from torch import nn\nclass Y(nn.Module): ...\nclass X(Y): ...\n")
    assert find("a.X", tmp_path).is_module


def test_without_an_mmar_only_the_python_path_is_searched(tmp_path):
    assert search_roots(None, environ={"PYTHONPATH": str(tmp_path)}) == UserRoots((tmp_path,), None)
