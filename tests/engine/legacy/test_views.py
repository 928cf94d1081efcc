"""What user code sees of a tensor, and what its arrays become."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine import properties
from clara_compat.engine.legacy.images import StackView, TensorView
from clara_compat.engine.legacy.stacks import items_of, view_of
from clara_compat.engine.legacy.transform import LegacyTransform, RandomLegacyTransform, legacy_transform
from clara_compat.engine.legacy.views import from_context, to_context, to_medical_image, to_tensor
from clara_compat.errors import ClaraError

AFFINE = np.diag([1.0, 2.0, 3.0, 1.0])


def tensor(shape: tuple[int, ...], shape_format: str) -> MetaTensor:
    image = MetaTensor(torch.arange(float(np.prod(shape))).reshape(shape), affine=torch.from_numpy(AFFINE))
    properties.write(image, {"shape_format": shape_format, "file_name": "a.nii.gz"})
    return image


@pytest.mark.parametrize(
    ("inside", "shape_format", "seen"),
    [
        ((1, 2, 3, 4), "DHW", (2, 3, 4)),
        ((1, 2, 3, 4), "CDHW", (1, 2, 3, 4)),
        ((5, 2, 3, 4), "DHWC", (2, 3, 4, 5)),
        ((1, 2, 3), "HW", (2, 3)),
        ((3, 2, 4), "HWC", (2, 4, 3)),
        ((3, 2, 4), "CHW", (3, 2, 4)),
    ],
)
def test_the_view_has_the_layout_of_its_format_and_comes_back(inside: tuple, shape_format: str, seen: tuple) -> None:
    before = tensor(inside, shape_format)
    image = to_medical_image(before)
    assert image.get_data().shape == seen
    assert str(image.get_shape_format()) == shape_format
    assert image.get_property("file_name") == "a.nii.gz"
    np.testing.assert_array_equal(image.get_property("affine"), AFFINE)
    after = to_tensor(image, before, "image", "T")
    assert torch.equal(after.as_tensor(), before.as_tensor())
    assert properties.read(after) == properties.read(before)
    assert after.meta["filename_or_obj"] == "a.nii.gz"


@pytest.mark.parametrize(("inside", "told", "seen"), [((3, 2, 3, 4), "DHW", "CDHW"), ((2, 3, 4), "HW", "CHW")])
def test_channels_that_a_transform_added_are_seen(inside: tuple, told: str, seen: str) -> None:
    """A native transform may give channels to an image that was loaded without a channel axis."""
    image = to_medical_image(tensor(inside, told))
    assert (str(image.get_shape_format()), image.get_shape()) == (seen, inside)


def test_what_nobody_looks_at_is_the_tensor_it_was() -> None:
    data = {field: tensor((1, 2, 3, 4), "DHW") for field in ("image", "label")}
    cached = properties.share(data["label"])
    context = to_context({**data, "cached": cached})
    context.set_image("again", context.get_image("label"))
    assert str(context.get_image("cached").get_shape_format()) == "DHW"
    assert context.get_image("image").get_data().shape == (2, 3, 4)
    after = from_context(context, data, "T")
    assert after["label"] is after["again"] is data["label"]
    assert after["cached"] is cached
    assert after["image"] is not data["image"]
    assert after["image"].data_ptr() == data["image"].data_ptr()
    with pytest.raises(AttributeError, match="'TensorView' object has no attribute 'get_dat'"):
        context.get_image("label").get_dat()


def test_new_images_have_properties_of_their_own() -> None:
    before = tensor((1, 2, 3, 4), "DHW")
    before.applied_operations = [{"class": "Flip"}]
    image = to_medical_image(before)
    one = image.new_image(image.get_data() + 1, "DHW")
    two = one.new_image(one.get_data() + 1, image.get_shape_format())
    image.set_property("first", 1)
    two.set_property("second", 2)
    assert (one.has_property("first"), one.has_property("second"), one.get_property("file_name")) == (0, 0, "a.nii.gz")
    assert not hasattr(one, "shape")
    for made, known in ((one, {}), (two, {"second": 2})):
        after = to_tensor(made, before, "image", "T")
        assert properties.read(after) == properties.read(before) | known
        assert torch.equal(after.affine, before.affine)
        assert after.applied_operations == []
        after.meta["filename_or_obj"] = "other"
        properties.update(after, mine=1)
    assert "filename_or_obj" not in before.meta
    assert "mine" not in properties.read(before)


def test_a_slice_of_a_volume_is_an_image_of_two_axes() -> None:
    before = tensor((1, 2, 3, 4), "DHW")
    for stored, expected in (({}, (1, 2)), ({"spacing": (10.0, 20.0, 30.0)}, (10, 20))):
        properties.update(before, **stored)
        image = to_medical_image(before)
        after = to_tensor(image.new_image(image.get_data()[..., 1], "HW"), before, "image", "T")
        assert after.shape == (1, 2, 3)
        assert properties.read(after)["shape_format"] == "HW"
        assert tuple(properties.read(after)["spacing"]) == expected


def test_properties_that_nobody_asks_for_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Adds:
        def transform(self, transform_ctx: TransformContext) -> TransformContext:
            image = transform_ctx.get_image("image")
            transform_ctx.set_image("image", image.new_image(image.get_data() + 1, image.get_shape_format()))
            return transform_ctx

    before = tensor((2, 2, 3, 4), "DHWC")
    monkeypatch.setattr(properties, "read", None)
    monkeypatch.setattr(properties, "write", None)
    after = legacy_transform(Adds())({"image": before})["image"]
    assert torch.equal(after.as_tensor(), before.as_tensor() + 1)
    assert after.meta["clara"] == before.meta["clara"]
    assert after.is_contiguous()


def test_a_layout_that_was_shown_can_be_chosen() -> None:
    before = tensor((3, 2, 3, 4), "DHW")  # shown as CDHW
    image = to_medical_image(before)
    after = to_tensor(image.new_image(image.get_data()[:1], image.get_shape_format()), before, "image", "T")
    assert properties.read(after)["shape_format"] == "CDHW"


def test_a_view_can_be_given_everything_anew() -> None:
    image = to_medical_image(tensor((1, 2, 3, 4), "DHW"))
    image.set_data(np.zeros((5, 2, 3)), "CHW")
    assert image.get_property("file_name") == "a.nii.gz"
    assert str(image.get_shape_format()) == "CHW"
    other = to_medical_image(tensor((1, 2, 3, 4), "DHW"))
    other.set_properties({"mine": 1})
    assert (str(other.get_shape_format()), other.get_properties()) == ("DHW", {"mine": 1})
    assert copy.deepcopy(other).get_shape() == pickle.loads(pickle.dumps(other)).get_shape() == (2, 3, 4)


def test_what_a_cache_holds_is_copied_once_it_is_looked_at() -> None:
    held = tensor((1, 2, 3, 4), "DHW")
    context = to_context({"image": properties.share(held)})
    context.get_image("image").get_data()[...] = -1
    assert (held >= 0).all()
    after = from_context(context, {"image": held}, "T")["image"]
    assert (after == -1).all()
    assert not properties.is_shared(after)


def test_the_affine_can_be_written_into() -> None:
    before = tensor((1, 2, 3, 4), "DHW")
    context = to_context({"image": before})
    context.get_image("image").get_property("affine")[0, 3] = 7
    assert from_context(context, {"image": before}, "T")["image"].affine[0, 3] == 7
    assert before.affine[0, 3] == 0


@pytest.mark.parametrize(
    ("stored", "said", "expected"),
    [
        ({}, {}, (2, 2, 6)),  # the affine's
        ({"spacing": (10.0, 20.0, 0.0)}, {}, (20, 20, 0)),  # one that a loader stored changes as the affine does
        ({"spacing": [10.0, 20.0, 30.0]}, {}, (20, 20, 60)),
        ({}, {"spacing": (4, 5, 6)}, (4, 5, 6)),  # the user's word
    ],
)
def test_spacing_follows_the_affine_unless_the_user_says_otherwise(stored: dict, said: dict, expected: tuple) -> None:
    before = tensor((1, 2, 3, 4), "DHW")
    properties.update(before, **stored)
    image = to_medical_image(before).new_image(np.zeros((1, 3, 2)), "DHW")
    image.set_property("affine", AFFINE @ np.diag([2.0, 1.0, 2.0, 1.0]))
    for key, value in said.items():
        image.set_property(key, value)
    assert tuple(properties.read(to_tensor(image, before, "image", "T"))["spacing"]) == expected


def test_an_affine_of_zeros_can_be_replaced() -> None:
    before = tensor((1, 2, 3, 4), "DHW")
    before.affine = torch.zeros(4, 4)
    image = to_medical_image(before)
    image.set_property("affine", AFFINE)
    assert properties.read(to_tensor(image, before, "image", "T"))["spacing"] == (1, 2, 3)


def test_a_small_piece_does_not_keep_the_scan_in_memory() -> None:
    scan = np.zeros((8, 16, 16), np.float32)
    for before in ({}, {"image": MetaTensor(torch.from_numpy(scan)[None])}):
        context = to_context(before)
        whole = before["image"].numpy()[0] if before else scan
        context.set_image("image", MedicalImage(whole[2], "HW"))
        piece = from_context(context, before, "T")["image"]
        assert not np.shares_memory(piece.numpy(), scan)
        context.set_image("image", MedicalImage(whole[:6], "DHW"))
        large = from_context(context, before, "T")["image"]
        assert np.shares_memory(large.numpy(), scan) is bool(before)  # an array that somebody else holds is copied


def test_the_view_shares_memory() -> None:
    before = tensor((1, 2, 3, 4), "DHW")
    to_medical_image(before).get_data()[0, 0, 0] = 42.0
    assert before[0, 0, 0, 0] == 42.0


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (np.zeros((2, 3, 4), np.float16), torch.float32),
        (np.zeros((2, 3, 4), ">f4"), torch.float32),
        (np.zeros((2, 3, 4), np.uint16), torch.int32),
        (np.zeros((2, 3, 4), object), torch.float32),
        (np.zeros((2, 3, 4), bool), torch.bool),
        (np.zeros((4, 3, 2)).transpose()[::-1, :, ::-1], torch.float64),
    ],
)
def test_unusual_arrays_become_contiguous_native_ones(array: np.ndarray, dtype: torch.dtype) -> None:
    result = to_tensor(MedicalImage(array, "DHW"), None, "image", "Mine")
    assert result.dtype == dtype
    assert result.is_contiguous()
    assert result.shape == (1, 2, 3, 4)


def test_flipped_data_keep_their_values() -> None:
    array = np.arange(24.0).reshape(2, 3, 4)[::-1]
    result = to_tensor(MedicalImage(array, "DHW"), None, "image", "Mine")
    np.testing.assert_array_equal(result.numpy()[0], array)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (MedicalImage(np.full((2, 2), "x"), "HW"), "Mine left an array of type <U1 in 'image'"),
        (MedicalImage(np.full((2, 2), object(), object), "HW"), "Mine left Python objects in 'image'"),
        (MedicalImage(np.zeros((2, 2), complex), "HW"), "Mine left an array of type complex128 in 'image'"),
    ],
)
def test_what_no_tensor_can_hold_is_said_with_the_users_class(image: MedicalImage, message: str) -> None:
    with pytest.raises(ClaraError, match=message):
        to_tensor(image, None, "image", "Mine")


def test_a_property_that_cannot_be_kept_is_named() -> None:
    image = MedicalImage(np.zeros((2, 2)), "HW")
    image.set_property("handle", object())
    with pytest.raises(ClaraError, match="Mine gave 'image' a property that cannot be kept: .*handle"):
        to_tensor(image, None, "image", "Mine")


def test_loaders_that_always_decode_get_their_path() -> None:
    context = to_context({"image": "/data/a.npy"})
    assert context["image"].decode("UTF-8") == "/data/a.npy"
    assert isinstance(context["image"], str)
    assert type(from_context(context, {}, "T")["image"]) is str


def test_paths_and_other_entries_pass_through() -> None:
    data = {"image": tensor((1, 2, 2), "HW"), "label": "b.npy", "points": [1, 2]}
    context = to_context(data)
    assert context["label"] == "b.npy"
    after = from_context(context, data, "T")
    assert after["points"] == [1, 2]
    assert after["label"] == "b.npy"


def test_a_loader_gets_paths_and_names_the_file() -> None:
    class Loader:
        def is_deterministic(self) -> bool:
            return True

        def transform(self, transform_ctx: TransformContext) -> TransformContext:
            transform_ctx.set_image("image", MedicalImage(np.ones((2, 3)), "HW"))
            return transform_ctx

    result = legacy_transform(Loader())({"image": "a.npy"})
    assert result["image"].shape == (1, 2, 3)
    assert result["image"].meta["filename_or_obj"] == "a.npy"


def test_determinism_decides_what_may_be_cached() -> None:
    class Noise:
        def __init__(self, deterministic: bool) -> None:
            self.deterministic = deterministic

        def is_deterministic(self) -> bool:
            return self.deterministic

        def transform(self, transform_ctx: TransformContext) -> None:
            transform_ctx.get_image("image").get_data()[:] += 1

    assert type(legacy_transform(Noise(True))) is LegacyTransform
    random = legacy_transform(Noise(False))
    assert type(random) is RandomLegacyTransform
    before = tensor((1, 2, 2), "HW").clone()
    assert torch.equal(random({"image": before.clone()})["image"].as_tensor(), before.as_tensor() + 1)


def test_a_wrong_return_value_is_said() -> None:
    class Wrong:
        def transform(self, transform_ctx: TransformContext) -> int:
            return 3

    with pytest.raises(ClaraError, match="Wrong.transform returned a int: expected the TransformContext"):
        legacy_transform(Wrong())({"image": tensor((1, 2, 2), "HW")})
    with pytest.raises(ClaraError, match=r"int has no method transform\(self, transform_ctx\)"):
        legacy_transform(3)


def test_the_paths_of_a_list_decode_too_and_are_text_again_afterwards() -> None:
    context = to_context({"image": ["a.nii", "b.nii"], "pair": ("c", 1)})
    assert [path.decode("utf-8") for path in context["image"]] == ["a.nii", "b.nii"]
    item = from_context(context, {}, "T")
    assert item == {"image": ["a.nii", "b.nii"], "pair": ("c", 1)}
    assert {type(path) for path in item["image"]} == {str}


def test_the_original_shape_of_a_documented_loader_has_a_format() -> None:
    """The loader of the documentation page sets the shape only."""
    image = MedicalImage(np.zeros((2, 3, 4, 5)), "CDHW")
    image.set_property("original_shape", (2, 3, 4, 5))
    assert properties.read(to_tensor(image, "a.npy", "image", "T"))["original_shape_format"] == "CDHW"


class Buffered:
    """Fills one buffer for every item, as code that saves allocations does."""

    def __init__(self):
        self.buffer = None

    def transform(self, transform_ctx):
        image = transform_ctx.get_image("image")
        if self.buffer is None:
            self.buffer = np.empty_like(image.get_data())
        np.multiply(image.get_data(), 2, out=self.buffer)
        transform_ctx.set_image("image", image.new_image(self.buffer, image.get_shape_format()))
        return transform_ctx


def test_a_buffer_that_the_users_object_keeps_is_copied() -> None:
    """Taken over, all items (and a whole cache) would be one image."""
    transform = legacy_transform(Buffered())
    first, second = (transform({"image": tensor((1, 2, 3, 4), "DHW") + i})["image"] for i in range(2))
    assert first.data_ptr() != second.data_ptr()
    assert torch.equal(second.as_tensor() - first.as_tensor(), torch.full((1, 2, 3, 4), 2.0))


class Fresh:
    def transform(self, transform_ctx):
        image = transform_ctx.get_image("image")
        self.seen = image.get_data() + 1
        pointer = self.seen.ctypes.data
        transform_ctx.set_image("image", image.new_image(self.seen, image.get_shape_format()))
        del self.seen
        self.pointer = pointer
        return transform_ctx


def test_an_array_that_nobody_keeps_is_taken_over() -> None:
    users = Fresh()
    assert legacy_transform(users)({"image": tensor((1, 2, 3, 4), "DHW")})["image"].data_ptr() == users.pointer


class TorchBuffered(Buffered):
    """The same with a tensor of torch's: an array of it does not say whose memory it is."""

    def transform(self, transform_ctx):
        image = transform_ctx.get_image("image")
        if self.buffer is None:
            self.buffer = torch.empty(image.get_shape())
        torch.mul(torch.from_numpy(image.get_data()), 2, out=self.buffer)
        transform_ctx.set_image("image", image.new_image(self.buffer.numpy(), image.get_shape_format()))
        return transform_ctx


@pytest.mark.parametrize("count", [1, 2])
def test_a_buffer_of_torch_is_copied(count: int) -> None:
    transform = legacy_transform(TorchBuffered())
    made = []
    for i in range(2):
        items = [{"image": tensor((1, 2, 3, 4), "DHW") + i} for _ in range(count)]
        out = transform(items if count > 1 else items[0])
        made.append((out[0] if count > 1 else out)["image"])
    assert torch.equal(made[1].as_tensor() - made[0].as_tensor(), torch.full((1, 2, 3, 4), 2.0))


@pytest.mark.parametrize("count", [0, 3])
def test_shape_and_properties_are_told_without_the_array(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """The volume is neither copied (it is a cache's) nor stacked."""
    shared = properties.share(tensor((5, 2, 3, 4), "DHWC"))
    for view in (TensorView, StackView):
        monkeypatch.setattr(view, "array", None)
    before = [{"image": shared} for _ in range(count)] if count else {"image": shared}
    context = view_of(before, "Mine")
    image = context.get_image("image")
    assert image.get_shape() == ((3,) if count else ()) + (2, 3, 4, 5)
    assert image.get_property("file_name") == "a.nii.gz"
    assert image.has_property("affine")
    out = items_of(context, before, "Mine")
    assert all(one["image"] is shared for one in (out if count else [out]))


def test_a_property_that_is_written_into_is_kept() -> None:
    image = tensor((1, 2, 3, 4), "DHW")
    properties.update(image, mine=[1, 2])
    context = to_context({"image": image})
    context.get_image("image").get_property("mine").append(3)
    assert properties.read(from_context(context, {"image": image}, "Mine")["image"])["mine"] == [1, 2, 3]
    assert properties.read(image)["mine"] == [1, 2]
