# Own versions of Clara's transforms, as users of Clara Train 3.1 wrote them: plain numpy and scipy.
import logging

import numpy as np
import scipy.ndimage
import tensorflow as tf

from ai4med.common.constants import ImageProperty
from ai4med.common.medical_image import MedicalImage
from ai4med.common.shape_format import ShapeFormat
from ai4med.common.transform_ctx import TransformContext
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
from ai4med.components.transforms.transformer import Transformer
from ai4med.utils.dtype_utils import str_to_dtype


def spatial_shape(img):
    """voxels of the spatial axes, wherever they are"""
    axes = img.get_shape_format().get_spatial_axis()
    return list(img.get_data().shape[axes[0]:axes[1] + 1])


def on_spatial(img, slices):
    """index that applies slices to the spatial axes only"""
    index = [slice(None)] * img.get_shape_format().get_number_of_dims()
    first = img.get_shape_format().get_spatial_axis()[0]
    index[first:first + len(slices)] = slices
    return tuple(index)


def move_affine(img, scale, start):
    """new voxel i lies at i * scale + start of the old image"""
    affine = img.get_property(ImageProperty.AFFINE)
    if affine is None:
        return
    step = np.eye(4)
    for i in range(len(scale)):
        step[i, i] = scale[i]
        step[i, 3] = start[i]
    img.set_property(ImageProperty.AFFINE, np.dot(affine, step))


class MyScaleIntensityRange(MultiFieldTransformer):

    def __init__(self, fields, a_min, a_max, b_min, b_max, clip=False, dtype="float32"):
        MultiFieldTransformer.__init__(self, fields=fields)
        self._logger = logging.getLogger(self.__class__.__name__)
        self._dtype = str_to_dtype(dtype)
        self.a_min, self.a_max, self.b_min, self.b_max = a_min, a_max, b_min, b_max
        self.clip = clip

    def transform(self, transform_ctx):
        for field in self.fields:
            img = transform_ctx.get_image(field)
            data = img.get_data().astype(np.float)
            data = (data - self.a_min) / (self.a_max - self.a_min)
            data = data * (self.b_max - self.b_min) + self.b_min
            if self.clip:
                data = np.clip(data, self.b_min, self.b_max)
            transform_ctx.set_image(field, img.new_image(data.astype(self._dtype), img.get_shape_format()))
        return transform_ctx


class MyNormalizeNonzero(MultiFieldTransformer):

    def __init__(self, fields):
        MultiFieldTransformer.__init__(self, fields=fields)

    def transform(self, transform_ctx):
        for field in self.fields:
            img = transform_ctx.get_image(field)
            shape_format = img.get_shape_format()
            data = img.get_data().astype(np.float64)
            if shape_format.is_channeled():
                axis = shape_format.get_channel_axis()
                channels = [self._normalize(np.take(data, i, axis)) for i in range(data.shape[axis])]
                data = np.stack(channels, axis=axis)
            else:
                data = self._normalize(data)
            transform_ctx.set_image(field, img.new_image(data.astype(np.float32), shape_format))
        return transform_ctx

    def _normalize(self, data):
        mask = data != 0
        if not mask.any():
            return data
        values = data[mask]
        std = values.std()
        out = np.zeros(data.shape)
        out[mask] = (values - values.mean()) / (std if std > 0 else 1.0)
        return out


class MyScaleByResolution(MultiFieldTransformer):

    def __init__(self, fields, target_resolution, is_label=False):
        MultiFieldTransformer.__init__(self, fields=fields)
        self.target_resolution = target_resolution
        self.is_label = is_label

    def transform(self, transform_ctx):
        for field in self.fields:
            img = transform_ctx.get_image(field)
            affine = img.get_property(ImageProperty.AFFINE)
            spacing = np.sqrt(np.sum(np.square(affine[:3, :3]), axis=0))
            old = spatial_shape(img)
            new = [max(1, int(np.round(n * s / t))) for n, s, t in zip(old, spacing, self.target_resolution)]
            data = img.get_data()
            if img.get_shape_format().is_channeled():
                axis = img.get_shape_format().get_channel_axis()
                parts = [self._resample(np.take(data, i, axis), new) for i in range(data.shape[axis])]
                data = np.stack(parts, axis=axis)
            else:
                data = self._resample(data, new)
            img = img.new_image(data, img.get_shape_format())
            scale = [float(n) / m for n, m in zip(old, new)]
            move_affine(img, scale, [0.5 * s - 0.5 for s in scale])
            transform_ctx.set_image(field, img)
        return transform_ctx

    def _resample(self, data, new):
        places = [(np.arange(m) + 0.5) * n / m - 0.5 for n, m in zip(data.shape, new)]
        if self.is_label:
            return data[np.ix_(*[np.floor(p + 0.5 + 1e-9).astype(int) for p in places])]
        grid = np.meshgrid(*places, indexing="ij")
        return scipy.ndimage.map_coordinates(data.astype(np.float64), grid, order=1, mode="nearest").astype(np.float32)


class MyChannelsFirst(MultiFieldTransformer):

    def __init__(self, fields):
        MultiFieldTransformer.__init__(self, fields=fields)

    def transform(self, transform_ctx):
        for field in self.fields:
            img = transform_ctx.get_image(field)
            shape_format = img.get_shape_format()
            data = img.get_data()
            if not shape_format.is_channeled():
                data = np.expand_dims(data, 0)
            elif shape_format.get_channel_axis() != 0:
                data = np.rollaxis(data, shape_format.get_channel_axis())
            new_format = ShapeFormat("CDHW") if shape_format.is_3d() else ShapeFormat("CHW")
            transform_ctx.set_image(field, img.new_image(data, new_format))
        return transform_ctx


class MyReplaceLabels(MultiFieldTransformer):

    def __init__(self, fields, input_labels, output_labels):
        MultiFieldTransformer.__init__(self, fields=fields)
        self.pairs = list(zip(input_labels, output_labels))

    def transform(self, transform_ctx):
        for field in self.fields:
            img = transform_ctx.get_image(field)
            old = img.get_data()
            new = old.copy()
            for a, b in self.pairs:
                new[old == a] = b
            # replaced in the image itself, which is in the context already
            img.set_data(new, img.get_shape_format())
        return transform_ctx


class MyThreshold(MultiFieldTransformer):

    def __init__(self, fields, threshold=0.5):
        MultiFieldTransformer.__init__(self, fields=fields)
        self.threshold = threshold

    def transform(self, transform_ctx):
        for field in self.fields:
            img = transform_ctx.get_image(field)
            data = img.get_data()
            # changes the array of the image in place
            above = data >= self.threshold
            data[above] = 1
            data[np.logical_not(above)] = 0
        return transform_ctx


class MyArgmax(MultiFieldTransformer):

    def __init__(self, fields):
        MultiFieldTransformer.__init__(self, fields=fields)

    def transform(self, transform_ctx):
        for field in self.fields:
            img = transform_ctx.get_image(field)
            axis = img.get_shape_format().get_channel_axis()
            data = np.expand_dims(np.argmax(img.get_data(), axis=axis), axis)
            transform_ctx.set_image(field, img.new_image(data.astype(np.float), img.get_shape_format()))
        return transform_ctx


class MyMaskImage(Transformer):

    def __init__(self, image_field, mask_field):
        Transformer.__init__(self)
        self.image_field = image_field
        self.mask_field = mask_field

    def transform(self, transform_ctx):
        img = transform_ctx.get_image(self.image_field)
        mask = transform_ctx.get_image(self.mask_field)
        inside = mask.get_data() > 0
        if img.get_shape_format().is_channeled() and not mask.get_shape_format().is_channeled():
            inside = np.expand_dims(inside, img.get_shape_format().get_channel_axis())
        data = np.where(inside, img.get_data(), 0)
        transform_ctx.set_image(self.image_field, img.new_image(data, img.get_shape_format()))
        return transform_ctx


class MySymmetricPadder(MultiFieldTransformer):

    def __init__(self, fields, div_int):
        MultiFieldTransformer.__init__(self, fields=fields)
        self.div_int = div_int

    def transform(self, transform_ctx):
        for field in self.fields:
            img = transform_ctx.get_image(field)
            first = img.get_shape_format().get_spatial_axis()[0]
            widths = [(0, 0)] * img.get_data().ndim
            starts = []
            for i, n in enumerate(spatial_shape(img)):
                missing = -n % self.div_int
                widths[first + i] = (missing // 2, missing - missing // 2)
                starts.append(-(missing // 2))
            data = np.pad(img.get_data(), widths, mode="constant")
            img = img.new_image(data, img.get_shape_format())
            move_affine(img, [1.0] * len(starts), starts)
            transform_ctx.set_image(field, img)
        return transform_ctx


class MyCenterCrop(MultiFieldTransformer):

    def __init__(self, fields, size):
        MultiFieldTransformer.__init__(self, fields=fields)
        self.size = size

    def transform(self, transform_ctx):
        for field in self.fields:
            img = transform_ctx.get_image(field)
            starts = [n // 2 - s // 2 for n, s in zip(spatial_shape(img), self.size)]
            index = on_spatial(img, [slice(a, a + s) for a, s in zip(starts, self.size)])
            img = img.new_image(img.get_data()[index], img.get_shape_format())
            move_affine(img, [1.0] * len(starts), starts)
            transform_ctx.set_image(field, img)
        return transform_ctx


class MySplitLabel(Transformer):

    def __init__(self, field, label_names):
        Transformer.__init__(self)
        self.field = field
        self.label_names = label_names

    def transform(self, transform_ctx):
        img = transform_ctx.get_image(self.field)
        for value, name in enumerate(self.label_names):
            mask = (img.get_data() == value).astype("float32")
            transform_ctx.set_image(name, img.new_image(mask, img.get_shape_format()))
        return transform_ctx


class MyBratsChannels(MultiFieldTransformer):

    def __init__(self, fields):
        MultiFieldTransformer.__init__(self, fields=fields)

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        for field in self.fields:
            img = transform_ctx.get_image(field)
            shape_format = img.get_shape_format()
            label = img.get_data()
            axis = 0
            if shape_format.is_channeled():
                axis = shape_format.get_channel_axis()
                label = np.squeeze(label, axis)
            else:
                shape_format = "C" + str(shape_format)
            core = np.logical_or(label == 1, label == 4)
            whole = np.logical_or(core, label == 2)
            data = np.stack([core, whole, label == 4], axis=axis)
            transform_ctx.set_image(field, img.new_image(data.astype(np.float32), shape_format))
        return transform_ctx


class MyCropForeground(MultiFieldTransformer):

    def __init__(self, fields, size, label_field, pad=0):
        MultiFieldTransformer.__init__(self, fields=fields)
        self.size = size
        self.label_field = label_field
        self.pad = pad

    def transform(self, transform_ctx):
        label = transform_ctx.get_image(self.label_field)
        data = label.get_data()
        if label.get_shape_format().is_channeled():
            data = data.max(axis=label.get_shape_format().get_channel_axis())
        low, high = [], []
        for n, places in zip(data.shape, np.nonzero(data > 0)):
            low.append(max(places.min() - self.pad, 0))
            high.append(min(places.max() + 1 + self.pad, n))
        for field in list(self.fields) + [self.label_field]:
            img = transform_ctx.get_image(field)
            data = img.get_data()[on_spatial(img, [slice(a, b) for a, b in zip(low, high)])]
            scale = [float(b - a) / s for a, b, s in zip(low, high, self.size)]
            places = [(np.arange(s) + 0.5) * f - 0.5 for s, f in zip(self.size, scale)]
            if img.get_shape_format().is_channeled():
                first = img.get_shape_format().get_spatial_axis()[0]
                places.insert(0 if first else len(places), np.arange(data.shape[0 if first else -1]))
            grid = np.meshgrid(*places, indexing="ij")
            if field == self.label_field:
                index = [np.floor(g + 0.5 + 1e-9).astype(int) for g in grid]
                data = data[tuple(index)]
            else:
                data = scipy.ndimage.map_coordinates(data.astype(np.float64), grid, order=1, mode="nearest")
            img = img.new_image(data, img.get_shape_format())
            move_affine(img, scale, [a + 0.5 * f - 0.5 for a, f in zip(low, scale)])
            transform_ctx.set_image(field, img)
        return transform_ctx


class MyRandomAxisFlip(MultiFieldTransformer):

    def __init__(self, fields, probability=0.5):
        MultiFieldTransformer.__init__(self, fields=fields)
        self.probability = probability

    def transform(self, transform_ctx):
        if np.random.random() >= self.probability:
            return transform_ctx
        axis = None
        for field in self.fields:
            img = transform_ctx.get_image(field)
            first, last = img.get_shape_format().get_spatial_axis()
            if axis is None:
                axis = np.random.randint(first, last + 1) - first
            img = img.new_image(np.flip(img.get_data(), first + axis), img.get_shape_format())
            scale, start = [1.0] * (last + 1 - first), [0] * (last + 1 - first)
            scale[axis], start[axis] = -1.0, spatial_shape(img)[axis] - 1
            move_affine(img, scale, start)
            transform_ctx.set_image(field, img)
        return transform_ctx

    def is_deterministic(self):
        return False


class MyRandomRotate3D(MultiFieldTransformer):

    def __init__(self, fields, probability=0.5):
        MultiFieldTransformer.__init__(self, fields=fields)
        self.probability = probability

    def transform(self, transform_ctx):
        if np.random.random() < self.probability:
            k = np.random.randint(1, 4)
            for field in self.fields:
                img = transform_ctx.get_image(field)
                first = img.get_shape_format().get_spatial_axis()[0]
                data = np.rot90(img.get_data(), k, axes=(first, first + 1))
                transform_ctx.set_image(field, img.new_image(data, img.get_shape_format()))
        return transform_ctx

    def is_deterministic(self):
        return False


class MyIntensityOscillation(MultiFieldTransformer):

    def __init__(self, fields, magnitude):
        MultiFieldTransformer.__init__(self, fields=fields)
        self.magnitude = magnitude

    def transform(self, transform_ctx):
        for field in self.fields:
            img = transform_ctx.get_image(field)
            img.get_data()[...] += (2 * np.random.rand() - 1) * self.magnitude
        return transform_ctx

    def is_deterministic(self):
        return False


class MyGaussianNoise(MultiFieldTransformer):

    def __init__(self, fields, probability=0.5, variance=0.1):
        MultiFieldTransformer.__init__(self, fields=fields)
        self.probability = probability
        self.variance = variance

    def transform(self, transform_ctx):
        for field in self.fields:
            if np.random.uniform() < self.probability:
                img = transform_ctx.get_image(field)
                noise = np.random.normal(0.0, np.sqrt(self.variance), img.get_data().shape)
                transform_ctx.set_image(field, img.new_image(img.get_data() + noise, img.get_shape_format()))
        return transform_ctx

    def is_deterministic(self):
        return False


class MyFastCrop(MultiFieldTransformer):
    """several crops of one scan: the result is a batch"""

    def __init__(self, fields, size, label_field, pos=1, neg=1, batch_size=3):
        MultiFieldTransformer.__init__(self, fields=fields)
        self.size = size
        self.label_field = label_field
        self.ratio = float(pos) / (pos + neg)
        self.batch_size = batch_size

    def transform(self, transform_ctx):
        label = transform_ctx.get_image(self.label_field)
        data = label.get_data()
        if label.get_shape_format().is_channeled():
            data = np.max(data, axis=label.get_shape_format().get_channel_axis())
        starts = [self._start(data) for _ in range(self.batch_size)]
        fields = list(self.fields)
        if self.label_field not in fields:
            fields.append(self.label_field)
        for field in fields:
            img = transform_ctx.get_image(field)
            crops = []
            for start in starts:
                index = on_spatial(img, [slice(a, a + s) for a, s in zip(start, self.size)])
                crops.append(img.get_data()[index])
            transform_ctx.set_image(field, img.new_image(np.stack(crops), "N" + str(img.get_shape_format())))
        return transform_ctx

    def _start(self, data):
        wanted = (data > 0) == (np.random.uniform() < self.ratio)
        center = np.argwhere(wanted)[np.random.randint(np.count_nonzero(wanted))]
        return [min(max(c - s // 2, 0), n - s) for c, s, n in zip(center, self.size, data.shape)]

    def is_deterministic(self):
        return False
