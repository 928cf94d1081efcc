# Subclasses of Clara's own transforms, as users wrote them.
import numpy as np

from ai4med.components.transforms.add_gaussian_noise import AddGaussianNoise
from ai4med.components.transforms.convert_to_channels_first import ConvertToChannelsFirst
from ai4med.components.transforms.crop_fixed_size_random_center import CropFixedSizeRandomCenter
from ai4med.components.transforms.fast_crop_by_pos_neg_ratio import FastCropByPosNegRatio
from ai4med.components.transforms.load_nifti import LoadNifti
from ai4med.components.transforms.random_spatial_flip import RandomSpatialFlip
from ai4med.components.transforms.repeat_channel import RepeatChannel
from ai4med.components.transforms.scale_by_resolution import ScaleByResolution
from ai4med.components.transforms.scale_intensity_range import ScaleIntensityRange
from ai4med.components.transforms.split_based_on_label import SplitBasedOnLabel


# ------------------------------------------------------------------- nothing but arguments


class CTWindow(ScaleIntensityRange):

    def __init__(self, fields, clip=True):
        ScaleIntensityRange.__init__(self, fields=fields, a_min=-57, a_max=164, b_min=0, b_max=1, clip=clip)


class SameRange(ScaleIntensityRange):
    pass


class NarrowWindow(CTWindow):

    def __init__(self, fields):
        super(NarrowWindow, self).__init__(fields)
        self.a_max = 100


class OftenFlip(RandomSpatialFlip):

    def __init__(self, fields):
        super().__init__(fields, probability=0.9)


class LittleNoise(AddGaussianNoise):

    def __init__(self, fields):
        super().__init__(fields, probability=1.0, variance=0.01)


class ThreeChannels(RepeatChannel):

    def __init__(self, fields):
        super().__init__(fields, 3)


class FourCrops(FastCropByPosNegRatio):

    def __init__(self, size):
        super().__init__(size, fields="image", label_field="label", batch_size=4)


class UncachedWindow(CTWindow):

    def is_deterministic(self):
        return False


class UncachedChannels(ThreeChannels):

    def is_deterministic(self):
        return False


# ------------------------------------------------------------------- transforms of their own


class WindowPerImage(ScaleIntensityRange):
    """window from the image itself"""

    def __init__(self, fields):
        super().__init__(fields, 0, 1, 0, 1, clip=True)

    def transform(self, transform_ctx):
        data = transform_ctx.get_image(self.fields[0]).get_data()
        self.a_min, self.a_max = float(data.min()), float(data.max())
        return super().transform(transform_ctx)


class LoadAndMark(LoadNifti):

    def transform(self, transform_ctx):
        transform_ctx = LoadNifti.transform(self, transform_ctx)
        for field in self.fields:
            img = transform_ctx.get_image(field)
            img.set_property("mark", "seen by " + field)
            if field == "image":
                transform_ctx.set_image(field, img.new_image(img.get_data() + 1, img.get_shape_format()))
        return transform_ctx


class ResampleAndCount(ScaleByResolution):

    calls = 0

    def transform(self, transform_ctx):
        ResampleAndCount.calls += 1
        return ScaleByResolution.transform(self, transform_ctx)


class CropTwice(CropFixedSizeRandomCenter):

    def transform(self, transform_ctx):
        transform_ctx = super().transform(transform_ctx)
        return super().transform(transform_ctx)


class CropAndName(FastCropByPosNegRatio):

    formats = []

    def transform(self, transform_ctx):
        transform_ctx = super().transform(transform_ctx)
        img = transform_ctx.get_image("image")
        CropAndName.formats.append((str(img.get_shape_format()), img.get_data().shape))
        transform_ctx.set_image("image", img.new_image(img.get_data() * 10, img.get_shape_format()))
        return transform_ctx


class FlipAndTell(RandomSpatialFlip):

    formats = []

    def transform(self, transform_ctx):
        FlipAndTell.formats.append(str(transform_ctx.get_image(self.fields[0]).get_shape_format()))
        super().transform(transform_ctx)
        return transform_ctx


class SplitAndDrop(SplitBasedOnLabel):

    def transform(self, transform_ctx):
        super().transform(transform_ctx)
        del transform_ctx["background"]
        return transform_ctx


class QuietNoise(AddGaussianNoise):
    """noise only where the image is not 0"""

    def transform(self, transform_ctx):
        before = [transform_ctx.get_image(field).get_data().copy() for field in self.fields]
        super().transform(transform_ctx)
        for field, data in zip(self.fields, before):
            noisy = transform_ctx.get_image(field)
            noisy.get_data()[data == 0] = 0
        return transform_ctx


class FirstChannels(ConvertToChannelsFirst):

    def transform(self, transform_ctx):
        shapes = [transform_ctx.get_image(field).get_data().shape for field in self.fields]
        transform_ctx = super().transform(transform_ctx)
        for field, shape in zip(self.fields, shapes):
            assert transform_ctx.get_image(field).get_data().shape == (1,) + shape
        return transform_ctx
