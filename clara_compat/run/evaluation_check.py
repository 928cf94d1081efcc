"""What can be known about an evaluation before its first case: model, files, headers, fields along the chains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clara_compat.common.result_files import case_name
from clara_compat.components.component import Component
from clara_compat.components.model_loaders.model_loader import ModelFiles
from clara_compat.components.transforms.native import Geometry
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.evaluate_workflow import EvaluateWorkflow
from clara_compat.config.problems import ConfigErrors, Notice
from clara_compat.engine.data.datalist import describe, load_datalist
from clara_compat.errors import Address, ClaraError, suggestion
from clara_compat.run.data_check import file_problems, follow, the_first
from clara_compat.run.outputs import check_writable
from clara_compat.run.replaced_inputs import ReplacedInputs
from clara_compat.translate.bundle import Bundle
from clara_compat.translate.evaluate import translate_evaluate
from clara_compat.translate.evaluation_data import data_list
from clara_compat.translate.evaluation_model import Model, find_model
from clara_compat.translate.evaluation_writers import Inference
from clara_compat.translate.label_fit import row_expected, takes_rows
from clara_compat.translate.metrics import metric_fields

__all__ = ["Findings", "check_evaluation", "evaluation_limits"]

Chain = Sequence[tuple[ComponentSpec, Component | None]]


@dataclass
class Findings:
    """What was found.

    Args:
        errors: what must be mended.
        notices: what is odd.
        model: the network, when there is one.
        bundle: what the workflow became, when it could be translated.
    """

    errors: list[ClaraError] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    model: Model | None = None
    bundle: Bundle | None = None


def evaluation_limits(workflow: EvaluateWorkflow) -> list[ClaraError]:
    """Return one sentence, with its address, for everything that is right in Clara's terms but not run."""
    found = [
        ClaraError(
            f"'{spec.name}' is Clara's and does not run yet: use one that does meanwhile (clara-compat components "
            "lists them), or disable it",
            spec.address,
        )
        for spec in workflow.specs
        if spec.pending
    ]
    found += [
        ClaraError(
            f"'{spec.name}' is user code: user-written {kind}s do not run yet; use one of the catalogue meanwhile",
            spec.address,
        )
        for spec, kind in ((workflow.inferer, "inferer"), (workflow.model_loader, "model loader"))
        if spec is not None and spec.cls is None and not spec.pending
    ]
    return found


def check_evaluation(
    workflow: EvaluateWorkflow,
    eval_dir: Path,
    *,
    data: bool = True,
    model: Any = None,
    inference: Inference | None = None,
) -> Findings:
    """Look for everything that would stop the run.

    Args:
        workflow: the resolved config, without limits.
        eval_dir: where the results will go.
        data: also look at the model, the data list, the scans' headers and the output folders.
        model: an output folder of a training, or an exported network, in place of what the config names.
        inference: images in place of the data list.
    """
    found = Findings()
    if data:
        try:
            found.model = find_model(workflow, model)
        except ClaraError as error:
            found.errors.append(error)
    stand_in = found.model or Model(ModelFiles(eval_dir))
    try:
        found.bundle = translate_evaluate(workflow, stand_in, eval_dir, inference)
        found.notices += found.bundle.notices
    except ConfigErrors as errors:
        found.errors += errors.errors
    except ClaraError as error:
        found.errors.append(error)
    if not data:
        return found
    found.errors += _data_problems(workflow, stand_in, inference)
    found.errors += _unwritable(workflow, eval_dir, inference)
    found.errors = list({str(error): error for error in found.errors}.values())
    return found


def _data_problems(workflow: EvaluateWorkflow, model: Model, inference: Inference | None) -> list[ClaraError]:
    if inference is not None:
        source, items = "the command", [{"image": str(image)} for image in inference.images]
        places = [f"'{image}'" for image in inference.images]
    else:
        try:
            listed = data_list(workflow)
            items = load_datalist(**listed)
        except ClaraError as error:
            return [error]
        source = listed["data_list_file_path"]
        places = [f"{listed['data_list_key']}[{number}]" for number in range(len(items))]
    walk = _Walk(workflow, model, inference)
    replaced = ReplacedInputs(workflow, items) if inference is None else None
    problems: dict[str, ClaraError] = {}
    names: dict[str, tuple[Any, str]] = {}
    for item, where in zip(items, places, strict=True):
        lost = [] if replaced is None else replaced.problems(item)
        for problem in [*_twin(item, where, names), *lost, *walk.problems(item, where)]:
            place = problem.address or (Address(source) if replaced is not None else None)
            problems.setdefault(problem.message, ClaraError(problem.message, place))
    return the_first(list(problems.values()), source)


def _twin(item: Mapping[str, Any], where: str, names: dict[str, tuple[Any, str]]) -> Iterator[ClaraError]:
    """Find another file of the same name, whose results would go into the same folder."""
    if item.get("image") in (None, "", []):
        return
    try:
        name = case_name(item["image"])
    except ClaraError as error:
        yield ClaraError(f"{where}: {error.message}")
        return
    image, other = names.setdefault(name, (item["image"], where))
    if image != item["image"]:
        yield ClaraError(
            f"{where} and {other} are both called '{name}', so their results would go into the same folder: give the "
            "files names of their own"
        )


class _Walk:
    """Follows the chains of a workflow from headers alone."""

    def __init__(self, workflow: EvaluateWorkflow, model: Model, inference: Inference | None) -> None:
        self.workflow = workflow
        self.model = model
        self.validates = workflow.settings.do_validation and inference is None
        self.writes = workflow.settings.output_infer_result or inference is not None
        chains = (workflow.pre_transforms, workflow.post_transforms, workflow.label_transforms)
        self.pre, self.post, self.labels = map(_made, chains)

    def problems(self, item: Mapping[str, Any], where: str) -> list[ClaraError]:
        """Return what is wrong with one item of the data list."""
        try:
            return list(self._problems(item, where))
        except ClaraError as error:
            return [ClaraError(f"{error.message} ({describe(dict(item))})", error.address)]

    def _problems(self, item: Mapping[str, Any], where: str) -> Iterator[ClaraError]:
        workflow = self.workflow
        needed = ["image", *(["label"] if self.validates and workflow.label_transforms else [])]
        for name in needed:
            if item.get(name) in (None, "", []):
                yield ClaraError(f"{where} has no '{name}' ({describe(dict(item))})")
                return
        images = ["image", *(["label"] if isinstance(item.get("label"), str) and "label" in needed else [])]
        if problems := file_problems(item, images, where):
            yield from problems
            return
        known = follow(self.pre, item, {})
        if known is None:
            return
        if "image" not in known:
            raise ClaraError("'image' is never loaded: add it to the fields of LoadNifti", _first(workflow))
        self._check_channels(known["image"])
        classes = self.model.number("out_channels")
        if classes is None:
            return
        known = follow(self.post, item, {**known, "model": _predicted(known["image"], classes)})
        if known is None:
            return
        if self.validates:
            labelled = follow(self.labels, item, known)
            if labelled is not None:
                yield from self._unread(labelled, item)
        if self.writes:
            for spec in workflow.writers:
                _check_field(spec, "field", spec.args.get("field"), known, item)

    def _check_channels(self, image: Geometry) -> None:
        wanted = self.model.number("in_channels")
        if wanted is not None and image.channels != wanted:
            raise ClaraError(
                f"the image has {image.channels} channels at the end of pre_transforms, but the network takes "
                f"{wanted}: prepare it as the training did"
            )

    def _unread(self, known: Mapping[str, Geometry], item: Mapping[str, Any]) -> Iterator[ClaraError]:
        """Find metrics of fields that are not there, or whose fields differ in size."""
        for spec in self.workflow.val_metrics:
            fields = metric_fields(spec)
            for argument, name in fields.items():
                _check_field(spec, argument, name, known, item)
                if takes_rows(spec) and name in known and name != "model":  # of which only the network knows
                    raise row_expected(spec, argument, name)
            sizes = {name: known[name].size for name in fields.values() if name in known}
            if len(set(sizes.values())) > 1 and spec.cls is not None:
                told = " and ".join(f"'{name}' {list(size)}" for name, size in sizes.items())
                yield ClaraError(
                    f"{spec.name} compares {told} voxels: bring both to the same grid, the label in label_transforms "
                    "or the prediction in post_transforms (RestoreOriginalShape)",
                    spec.address,
                )


def _check_field(
    spec: ComponentSpec, argument: str, name: Any, known: Mapping[str, Geometry], item: Mapping[str, Any]
) -> None:
    """Raise for a field that is neither made by a chain nor in the data list."""
    if not isinstance(name, str) or name in known or name in item:
        return
    fields = [*known, *(one for one in item if one not in known)]
    raise ClaraError(
        f"nothing produces the field '{name}'{suggestion(name, fields)} (there are {', '.join(fields)})",
        spec.arg_address(argument),
    )


def _predicted(image: Geometry, classes: int) -> Geometry:
    return image._replace(channels=classes, original=None)


def _made(specs: Sequence[ComponentSpec]) -> Chain:
    return [(spec, create(spec) if spec.cls is not None else None) for spec in specs]


def _first(workflow: EvaluateWorkflow) -> Address:
    return workflow.pre_transforms[0].address


def _unwritable(workflow: EvaluateWorkflow, eval_dir: Path, inference: Inference | None) -> Iterator[ClaraError]:
    """Find folders that the run will want to write to and cannot."""
    named = "MMAR_EVAL_OUTPUT_PATH" if inference is None else "the output folder"
    folders: list[tuple[Path, str, Address | None]] = [(eval_dir, named, None)]
    if inference is None:
        settings = workflow.settings
        writers = workflow.writers if settings.output_infer_result else []
        metrics = workflow.val_metrics if settings.do_validation else []
        folders += [
            (workflow.mmar / str(spec.args[name]), name, spec.arg_address(name))
            for spec in [*writers, *metrics]
            for name in ("write_path", "report_path")
            if spec.args.get(name)
        ]
    for folder, name, address in folders:
        try:
            check_writable(folder, name)
        except ClaraError as error:
            yield ClaraError(error.message, address)
