"""Variables and their substitution: where they come from, who wins, ``{VAR}`` in strings.

The rules are those of clara-3.1 facts, section 1.3.
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clara_compat.config.paths import JSONPath, format_path
from clara_compat.config.problems import Problems
from clara_compat.errors import Address, ClaraError, nearest, suggestion

__all__ = [
    "DEFAULTS",
    "DOCUMENTED",
    "Substitution",
    "because",
    "because_of",
    "nearest_known",
    "resolve_variables",
    "substitute",
    "used_names",
    "workflow_variables",
]

DEFAULTS: Mapping[str, str] = {
    "PROCESSING_TASK": "segmentation",
    "MMAR_EVAL_OUTPUT_PATH": "eval",
    "MMAR_CKPT_DIR": "models",
}
"""Variables that are there when nobody sets them."""

DOCUMENTED = frozenset(
    {
        *("epochs", "num_training_epoch_per_valid", "learning_rate", "multi_gpu", "use_amp", "use_tf32", "use_xla"),
        *("dynamic_input_shape", "train_summary_recording_interval", "use_scanning_window", "determinism"),
        *("stop_threshold", "continue_from_ckpt_epoch", "microbatches_size", "infer_in_training_mode", "extra_inputs"),
        *("search", "lr_search", "learning_rate_search_space", "validate_at_end", "cache_gb", "batch_size"),
        *("on_bad_item", "accelerate"),
        *(
            "do_validation",
            "output_infer_result",
            "overwrite_previous_result",
            "DATA_ROOT",
            "DATASET_JSON",
            "DATA_LIST_KEY",
            "PROCESSING_TASK",
        ),
        *("MMAR_EVAL_OUTPUT_PATH", "MMAR_CKPT_DIR", "MMAR_CKPT", "PRETRAIN_WEIGHTS_FILE"),
    }
)
"""Variables that mean something by themselves (section 1.5 and the ``--set`` variables below it)."""

_OTHER_NAMES = {"resume": "continue_from_ckpt_epoch"}
"""Names that a variable has elsewhere: a bundle is told to go on with ``--resume true``."""
_LONGEST = 1_000_000
"""Characters of a text with its variables put in: a short one that names a long one often would fill the memory."""
_PLACEHOLDER = re.compile(r"\{([^\W\d][\w-]*)\}")
_NAME = re.compile(r"[^\W\d][\w-]*")


@dataclass(frozen=True)
class Substitution:
    """A document with its variables put in.

    Args:
        data: the document.
        undefined: names of variables that had no value, by the path of the string ``{NAME}`` that became None.
    """

    data: Any
    undefined: Mapping[JSONPath, str]


def resolve_variables(
    workflow: Mapping[str, Any],
    environment: Mapping[str, Any],
    command_line: Mapping[str, Any],
    mmar: str | Path,
) -> dict[str, Any]:
    """Gather all variables; ``--set`` wins over the environment, that over the workflow, that over the defaults.

    Values from ``--set``, the environment and the defaults whose name starts with ``MMAR_`` and that are not empty
    are joined onto the MMAR's folder (absolute paths survive); values from the workflow are taken as they are.

    Raises:
        ClaraError: a ``MMAR_`` variable that is no path.
    """
    return {
        **_below(DEFAULTS, mmar),
        **workflow_variables(workflow),
        **_below(environment, mmar),
        **_below(command_line, mmar),
    }


def workflow_variables(workflow: Mapping[str, Any]) -> dict[str, Any]:
    """The variables a workflow defines: its first-level numbers, texts and booleans, and ``determinism``."""
    return {
        key: value
        for key, value in workflow.items()
        if isinstance(value, (int, float, str)) or (key == "determinism" and isinstance(value, dict))
    }


def substitute(
    data: Any,
    variables: Mapping[str, Any],
    address: Callable[..., Address] | None = None,
    problems: Problems | None = None,
) -> Substitution:
    """Put the variables into every string of the document, in one pass.

    A string that is exactly ``{NAME}`` becomes the variable's typed value, or None when there is no such variable.
    In any other string each ``{NAME}`` becomes text, and ``{{`` and ``}}`` stand for braces. Left as they are: what
    is parked under a key that begins with ``_``, ``search`` or ``apply``, and disabled components.

    Args:
        data: the document; it is not changed.
        variables: values by name.
        address: gives the address of a JSON path, for errors.
        problems: takes the errors; when None the first is raised.

    Raises:
        ClaraError: an undefined name within a longer text, an unbalanced brace, or a placeholder with more than a name.
    """
    undefined: dict[JSONPath, str] = {}

    def in_text(text: str, path: JSONPath) -> Any:
        if alone := _PLACEHOLDER.fullmatch(text):
            name = alone[1]
            if name not in variables:
                undefined[path] = name
            return variables.get(name)
        try:
            return _format(text, variables)
        except ClaraError as error:
            where = address(*path) if address else Address("config", None, format_path(path))
            located = ClaraError(error.message, where)
            if problems is None:
                raise located from error
            problems.take(located)
            return text

    def walk(value: Any, path: JSONPath, in_args: bool) -> Any:
        if isinstance(value, str):
            return in_text(value, path)
        if isinstance(value, list):
            return [walk(item, (*path, index), in_args) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        flag = value.get("disabled")
        if not in_args and walk(flag, (*path, "disabled"), in_args) is True:
            return {**value, "disabled": True}
        return {
            key: item if not in_args and _is_parked(key) else walk(item, (*path, key), in_args or key == "args")
            for key, item in value.items()
        }

    return Substitution(walk(data, (), False), undefined)


def because(undefined: Mapping[JSONPath, str], path: JSONPath) -> str:
    """The end of a message about a missing value: which undefined variable caused it, if one did."""
    return because_of(undefined[path]) if path in undefined else ""


def because_of(name: str) -> str:
    """The end of a message about a value that is missing since a variable is not defined."""
    return f" because {{{name}}} is not defined in environment.json or --set"


def used_names(data: Any) -> set[str]:
    """Names of all variables the strings of a document ask for."""
    return {name for text in _strings(data) for name in _PLACEHOLDER.findall(text)}


def nearest_known(name: str, workflow: Mapping[str, Any], environment: Mapping[str, Any]) -> tuple[bool, str | None]:
    """Whether anything knows the variable ``name``, and the nearest known name."""
    known = {*workflow_variables(workflow), *environment, *DEFAULTS, *DOCUMENTED, *used_names(workflow)}
    return name in known, _OTHER_NAMES.get(name) or nearest(name, known)


def _below(values: Mapping[str, Any], mmar: str | Path) -> dict[str, Any]:
    joined = dict(values)
    for name, value in values.items():
        if not name.startswith("MMAR_") or value is None or value == "":
            continue
        if isinstance(value, (dict, list, bool)) or "\0" in str(value):
            raise ClaraError(f"the variable {name} is {value!r}, expected a path")
        joined[name] = os.path.join(mmar, str(value))
    return joined


def _is_parked(key: str) -> bool:
    return key.startswith("_") or key in {"search", "apply"}


def _strings(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, (dict, list)):
        for item in data.values() if isinstance(data, dict) else data:
            yield from _strings(item)


def _format(text: str, variables: Mapping[str, Any]) -> str:
    """Like ``str.format`` with plain names only: a config from a stranger must not reach into objects."""
    if "{" not in text and "}" not in text:
        return text
    shown = text if len(text) <= 80 else text[:77] + "..."
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ClaraError(
            f"'{shown}' has a brace without its partner ({error}); write {{{{ and }}}} for braces meant as text"
        ) from error
    written: list[str] = []
    length = 0
    for literal, name, specification, conversion in parts:
        written.append(literal)
        if name is None:
            continue
        if specification or conversion or not _NAME.fullmatch(name):
            raise ClaraError(
                f"'{shown}' has a placeholder that is more than a name; only {{NAME}} is allowed, without attribute, "
                "index, format or conversion; write {{ and }} for braces meant as text"
            )
        if name not in variables:
            raise ClaraError(
                f"'{shown}' needs the variable {name}, which is not defined in environment.json or --set"
                f"{suggestion(name, variables)}"
            )
        written.append(str(variables[name]))
        length += len(written[-1])
        if length > _LONGEST:
            raise ClaraError(f"'{shown}' is longer than {_LONGEST:,} characters with its variables put in")
    return "".join(written)
