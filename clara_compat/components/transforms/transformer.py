"""The base of all transforms.

Source: Clara 3.1 page "Bring your own components"; clara-3.1-transforms facts, section 2.5.
"""

from __future__ import annotations

from clara_compat.common.transform_ctx import TransformContext

__all__ = ["Transformer"]


class Transformer:
    """Takes a data item and returns it changed."""

    def transform(self, transform_ctx: TransformContext) -> TransformContext:
        """Change the item and return it (the same context).

        Args:
            transform_ctx: the item: images and other values by field.

        Raises:
            NotImplementedError: the subclass does not override it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement transform(transform_ctx)")

    def is_deterministic(self) -> bool:
        """Whether the same item always gives the same result: True.

        A random transform overrides this, or a caching pipeline keeps its first result for the whole run.
        """
        return True
