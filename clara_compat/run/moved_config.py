"""A bundle config at its place in a bundle: its folders are the bundle's, and nothing depends on the working folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clara_compat.run.bundle_folder import comes_along
from clara_compat.translate.places import DATA_PLACES, Places, plain_text
from clara_compat.translate.render import render

__all__ = ["moved"]

_FOLDERS = {
    "bundle_root": ".",
    "ckpt_dir": "$@bundle_root + '/models'",
    "output_dir": "$@bundle_root + '/eval'",
}
"""Where a bundle has things."""
_SCRIPTS = "$@bundle_root + '/scripts'"


def moved(config: Mapping[str, Any], mmar: Path, outputs: Sequence[Path], *, has_code: bool) -> dict[str, Any]:
    """Return a bundle config for its place in a bundle.

    Args:
        config: as it runs in the MMAR.
        mmar: folder of the MMAR; a data list in it comes along.
        outputs: folders that runs of the MMAR write to.
        has_code: code of the user's comes along.
    """

    def path(value: Any) -> Any:
        """Return a path of the data; one that is written with another entry of the config stays."""
        text = plain_text(value)
        if text is None:
            return value
        absolute = os.path.abspath(text)  # noqa: PTH100 -- resolve() would follow the user's links
        if comes_along(Path(absolute), mmar, outputs):
            return render(Places({"bundle_root": str(mmar)}).placed(absolute))
        return render(absolute)

    def listed(entry: Mapping[str, Any]) -> dict[str, Any]:
        return {**entry, **{name: path(entry[name]) for name in DATA_PLACES.values() if name in entry}}

    # an empty DATA_ROOT is the working folder, which relative paths of a data list start from
    here = {name: place for name, place in _FOLDERS.items() if name in config}
    data = {name: path(config[name]) for name in DATA_PLACES if name in config and config.get("DATASET_JSON")}
    sections = {
        name: {**config[name], "data": listed(config[name]["data"])} for name in ("train", "validate") if name in config
    }
    data |= {"data": listed(config["data"])} if "data" in config else {}
    return {**config, **here, **data, **sections, "user_code": [_SCRIPTS] if has_code else []}
