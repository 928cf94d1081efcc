"""What writers of one file per case have in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from clara_compat.common.medical_image import MedicalImage
from clara_compat.common.result_files import ResultFiles
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.components.component import Component
from clara_compat.components.writers.eval_writer import EvalWriter
from clara_compat.errors import ClaraError

__all__ = ["CaseWriter", "checked_write_path"]


def checked_write_path(write_path: str, owner: object) -> str:
    """Return ``write_path``, which Clara's constructors have behind arguments with a default.

    Raises:
        ClaraError: it was left out.
    """
    if not write_path:
        raise ClaraError(f"{type(owner).__name__} needs the argument 'write_path', the folder for the results")
    return write_path


class CaseWriter(EvalWriter, Component):
    """Writes a field to ``<write_path>/<case>/<case>_<field><ending>``; the case is the input's file name.

    Args:
        field: field that holds an image.
        write_path: folder of all results.
    """

    ending: ClassVar[str]

    def __init__(self, field: str, write_path: str) -> None:
        EvalWriter.__init__(self, field)
        self.write_path = checked_write_path(write_path, self)
        self.files = ResultFiles(write_path, field, self.ending)

    def save(self, image: MedicalImage, path: Path) -> None:
        """Write one image."""
        raise NotImplementedError(f"{type(self).__name__} does not say how a file is written")

    def load(self, path: Path) -> MedicalImage:
        """Read what :meth:`save` wrote."""
        raise NotImplementedError(f"{type(self).__name__} does not say how a file is read")

    def check_results_exist(self, input_file_name: str) -> bool:
        """Whether the file of this input is there."""
        return self.files.path(input_file_name).is_file()

    def write(self, input_file_name: str, data_dict: Mapping[str, Any]) -> None:
        """Write the field of one input.

        Raises:
            ClaraError: the field holds no image, another input has the same name, or the file cannot be written.
        """
        image = data_dict[self.field]
        if not isinstance(image, MedicalImage):
            raise ClaraError(f"{type(self).__name__}: '{self.field}' holds a {type(image).__name__}, expected an image")
        self.save(image, self.files.claim(input_file_name))

    def load_results(self, input_file_name: str, transform_ctx: TransformContext) -> None:
        """Put the image that was written for this input into the context, channels-first as a model leaves it.

        Raises:
            ClaraError: the file is missing or damaged.
        """
        image = self.load(self.files.path(input_file_name))
        layout, data = image.get_shape_format(), image.get_data()
        if layout.is_channels_last():
            data = data.transpose(data.ndim - 1, *range(data.ndim - 1))
        elif not layout.is_channeled():
            data = data[None]
        transform_ctx.set_image(self.field, image.new_image(data, layout.with_channels_first()))
