"""What a workflow asks for that this version does not run yet."""

from __future__ import annotations

from collections.abc import Iterator

from clara_compat.config.components import ComponentSpec
from clara_compat.config.user_code import uses_tensorflow
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.errors import Address, ClaraError
from clara_compat.translate.not_accepted import SETTINGS

__all__ = ["limits"]

_ALIKE = {"aux_ops": "auxiliary operations", "optimizer": "optimizers"}
"""Slots whose user-written components run when they are written without TensorFlow."""


def limits(workflow: TrainWorkflow) -> list[ClaraError]:
    """Return one sentence, with its address, for everything that is right in Clara's terms but not run yet.

    ``check`` lists them and passes; ``train`` stops at them before anything is written.
    """
    return list(_limits(workflow))


def _limits(workflow: TrainWorkflow) -> Iterator[ClaraError]:
    train, settings = workflow.train, workflow.settings
    for name, limit in SETTINGS.items():
        if getattr(settings, name, workflow.variables.get(name)):
            yield ClaraError(f"{name} is not supported yet: {limit.instead}", workflow.address(name))
    for address in _extra_inputs(workflow):
        yield ClaraError("extra_inputs is not supported yet: leave it out, or preview the data with them", address)
    for spec in workflow.specs:
        if spec.pending:
            yield ClaraError(
                f"'{spec.name}' is Clara's and does not run yet: use one that does meanwhile (clara-compat components "
                f"lists them), or disable it",
                spec.address,
            )
    inferer = None if workflow.validate is None else workflow.validate.inferer
    inferers = [] if inferer is None else [inferer]
    for spec in inferers:
        if spec.cls is None and not spec.pending:
            yield _user_written(spec)
    for spec in (train.optimizer, *train.aux_ops):
        if spec.user is not None and uses_tensorflow(spec.user):
            yield _user_written(spec)


def _extra_inputs(workflow: TrainWorkflow) -> Iterator[Address]:
    """Find where the network is to have further inputs: they are in the batch, but no network takes them yet."""
    if workflow.document.data.get("extra_inputs"):
        yield workflow.address("extra_inputs")
    for section in (workflow.train, workflow.validate):
        if section is not None and section.image_pipeline.args.get("extra_inputs"):
            yield section.image_pipeline.arg_address("extra_inputs")


def _user_written(spec: ComponentSpec) -> ClaraError:
    slot = spec.section.rpartition(".")[2]
    if slot in _ALIKE:
        return ClaraError(
            f"'{spec.name}' is written with TensorFlow, which {_ALIKE[slot]} cannot use yet: write it with numpy "
            "or torch, or use one of the catalogue (clara-compat components lists them)",
            spec.address,
        )
    return ClaraError(
        f"'{spec.name}' is user code: user-written {slot} components do not run yet (transforms, models, losses, "
        "metrics, auxiliary operations, handlers, optimizers and learning rate policies do); use one of the catalogue "
        "meanwhile (clara-compat components lists them)",
        spec.address,
    )
