"""The inference that a training config implies: what its validation does with an image, and a file of the result.

Clara kept inference in a config of its own; an MMAR that has none still says how its network wants to see an image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from clara_compat.components import catalogue
from clara_compat.components.transforms.native import NativeTransform
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.evaluate_workflow import EvaluateWorkflow
from clara_compat.config.problems import Notice
from clara_compat.config.settings import EvaluateSettings
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.translate.data_side import pipeline_of
from clara_compat.translate.evaluation_model import Model

__all__ = ["prediction_of"]

_LABEL = "label"
_FIELD = "model"


def prediction_of(workflow: TrainWorkflow, network: Model) -> tuple[EvaluateWorkflow, list[Notice]]:
    """Return a config that predicts as the training's validation does, and writes a mask or the class values.

    Args:
        workflow: the resolved training config.
        network: what was trained, which says how many channels its output has.

    Returns:
        The config, and what the user should know of it.
    """
    validate = workflow.validate
    chain = list(workflow.train.pre_transforms if validate is None else validate.pre_transforms)
    pipeline = pipeline_of((workflow.train if validate is None else validate).image_pipeline)
    notices: list[Notice] = []
    kept = list(_of_the_image(chain, notices, is_training=validate is None))
    near = workflow.train.model
    folder = str(workflow.variables["MMAR_EVAL_OUTPUT_PATH"])
    post: list[ComponentSpec] = []
    if pipeline.task == "classification":
        writer = _built_in("WriteClassificationResult", near, field=_FIELD, write_path=folder)
    else:
        writer = _built_in("WriteNifti", near, field=_FIELD, dtype="uint8", write_path=folder)
        post = [_mask(network, near)]
    found = EvaluateWorkflow(
        settings=EvaluateSettings(use_amp=workflow.settings.use_amp, DATA_LIST_KEY=pipeline.data_list_key),
        pre_transforms=kept,
        post_transforms=post,
        inferer=None if validate is None else validate.inferer,
        writers=[writer],
        file=workflow.file,
        mmar=workflow.mmar,
        variables=workflow.variables,
        notices=[],
        undefined=workflow.undefined,
        roots=workflow.roots,
        document=workflow.document,
    )
    return found, notices


def _mask(network: Model, near: ComponentSpec) -> ComponentSpec:
    """Return what makes a mask of the prediction: the class with the largest value, or what is above a half."""
    activation = "" if network.network is None else network.network.entry.get("final_activation", "")
    if activation == "sigmoid" or network.number("out_channels") == 1:
        return _built_in("ThresholdValues", near, fields=_FIELD, threshold=0.5)
    return _built_in("ArgmaxAcrossChannels", near, fields=_FIELD)


def _of_the_image(
    chain: Sequence[ComponentSpec], notices: list[Notice], *, is_training: bool
) -> Iterator[ComponentSpec]:
    """Return the transforms of the image, without what they do to the label."""
    for spec in chain:
        component = create(spec) if spec.cls is not None else None
        if is_training and _is_random(spec, component):
            notices.append(Notice(spec.address, f"{spec.name} is of the training only: inference leaves it out"))
            continue
        fields = getattr(component, "fields", None) or spec.args.get("fields")
        listed = [fields] if isinstance(fields, str) else fields if isinstance(fields, list) else []
        others = set(component.used_fields()) - set(listed) if isinstance(component, NativeTransform) else set()
        if _LABEL in others:
            notices.append(Notice(spec.address, f"{spec.name} looks at the label: inference leaves it out"))
            continue
        wanted = [field for field in listed if field != _LABEL]
        if listed and not wanted:
            continue
        yield replace(spec, args={**spec.args, "fields": wanted}) if wanted != listed else spec


def _is_random(spec: ComponentSpec, component: Any) -> bool:
    deterministic = spec.user.deterministic if spec.user is not None else getattr(component, "is_deterministic", None)
    return not (deterministic() if callable(deterministic) else deterministic is not False)


def _built_in(name: str, near: ComponentSpec, **args: Any) -> ComponentSpec:
    """Return a component of the catalogue that stands in no file; errors name the place of another."""
    return ComponentSpec(name, (), catalogue.components()[name], None, args, near.address, near.section, name)
