"""The base of everything that adds to the training graph.

Source: Clara 3.1 page "Bring your own components"; clara-3.1-engine facts, section 2.0.
"""

from __future__ import annotations

from typing import Any

from clara_compat.common.build_ctx import BuildContext

__all__ = ["GraphComponent"]


class GraphComponent:
    """A component that is created from its configuration first and built afterwards.

    ``__init__`` only takes static values of the configuration; tensors appear in :meth:`build`.
    """

    def build(self, build_ctx: BuildContext) -> Any:
        """Add this component to the graph and return what it made.

        Args:
            build_ctx: the items of the step; what is made may be put there, too.

        Raises:
            NotImplementedError: the subclass does not override it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement build(build_ctx)")
