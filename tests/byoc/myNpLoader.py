import logging

import numpy as np
import tensorflow as tf

from ai4med.common.constants import ImageProperty
from ai4med.common.medical_image import MedicalImage
from ai4med.common.shape_format import ShapeFormat
from ai4med.components.transforms.multi_field_transformer import MultiFieldTransformer
from ai4med.utils.dtype_utils import str_to_dtype


class MyNumpyLoader(MultiFieldTransformer):
    """Loads .npy files; the config says what their axes are."""

    def __init__(self, fields, shape, dtype="float32"):
        MultiFieldTransformer.__init__(self, fields=fields)
        self._logger = logging.getLogger(self.__class__.__name__)
        self._dtype = str_to_dtype(dtype)
        self._shape = ShapeFormat(shape)

    def transform(self, transform_ctx):
        for field in self.fields:
            file_name = transform_ctx[field]
            if isinstance(file_name, (bytes, bytearray)):
                file_name = file_name.decode('UTF-8')
            data = np.load(file_name, allow_pickle=True).astype(self._dtype)
            assert len(data.shape) == self._shape.get_number_of_dims(), "the file has other axes than the config says"
            img = MedicalImage(data, self._shape)
            img.set_property(ImageProperty.ORIGINAL_SHAPE, data.shape)
            img.set_property(ImageProperty.FILENAME, file_name)
            transform_ctx.set_image(field, img)
        return transform_ctx
