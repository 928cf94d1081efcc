"""The table of the migration guide says of every component what ``migrate --native`` puts in its place."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from clara_compat.components.catalogue import components, family
from clara_compat.report.guide import NativeForm
from clara_compat.run import native_reference
from clara_compat.run.check import check
from clara_compat.run.migrated_configs import migrated_configs
from clara_compat.run.migration_report import collect
from clara_compat.run.native_bundle import native_bundle
from clara_compat.run.native_reference import native_forms
from clara_compat.translate.native.writing import names_package

CONFIGS = Path(__file__).parents[2] / "configs"
DATA = ["DATA_ROOT=/data", "DATASET_JSON=/data/dataset.json"]
HOMES = ("monai.transforms", "monai.handlers", "monai.losses", "monai.inferers", "monai.data")
"""Where MONAI's parser finds what a config names without a module."""


@pytest.fixture(scope="module")
def forms() -> dict[str, NativeForm]:
    return native_forms()


def test_every_component_is_there_and_needs_nothing_of_this_package(forms: dict[str, NativeForm]) -> None:
    assert list(forms) == list(components())
    for form in forms.values():
        assert not names_package(list(form.names))
        assert form.difference in ("", form.difference[:1].upper() + form.difference[1:-1] + ".")


def test_what_is_named_is_in_monai_torch_or_ignite(forms: dict[str, NativeForm]) -> None:
    names = {name for form in forms.values() for name in form.names}
    assert len(names) > 50
    homes = [import_module(home) for home in HOMES]
    for name in names:
        module, _, last = name.rpartition(".")
        assert any(hasattr(home, last) for home in ([import_module(module)] if module else homes)), name


def test_a_component_of_monai_stays_as_it_is(forms: dict[str, NativeForm]) -> None:
    for name, cls in components().items():
        if forms[name].same and forms[name].names:
            assert cls.becomes.rpartition(".")[2] == forms[name].names[0].rpartition(".")[2]
        elif cls.becomes.startswith("clara_compat."):
            assert not forms[name].same, name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dice", NativeForm(False, ("DiceLoss",))),
        ("RandomRotate3D", NativeForm(True, ("RandRotate90d",))),
        ("ConvertToChannelsFirst", NativeForm(False)),
        ("MulticlassClassificationLoss", NativeForm(False, ("torch.nn.CrossEntropyLoss",))),
        ("EarlyStop", NativeForm(False, ("EarlyStopHandler",))),
        ("TFScanWindowInferer", NativeForm(True, ("SlidingWindowInferer",))),
        ("FrozenGraphModelLoader", NativeForm(False, ("torch.jit.load",))),
    ],
)
def test_some_of_them(name: str, expected: NativeForm, forms: dict[str, NativeForm]) -> None:
    assert forms[name] == expected


@pytest.mark.parametrize("mmar", sorted(path.name for path in CONFIGS.iterdir()))
def test_the_bundles_of_whole_configs_have_the_same(mmar: str, forms: dict[str, NativeForm]) -> None:
    """What a migration lists for the components of a shipped MMAR is what the table says of them."""
    folder = CONFIGS / mmar
    found = migrated_configs([folder / "config/config_train.json"], mmar=folder, env=None, overrides=DATA)
    differences = native_bundle(found).differences["train"]
    checked = [check(found.workflows[0].file, folder, None, DATA, data=False)]
    [config] = collect(checked, [found.bundles["train"]], [differences]).configs
    catalogue = components()
    read = {name for one, form in forms.items() if family(catalogue[one]) == "aux_ops" for name in form.names}
    by_its_arguments = {"ComputeAverage": read, "RandomRotate2D": {"RandRotated"}}
    compared = 0
    for component in config.components:
        form = forms.get(component.name)
        now = {name for native in component.native for name in native.now.split(", ") if name}
        if form is not None and now:
            assert now & {*form.names, *by_its_arguments.get(component.name, ())}, component.name
            compared += 1
    assert compared > 5


def test_no_value_is_held_that_no_component_needs() -> None:
    used = {name for cls in components() for name in native_reference._spec(cls).args}
    assert set(native_reference._VALUES) <= used
