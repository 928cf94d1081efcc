"""After a batching crop a user's transform sees all crops as one image with an N axis, and is called once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, RandShiftIntensityd

from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine import properties
from clara_compat.engine.legacy.stacks import items_of, view_of
from clara_compat.engine.legacy.transform import legacy_transform
from clara_compat.engine.legacy.views import same, to_medical_image
from clara_compat.engine.transforms.channels import ConvertToChannelsFirstd, ConvertToChannelsLastd
from clara_compat.engine.transforms.crop_pos_neg_roi import RandCropPosNegROId
from clara_compat.errors import ClaraError

Items = list[dict[str, Any]]

LAYOUTS = [
    ("DHW", (1, 2, 3, 4), "NDHW", (3, 2, 3, 4)),
    ("CDHW", (5, 2, 3, 4), "NCDHW", (3, 5, 2, 3, 4)),
    ("DHWC", (5, 2, 3, 4), "NDHWC", (3, 2, 3, 4, 5)),
    ("HW", (1, 2, 3), "NHW", (3, 2, 3)),
    ("CHW", (5, 2, 3), "NCHW", (3, 5, 2, 3)),
    ("HWC", (5, 2, 3), "NHWC", (3, 2, 3, 5)),
    ("DHW", (5, 2, 3, 4), "NCDHW", (3, 5, 2, 3, 4)),  # a transform gave it channels
]


class Mine:
    """A user's transform of one function, which counts its calls."""

    def __init__(self, change: Callable[[TransformContext], Any], *, random: bool = False) -> None:
        self.change = change
        self.random = random
        self.calls = 0

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        self.calls += 1
        self.change(transform_ctx)
        return transform_ctx

    def is_deterministic(self) -> bool:
        return not self.random


def run(change: Callable[[TransformContext], Any], items: Any) -> Any:
    return legacy_transform(Mine(change))(items)


@pytest.fixture
def crops(labelled: Callable) -> Callable[..., Items]:
    """Three crops of one scan: numbered voxels, each at its own place, with its own point and a common field."""

    def make(layout: str = "DHW", shape: tuple[int, ...] = (1, 2, 3, 4), shared: str = "") -> Items:
        common = labelled(np.full((1, 2, 2, 2), 7.0, np.float32), "DHW")
        made: Items = []
        for i in range(3):
            affine = np.diag([2.0, 1.5, 3.0, 1.0])
            affine[:3, 3] = 10 * i
            values = np.arange(float(np.prod(shape)), dtype=np.float32).reshape(shape) + 1000 * i
            item = {field: labelled(values, layout, affine) for field in ("image", "label")}
            made.append({**item, "points": [i, i + 1], "id": f"crop{i}", "common": common, "number": 5})
        return made

    return make


def test_several_items_are_one_image_with_an_n_axis(crops: Callable) -> None:
    for layout, shape, batched, seen in LAYOUTS:
        items = crops(layout, shape)
        image = view_of(items, "Mine").get_image("image")
        assert (str(image.get_shape_format()), image.get_shape()) == (batched, seen)
        for crop, item in zip(image.get_data(), items, strict=True):
            np.testing.assert_array_equal(crop, to_medical_image(item["image"]).get_data())


def test_the_result_is_split_again(crops: Callable) -> None:
    def change(ctx: TransformContext) -> None:
        image = ctx.get_image("image")
        ctx.set_image("image", image.new_image(image.get_data() * 2, image.get_shape_format()))

    for layout, shape, batched, _ in LAYOUTS:
        items = crops(layout, shape)
        result = run(change, items)
        assert len(result) == 3
        for one, item in zip(result, items, strict=True):
            assert torch.equal(one["image"].as_tensor(), item["image"].as_tensor() * 2)
            assert properties.read(one["image"])["shape_format"] == batched[1:]
            assert one["image"].is_contiguous()
            assert type(one["image"]) is MetaTensor


def test_what_is_left_alone_stays_each_items_own(crops: Callable) -> None:
    items = crops()
    for item in items:
        item["image"].meta["filename_or_obj"] = f"{item['id']}.nii"
        properties.update(item["image"], file_name=f"{item['id']}.nii", window=[item["points"][0]])

    def change(ctx: TransformContext) -> None:
        image = ctx.get_image("image")
        assert image.get_property("file_name") == "crop0.nii"
        ctx.set_image("image", image.new_image(image.get_data() + 1, image.get_shape_format()))
        ctx.set_image("copy", ctx.get_image("image").copy())
        ctx["new"] = 3

    for item, one in zip(items, run(change, items), strict=True):
        for field in ("image", "copy"):
            assert torch.equal(one[field].affine, item["image"].affine)
            assert one[field].meta["filename_or_obj"] == properties.read(one[field])["file_name"] == f"{one['id']}.nii"
            assert same(properties.read(one[field]), properties.read(item["image"]))
        assert one["label"] is item["label"]
        assert one["common"] is item["common"]
        assert [one[name] for name in ("points", "id", "number", "new")] == [item["points"], item["id"], 5, 3]
        assert type(one["id"]) is str


def test_properties_that_only_some_items_have_stay_theirs(crops: Callable) -> None:
    """Of several scans, as the transforms of a batch may see them."""
    items = crops()
    properties.update(items[0]["image"], first="one", common=1)
    properties.update(items[1]["image"], second="two", common=2)

    def change(ctx: TransformContext) -> None:
        ctx.get_image("image").set_property("mine", 5)
        del ctx.get_image("image").get_properties()["as_canonical"]

    known = [properties.read(one["image"]) for one in run(change, items)]
    assert [one.get("first") for one in known] == ["one", None, None]
    assert [one.get("second") for one in known] == [None, "two", None]
    assert [one.get("common") for one in known] == [1, 2, None]
    assert all(one["mine"] == 5 and "as_canonical" not in one for one in known)


def test_an_affine_is_changed_as_that_of_the_first_crop_is(crops: Callable) -> None:
    """The user halves the resolution and says so in the affine: each crop keeps its place in the scan."""
    step = np.diag([2.0, 2.0, 2.0, 1.0])
    step[:3, 3] = 0.5

    def change(ctx: TransformContext) -> None:
        image = ctx.get_image("image")
        image.set_property("affine", np.dot(image.get_property("affine"), step))
        image.set_property("note", "half")

    items = crops()
    for item, one in zip(items, run(change, items), strict=True):
        np.testing.assert_allclose(one["image"].affine, item["image"].affine.numpy() @ step)
        assert properties.read(one["image"])["note"] == "half"
        assert properties.read(one["image"])["spacing"] == pytest.approx((4, 3, 6))
        assert torch.equal(item["image"].affine[:3, 3], torch.full((3,), 10.0 * item["points"][0], dtype=torch.float64))


def test_an_affine_written_into_is_not_the_items(crops: Callable) -> None:
    def change(ctx: TransformContext) -> None:
        ctx.get_image("image").get_property("affine")[0, 3] += 5

    items = crops()
    places = [float(one["image"].affine[0, 3]) for one in run(change, items)]
    assert places == [5, 15, 25]
    assert [float(item["image"].affine[0, 3]) for item in items] == [0, 10, 20]


def test_an_affine_without_an_inverse_is_what_the_user_says(crops: Callable) -> None:
    items = crops()
    for item in items:
        item["image"].affine = torch.zeros(4, 4)
    result = run(lambda ctx: ctx.get_image("image").set_property("affine", np.eye(4)), items)
    assert all(torch.equal(one["image"].affine, torch.eye(4, dtype=torch.float64)) for one in result)


def test_lists_of_the_user_are_written_into_safely(crops: Callable) -> None:
    items = crops()
    result = run(lambda ctx: ctx["points"].append(9), items)
    assert [one["points"] for one in result] == [[0, 1, 9]] * 3
    assert [item["points"] for item in items] == [[0, 1], [1, 2], [2, 3]]
    one = {"image": items[0]["image"], "label": [1.0, 0.0], "more": {"a": [1]}, "raw": np.zeros(3)}

    def change(ctx: TransformContext) -> None:
        ctx["label"][0] = 5.0
        ctx["more"]["a"].append(2)
        ctx["raw"] += 1

    assert run(change, one)["label"] == [5.0, 0.0]
    assert (one["label"], one["more"], one["raw"].sum()) == ([1.0, 0.0], {"a": [1]}, 0)


def test_writing_into_the_array_reaches_every_crop_and_no_item(crops: Callable) -> None:
    def change(ctx: TransformContext) -> None:
        ctx.get_image("image").get_data()[...] = -1

    items = crops("DHWC", (2, 2, 3, 4))
    assert all((one["image"] == -1).all() for one in run(change, items))
    assert all((item["image"] >= 0).all() for item in items)


def test_chance_is_drawn_once_for_all_crops(crops: Callable) -> None:
    def change(ctx: TransformContext) -> None:
        image = ctx.get_image("image")
        ctx.set_image("image", image.new_image(image.get_data() + np.random.rand(), image.get_shape_format()))

    mine = Mine(change, random=True)
    items = crops()
    np.random.seed(0)
    result = Compose([legacy_transform(mine)])(items)
    assert mine.calls == 1
    shifts = [float((a["image"] - b["image"]).mean()) for a, b in zip(result, items, strict=True)]
    assert shifts == pytest.approx([shifts[0]] * 3, abs=1e-3)
    assert shifts[0] > 0


def test_between_natives_in_a_chain(labelled: Callable) -> None:
    """Crop, native, the user's, native: the natives run crop by crop, the user's once."""
    seen = []

    def change(ctx: TransformContext) -> None:
        image = ctx.get_image("image")
        seen.append((str(image.get_shape_format()), image.get_shape()))
        ctx.set_image("image", image.new_image(image.get_data()[..., :1] * 10, image.get_shape_format()))

    scan = {
        "image": labelled(np.random.default_rng(0).random((1, 9, 8, 7)), "DHW"),
        "label": labelled(np.ones((1, 9, 8, 7), np.uint8), "DHW"),
    }
    chain = Compose(
        [
            RandCropPosNegROId("image", "label", [4, 4, 4], num_samples=5),
            ConvertToChannelsLastd(["image", "label"]),
            legacy_transform(Mine(change)),
            RandShiftIntensityd("image", 1.0, prob=1.0),
            ConvertToChannelsFirstd("image"),
            legacy_transform(Mine(lambda ctx: seen.append(str(ctx.get_image("image").get_shape_format())))),
        ]
    ).set_random_state(3)
    result = chain(scan)
    assert seen == [("NDHWC", (5, 4, 4, 4, 1)), "NCDHW"]
    assert len({float(one["image"].mean()) for one in result}) == 5
    for one in result:
        assert one["image"].shape == one["label"].shape == (1, 4, 4, 4)
        assert properties.read(one["image"])["shape_format"] == "CDHW"
        place = torch.round(one["image"].affine[:3, 3] / torch.tensor([2.0, 1.5, 3.0], dtype=torch.float64)).int()
        where = tuple(slice(int(a), int(a) + 4) for a in place)
        difference = one["image"][0] - scan["image"][(0, *where)] * 10
        assert float(difference.std()) < 1e-6  # but for the constant of the random native


@pytest.mark.parametrize("layout", ["NDHW", "NDHWC", "NCDHW"])
def test_a_users_batching_crop_makes_a_list(layout: str, labelled: Callable) -> None:
    def change(ctx: TransformContext) -> None:
        image = ctx.get_image("image")
        pieces = [image.get_data()[i : i + 2] for i in range(3)]
        if layout != "NDHW":
            axis = -1 if layout.endswith("C") else 0
            pieces = [np.stack([piece, -piece], axis) for piece in pieces]
        ctx.set_image("image", image.new_image(np.stack(pieces), layout))

    values = np.arange(120, dtype=np.int16).reshape(1, 5, 4, 6)
    scan = {"image": labelled(values, "DHW"), "id": "a", "label": labelled(values, "DHW")}
    result = Compose([legacy_transform(Mine(change)), ConvertToChannelsFirstd("image")])(scan)
    assert len(result) == 3
    for i, one in enumerate(result):
        expected = torch.from_numpy(values[0, i : i + 2])
        assert torch.equal(one["image"].as_tensor()[0], expected)
        if layout != "NDHW":
            assert torch.equal(one["image"].as_tensor()[1], -expected)
        assert torch.equal(one["image"].affine, scan["image"].affine)
        assert one["image"].meta["filename_or_obj"] == "case.nii.gz"
        assert one["label"] is scan["label"]
        assert one["id"] == "a"


def test_crops_become_one_again_when_the_user_merges_them(crops: Callable) -> None:
    def change(ctx: TransformContext) -> None:
        for field in ("image", "label", "common"):
            image = ctx.get_image(field)
            ctx.set_image(field, image.new_image(image.get_data().mean(axis=0), "DHW"))
            ctx.get_image(field).set_property("merged", field)

    one = run(change, crops())
    assert properties.read(one["image"])["merged"] == "image"
    assert torch.equal(one["image"].as_tensor(), crops()[1]["image"].as_tensor())
    assert not [name for name in properties.read(one["image"]) if name.startswith("_")]


def test_other_numbers_of_crops_are_the_users_choice(crops: Callable) -> None:
    def change(ctx: TransformContext) -> None:
        for field in ("image", "label", "common"):
            image = ctx.get_image(field)
            ctx.set_image(field, image.new_image(np.repeat(image.get_data(), 2, axis=0), image.get_shape_format()))

    result = run(change, crops())
    assert [float(one["image"].flatten()[0]) for one in result] == [0, 0, 1000, 1000, 2000, 2000]
    assert len(result) == 6


def test_one_crop_is_still_a_list(crops: Callable) -> None:
    result = run(lambda ctx: ctx.get_image("image").get_data(), crops()[:1])
    assert isinstance(result, list)
    assert len(result) == 1


def test_plain_tensors_stay_plain() -> None:
    """As the transforms of a batch get them in training."""

    def change(ctx: TransformContext) -> None:
        image = ctx.get_image("image")
        assert str(image.get_shape_format()) == "NCHW"
        assert image.get_property("affine") is None
        ctx.set_image("image", image.new_image(image.get_data() + 1, image.get_shape_format()))

    items = [{"image": torch.full((1, 2, 2), float(i)), "label": torch.tensor([1.0, 0.0])} for i in range(2)]
    result = run(change, items)
    assert [type(one["image"]) for one in result] == [torch.Tensor] * 2
    assert [float(one["image"].mean()) for one in result] == [1, 2]
    assert result[1]["label"] is items[1]["label"]


def _half(ctx: TransformContext) -> None:
    image = ctx.get_image("image")
    ctx.set_image("image", image.new_image(image.get_data()[:2], image.get_shape_format()))


def _empty(ctx: TransformContext) -> None:
    for field in ("image", "label", "common"):
        ctx.set_image(field, MedicalImage(np.zeros((0, 2, 2)), "NHW"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_half, "Mine left batches of different or no length: 'image' 2, 'label' 3, 'common' 3; expected one length"),
        (_empty, "Mine left batches of different or no length: 'image' 0, 'label' 0, 'common' 0; expected one length"),
        (
            lambda ctx: ctx.set_image("image", MedicalImage(np.full((3, 2, 2), "x"), "NHW")),
            "Mine left an array of type <U1 in 'image': expected numbers",
        ),
    ],
)
def test_results_that_cannot_be_split(change: Callable, message: str, crops: Callable) -> None:
    with pytest.raises(ClaraError, match=message):
        run(change, crops())


def test_crops_of_unequal_shape_cannot_be_seen_at_once(crops: Callable, labelled: Callable) -> None:
    items = crops()
    items[1]["image"] = labelled(np.zeros((1, 2, 2, 2)), "DHW")
    message = (
        r"Mine works on all crops of a scan at once, but those of 'image' differ in shape "
        r"\(\(2, 2, 2\), \(2, 3, 4\)\): put it in front of the transform that makes them differ"
    )
    with pytest.raises(ClaraError, match=message):
        run(lambda ctx: ctx.get_image("image").get_data(), items)
    result = run(lambda ctx: ctx.get_image("label").get_data(), items)  # nobody looks at the image
    assert [one["image"].shape[3] for one in result] == [4, 2, 4]


def test_fields_may_go_and_come(crops: Callable) -> None:
    def change(ctx: TransformContext) -> None:
        del ctx["common"], ctx["points"]
        ctx.set_image("one", MedicalImage(np.ones((2, 2)), "HW"))
        ctx["image"] = 4.0

    items = crops()
    for one, item in zip(run(change, items), items, strict=True):
        assert set(one) == {"image", "label", "id", "number", "one"}
        assert one["image"] == 4.0
        assert one["label"] is item["label"]
        assert one["one"].shape == (1, 2, 2)


def test_views_are_made_by_one_item_too(crops: Callable) -> None:
    [item, *_] = crops()
    context = view_of(item, "Mine")
    assert items_of(context, item, "Mine")["image"] is item["image"]
