"""The networks and losses of MONAI and torch that a config may name by their path.

A config may come from a stranger: of installed packages it can name nothing else.
"""

from __future__ import annotations

from clara_compat.errors import Address, ClaraError

__all__ = ["stock_family"]

_FAMILIES = {"monai.networks.nets": "models", "monai.losses": "losses", "torch.nn": "losses"}


def stock_family(path: str, address: Address | None = None) -> str | None:
    """Return the family of the class of MONAI or torch that ``path`` names, and None for any other path.

    Whether there is such a class is found out when it is imported.

    Raises:
        ClaraError: it is something else of the two.
    """
    if path.partition(".")[0] not in {"monai", "torch"}:
        return None
    module, _, name = path.rpartition(".")
    if module not in _FAMILIES or not name.isidentifier() or name.startswith("_"):
        raise ClaraError(
            f"'{path}' is refused: of MONAI and torch a config may name networks of monai.networks.nets, losses of "
            "monai.losses and losses of torch.nn, such as monai.networks.nets.UNet",
            address,
        )
    return _FAMILIES[module]
