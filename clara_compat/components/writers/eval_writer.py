"""The base of all writers of evaluation results.

Source: clara-3.1-engine facts, section 2.0; clara-3.1-transforms facts, section 2.6.
"""

from __future__ import annotations

from typing import Any

from clara_compat.common.transform_ctx import TransformContext

__all__ = ["EvalWriter"]


class EvalWriter:
    """Writes one field of each evaluated item.

    Args:
        field: name of the field; kept in ``self.field`` (an assumed name).

    Example::

        class WriteArray(EvalWriter):
            def write(self, input_file_name, data_dict):
                np.save(f"{input_file_name}.npy", data_dict.get_image(self.field).get_data())
    """

    def __init__(self, field: str) -> None:
        self.field = field

    def check_results_exist(self, input_file_name: str) -> bool:
        """Whether the results of this input are there already: False (the default is assumed).

        Args:
            input_file_name: path of the case's image.
        """
        return False

    def write(self, input_file_name: str, data_dict: TransformContext) -> Any:
        """Write the results of one input.

        Args:
            input_file_name: path of the case's image.
            data_dict: the case's fields, predictions among them.

        Raises:
            NotImplementedError: the subclass does not override it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement write(input_file_name, data_dict)")

    def load_results(self, input_file_name: str, transform_ctx: TransformContext) -> Any:
        """Put the results that are there already into the context.

        Args:
            input_file_name: path of the case's image.
            transform_ctx: takes the fields.

        Raises:
            NotImplementedError: the subclass does not override it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not implement load_results(input_file_name, transform_ctx)"
        )

    def finalize(self) -> None:
        """Called once after the last item: nothing to do."""
