"""The catalogue: found by looking, by unique names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from clara_compat.components import catalogue
from clara_compat.components.component import Component, Fidelity
from clara_compat.components.losses.loss import Loss
from clara_compat.components.metrics.metric import Metric
from clara_compat.components.metrics.metric_list import MetricList
from clara_compat.components.transforms.multi_field_transformer import MultiFieldTransformer
from clara_compat.components.writers.eval_writer import EvalWriter

MODULE = """
from clara_compat.components.component import Component, exact

class {name}(Component):
    fidelity = exact()
    becomes = "something"

class _Hidden({name}):
    pass

class WithoutFidelity(Component):
    becomes = "something"

class WithoutBecomes(Component):
    fidelity = exact()

Alias = {name}
"""


@pytest.fixture
def other_catalogue(tmp_path, monkeypatch):
    """Make a catalogue of the given modules in a package of its own."""

    def make(**modules):
        for family in ("transforms", "losses"):
            (tmp_path / "othercatalogue" / family).mkdir(parents=True)
            (tmp_path / "othercatalogue" / family / "__init__.py").touch()
        (tmp_path / "othercatalogue" / "__init__.py").touch()
        for module, text in modules.items():
            family, _, name = module.partition("__")
            (tmp_path / "othercatalogue" / family / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(catalogue, "_ROOT", "othercatalogue")
        monkeypatch.setattr(catalogue, "FAMILIES", ("transforms", "losses"))
        catalogue._index.cache_clear()

    yield make
    catalogue._index.cache_clear()
    for name in [name for name in sys.modules if name.startswith("othercatalogue")]:
        del sys.modules[name]


def test_finds_public_classes_with_fidelity_where_they_are_defined(other_catalogue):
    other_catalogue(
        transforms__second=MODULE.format(name="Second"),
        losses__first=MODULE.format(name="First") + "from othercatalogue.transforms.second import Second\n"
        "class Third(Second):\n    pass\n",
    )
    found = catalogue.components()
    assert list(found) == ["First", "Second", "Third"]  # Third inherits fidelity and becomes
    assert [catalogue.family(cls) for cls in found.values()] == ["losses", "transforms", "losses"]
    assert catalogue.legacy_path(found["Second"]) == "ai4med.components.transforms.second.Second"


def test_the_answer_cannot_be_spoiled(other_catalogue):
    other_catalogue(transforms__one=MODULE.format(name="One"))
    catalogue.components().clear()
    assert list(catalogue.components()) == ["One"]


def test_two_components_of_one_name(other_catalogue):
    other_catalogue(transforms__one=MODULE.format(name="Same"), losses__two=MODULE.format(name="Same"))
    with pytest.raises(
        RuntimeError,
        match=r"two components are named Same: in othercatalogue.transforms.one and in othercatalogue.losses.two",
    ):
        catalogue.components()


@pytest.mark.parametrize(
    ("cls", "family", "path"),
    [
        (MultiFieldTransformer, "transforms", "ai4med.components.transforms.multi_field_transformer"),
        (Loss, "losses", "ai4med.components.losses.loss"),
        (Metric, "metrics", "ai4med.components.metrics.metric"),
        (EvalWriter, "writers", "ai4med.components.eval_writers.eval_writer"),
    ],
)
def test_family_and_legacy_path(cls, family, path):
    assert catalogue.family(cls) == family
    assert catalogue.legacy_path(cls) == f"{path}.{cls.__name__}"
    assert catalogue.family(type("Users", (cls,), {})) == family


def test_legacy_package_of_pipelines():
    cls = type("X", (), {"__module__": "clara_compat.components.pipelines.x"})
    assert catalogue.legacy_path(cls) == "ai4med.components.data.x.X"


@pytest.mark.parametrize("cls", [int, Component, Fidelity])
def test_classes_outside_the_catalogue(cls):
    with pytest.raises(ValueError, match=f"{cls.__name__} does not derive from a class of clara_compat.components"):
        catalogue.family(cls)
    with pytest.raises(ValueError, match=f"{cls.__name__} is not defined in clara_compat.components"):
        catalogue.legacy_path(cls)


def test_a_users_class_has_no_legacy_path():
    with pytest.raises(ValueError, match=r"Users is not defined in clara_compat\.components"):
        catalogue.legacy_path(type("Users", (MetricList,), {"__module__": "users"}))


def test_every_component_answers_for_itself():
    found = catalogue.components()
    assert found, "the catalogue is empty"
    for name, cls in found.items():
        assert cls.__name__ == name
        assert issubclass(cls, Component)
        assert cls.fidelity.level in {"exact", "approximate", "assumed"}
        assert cls.fidelity.note or cls.fidelity.level == "exact", f"{name} does not say what differs"
        assert cls.becomes.strip()
        assert catalogue.family(cls) in catalogue.FAMILIES


def test_looking_imports_neither_torch_nor_monai():
    code = (
        "import sys; from clara_compat.components.catalogue import components; components();"
        "print([name for name in ('torch', 'monai', 'ignite') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
