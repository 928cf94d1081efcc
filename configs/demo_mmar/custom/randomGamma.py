"""A transform of the user's own, as Clara's documentation on bringing your own components asks for it."""

import numpy as np

from ai4med.common.transform_ctx import TransformContext
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer


class RandomGamma(MultiFieldTransformer):
    """Bend the grey values of an image between 0 and 1: x becomes x to the power of a random gamma.

    The logarithm of gamma is uniform, so that darkening and brightening are equally likely.

    Args:
        fields: fields with images whose values lie between 0 and 1; values outside are clipped.
        max_gamma: gamma is drawn between 1 / max_gamma and max_gamma.
        dtype: type of the result.
    """

    def __init__(self, fields, max_gamma=1.5, dtype=np.float32):
        MultiFieldTransformer.__init__(self, fields)
        if max_gamma < 1:
            raise ValueError("max_gamma must be at least 1, got {}".format(max_gamma))
        self.max_gamma = max_gamma
        self.dtype = dtype

    def transform(self, transform_ctx: TransformContext):
        for field in self.fields:
            limit = np.log(self.max_gamma)
            gamma = np.exp(np.random.uniform(-limit, limit))
            img = transform_ctx.get_image(field)
            result = np.power(np.clip(img.get_data(), 0.0, 1.0), gamma).astype(self.dtype)
            transform_ctx.set_image(field, img.new_image(result, img.get_shape_format()))
        return transform_ctx

    def is_deterministic(self):
        """Random, so nothing from here on may be cached."""
        return False
