import numpy as np

from ai4med.common.transform_ctx import TransformContext
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer


class MyAddRandomConstant(MultiFieldTransformer):
    """Adds one random number to every voxel of an image."""

    def __init__(self, fields, magnitude, dtype=np.float32):
        MultiFieldTransformer.__init__(self, fields)
        self.dtype = dtype
        self.magnitude = magnitude

    def transform(self, transform_ctx: TransformContext):
        for field in self.fields:
            shift = (np.random.rand() * 2.0 - 1.0) * self.magnitude
            img = transform_ctx.get_image(field)
            shifted = (img.get_data() + shift).astype(self.dtype)
            transform_ctx.set_image(field, img.new_image(shifted, img.get_shape_format()))
        return transform_ctx

    def is_deterministic(self):
        return False
