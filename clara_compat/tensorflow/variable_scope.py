"""What ``tf.variable_scope`` opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["VariableScope"]


@dataclass(eq=False)
class VariableScope:
    """What ``tf.variable_scope`` sets for the variables made in it.

    Args:
        name: full name, without a slash at the end.
        reuse: None or False: variables are new; True: they exist; ``AUTO_REUSE``: either.
        initializer: of variables that are given none.
        regularizer: of variables that are given none.
        constraint: of variables that are given none.
        dtype: of variables that are given none.
        original_name_scope: the name scope that was opened with it, with a slash at the end.
    """

    name: str = ""
    reuse: Any = None
    initializer: Any = None
    regularizer: Any = None
    constraint: Any = None
    dtype: Any = None
    original_name_scope: str = ""

    def reuse_variables(self) -> None:
        """Find variables from now on, and make none."""
        self.reuse = True

    def set_initializer(self, initializer: Any) -> None:
        """Change the initializer of variables that are given none."""
        self.initializer = initializer

    def set_regularizer(self, regularizer: Any) -> None:
        """Change the regularizer of variables that are given none."""
        self.regularizer = regularizer
