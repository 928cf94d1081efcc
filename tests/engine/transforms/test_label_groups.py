from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import ConvertToMultiChannelBasedOnBratsClasses

from clara_compat.engine import properties
from clara_compat.engine.transforms.label_groups import LabelGroupsToChannelsd, LabelsToOneHotd, SplitLabelGroupsd
from clara_compat.engine.transforms.split_channels import SplitChannelsd
from clara_compat.errors import ClaraError

SIZES = [(7, 6, 5), (7, 6)]
BRATS = [[1, 4], [1, 2, 4], [4]]


@pytest.fixture
def labels(oblique_affine):
    def make(size, dtype=np.float32):
        values = np.random.default_rng(0).choice([0, 1, 2, 4, 7], (1, *size)).astype(dtype)
        tensor = MetaTensor(torch.from_numpy(values), affine=torch.from_numpy(oblique_affine.copy()))
        properties.write(tensor, {"file_name": "a.nii", "shape_format": "CDHW" if len(size) == 3 else "CHW"})
        return tensor

    return make


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int16])
@pytest.mark.parametrize("groups", [BRATS, [[0], [1], [2]], [[7]]])
@pytest.mark.parametrize("size", SIZES)
def test_channels_and_fields(labels, size, groups, dtype):
    source = labels(size, dtype)
    reference = np.stack([np.isin(source.numpy()[0], group) for group in groups]).astype(np.float64)
    channels = LabelGroupsToChannelsd("label", groups)({"label": source})["label"]
    names = [f"part{i}" for i in range(len(groups))]
    fields = SplitLabelGroupsd("label", groups, names)({"label": source})
    assert fields["label"] is source
    np.testing.assert_array_equal(channels.numpy(), reference)
    np.testing.assert_array_equal(np.concatenate([fields[name].numpy() for name in names]), reference)
    for one in (channels, *(fields[name] for name in names)):
        assert one.dtype == torch.float32
        assert torch.equal(one.affine, source.affine)
        assert properties.read(one) == properties.read(source)


@pytest.mark.parametrize("before", ["DHW", "DHWC", "CDHW", "HW", "HWC", "CHW", None])
@pytest.mark.parametrize("transform", [LabelGroupsToChannelsd("label", [[1]]), LabelsToOneHotd("label", 8),
                                       LabelGroupsToChannelsd("label", BRATS)])  # fmt: skip
def test_channels_are_labelled_as_such(labels, transform, before):
    """Also the only one: user code behind an un-channelled label sees its axis."""
    source = labels((7, 6) if before and "D" not in before else (7, 6, 5))
    properties.write(source, {} if before is None else {"shape_format": before})
    out = transform({"label": source})["label"]
    expected = before if before is None or "C" in before else f"C{before}"
    assert properties.read(out).get("shape_format") == expected
    assert properties.read(source).get("shape_format") == before


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int16])
@pytest.mark.parametrize("size", SIZES)
def test_one_hot(labels, size, dtype):
    source = labels(size, dtype)
    out = LabelsToOneHotd("label", 8)({"label": source})["label"]
    np.testing.assert_array_equal(
        out.numpy(), np.eye(8)[source.numpy()[0].astype(int)].transpose(-1, *range(len(size)))
    )
    assert out.dtype == torch.float32
    assert torch.equal(out.affine, source.affine)
    for classes in (4, 7):
        with pytest.raises(ClaraError, match=rf"'label' has the label [47], .* 0 to {classes - 1} for num_classes"):
            LabelsToOneHotd("label", classes)({"label": source})


def test_the_brats_regions_are_those_of_monai(labels):
    ours = LabelGroupsToChannelsd("label", BRATS)({"label": labels((7, 6, 5))})["label"]
    monais = ConvertToMultiChannelBasedOnBratsClasses()(labels((7, 6, 5)))
    np.testing.assert_array_equal(ours.numpy(), monais.numpy())


@pytest.mark.parametrize("size", SIZES)
def test_split_channels(oblique_affine, size):
    image = MetaTensor(torch.rand(3, *size, dtype=torch.float64), affine=torch.from_numpy(oblique_affine.copy()))
    out = SplitChannelsd("image", ["a", "b", "c"])({"image": image})
    for i, name in enumerate("abc"):
        np.testing.assert_array_equal(out[name].numpy(), image.numpy()[i : i + 1])
        assert torch.equal(out[name].affine, image.affine)
        out[name].zero_()
    assert image.min() > 0  # copies
    plain = SplitChannelsd("image", ["a"])({"image": torch.ones(1, 4, 4)})["a"]
    assert type(plain) is torch.Tensor


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LabelGroupsToChannelsd("label", []), "the groups of labels are .*expected at least one"),
        (lambda: LabelGroupsToChannelsd("label", [[1], []]), "each with a label or more"),
        (lambda: LabelsToOneHotd("label", 0), "number of classes must be at least 1, got 0"),
        (lambda: SplitLabelGroupsd("label", [[1]], ["a", "b"]), r"1 groups of labels for the names \['a', 'b'\]"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ClaraError, match=message):
        make()


def test_wrong_channels():
    image = MetaTensor(torch.zeros(2, 3, 3), meta={"filename_or_obj": "a.nii"})
    for transform in (
        LabelGroupsToChannelsd("label", [[1]]),
        SplitLabelGroupsd("label", [[1]], ["a"]),
        LabelsToOneHotd("label", 2),
    ):
        with pytest.raises(
            ClaraError, match=r"'label' has 2 channels, expected one channel that holds labels \(a.nii\)"
        ):
            transform({"label": image})
    with pytest.raises(ClaraError, match=r"'label' has 2 channels, but there are 3 names: a, b, c \(a.nii\)"):
        SplitChannelsd("label", ["a", "b", "c"])({"label": image})


def test_missing_fields():
    for make in (
        lambda **more: LabelGroupsToChannelsd("label", [[1]], **more),
        lambda **more: SplitLabelGroupsd("label", [[1]], ["a"], **more),
        lambda **more: SplitChannelsd("label", ["a"], **more),
    ):
        assert make(allow_missing_keys=True)({"image": 1}) == {"image": 1}
        with pytest.raises(KeyError, match="label"):
            make()({"image": 1})
