"""A user's Clara ``EvalWriter`` as a writer of an evaluation."""

from __future__ import annotations

from typing import Any

from monai.data import MetaTensor

from clara_compat.common.blame import users_code
from clara_compat.common.transform_ctx import TransformContext
from clara_compat.engine.legacy.views import from_context, to_context
from clara_compat.errors import ClaraError

__all__ = ["LegacyWriter"]


class LegacyWriter:
    """Hands every case to ``write(input_file_name, data_dict)``, its fields as ``MedicalImage`` views.

    Args:
        writer: the user's object.
        name: its class, for messages.
    """

    def __init__(self, writer: Any, name: str) -> None:
        self.writer = writer
        self.name = f"writer {name}"
        if not callable(getattr(writer, "write", None)):
            raise ClaraError(f"{name} has no write(input_file_name, data_dict): derive it from EvalWriter")

    def __call__(self, data: dict[str, Any]) -> dict[str, Any]:
        """Let the user's object write, and return the item."""
        image = data.get("image")
        file = image.meta.get("filename_or_obj", "") if isinstance(image, MetaTensor) else ""
        context = to_context(data)
        with users_code(self.name):
            self.writer.write(str(file), context)
        return data

    def is_written(self, file: Any) -> bool:
        """Whether the user's object says that its results are there.

        Args:
            file: path of the image.
        """
        with users_code(self.name):
            check = getattr(self.writer, "check_results_exist", None)
            return bool(check(_first(file))) if callable(check) else False

    def restored(self, file: Any) -> dict[str, Any]:
        """Return what the user's object loads of an earlier run.

        Args:
            file: path of the image.
        """
        context = TransformContext()
        with users_code(self.name):
            self.writer.load_results(_first(file), context)
        return from_context(context, {}, self.name)

    def paths(self, file: Any) -> list[str]:
        """Return nothing: the user's object does not say where it writes.

        Args:
            file: path of the image.
        """
        return []

    def finalize(self) -> None:
        """Tell the user's object that the last case is done."""
        with users_code(self.name):
            if callable(getattr(self.writer, "finalize", None)):
                self.writer.finalize()


def _first(file: Any) -> str:
    return str(file[0] if isinstance(file, (list, tuple)) and file else file)
