"""Whether a workflow translates, found out without running it."""

from __future__ import annotations

from clara_compat.config.problems import ConfigErrors, Notice
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.errors import ClaraError
from clara_compat.translate.bundle import Seeds
from clara_compat.translate.label_fit import check_label_fit
from clara_compat.translate.limits import limits
from clara_compat.translate.train import translate_train

__all__ = ["check_translation"]


def check_translation(workflow: TrainWorkflow) -> tuple[list[ClaraError], list[Notice]]:
    """Return what of ``workflow`` does not translate or does not fit, and what the user should know of the translation.

    A workflow with limits is not translated; they are not repeated here. What holds for both sections is told once.
    """
    if limits(workflow):
        return [], []
    try:
        bundle = translate_train(workflow, Seeds(0, 0, 0, 0), workflow.ckpt_dir)
        check_label_fit(workflow, workflow.ckpt_dir)
    except ConfigErrors as errors:
        return errors.errors, []
    except ClaraError as error:
        return [error], []
    return [], list({notice.text: notice for notice in reversed(bundle.notices)}.values())[::-1]
