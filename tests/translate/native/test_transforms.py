"""Transforms in plain MONAI: every case of the catalogue's contract, and what is subtle about some of them.

The cases are those of ``tests/components/transforms/contract``, explained in ``test_contract.py`` beside it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.common.constants import ImageProperty
from clara_compat.components import catalogue
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.config.arguments import create
from clara_compat.config.spec import ComponentSpec
from clara_compat.config.workflow import load_train_workflow
from clara_compat.engine import properties
from clara_compat.errors import Address, ClaraError
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.native.context import NativeContext
from clara_compat.translate.native.transforms import TRANSFORMS, native_chain, native_transform
from clara_compat.translate.render import render
from clara_compat.translate.train import translate_train

REPOSITORY = Path(__file__).parents[3]
FOLDER = Path(__file__).parents[2] / "components" / "transforms" / "contract"
CASES = [case for file in sorted(FOLDER.glob("*.json")) for case in json.loads(file.read_text())]
SIZES = {3: (12, 14, 10), 2: (12, 14)}
LOADED = (20, 18, 16)
ENGINE = "clara_compat.engine.transforms"
EQUAL_HERE = (
    "ScaleToShape-label", "RestoreOriginalShape-label", "ReplaceLabels", "MaskImage", "SplitAcrossChannels",
    "RandomRotate2D", "LoadPng", "LoadJpg", "LoadImageMasks", "SaveAsNifti", "CropForegroundObject",
)  # fmt: skip
"""Cases whose difference does not show on these items: their values are compared all the same."""
Case = dict[str, Any]
Item = dict[str, Any]


def _id(case: Case) -> str:
    return case["name"] + (f"-{case['id']}" if "id" in case else "")


BOTH = [
    (case, rank) for case in CASES for rank in case.get("ranks", [3] if case.get("args_2d", {}) is None else [3, 2])
]
every_case = pytest.mark.parametrize(("case", "rank"), BOTH, ids=[f"{_id(case)}-{rank}d" for case, rank in BOTH])


def _exact(case: Case, rank: int, tmp_path: Path) -> list[dict[str, Any]]:
    """Return the entries that a case becomes in a bundle config."""
    args = {**case["args"], **((case.get("args_2d") or {}) if rank == 2 else {})}
    args = json.loads(json.dumps(args).replace("{TMP}", str(tmp_path)))
    cls = catalogue.components()[case["name"]]
    component = create(ComponentSpec(case["name"], (), cls, None, args, Address("config.json", 1), "train"))
    entries = component.bundle_entry(BundleContext(spatial_dims=rank))
    return [render(entry) for entry in (entries if isinstance(entries, list) else [entries])]


def _tensor(values: Any, affine: np.ndarray, rank: int) -> MetaTensor:
    """Return an image that knows how it was loaded, by Clara's properties and by MONAI's metadata."""
    tensor = MetaTensor(torch.from_numpy(values), affine=torch.from_numpy(affine.copy()))
    loaded = LOADED[:rank]
    tensor.meta |= {"filename_or_obj": "case.nii.gz", "original_affine": affine.copy(), "spatial_shape": loaded}
    tensor.applied_operations = [{"class": "Resize", "orig_size": loaded}]
    known = {
        ImageProperty.SHAPE_FORMAT: "CDHW" if rank == 3 else "CHW",
        ImageProperty.ORIGINAL_SHAPE: loaded,
        ImageProperty.ORIGINAL_SHAPE_FORMAT: "DHW" if rank == 3 else "HW",
        ImageProperty.ORIGINAL_AFFINE: affine,
        ImageProperty.FILENAME: "case.nii.gz",
        ImageProperty.IS_CANONICAL: False,
    }
    properties.write(tensor, known)
    return tensor


@pytest.fixture
def item(oblique_affine: np.ndarray, tmp_path: Path) -> Callable[[Case, int], Item]:
    """Make an image of noise and a label of blocks for a case, or the paths of such files."""

    def make(case: Case, rank: int) -> Item:
        size, about = SIZES[rank], case.get("item", {})
        image = np.random.default_rng(0).uniform(0.1, 100, (about.get("channels", 1), *size)).astype(np.float32)
        label = np.zeros((1, *size), np.float32)
        for number, value in enumerate(about.get("labels", [1, 2])):
            label[(0, *(slice(2 + number, n - 3 + number) for n in size))] = value
        if case.get("kind") != "loader":
            return {"image": _tensor(image, oblique_affine, rank), "label": _tensor(label, oblique_affine, rank)}
        return {name: _write(tmp_path / f"{name}{case['suffix']}", array[0], oblique_affine)
                for name, array in (("image", image), ("label", label))}  # fmt: skip

    return make


def _write(path: Path, array: np.ndarray, affine: np.ndarray) -> str:
    if path.name.endswith(".nii.gz"):
        nibabel.save(nibabel.Nifti1Image(array, affine), path)
    elif path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix in (".png", ".jpg"):
        from PIL import Image

        Image.fromarray(array.astype(np.uint8)).save(path)
    else:
        import itk

        itk.imwrite(itk.image_from_array(np.ascontiguousarray(array.T)), str(path))
    return str(path)


def _items(result: Any) -> list[Item]:
    return result if isinstance(result, list) else [result]


@every_case
def test_case_runs_without_this_package(
    case: Case, rank: int, item: Callable, chain: Callable, plain: Callable, close: Callable, tmp_path: Path
) -> None:
    """The same fields of the same size; the same values unless the difference says otherwise."""
    exact = _exact(case, rank, tmp_path)
    natives = [native_transform(entry, NativeContext(spatial_dims=rank)) for entry in exact]
    difference = "; ".join(native.difference for native in natives if native.difference)
    given = item(case, rank)
    expected = _items(chain(exact)(copy.deepcopy(given)))
    before = {name: value.clone() for name, value in given.items() if isinstance(value, torch.Tensor)}
    found = _items(plain(natives)(given))
    if case["name"] != "NormalizeNonzeroIntensities":  # MONAI's writes into what it is given
        assert all(torch.equal(given[name], value) for name, value in before.items())
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert set(one) == set(other)
        for field, value in other.items():
            if isinstance(value, torch.Tensor):
                assert one[field].ndim == value.ndim
                assert len(one[field]) == len(value)
                if one[field].shape != value.shape:
                    assert "size" in difference or case.get("random") == "size"
                    continue
            if not difference or _id(case) in EQUAL_HERE:
                close(one[field], value)


@every_case
def test_every_target_of_a_case_has_a_counterpart(case: Case, rank: int, tmp_path: Path) -> None:
    for entry in _exact(case, rank, tmp_path):
        assert not entry["_target_"].startswith("clara_compat.") or entry["_target_"] in TRANSFORMS


def test_every_target_of_the_catalogue_has_a_counterpart() -> None:
    """Also those of writers, which have no case."""
    names = {cls.becomes for cls in catalogue.components().values() if isinstance(getattr(cls, "becomes", None), str)}
    assert {name for name in names if name.startswith(f"{ENGINE}.")} - set(TRANSFORMS) == set()


@pytest.mark.parametrize("target", sorted(TRANSFORMS))
def test_every_target_of_the_table_exists(target: str) -> None:
    assert callable(Entry(target).imported())


def test_what_is_of_monai_stays() -> None:
    entry = {"_target_": "RandGaussianNoised", "keys": ["image"], "prob": 0.5, "_desc_": "AddGaussianNoise: Noise"}
    native = native_transform(entry, NativeContext())
    assert (native.entries, native.difference, native.imports) == ([entry], "", [])


def test_the_description_goes_to_the_first_entry() -> None:
    entry = {"_target_": f"{ENGINE}.spatial_flip.RandSpatialFlipd", "keys": ["image"], "prob": 0.5, "_desc_": "Flip: F"}
    flips = native_transform(entry, NativeContext()).entries
    assert [flip.get("_desc_") for flip in flips] == ["Flip: F", None, None]
    assert [flip["spatial_axis"] for flip in flips] == [0, 1, 2]


def test_a_transform_without_counterpart() -> None:
    target = f"{ENGINE}.resize.ResizeToShape"
    with pytest.raises(
        ClaraError, match="'.*ResizeToShape' has no counterpart in plain MONAI; did you mean '.*ResizeToShaped'"
    ):
        native_transform({"_target_": target}, NativeContext())


@pytest.mark.parametrize("name", ["demo_mmar", "demo_tensorflow", "demo_classification_2d", "demo_classification_3d"])
@pytest.mark.parametrize("section", ["train", "validate"])
def test_chains_of_the_demos(name: str, section: str, plain: Callable) -> None:
    """Every transform of a whole config, up to the end of its chain."""
    mmar = REPOSITORY / "configs" / name
    overrides = ["DATA_ROOT=/data", "DATASET_JSON=/data/dataset.json"]
    workflow = load_train_workflow(mmar / "config" / "config_train.json", mmar=mmar, env=None, overrides=overrides)
    config = translate_train(workflow, Seeds(0, 0, 0, 0), mmar / "models").config
    entries = config[section]["preprocessing"]["transforms"]
    natives = native_chain(entries, NativeContext(_rank_of(config)), ("image",))
    assert len(natives) == len(entries)
    assert len(plain(natives).transforms) >= len(entries) - 3


def _rank_of(config: dict[str, Any]) -> int:
    return 2 if "LoadPictured" in json.dumps(config) else 3
