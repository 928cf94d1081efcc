"""Clara's own entry points: ``nvmidl.apps.train`` and ``evaluate``, and their functions in ``nvmidl.utils``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clara_compat.run.evaluate import EvaluateResult
    from clara_compat.run.train import TrainResult

__all__ = ["evaluate_main", "evaluate_mmar", "export_main", "train_main", "train_mmar"]


def train_main(arguments: Sequence[str] | None = None) -> None:
    """Do what ``python -m nvmidl.apps.train`` did, with its flags, and exit.

    ``-m/--mmar``, ``-c/--train_config``, ``-e/--env``, ``-l/--log_config``, ``--write_train_stats``, ``--set K=V ...``
    (clara-3.1 facts, engine section 1.10).
    """
    from clara_compat.cli.main import main

    main(["train", *(sys.argv[1:] if arguments is None else arguments)])


def evaluate_main(arguments: Sequence[str] | None = None) -> None:
    """Do what ``python -m nvmidl.apps.evaluate`` (validate.sh, infer.sh) did, with its flags, and exit.

    ``-m/--mmar``, ``-c/--config``, ``-e/--env``, ``-l/--log_config``, ``--set K=V ...`` (clara-3.1 facts, engine
    section 1.10).
    """
    from clara_compat.cli.main import main

    main(["evaluate", *(sys.argv[1:] if arguments is None else arguments)])


def export_main(arguments: Sequence[str] | None = None) -> None:
    """Do what ``python -m nvmidl.apps.export`` (export.sh) did, with its flags, and exit.

    TorchScript and ONNX take the place of the frozen graph (clara-3.1 facts, engine section 1.10).
    """
    from clara_compat.cli.main import main

    main(["export", *(sys.argv[1:] if arguments is None else arguments)])


def train_mmar(
    mmar_root: str,
    wf_config_file_name: str,
    env_config_file_name: str | None = None,
    log_config_file_name: str | None = None,
    kv_list: Sequence[str] | Mapping[str, Any] | None = None,
) -> TrainResult:
    """Train an MMAR from Python, as Clara's ``nvmidl.utils.train_mmar`` did.

    Args:
        mmar_root: root folder of the MMAR.
        wf_config_file_name: training configuration, relative to the MMAR.
        env_config_file_name: environment file, relative to the MMAR.
        log_config_file_name: logging configuration, relative to the MMAR.
        kv_list: what ``--set`` takes: ``["epochs=2"]`` or a mapping.
    """
    from clara_compat.run.train import train

    return train(mmar_root, wf_config_file_name, env_config_file_name, kv_list or (), log_config=log_config_file_name)


def evaluate_mmar(
    mmar_root: str,
    wf_config_file_name: str,
    env_config_file_name: str | None = None,
    log_config_file_name: str | None = None,
    kv_list: Sequence[str] | Mapping[str, Any] | None = None,
) -> EvaluateResult:
    """Evaluate an MMAR's network from Python, as Clara's ``nvmidl.utils.evaluate_mmar`` did.

    Args:
        mmar_root: root folder of the MMAR.
        wf_config_file_name: evaluation configuration, relative to the MMAR.
        env_config_file_name: environment file, relative to the MMAR.
        log_config_file_name: logging configuration, relative to the MMAR.
        kv_list: what ``--set`` takes: ``["do_validation=true"]`` or a mapping.
    """
    from clara_compat.run.evaluate import evaluate

    return evaluate(
        mmar_root, wf_config_file_name, env_config_file_name, kv_list or (), log_config=log_config_file_name
    )
