"""What a config does before anything is made, and at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clara_compat.translate.native.native_config import Notes, target_of

__all__ = ["native_finalize", "native_initialize"]

_SEED = "clara_compat.engine.determinism.seed_run"


def native_initialize(config: Mapping[str, Any], notes: Notes) -> list[Any]:
    """Return the list ``initialize``."""
    found: list[Any] = []
    for number, entry in enumerate(config.get("initialize", [])):
        place = f"initialize#{number}"
        if target_of(entry) != _SEED:
            if str(target_of(entry)).startswith("clara_compat."):
                notes.add(place, entry)
            else:
                found.append(entry)
            continue
        deterministic = entry.get("deterministic") and "seed" in config
        now = "$monai.utils.set_determinism(seed=@seed)" if deterministic else ""
        text = "One seed for all; so the draws are others, and so are the first weights." if deterministic else ""
        if not deterministic and "train" in config:
            text = "Nothing is seeded."
        found += [now] if now else []
        if entry.get("tf32") is not None:
            found.append(f"$setattr(torch.backends.cuda.matmul, 'allow_tf32', {entry['tf32']})")
            found.append(f"$setattr(torch.backends.cudnn, 'allow_tf32', {entry['tf32']})")
        notes.add(place, entry, now, text)
    return found


def native_finalize(config: Mapping[str, Any], notes: Notes) -> list[Any]:
    """Return the list ``finalize``."""
    found: list[Any] = []
    for number, entry in enumerate(config.get("finalize", [])):
        if str(target_of(entry)).startswith("clara_compat."):
            notes.add(f"finalize#{number}", entry)
        else:
            found.append(entry)
    return found
