"""What compares predictions with labels, and whether these fit each other, as far as the config tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clara_compat.common.label_format import LabelFormat
from clara_compat.components.aux_ops.native import NativeOperation
from clara_compat.components.component import Component
from clara_compat.components.metrics.compute_auc import ComputeAUC
from clara_compat.components.metrics.compute_multiclass_average import ComputeMulticlassAverage
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.errors import ClaraError
from clara_compat.translate.data_side import pipeline_of
from clara_compat.translate.metrics import metric_fields
from clara_compat.translate.model_side import ModelSide
from clara_compat.translate.own_modules import kind_of
from clara_compat.translate.section_data import SectionName, section_context

__all__ = ["check_label_fit", "comparing", "row_expected", "takes_rows"]

_OF_CLASSIFICATION = (ComputeAUC, ComputeMulticlassAverage)
_FORMS = {"segmentation": "an image", "classification": "a row of numbers"}


def comparing(workflow: TrainWorkflow, section: SectionName) -> Iterator[tuple[ComponentSpec, Component]]:
    """Find the components of the catalogue that compare the network's prediction with the label of an item.

    Args:
        workflow: the resolved config.
        section: whose steps compare them.
    """
    train, validate = workflow.train, workflow.validate
    operations = [(spec, create(spec)) for spec in train.aux_ops if spec.cls is not None]
    metrics = [(spec, metric_fields(spec)) for spec in (validate.metrics if validate else []) if spec.cls is not None]
    of_loss = any(fields.get("field") == "loss" for _, fields in metrics)
    of_loss = of_loss or any(component.becomes.endswith(".NegLoss") for _, component in operations)
    if kind_of(train.loss) == "catalogue" and (section == "train" or of_loss):
        yield train.loss, create(train.loss)
    yield from (pair for pair in operations if not pair[1].becomes.endswith(".NegLoss"))
    if section == "validate":
        both = {"field": "model", "label_field": "label"}
        yield from ((spec, create(spec)) for spec, fields in metrics if fields == both)


def check_label_fit(workflow: TrainWorkflow, ckpt_dir: Path) -> None:
    """Check what compares predictions with labels against the form and the channels of both.

    Args:
        workflow: a config that translates.
        ckpt_dir: where the outputs go.

    Raises:
        ClaraError: they do not fit.
    """
    train, validate = workflow.train, workflow.validate
    model = ModelSide(train.model)
    outputs = model.told(section_context(workflow, "train", ckpt_dir)).outputs
    predicted = None if model.built_in is None else model.built_in.task
    sections: list[tuple[SectionName, ComponentSpec, bool]] = [
        ("train", train.image_pipeline, bool(train.batch_transforms))
    ]
    if validate is not None:
        sections.append(("validate", validate.image_pipeline, False))
    for section, pipeline_spec, is_changed in sections:
        pipeline = pipeline_of(pipeline_spec)
        for spec, component in comparing(workflow, section):
            if predicted is not None and predicted != pipeline.task:
                raise ClaraError(
                    f"{spec.name} compares the prediction of {train.model.name}, {_FORMS[predicted]}, with the label "
                    f"of {pipeline_spec.name} ({section}), {_FORMS[pipeline.task]}: use a model of {pipeline.task}, or "
                    f"an image pipeline of {predicted}",
                    spec.address,
                )
            if not is_changed and outputs is not None:
                labelled = pipeline.label_format or pipeline_of(train.image_pipeline).label_format
                _Fit(outputs, pipeline, labelled).check(spec, component)
        if section == "validate":
            _check_rows(workflow, predicted, pipeline.task)


@dataclass(frozen=True)
class _Fit:
    """How many outputs the network has, and what the labels are."""

    outputs: int
    pipeline: BaseImagePipeline
    label_format: LabelFormat | None

    def check(self, spec: ComponentSpec, component: Component) -> None:
        """Check the channels of prediction and label."""
        declared = None if self.label_format is None else list(self.label_format.classes_per_label)
        if self.pipeline.task == "segmentation":
            labels = self.pipeline.label_channels
        elif declared is not None:
            labels = len(declared)
        else:
            return
        for argument in ("is_onehot_targets", "is_one_hot_targets"):
            onehot = getattr(component, argument, None)
            expected = self.outputs if onehot else 1
            if isinstance(onehot, bool) and labels != expected:
                raise ClaraError(
                    f"{spec.name} with {argument} {str(onehot).lower()} takes a label of {expected} "
                    f"channel{'s' if expected > 1 else ''} for {self.outputs} outputs of the network, but the image "
                    f"pipeline makes one of {labels}: mend {argument}, num_classes or output_label_channels",
                    spec.address,
                )
        if isinstance(component, NativeOperation):
            try:
                component.check_labels(self.outputs, labels, declared)
            except ClaraError as error:
                raise ClaraError(f"{spec.name}: {error.message}", spec.address) from None


def _check_rows(workflow: TrainWorkflow, predicted: str | None, labelled: str) -> None:
    """Refuse images where a metric needs the numbers of a classification."""
    forms = {"model": predicted, "label": labelled}
    for spec in workflow.train.aux_ops:
        operation = create(spec) if spec.cls is not None else None
        if isinstance(operation, NativeOperation) and operation.becomes.endswith(".ClassProbabilities"):
            forms |= dict(zip(operation.tags, (predicted, labelled), strict=True))
    for spec in workflow.validate.metrics if workflow.validate else []:
        for argument, field in metric_fields(spec).items() if takes_rows(spec) else ():
            if forms.get(field) == "segmentation":
                raise row_expected(spec, argument, field)


def takes_rows(spec: ComponentSpec) -> bool:
    """Whether a metric is one of classification: a row of numbers per case."""
    return spec.cls is not None and issubclass(spec.cls, _OF_CLASSIFICATION)


def row_expected(spec: ComponentSpec, argument: str, field: str) -> ClaraError:
    """Return what to say of a metric of classification that reads an image.

    Args:
        spec: the metric.
        argument: that names the field.
        field: the image.
    """
    return ClaraError(
        f"{spec.name} is of classification and takes a row of numbers per case, but the field '{field}' is an image: "
        "use ComputeAverageDice",
        spec.arg_address(argument),
    )
