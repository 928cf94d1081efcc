"""What every transform of the catalogue must do, whatever else it does.

The cases stand in ``contract/*.json``, one legacy config element each:

- ``name``, ``args``: as in a config; ``{TMP}`` in a text is a temporary folder.
- ``args_2d``: what differs in 2-D; null when the transform has no 2-D.
- ``ranks``: ``[2]`` when the transform has no 3-D.
- ``item``: what the image and label are made of: ``channels`` (of the image, 1), ``labels`` (values of the label).
- ``kind``: ``loader`` (its fields hold paths, files of ``suffix`` are written), ``batch`` (gives a list of items).
- ``fields``: what it leaves under which field, where that is more than the fields it was given.
- ``values``: which of these fields hold something other than an image.
- ``deterministic``: true unless said.
- ``random``: what of the geometry is drawn, ``size`` (headers give the smallest) or ``spacing``.
- ``geometric``: it moves voxels or keeps them: images whose voxels hold their own RAS mm still do so afterwards.
- ``wrong``: arguments that must be refused, and the words.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.transforms import Compose, RandomizableTrait

from clara_compat.common.constants import ImageProperty
from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.components import catalogue
from clara_compat.components.entry import BundleContext
from clara_compat.components.transforms.native import Geometry, NativeTransform
from clara_compat.config.arguments import create
from clara_compat.config.spec import ComponentSpec
from clara_compat.engine import properties
from clara_compat.engine.data.chain_identity import ChainIdentity
from clara_compat.engine.legacy.views import to_context
from clara_compat.errors import Address, ClaraError

FOLDER = Path(__file__).parent / "contract"
CASES = [case for file in sorted(FOLDER.glob("*.json")) for case in json.loads(file.read_text())]
SIZES = {3: (12, 14, 10), 2: (12, 14)}
Case = dict[str, Any]


def _id(case: Case) -> str:
    return case["name"] + (f"-{case['id']}" if "id" in case else "")


def _each(*, dims: bool = True, **wanted: Any) -> pytest.MarkDecorator:
    """Parametrise over the cases with these settings, and over 3-D and 2-D."""
    cases = [case for case in CASES if all(case.get(name) == value for name, value in wanted.items())]
    if not dims:
        return pytest.mark.parametrize("case", cases, ids=_id)
    both = [(case, rank) for case in cases for rank in _ranks(case)]
    return pytest.mark.parametrize(("case", "rank"), both, ids=[f"{_id(case)}-{rank}d" for case, rank in both])


def _ranks(case: Case) -> list[int]:
    return case.get("ranks", [3] if case.get("args_2d", {}) is None else [3, 2])


def _arguments(case: Case, rank: int, tmp_path: Path) -> dict[str, Any]:
    args = {**case["args"], **((case.get("args_2d") or {}) if rank == 2 else {})}
    return json.loads(json.dumps(args).replace("{TMP}", str(tmp_path)))


def _make(name: str, args: dict[str, Any]) -> NativeTransform:
    """Make a transform as a config does."""
    cls = catalogue.components()[name]
    component = create(ComponentSpec(name, (), cls, None, args, Address("config.json", 1), "train.pre_transforms"))
    assert isinstance(component, NativeTransform)
    return component


def _tensor(values: np.ndarray, affine: np.ndarray, rank: int, **more: Any) -> MetaTensor:
    tensor = MetaTensor(torch.from_numpy(values), affine=torch.from_numpy(affine.copy()))
    tensor.meta["filename_or_obj"] = "case.nii.gz"
    known = {
        ImageProperty.SHAPE_FORMAT: "CDHW" if rank == 3 else "CHW",
        ImageProperty.ORIGINAL_SHAPE: (20, 18, 16)[:rank],
        ImageProperty.ORIGINAL_SHAPE_FORMAT: "DHW" if rank == 3 else "HW",
        ImageProperty.ORIGINAL_AFFINE: affine,
        ImageProperty.FILENAME: "case.nii.gz",
        ImageProperty.IS_CANONICAL: False,
    }
    properties.write(tensor, {**known, **more})
    return tensor


@pytest.fixture
def item(oblique_affine: np.ndarray, tmp_path: Path) -> Callable[[Case, int], dict[str, Any]]:
    """Make an image and a label for a case: of noise and of blocks, or the paths of such files."""

    def make(case: Case, rank: int) -> dict[str, Any]:
        size, about = SIZES[rank], case.get("item", {})
        rng = np.random.default_rng(0)
        image = rng.uniform(0.1, 100, (about.get("channels", 1), *size)).astype(np.float32)
        label = np.zeros((1, *size), np.float32)
        for number, value in enumerate(about.get("labels", [1, 2])):
            label[(0, *(slice(2 + number, n - 3 + number) for n in size))] = value
        if case.get("kind") != "loader":
            return {"image": _tensor(image, oblique_affine, rank), "label": _tensor(label, oblique_affine, rank)}
        return {name: _write(tmp_path / f"{name}{case['suffix']}", array[0], oblique_affine)
                for name, array in (("image", image), ("label", label))}  # fmt: skip

    return make


def _write(path: Path, array: np.ndarray, affine: np.ndarray) -> str:
    if path.name.endswith((".nii", ".nii.gz")):
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


def _items(result: Any) -> list[dict[str, Any]]:
    return result if isinstance(result, list) else [result]


def _header(tensor: MetaTensor) -> Geometry:
    original = properties.read(tensor)[ImageProperty.ORIGINAL_SHAPE]
    return Geometry(tuple(tensor.shape[1:]), properties.affine_spacing(tensor), len(tensor), original)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(torch.as_tensor(one), torch.as_tensor(other))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    return bool(np.all(one == other))


def test_every_transform_has_a_case() -> None:
    names = {name for name, cls in catalogue.components().items() if catalogue.family(cls) == "transforms"}
    assert names - {case["name"] for case in CASES} == set()


@_each(dims=False)
def test_how_deterministic_it_is(case: Case, build: Callable[..., Compose], tmp_path: Path) -> None:
    """``is_deterministic()`` is what MONAI's caches see; a tap that writes each pass is never cached."""
    component = _make(case["name"], _arguments(case, _ranks(case)[0], tmp_path))
    assert component.is_deterministic() is case.get("deterministic", True)
    chain = build(component, _ranks(case)[0])
    cached = not any(isinstance(transform, RandomizableTrait) for transform in chain.transforms)
    assert cached is (component.is_deterministic() and case["name"] != "SaveAsNifti")


@_each()
def test_result(case: Case, rank: int, build: Callable[..., Compose], item: Callable, tmp_path: Path) -> None:
    """Channel-first ``MetaTensor`` with an affine and a layout; the item it was given is as before."""
    component = _make(case["name"], _arguments(case, rank, tmp_path))
    given = item(case, rank)
    before = copy.deepcopy(given)
    result = build(component, rank)(given)
    assert isinstance(result, list) is (case.get("kind") == "batch")
    for field, value in before.items():
        assert _same(given[field], value), f"{field} was changed in place"
        if isinstance(value, MetaTensor):
            assert given[field].meta["clara"] == value.meta["clara"]
            assert torch.equal(given[field].affine, value.affine)
    for each in _items(result):
        assert set(each) == set(before) | set(case.get("fields", []))
        for field, value in each.items():
            if isinstance(value, str) or field in case.get("values", []):
                continue
            assert type(value) is MetaTensor
            assert value.ndim == 1 + rank
            assert min(value.shape) > 0
            assert value.affine.shape == (4, 4)
            assert torch.isfinite(value.affine).all()
            layout = ShapeFormat(properties.read(value)[ImageProperty.SHAPE_FORMAT])
            assert layout.is_3d() is (rank == 3)
            assert not layout.is_batched()


@_each()
def test_header_geometry(case: Case, rank: int, build: Callable[..., Compose], item: Callable, tmp_path: Path) -> None:
    """What ``propagate`` says from headers is what comes out (for random sizes: not larger than that)."""
    component = _make(case["name"], _arguments(case, rank, tmp_path))
    given = item(case, rank)
    if case.get("kind") == "loader":
        told = component.load_geometry(given)  # type: ignore[attr-defined]
    else:
        told = component.propagate({field: _header(tensor) for field, tensor in given.items()})
    for each in _items(build(component, rank)(given)):
        found = {field: value for field, value in each.items() if isinstance(value, torch.Tensor)}
        assert set(told) == set(found)
        for field, value in found.items():
            assert told[field].channels == len(value)
            if case.get("random") == "size":
                assert all(n <= m for n, m in zip(told[field].size, value.shape[1:], strict=True))
                continue
            assert told[field].size == tuple(value.shape[1:])
            if case.get("random") != "spacing":
                assert told[field].spacing == pytest.approx(properties.affine_spacing(value), rel=1e-4)


@_each()
def test_fields_as_text_and_as_list(case: Case, rank: int, build: Callable, item: Callable, tmp_path: Path) -> None:
    args = _arguments(case, rank, tmp_path)
    if "fields" not in args:
        assert "fields" not in inspect.signature(catalogue.components()[case["name"]].__init__).parameters
        return
    first = args["fields"] if isinstance(args["fields"], str) else args["fields"][0]
    one, other = (
        build(_make(case["name"], {**args, "fields": fields}), rank)(item(case, rank)) for fields in (first, [first])
    )
    assert _same(one, other)


@_each()
def test_native_equals_legacy_call(case: Case, rank: int, build: Callable, item: Callable, tmp_path: Path) -> None:
    """The chain of a run, and ``transform(ctx)`` as a user's subclass calls it, give the same.

    Where the chain gives a list of items, the context holds their images stacked, in a format with N.
    """
    component = _make(case["name"], _arguments(case, rank, tmp_path))
    seed = int(np.random.RandomState(5).randint(2**31))
    native = build(component, rank, seed)(item(case, rank))
    context = to_context(item(case, rank))
    np.random.seed(5)
    assert component.transform(context) is context
    assert isinstance(context, TransformContext)
    items = _items(native)
    assert set(context) == set(items[0])
    for field, value in items[0].items():
        if isinstance(value, str) or field in case.get("values", []):
            assert context[field] == value
            continue
        image = context[field]
        assert isinstance(image, MedicalImage)
        layout = ShapeFormat(properties.read(value)[ImageProperty.SHAPE_FORMAT])
        assert image.get_shape_format() == (layout.with_batch() if isinstance(native, list) else layout)
        arrays = image.get_data() if isinstance(native, list) else [image.get_data()]
        for array, each in zip(arrays, items, strict=True):
            np.testing.assert_array_equal(_channel_first(array, layout), each[field].numpy())
        np.testing.assert_allclose(image.get_property("affine"), value.affine.numpy())


def _channel_first(array: np.ndarray, layout: ShapeFormat) -> np.ndarray:
    if not layout.is_channeled():
        return array[np.newaxis]
    return np.moveaxis(array, -1, 0) if layout.is_channels_last() else array


@_each()
def test_travels_to_a_worker(case: Case, rank: int, build: Callable, item: Callable, tmp_path: Path) -> None:
    component = _make(case["name"], _arguments(case, rank, tmp_path))
    copied = pickle.loads(pickle.dumps(component))
    assert vars(copied) == vars(component)
    chain = pickle.loads(pickle.dumps(build(component, rank))).set_random_state(3)
    assert _same(chain(item(case, rank)), build(component, rank, 3)(item(case, rank)))


@_each(geometric=True)
def test_voxels_keep_their_place(
    case: Case, rank: int, build: Callable, item: Callable, world: Callable, tmp_path: Path
) -> None:
    """Every voxel of image and label still holds its own RAS mm: the affine is right and the two are aligned."""
    component = _make(case["name"], _arguments(case, rank, tmp_path))
    if case.get("kind") == "loader":
        result = build(component, rank)(item(case, rank))
        np.testing.assert_allclose(result["image"].affine.numpy(), nibabel.load(tmp_path / "image.nii.gz").affine)
        return
    given = item(case, rank)
    for tensor in given.values():
        places = torch.from_numpy(world(tensor.affine.numpy(), tuple(tensor.shape[1:])))
        tensor.data = places + 1e4  # far from 0, so that foreground is everywhere and padding is told apart
    for seed in range(6):
        for each in _items(build(component, rank, seed)(given)):
            for field in case.get("aligned", ["image", "label"]):
                value = each[field]
                size = tuple(value.shape[1:])
                error = value.numpy() - 1e4 - world(value.affine.numpy(), size)
                step = 0.51 * np.abs(given[field].affine.numpy()[:3, :rank]).sum()  # nearest: half a voxel
                inside = (slice(None), *(slice(n // 4, max(n - n // 4, n // 4 + 1)) for n in size))
                assert np.abs(error[inside]).max() <= (step if field == "label" else 1e-2), field


@_each(dims=False)
def test_wrong_arguments(case: Case, tmp_path: Path) -> None:
    args = _arguments(case, 3, tmp_path)
    undocumented = catalogue.components()[case["name"]].undocumented
    words = "'no_such_argument' of {} is not understood" if undocumented else "{} has no argument 'no_such_argument'"
    with pytest.raises(ClaraError, match=f"config.json:1.*{words.format(case['name'])}"):
        _make(case["name"], {**args, "no_such_argument": 1})
    parameters = list(inspect.signature(catalogue.components()[case["name"]].__init__).parameters.values())[1:]
    for parameter in parameters:
        if parameter.default is inspect.Parameter.empty:
            rest = {name: value for name, value in args.items() if name != parameter.name}
            with pytest.raises(ClaraError, match=f"{case['name']} needs the argument '{parameter.name}'"):
                _make(case["name"], rest)
    for wrong in case.get("wrong", []):
        with pytest.raises(ClaraError, match=wrong["match"]):
            _make(case["name"], {**args, **wrong["args"]})


KEYS = """
import json, sys
from monai.bundle import ConfigParser
from clara_compat.engine.data.chain_identity import ChainIdentity
keys = {}
for name, chain in json.load(sys.stdin).items():
    keys[name] = ChainIdentity(ConfigParser(chain).get_parsed_content("")).key(len(chain))
json.dump(keys, sys.stdout)
"""


def test_a_cache_on_disk_knows_every_transform(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of a chain is the same in every process, and that of no other chain."""
    chains = {}
    for case in CASES:
        for rank in _ranks(case) if case.get("deterministic", True) else []:
            component = _make(case["name"], _arguments(case, rank, Path("/results")))
            entries = component.bundle_entry(BundleContext(spatial_dims=rank))
            entries = entries if isinstance(entries, list) else [entries]
            chain = [{"_target_": entry.target, **entry.arguments} for entry in entries]
            chains[f"{_id(case)} {rank}"] = json.loads(json.dumps(chain))

    def key(chain: list[dict[str, Any]]) -> str:
        return ChainIdentity(ConfigParser(chain).get_parsed_content("")).key(len(chain))

    keys = {name: key(chain) for name, chain in chains.items()}
    assert len(keys) > 50
    assert {name: key(chain) for name, chain in chains.items()} == keys
    monkeypatch.setenv("PYTHONHASHSEED", "12345")
    process = subprocess.run(
        [sys.executable, "-c", KEYS], input=json.dumps(chains), check=True, capture_output=True, text=True
    )
    assert json.loads(process.stdout) == keys
    for (one, chain), (other, another) in itertools.combinations(chains.items(), 2):
        assert (keys[one] == keys[other]) is (chain == another), (one, other)
