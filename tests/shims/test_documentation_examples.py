"""The components of the page "Bring your own components", written as users write them, run as they are.

The classes below stand for a user's own files: legacy imports, explicit base constructors, numpy's global generator.
"""

from __future__ import annotations

import logging

import numpy as np
import pytest

from ai4med.common.build_ctx import BuildContext
from ai4med.common.constants import DataElementKey, ImageProperty
from ai4med.common.medical_image import MedicalImage
from ai4med.common.shape_format import ShapeFormat
from ai4med.common.transform_ctx import TransformContext
from ai4med.components.losses.loss import Loss
from ai4med.components.metric import Metric
from ai4med.components.metrics.metric import Metric as MetricOfApiPage
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
from ai4med.components.transforms.transformer import Transformer
from ai4med.libs.metrics.metric_list import MetricList
from ai4med.utils.dtype_utils import str_to_dtype


class MyShiftByRandomConstant(MultiFieldTransformer):
    def __init__(self, fields, magnitude, dtype=np.float32):
        MultiFieldTransformer.__init__(self, fields)
        self.dtype = dtype
        self.magnitude = magnitude

    def transform(self, transform_ctx):
        for field in self.fields:
            shift = (np.random.rand() * 2.0 - 1.0) * self.magnitude
            img = transform_ctx.get_image(field)
            shifted = img.get_data() + shift
            transform_ctx.set_image(field, img.new_image(shifted, img.get_shape_format()))
        return transform_ctx

    def is_deterministic(self):
        return False


class MyArrayReader(object):  # noqa: UP004 -- as users wrote it
    def __init__(self, dtype=np.float32):
        self._logger = logging.getLogger(self.__class__.__name__)
        self._dtype = dtype

    def read(self, file_name, shape: ShapeFormat):
        assert shape, "a shape is needed"
        if isinstance(file_name, (bytes, bytearray)):
            file_name = file_name.decode("UTF-8")
        data = np.load(file_name, allow_pickle=True).astype(self._dtype)
        assert len(data.shape) == shape.get_number_of_dims(), "the shape does not fit"
        img = MedicalImage(data, shape)
        img.set_property(ImageProperty.ORIGINAL_SHAPE, data.shape)
        img.set_property(ImageProperty.FILENAME, file_name)
        return img


class MyArrayLoader(MultiFieldTransformer):
    def __init__(self, fields, shape, dtype="float32"):
        MultiFieldTransformer.__init__(self, fields=fields)
        self._dtype = str_to_dtype(dtype)
        self._shape = ShapeFormat(shape)
        self._reader = MyArrayReader(self._dtype)

    def transform(self, transform_ctx: TransformContext):
        for field in self.fields:
            file_name = transform_ctx[field]
            transform_ctx.set_image(field, self._reader.read(file_name, self._shape))
        return transform_ctx


class MyCropToSize(MultiFieldTransformer):
    """In the manner of users who work with the axes of the format."""

    def __init__(self, fields, size):
        MultiFieldTransformer.__init__(self, fields)
        self.size = size

    def transform(self, transform_ctx):
        for field in self.fields:
            img = transform_ctx.get_image(field)
            data = img.get_data()
            axis = img.get_shape_format().get_spatial_axis()
            spatial = data.shape[axis[0] : axis[1] + 1]
            cut = [slice(None)] * data.ndim
            for offset, (have, want) in enumerate(zip(spatial, self.size)):  # noqa: B905 -- as users wrote it
                cut[axis[0] + offset] = slice(0, min(have, want))
            img.set_data(data[tuple(cut)] if field == DataElementKey.IMAGE else data, img.get_shape_format())
        return transform_ctx


class MyMean(MetricList):
    def __init__(self, name, invalid_value=float("nan"), report_path=None):
        MetricList.__init__(self, name, invalid_value=invalid_value, report_path=report_path)

    def get(self):
        if self._list is None or self._list.size == 0:
            return 0
        return np.mean(self._list)


class MyComputeMean(Metric):
    def __init__(
        self,
        name,
        field,
        invalid_value=float("nan"),
        report_path=None,
        do_summary=True,
        do_print=True,
        is_key_metric=False,
    ):
        m = MyMean(name, invalid_value, report_path)
        Metric.__init__(self, m, field=field, do_summary=do_summary, do_print=do_print, is_key_metric=is_key_metric)


class MyLossWithDataProperty(Loss):
    def __init__(self, data_format="channels_first"):
        Loss.__init__(self)
        self.data_format = data_format

    def get_loss(self, predictions, targets, build_ctx=None):
        data_prop = build_ctx.must_get(BuildContext.KEY_DATA_PROP)
        return np.abs(predictions - targets).mean() * data_prop["scale"]


@pytest.fixture
def files(tmp_path):
    volumes = {"image": np.arange(24).reshape(2, 3, 4), "label": np.ones((2, 3, 4), dtype=np.uint8)}
    for field, volume in volumes.items():
        np.save(tmp_path / f"{field}.npy", volume)
    return volumes, {field: str(tmp_path / f"{field}.npy") for field in volumes}


@pytest.mark.parametrize("encode", [str, str.encode])
def test_loader(files, encode):
    volumes, paths = files
    ctx = TransformContext({field: encode(path) for field, path in paths.items()})
    loader = MyArrayLoader(["image", "label"], "DHW")
    assert loader.is_deterministic()
    assert loader.transform(ctx) is ctx
    for field, volume in volumes.items():
        image = ctx.get_image(field)
        np.testing.assert_array_equal(image.get_data(), volume)
        assert image.get_data().dtype == np.float32
        assert image.get_property(ImageProperty.FILENAME) == paths[field]
        assert image.get_property("original_shape") == (2, 3, 4)


def test_random_transform(files):
    volumes, paths = files
    transform = MyShiftByRandomConstant(["image", "label"], magnitude=5)
    assert isinstance(transform, Transformer)
    assert not transform.is_deterministic()
    np.random.seed(3)
    shifts = []
    for _ in range(200):
        ctx = transform.transform(MyArrayLoader(["image", "label"], "DHW").transform(TransformContext(paths)))
        for field, volume in volumes.items():
            image = ctx.get_image(field)
            difference = image.get_data() - volume
            assert np.ptp(difference) < 1e-5
            shifts.append(difference.mean())
            assert image.get_property(ImageProperty.FILENAME) == paths[field]
            assert image.get_shape_format() == ShapeFormat.DHW
    assert -5 <= min(shifts) < -4.5 < 4.5 < max(shifts) <= 5


def test_transform_before_the_loader(files):
    _, paths = files
    with pytest.raises(TypeError, match="field 'image' still holds the path"):
        MyShiftByRandomConstant("image", 5).transform(TransformContext(paths))


def test_transform_in_place(files):
    _, paths = files
    ctx = MyArrayLoader(["image", "label"], ShapeFormat.DHW, dtype="np.uint8").transform(TransformContext(paths))
    MyCropToSize(["image", "label"], [1, 9, 2]).transform(ctx)
    assert ctx.get_image("image").get_shape() == (1, 3, 2)
    assert ctx.get_image("label").get_shape() == (2, 3, 4)
    assert ctx.get_image("image").get_data().dtype == np.uint8


def test_metric(tmp_path):
    assert Metric is MetricOfApiPage
    metric = MyComputeMean(name="my_mean", field="accuracy", report_path=str(tmp_path), is_key_metric=True)
    assert metric.get() == 0
    for number, value in enumerate([0.25, float("nan"), 0.75]):
        metric.update(value, filename=f"case{number}.nii")
    assert metric.get() == 0.5
    assert (metric.field, metric.is_key_metric) == ("accuracy", True)
    metric.generate_report()
    assert (tmp_path / "my_mean_raw_results.txt").read_text().splitlines() == [
        "file\tmean",
        "case0.nii\t0.25",
        "case2.nii\t0.75",
        "case1.nii\tnan",
    ]
    assert (tmp_path / "my_mean_summary_results.txt").read_text().splitlines()[1].startswith("mean\t0.5\t")


def test_loss_reads_the_build_context():
    ctx = BuildContext()
    ctx.must_set(BuildContext.KEY_DATA_PROP, {"scale": 10})
    assert MyLossWithDataProperty().get_loss(np.ones(3), np.zeros(3), ctx) == 10
