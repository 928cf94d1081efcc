"""The user's modules: found, isolated, and told about by file and line."""

from __future__ import annotations

import gc
import sys
import weakref
from pathlib import Path
from textwrap import dedent

import pytest

from clara_compat.errors import ClaraError
from clara_compat.tensorflow.loader import UserCode, component, use
from clara_compat.tensorflow.namespace import all_symbols


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return folder


def test_components_are_made_with_their_arguments(tmp_path: Path) -> None:
    use([str(write(tmp_path, mine="class Thing:\n    def __init__(self, size): self.size = size\n"))])
    assert component("mine.Thing", {"size": [1, 2]}).size == [1, 2]


def test_hyphenated_files_nested_packages_and_relative_imports(tmp_path: Path) -> None:
    (tmp_path / "my-code.py").write_text("class A: pass\n")
    write(tmp_path, pkg__sub__leaf="from ..base import B\nfrom . import beside\nclass A(B): pass\n")
    write(tmp_path, pkg__base="class B: pass\n", pkg__sub__beside="VALUE = 3\n")
    (tmp_path / "pkg/__init__.py").write_text("")
    (tmp_path / "pkg/sub/__init__.py").write_text("")
    use([str(tmp_path)])
    assert type(component("my-code.A")).__name__ == "A"
    leaf = component("pkg.sub.leaf.A")
    assert type(leaf).__mro__[1].__name__ == "B"
    assert sys.modules.get("pkg") is None


def test_a_file_named_like_an_installed_package_does_not_disturb_it(tmp_path: Path) -> None:
    write(tmp_path, nibabel="VALUE = 'mine'\n", user="import nibabel\nclass A:\n    value = nibabel.VALUE\n")
    use([str(tmp_path)])
    assert component("user.A").value == "mine"
    import nibabel

    assert hasattr(nibabel, "load")


def test_a_copy_of_our_own_packages_is_never_loaded_as_user_code(tmp_path: Path) -> None:
    write(tmp_path, ai4med__common__medical_image="class MedicalImage: pass\n")
    write(tmp_path, user="from ai4med.common.medical_image import MedicalImage\nclass A:\n    image = MedicalImage\n")
    use([str(tmp_path)])
    from clara_compat.common.medical_image import MedicalImage

    assert component("user.A").image is MedicalImage


def test_a_folder_of_installed_packages_is_left_to_python(tmp_path: Path) -> None:
    write(tmp_path / "site", nibabel="VALUE = 'a second copy'\n")
    (tmp_path / "site/nibabel-5.dist-info").mkdir()
    write(tmp_path / "mine", user="import nibabel\n")
    module = UserCode([str(tmp_path / "site"), str(tmp_path / "mine")]).load("user")
    assert not hasattr(module.nibabel, "VALUE")


def test_modules_of_two_mmars_do_not_mix(tmp_path: Path) -> None:
    one = UserCode([str(write(tmp_path / "one", same="VALUE = 1\n"))])
    two = UserCode([str(write(tmp_path / "two", same="VALUE = 2\n"))])
    assert (one.load("same").VALUE, two.load("same").VALUE) == (1, 2)


def test_unused_tensorflow_imports_do_no_harm(tmp_path: Path) -> None:
    write(
        tmp_path,
        numpy_only="""
        import tensorflow as tf
        import tensorflow.keras.layers
        from tensorflow.python.ops import array_ops
        from keras import backend as K
        class A:
            def __init__(self, dtype=tf.float32): self.dtype = dtype
        """,
    )
    use([str(tmp_path)])
    assert repr(component("numpy_only.A").dtype) == "tf.float32"
    assert "tensorflow" not in sys.modules


def test_used_tensorflow_is_said_with_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, loss="import tensorflow as tf\n\ndef f(x):\n    return tf.nn.softmaxx(x)\n")
    module = UserCode([str(tmp_path)]).load("loss")
    with pytest.raises(ClaraError, match=r"loss\.py:4: this uses tensorflow\.nn\.softmaxx, which is not provided"):
        module.f(1)


def test_a_class_derived_from_keras_is_said_when_it_is_made(tmp_path: Path) -> None:
    write(tmp_path, layer="import tensorflow as tf\nclass L(tf.keras.layers.Layerr):\n    pass\n")
    use([str(tmp_path)])
    with pytest.raises(ClaraError, match="L derives from tensorflow.keras.layers.Layerr, which is not provided"):
        component("layer.L")


def test_old_numpy_names_work_in_user_modules_only(tmp_path: Path) -> None:
    write(
        tmp_path,
        old="import numpy as np\nimport numpy.linalg\nT = (np.float, np.bool, np.int, np.object, np.float32)\n",
    )
    module = UserCode([str(tmp_path)]).load("old")
    import numpy as np

    assert (float, bool, int, object, np.float32) == module.T
    assert "float" not in vars(np)


def test_names_that_numpy_2_removed_work_as_well(tmp_path: Path) -> None:
    write(
        tmp_path, old="import numpy as np\nV = (np.NaN, np.Inf, np.float_(1), np.in1d([1], [1]), np.product([2, 3]))\n"
    )
    nan, inf, one, found, six = UserCode([str(tmp_path)]).load("old").V
    assert (nan != nan, inf, float(one), bool(found[0]), int(six)) == (True, float("inf"), 1.0, True, 6)  # noqa: PLR0124


def test_dataclasses_with_postponed_annotations_work(tmp_path: Path) -> None:
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int = 3\n"
    )
    use([str(write(tmp_path, data=text))])
    assert component("data.A").x == 3


def test_a_mere_folder_does_not_hide_a_real_package(tmp_path: Path) -> None:
    (tmp_path / "logging").mkdir()
    write(tmp_path, mine="import logging\nLOG = logging.getLogger('mine')\n")
    assert UserCode([str(tmp_path)]).load("mine").LOG.name == "mine"


def test_no_bytecode_is_written(tmp_path: Path) -> None:
    UserCode([str(write(tmp_path, fresh="X = 1\n"))]).load("fresh")
    assert not list(tmp_path.rglob("*.pyc"))


@pytest.mark.parametrize(
    ("source", "path", "message"),
    [
        ("class Thing: pass\n", "mine.Thingy", r"mine\.py: no class 'Thingy'; did you mean 'Thing'\?"),
        ("class Thing: pass\n", "other.Thing", r"no module 'other' below"),
        ("x = 1\nimport nothing_of_this_name\n", "mine.Thing", r"mine\.py:2: ModuleNotFoundError"),
        ("x = (\n", "mine.Thing", r"mine\.py:1: SyntaxError"),
        (
            "class Thing:\n    def __init__(self):\n        raise ValueError('no')\n",
            "mine.Thing",
            r"mine\.py:3: ValueError: no",
        ),
    ],
)
def test_errors_name_the_users_file_and_line(tmp_path: Path, source: str, path: str, message: str) -> None:
    use([str(write(tmp_path, mine=source))])
    with pytest.raises(ClaraError, match=message):
        component(path)


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("tf.get_variabel", "tensorflow.get_variabel, which is not provided .*did you mean 'get_variable'"),
        ("tf.train.get_variable", "tensorflow.train.get_variable, which .*; there is tensorflow.get_variable;"),
    ],
)
def test_a_missing_symbol_names_the_nearest(user_module, symbol, words):
    module = user_module(f"import tensorflow as tf\ndef f(): return {symbol}()")
    with pytest.raises(ClaraError, match=words):
        module.f()


def test_inner_modules_of_tensorflow_hold_what_they_hold_there(tmp_path: Path) -> None:
    text = """
    from tensorflow.python.framework import ops
    from tensorflow.python.ops import array_ops, image_ops, math_ops, nn, nn_ops, variable_scope
    from tensorflow.python.ops.losses import losses_impl
    import tensorflow.python.ops.math_ops as M
    import tensorflow as tf
    SAME = [
        (ops.name_scope, tf.name_scope), (array_ops.where, tf.where), (math_ops.reduce_sum, tf.reduce_sum),
        (M.reduce_sum, tf.reduce_sum), (nn.softmax, tf.nn.softmax), (nn_ops.relu, tf.nn.relu),
        (image_ops.resize_images, tf.image.resize_images), (losses_impl.huber_loss, tf.losses.huber_loss),
        (tf.python.ops.math_ops.square, tf.square),
        (variable_scope.variable_scope, tf.variable_scope),
    ]
    """
    module = UserCode([str(write(tmp_path, inner=text))]).load("inner")
    assert all(found is wanted for found, wanted in module.SAME)


def test_modules_of_an_earlier_run_live_as_long_as_their_components(tmp_path: Path) -> None:
    text = "import late_{0}\nclass A:\n    def name(self):\n        import other\n        return other.NAME\n"
    runs = []
    for name in ("one", "two"):
        folder = tmp_path / name
        write(folder, mine=text.format(name), other=f"NAME = '{name}'\n", **{f"late_{name}": ""})
        use([str(folder)])
        runs.append(component("mine.A"))
    assert [run.name() for run in runs] == ["one", "two"]
    assert {name.rpartition(".")[2] for name in sys.modules if ".late_" in name} == {"late_two"}
    gone = weakref.ref(type(runs.pop(0)))
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import no_such_package\n",
            r"mine.py:1: ModuleNotFoundError: No module named 'no_such_package': install it, or",
        ),
        ("import sys\nsys.exit(3)\n", r"mine.py:2: SystemExit: 3$"),
        ("from back import other\n", r"back.py:1: ImportError: cannot import name 'A' from 'mine'"),
    ],
)
def test_what_fails_at_import(tmp_path: Path, text: str, message: str) -> None:
    use([str(write(tmp_path, mine=text + "class A: pass\n", back="from mine import A\n"))])
    with pytest.raises(ClaraError, match=message):
        component("mine.A")


@pytest.mark.parametrize(
    ("statement", "symbol"),
    [
        ("import tensorflow.compat.v1 as tf", "tf.layers.conv3d"),
        ("from tensorflow.compat import v1 as tf", "tf.layers.conv3d"),
        ("import tensorflow.compat.v1", "tensorflow.compat.v1.layers.conv3d"),
        ("import tensorflow as tf", "tf.compat.v1.layers.conv3d"),
        ("from tensorflow import compat", "compat.v1.layers.conv3d"),
        ("import tensorflow.python.layers.convolutional as layers", "layers.conv3d"),
        ("from tensorflow.python.layers import convolutional", "convolutional.conv3d"),
    ],
)
def test_the_ways_to_import_tensorflow(tmp_path: Path, statement: str, symbol: str) -> None:
    use([str(write(tmp_path, mine=f"{statement}\nclass A:\n    found = {symbol}\n"))])
    found = component("mine.A").found
    assert found.__name__ == all_symbols()["tensorflow.layers.conv3d"].value.__name__ == "conv3d"
