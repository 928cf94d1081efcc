"""The end of a chain on a device: the same batches, whatever makes them. A CPU stands for the GPU."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import monai
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import (
    AsDiscreted,
    Compose,
    DivisiblePadd,
    NormalizeIntensityd,
    RandAdjustContrastd,
    RandAxisFlipd,
    RandGaussianNoised,
    RandGaussianSharpend,
    RandGaussianSmoothd,
    Randomizable,
    RandRotate90d,
    RandZoomd,
    RepeatChanneld,
    Transform,
)

from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine import properties
from clara_compat.engine.data import device_part as module
from clara_compat.engine.data.budget import CacheBudget
from clara_compat.engine.data.cache import ItemCache
from clara_compat.engine.data.dataset import SeededDataset
from clara_compat.engine.data.device_loading import in_thread
from clara_compat.engine.data.device_part import DevicePart, device_start, needing_the_cpu, room
from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.data.loader import data_loader
from clara_compat.engine.data.seeding import drawn_from
from clara_compat.engine.legacy.transform import legacy_transform
from clara_compat.engine.transforms.add_constant import RandAddConstantd
from clara_compat.engine.transforms.batch_fields import BatchFields
from clara_compat.engine.transforms.channels import ConvertToChannelsFirstd, ConvertToChannelsLastd, LabelChannelsd
from clara_compat.engine.transforms.crop_fixed_size import CenterCropOrPadd, RandCropOrPadd
from clara_compat.engine.transforms.crop_pos_neg_roi import RandCropPosNegROId
from clara_compat.engine.transforms.crop_random_size import RandCropDisplacedd
from clara_compat.engine.transforms.label_groups import LabelGroupsToChannelsd, LabelsToOneHotd
from clara_compat.engine.transforms.normalize_nonzero import NormalizeNonzeroIntensityd
from clara_compat.engine.transforms.resize import ResizeByFactord, ResizeToShaped
from clara_compat.engine.transforms.rotate_2d import RandRotate2Dd
from clara_compat.engine.transforms.scale_intensity_range import ScaleIntensityRanged
from clara_compat.engine.transforms.scale_shift_intensity import RandScaleShiftIntensityd
from clara_compat.engine.transforms.spatial_flip import RandSpatialFlipd

CPU = torch.device("cpu")


class Loads(Transform):
    """Stands for a loader: a scan and its label of 12^3 voxels, both a function of the file's name."""

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        if "broken" in data["image"]:
            raise OSError(f"{data['image']} cannot be read")
        values = np.random.RandomState(int(data["image"][4:-4])).rand(1, 12, 12, 12)
        image = MetaTensor(torch.tensor(values, dtype=torch.float32), affine=torch.eye(4, dtype=torch.float64) * 2)
        properties.write(image, {"shape_format": "DHW", "original_shape": (12, 12, 12)})
        return {"image": image, "label": MetaTensor((image.as_tensor() > 0.7).float(), affine=image.affine)}


class Users:
    """A user's random numpy transform, which writes into its array."""

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        data = transform_ctx.get_image("image").get_data()
        data += np.random.rand(*data.shape).astype(np.float32)
        return transform_ctx

    def is_deterministic(self) -> bool:
        return False


BOTH = ["image", "label"]


def end(crops: int | None = None) -> list[Any]:
    return [
        RandCropPosNegROId("image", "label", (8, 8, 8), num_samples=crops),
        RandSpatialFlipd(BOTH),
        RandScaleShiftIntensityd("image"),
        RandGaussianNoised("image", prob=0.5),
        RandZoomd(BOTH, prob=0.7, mode=["trilinear", "nearest"]),
        BatchFields(track_meta=False),
    ]


def users() -> Any:
    return legacy_transform(Users())


def made(
    *transforms: Any, data: list[str] | None = None, workers: int = 0, gb: float = 1, keep: bool = False, **options: Any
) -> Any:
    """Return a loader of batches of two scans."""
    items = [{"image": name} for name in data or [f"scan{i}.nii" for i in range(5)]]
    chain = Compose([Loads(), *transforms])
    names = ("cached", "replace_percent")
    plan = EpochPlan(items, shuffle=True, seed=5, **{name: options.pop(name) for name in names if name in options})
    bad = {"on_bad_item": options.pop("on_bad_item")} if "on_bad_item" in options else {}
    cache = ItemCache(items, chain, plan, CacheBudget(gb), section="train", **bad)
    dataset = SeededDataset(items, chain, cache=cache, section="train", **bad, **options)
    return data_loader(dataset, plan, batch_size=2, num_workers=workers, keep_workers=keep)


def epochs(loader: Any, count: int = 3) -> list[dict[str, torch.Tensor]]:
    batches: list[Any] = []
    for epoch in range(1, count + 1):
        loader.sampler.set_epoch(epoch)
        batches += list(loader)
    return batches


def put_on(loader: Any, *, may_hold: bool = True, share: float = 0.5) -> DevicePart:
    dataset = loader.dataset
    part = DevicePart(CPU, device_start(dataset.transform, dataset.cache.length), share)
    part.may_hold = may_hold
    loader.run_on(part)
    return part


def same(ours: list[Any], theirs: list[Any]) -> None:
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs, strict=True):
        assert one.keys() == other.keys()
        for field in one:
            assert type(one[field]) is type(other[field])
            assert torch.equal(one[field], other[field])


CHAINS = {
    "cached": (end, 1),
    "crops": (lambda: end(crops=3), 1),
    "users": (lambda: [RandSpatialFlipd(BOTH), users(), *end()], 3),
    "crops and users": (lambda: [*end(crops=2)[:2], users(), *end()[1:]], 4),
}


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("name", CHAINS)
def test_the_same_batches_bit_for_bit(name: str, workers: int) -> None:
    chain, start = CHAINS[name]
    loader = made(*chain(), workers=workers)
    expected = epochs(made(*chain(), workers=workers))
    part = put_on(loader)
    assert part.start == start
    same(epochs(loader), expected)
    assert len(part.held) == (5 if start == 1 else 0)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("gb", [0, 1])
def test_without_a_cache_workers_begin_the_items(gb: float, workers: int) -> None:
    loader = made(users(), *end(2), workers=workers, gb=gb, keep=True)
    expected = epochs(made(users(), *end(2), gb=gb))
    same(epochs(loader, 1), expected[:3])
    put_on(loader)
    loader.sampler.set_epoch(2)
    same([*loader], expected[3:6])
    loader.run_on(None)
    loader.sampler.set_epoch(3)
    same([*loader], expected[6:])


@pytest.mark.parametrize("workers", [0, 2])
def test_the_window_of_a_smart_cache(workers: int) -> None:
    options = {"cached": 3, "replace_percent": 0.4, "workers": workers}
    loader = made(*end(), **options)
    part = put_on(loader)
    held = []
    for epoch in range(1, 4):
        loader.sampler.set_epoch(epoch)
        list(loader)
        assert set(part.held) == set(loader.dataset.cache.held)
        held.append(set(part.held))
    assert held[0] != held[1] != held[2]
    again = made(*end(), **options)
    put_on(again)
    same(epochs(again), epochs(made(*end(), **options)))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_that_begins_in_the_middle(workers: int) -> None:
    loader = made(users(), *end(), workers=workers)
    expected = epochs(made(users(), *end()), 2)
    put_on(loader)
    loader.sampler.begin_at(1, 2)
    same(epochs(loader, 2), expected[1:])


def test_transforms_of_a_batch() -> None:
    def batch() -> Compose:
        return Compose([RandAxisFlipd(BOTH, prob=0.5)])

    loader = made(*end(), batch_transform=batch())
    put_on(loader)
    same(epochs(loader), epochs(made(*end(), batch_transform=batch())))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("policy", ["replace", "leave_out"])
def test_items_that_cannot_be_made_are_skipped_alike(policy: str, workers: int) -> None:
    options = {"data": ["scan0.nii", "scan1.nii", "broken.nii", "scan3.nii"], "on_bad_item": policy, "workers": workers}
    for chain in (end, lambda: [users(), *end()]):
        plain, loader = made(*chain(), **options), made(*chain(), **options)
        put_on(loader)
        same(epochs(loader), epochs(plain))
        assert loader.skipped.told() == plain.skipped.told() != []


def test_a_failure_of_an_item_that_must_be_made() -> None:
    for chain in (end(), [users(), *end()]):
        loader = made(*chain, data=["broken.nii"])
        put_on(loader)
        [failure] = epochs(loader, 1)
        assert failure.reason == "OSError: broken.nii cannot be read"
        assert failure.transform == 0


def test_the_items_held_are_of_the_memory_rule(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    size = 2 * 12**3 * 4
    monkeypatch.setattr(module, "free_memory", lambda: 10 * size - 1)
    expected = epochs(made(*end()))
    for share, count in ((0.3, 2), (0.05, 0), (0.5, 4), (0.6, 5)):
        loader = made(*end())
        part = put_on(loader, share=share)
        same(epochs(loader), expected)
        assert len(part.held) == count
        assert f"train: {count} of 5 cached scans, 0 MB, lie on cpu" in caplog.text
    assert part.held.keys() == loader.dataset.cache.held.keys()


def test_nothing_is_held_before_the_network_has_run() -> None:
    loader = made(*end())
    part = put_on(loader, may_hold=False)
    same(epochs(loader), epochs(made(*end())))
    assert part.held == {}


def test_the_room_on_a_gpu_is_a_share_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: asked.append(device) or (1000, 9000))
    assert room(torch.device("cuda", 1)) == 300
    assert asked == [torch.device("cuda", 1)]


def test_holding_ends_where_the_device_has_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    copied = []

    def scarce(item: Any, device: torch.device) -> Any:
        copied.append(item)
        if len(copied) == 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return item

    loader = made(*end())
    part = put_on(loader)
    monkeypatch.setattr(module, "moved", scarce)
    same(epochs(loader), epochs(made(*end())))
    assert len(part.held) == 2


class Scarce(Transform):
    """Works on the CPU; on what stands for the device it has no memory from the third call on."""

    def __init__(self) -> None:
        self.calls = 0
        self.on_device = False

    def __call__(self, data: Any) -> Any:
        if self.on_device:
            self.calls += 1
            if self.calls > 2:
                self.on_device = False
                raise torch.OutOfMemoryError("CUDA out of memory")
        return data


@pytest.mark.parametrize("workers", [0, 2])
def test_what_the_device_cannot_do_the_cpu_does(
    workers: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_runs_anywhere", lambda cls: cls in (Scarce, *map(type, end())))
    monkeypatch.setattr(module, "moved", lambda item, device: item)  # there is no such device
    scarce = Scarce()
    chain = [users(), scarce, *end()]
    loader = made(*chain, workers=workers)
    part = put_on(loader)
    part.device = torch.device("meta")
    scarce.on_device = True
    same(epochs(loader), epochs(made(users(), Scarce(), *end())))
    assert part.device == CPU
    said = "train: the transforms run on the CPU from here on, as meta failed: OutOfMemoryError: CUDA out of memory"
    assert said in caplog.text


def test_the_thread_leaves_the_generators_alone() -> None:
    loader = made(*end(2))
    put_on(loader)
    torch.manual_seed(3)
    np.random.seed(3)
    expected = torch.rand(2), np.random.rand(2)
    torch.manual_seed(3)
    np.random.seed(3)
    loader.sampler.set_epoch(1)
    loader.dataset.prepare(1)
    before = np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes()
    for _ in loader:
        assert (np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes()) == before
    assert torch.equal(torch.rand(2), expected[0])
    assert (np.random.rand(2) == expected[1]).all()


def test_an_error_of_the_thread_is_raised_where_batches_are_asked_for() -> None:
    def batches() -> Any:
        yield 1
        raise RuntimeError("a worker exited")

    found = in_thread(batches())
    assert next(found) == 1
    with pytest.raises(RuntimeError, match="a worker exited"):
        next(found)


LABEL = "label"
WITHOUT_VALUES = [
    AsDiscreted(LABEL, argmax=True),
    BatchFields(track_meta=True),
    CenterCropOrPadd(BOTH, (6, 9, 8)),
    ConvertToChannelsFirstd(BOTH),
    ConvertToChannelsLastd(BOTH),
    DivisiblePadd(BOTH, 5),
    LabelChannelsd(BOTH),
    LabelGroupsToChannelsd(LABEL, [[1], [2, 3]]),
    RandAddConstantd("image", 0.1),
    RandAxisFlipd(BOTH, prob=1.0),
    RandCropDisplacedd(BOTH, (4, 4, 4)),
    RandCropOrPadd(BOTH, (4, 10, 4)),
    monai.transforms.RandFlipd(BOTH, prob=1.0),
    RandGaussianNoised("image", prob=1.0),
    RandGaussianSharpend("image", prob=1.0),
    RandRotate2Dd(BOTH, 20, ["bilinear", "nearest"]),
    RandRotate90d(BOTH, prob=1.0),
    RandScaleShiftIntensityd("image"),
    RandSpatialFlipd(BOTH, 1.0),
    RandZoomd(BOTH, prob=1.0, mode=["trilinear", "nearest"]),
    RepeatChanneld("image", 2),
    ResizeByFactord(BOTH, 0.5),
    ResizeToShaped(BOTH, (4, 5, 6)),
    ScaleIntensityRanged("image", 0, 1, -1, 1),
]
"""Transforms that do not look at values, and so run on torch's device for tensors without any."""
WITH_VALUES = [
    LabelsToOneHotd(LABEL, 2),
    NormalizeIntensityd("image"),
    NormalizeNonzeroIntensityd("image"),
    RandAdjustContrastd("image", prob=1.0),
    RandCropPosNegROId("image", LABEL, (4, 4, 4), rotate_degrees=10, deform=True),
    RandGaussianSmoothd("image", prob=1.0),
]


def fields(transform: Any, device: str) -> dict[str, torch.Tensor]:
    shape = (1, 8, 8) if isinstance(transform, RandRotate2Dd) else (1, 8, 8, 8)
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    affine = torch.eye(4, dtype=torch.float64)
    return {name: MetaTensor(one.to(device), affine=affine) for name, one in (("image", image), (LABEL, image.round()))}


def test_every_transform_of_the_list_is_tested() -> None:
    assert {type(one).__name__ for one in (*WITHOUT_VALUES, *WITH_VALUES)} == module._NAMES
    assert needing_the_cpu([*WITHOUT_VALUES, *WITH_VALUES]) == []


@pytest.mark.parametrize("transform", WITHOUT_VALUES, ids=lambda one: type(one).__name__)
def test_it_computes_where_its_tensors_lie(transform: Any) -> None:
    """Tensors without values, like a GPU's, do not mix with others and do not become numpy's."""
    for one in transform(fields(transform, "meta")).values():
        assert one.device.type == "meta"


@pytest.mark.parametrize("transform", [*WITHOUT_VALUES, *WITH_VALUES], ids=lambda one: type(one).__name__)
def test_it_draws_from_its_own_generator_only(transform: Any) -> None:
    data = fields(transform, "cpu")
    found = []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        np.random.seed(global_seed)
        if isinstance(transform, Randomizable):
            transform.set_random_state(seed=3)
        with drawn_from() as drawn:
            found.append(transform(data))
        assert not drawn()
    assert all(torch.equal(found[0][name], found[1][name]) for name in data)
    assert torch.equal(data["image"].as_tensor(), fields(transform, "cpu")["image"].as_tensor())


class RandFlipd(Transform):  # a user's with MONAI's name
    def __call__(self, data: Any) -> Any:
        return data


def test_which_transforms_need_the_cpu() -> None:
    assert needing_the_cpu([*end(), Loads(), users(), RandFlipd(), lambda x: x]) == [6, 7, 8, 9]


def test_nothing_is_written_into_the_items_held(tmp_path: Path) -> None:
    loader = made(*end())
    part = put_on(loader)
    epochs(loader, 1)
    before = {key: item["image"].clone() for key, item in part.held.items()}
    epochs(loader, 3)
    assert all(torch.equal(part.held[key]["image"], one) for key, one in before.items())
