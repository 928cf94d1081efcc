"""The typed training workflow: everything a config says, resolved and checked, before anything runs.

Sections and keys: clara-3.1 facts, sections 1.5 to 1.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clara_compat.config.components import Catalogue, ComponentSpec
from clara_compat.config.loading import Loading, Workflow, open_config
from clara_compat.config.problems import ConfigErrors, Notice
from clara_compat.config.sections import TrainSection, ValidateSection, build_sections
from clara_compat.config.settings import Determinism, TrainSettings
from clara_compat.errors import Address, ClaraError

__all__ = [
    "ComponentSpec",
    "ConfigErrors",
    "Determinism",
    "Notice",
    "TrainSection",
    "TrainSettings",
    "TrainWorkflow",
    "ValidateSection",
    "evaluation_key",
    "load_train_workflow",
]


_EVALUATION_KEYS = ("model_loader", "val_metrics", "writers", "label_transforms", "post_transforms")
"""Keys that only a config of ``nvmidl.apps.evaluate`` has."""


@dataclass(frozen=True, kw_only=True)
class TrainWorkflow(Workflow):
    """A training config, resolved.

    Args:
        settings: the typed top level.
        train: what is trained.
        validate: how it is validated, or None.
    """

    settings: TrainSettings
    train: TrainSection
    validate: ValidateSection | None

    @property
    def specs(self) -> list[ComponentSpec]:
        """All components in the order of the sections' keys."""
        train, validate = self.train, self.validate
        found = [train.loss, train.optimizer, train.lr_policy, train.model, *train.pre_transforms]
        found += [*train.batch_transforms, train.image_pipeline, *train.aux_ops, *train.handlers]
        if validate:
            found += [*validate.metrics, *validate.pre_transforms, validate.image_pipeline, validate.inferer]
        return [spec for spec in found if spec is not None]


def load_train_workflow(
    config: str | Path,
    *,
    mmar: str | Path | None = None,
    env: str | Path | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    user_code_required: bool = True,
    user_code: bool = True,
    catalogue: Catalogue | None = None,
) -> TrainWorkflow:
    """Read, resolve and check a training config. User code is never imported, nothing is run.

    Args:
        config: the config file; a relative one is looked up from here, then from the MMAR.
        mmar: the MMAR's folder; by default the parent of the config's folder when that is called ``config``, else the
            config's folder.
        env: the environment file, looked up like the config; by default ``config/environment.json`` of the MMAR.
        overrides: ``K=V`` texts of ``--set``, or a mapping of typed values.
        user_code_required: whether a user module that is not found is an error rather than a notice.
        user_code: whether the config may name user code.
        catalogue: the built-in components; those of this package when None.

    Raises:
        ClaraError: what is wrong; several things at once as
            :class:`~clara_compat.config.problems.ConfigErrors`.
    """
    loading = open_config(
        config,
        mmar=mmar,
        env=env,
        overrides=overrides,
        user_code_required=user_code_required,
        user_code=user_code,
        catalogue=catalogue,
    )
    try:
        return _workflow(loading)
    except RecursionError as error:
        raise ClaraError("lists and objects are nested too deeply", Address(str(config))) from error


def evaluation_key(data: Mapping[str, Any]) -> str | None:
    """Return a key that shows a config to be one for evaluation, or None for a training config."""
    return None if "train" in data else next((key for key in _EVALUATION_KEYS if key in data), None)


def _workflow(loading: Loading) -> TrainWorkflow:
    key = evaluation_key(loading.document.data)
    if key is not None:
        raise ClaraError(
            "this is a config for evaluation or inference: run it with clara-compat evaluate (or infer)",
            loading.document.address(key),
        )
    settings = loading.typed(TrainSettings, ("train", "validate"))
    train, validate = build_sections(
        loading.document,
        loading.undefined,
        loading.roots,
        loading.catalogue,
        loading.problems,
        loading.user_code_required,
    )
    fields = loading.workflow_fields()
    if settings is None or train is None:
        raise RuntimeError("a workflow without settings or train section, and no error that says so")
    return TrainWorkflow(settings=settings, train=train, validate=validate, **fields)
