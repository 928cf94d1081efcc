"""The typed top level of a config.

Names, types and defaults: clara-3.1 facts, section 1.5; ``validate_at_end``, ``cache_gb``, ``on_bad_item`` and
``accelerate`` are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from clara_compat.common.levers import AUTO, OFF, levers_of
from clara_compat.config.arguments import convert, describe
from clara_compat.config.paths import JSONPath
from clara_compat.config.problems import Problems
from clara_compat.config.variables import because
from clara_compat.errors import Address, suggestion

__all__ = ["Determinism", "EvaluateSettings", "TrainSettings", "typed_settings"]

Settings = TypeVar("Settings", bound=BaseModel)

_NOTHING = "null"
"""What ``--set determinism=null`` gives: a variable has no other word for nothing."""


class Determinism(BaseModel):
    """Seeds of a repeatable run; one that is None is chosen by the run.

    Args:
        python_seed: text, for hashing.
        random_seed: of Python's ``random``.
        numpy_seed: of numpy.
        tf_seed: of the tensor library.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    python_seed: str | None = None
    random_seed: int | None = None
    numpy_seed: int | None = None
    tf_seed: int | None = None


class TrainSettings(BaseModel):
    """Top-level values of a training config.

    Args:
        epochs: number of epochs, at least 1.
        learning_rate: initial learning rate, above 0.
        num_training_epoch_per_valid: validate every so many epochs; 0 validates at the end only.
        multi_gpu: one process per GPU.
        use_amp: mixed precision.
        use_tf32: TF32 on GPUs that have it; None leaves the library's default.
        use_xla: Clara's XLA switch.
        dynamic_input_shape: whether validation sees other shapes than training.
        train_summary_recording_interval: steps between training summaries; 0 is once per epoch.
        determinism: seeds, or None.
        stop_threshold: stop when the key metric reaches it.
        continue_from_ckpt_epoch: go on from the ``checkpoint.pt`` in MMAR_CKPT_DIR, where there is one (`assumed`).
        infer_in_training_mode: validate with the network in training mode.
        validate_at_end: whether a run that would end without any validation validates after its last epoch.
        cache_gb: memory for cached scans, in 10^9 bytes; 0 for no cache, None for half of what is free.
        on_bad_item: what an item does that cannot be made: ``stop`` the run, or be left out of it (``skip``).
        accelerate: what may make a training faster: ``auto`` (a short trial chooses), ``off``, or names of levers.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    num_training_epoch_per_valid: int = Field(default=0, ge=0)
    multi_gpu: bool = False
    use_amp: bool = False
    use_tf32: bool | None = None
    use_xla: bool = False
    dynamic_input_shape: bool = False
    train_summary_recording_interval: int = Field(default=1, ge=0)
    determinism: Determinism | None = None
    stop_threshold: float | None = None
    continue_from_ckpt_epoch: bool = False
    infer_in_training_mode: bool = False
    validate_at_end: bool = True
    cache_gb: float | None = Field(default=None, ge=0)
    on_bad_item: Literal["stop", "skip"] = "stop"
    accelerate: str = AUTO

    @field_validator("accelerate")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            levers_of(value)
        except ValueError as error:
            raise PydanticCustomError("levers", "{reason}", {"reason": str(error)}) from error
        return value


class EvaluateSettings(BaseModel):
    """Top-level values of a config for evaluation (clara-3.1 facts, section 1.8).

    Args:
        batch_size: cases per forward pass.
        use_scanning_window: accepted; the inferer decides.
        multi_gpu: one process per GPU.
        use_amp: mixed precision.
        do_validation: compare with the labels.
        output_infer_result: let the writers write.
        overwrite_previous_result: evaluate every case, also those whose results are there.
        DATA_LIST_KEY: list of the data list file (the default is assumed).
        infer_in_training_mode: predict with the network in training mode.
        on_bad_item: what a case does that cannot be read: ``stop`` the run, or be left out of it (``skip``).
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    batch_size: int = Field(default=1, ge=1)
    use_scanning_window: bool | None = None
    multi_gpu: bool = False
    use_amp: bool = False
    do_validation: bool = False
    output_infer_result: bool = True
    overwrite_previous_result: bool = True
    DATA_LIST_KEY: str = "validation"
    infer_in_training_mode: bool = False
    on_bad_item: Literal["stop", "skip"] = "stop"


def typed_settings(
    model: type[Settings],
    values: Mapping[str, Any],
    undefined: Mapping[JSONPath, str],
    address: Callable[..., Address],
    problems: Problems,
) -> Settings | None:
    """Check and convert the top-level values.

    Args:
        model: names and types.
        values: first-level values of the config with the variables that win over them.
        undefined: variables without a value, by path.
        address: gives the address of a path.
        problems: takes errors and notices.

    Returns:
        The settings, or None when something was wrong.
    """
    before = len(problems.errors)
    known: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name not in values:
            if field.is_required():
                problems.error(f"'{name}' is missing: add \"{name}\": ... at the top level or --set", address(name))
            continue
        value = values[name]
        reason = because(undefined, (name,))
        if value in (None, _NOTHING) and not reason and not field.is_required():
            continue
        if name == "determinism":
            known[name] = _determinism(value, undefined, address, problems)
            continue
        if name == "accelerate" and isinstance(value, bool):  # as --set accelerate=off is read
            value = AUTO if value else OFF
        try:
            known[name] = convert(value, field.annotation)
        except ValueError as error:
            what, _, expected = str(error).rpartition(", expected ")
            problems.error(f"'{name}' {what}{reason}, expected {expected}", address(name))
    try:
        settings = model.model_validate(known)
    except ValidationError as error:
        for detail in error.errors():
            name = str(detail["loc"][0])
            if name in known:
                limits = detail["msg"].removeprefix("Input should be ")
                problems.error(f"'{name}' is {known[name]!r}, expected {limits}", address(name))
        return None
    return settings if len(problems.errors) == before else None


def _determinism(
    value: Any, undefined: Mapping[JSONPath, str], address: Callable[..., Address], problems: Problems
) -> Determinism | None:
    if not isinstance(value, dict):
        problems.error(
            f"'determinism' is {value!r}{because(undefined, ('determinism',))}, expected an object with "
            f"{', '.join(Determinism.model_fields)}",
            address("determinism"),
        )
        return None
    seeds: dict[str, Any] = {}
    for name, seed in value.items():
        path = ("determinism", name)
        field = Determinism.model_fields.get(name)
        if field is None:
            hint = suggestion(name, Determinism.model_fields)
            problems.notice(f"'{name}' is no seed of determinism and is ignored{hint}", address(*path))
            continue
        number_as_text = name == "python_seed" and isinstance(seed, int) and not isinstance(seed, bool)
        try:
            seeds[name] = convert(str(seed) if number_as_text else seed, field.annotation)
        except ValueError:
            problems.error(
                f"'{name}' is {seed!r}{because(undefined, path)}, expected {describe(field.annotation)}", address(*path)
            )
    return Determinism(**seeds)
