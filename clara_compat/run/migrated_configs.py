"""The configs of a bundle: the very ones that ``train``, ``evaluate`` and ``infer`` run, at another place."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from clara_compat.common.files import is_file
from clara_compat.common.weight_files import find_weights
from clara_compat.components.entry import Entry, Expression
from clara_compat.components.model_loaders.model_loader import ModelFiles
from clara_compat.config.evaluate_workflow import EvaluateWorkflow, is_evaluation, load_evaluate_workflow
from clara_compat.config.loading import Workflow, find_config
from clara_compat.config.positions import read_json
from clara_compat.config.problems import Notice, Problems
from clara_compat.config.spec import Catalogue
from clara_compat.config.user_code import UserClass, find_user_class
from clara_compat.config.user_roots import UserRoots
from clara_compat.config.workflow import TrainWorkflow, load_train_workflow
from clara_compat.errors import ClaraError
from clara_compat.run.evaluation_check import evaluation_limits
from clara_compat.run.moved_config import moved
from clara_compat.run.seeds import seeds_of
from clara_compat.run.start_weights import start_weights
from clara_compat.translate.bundle import Bundle
from clara_compat.translate.configured_network import network_of
from clara_compat.translate.evaluate import translate_evaluate
from clara_compat.translate.evaluation_model import Model, find_model
from clara_compat.translate.evaluation_writers import Inference
from clara_compat.translate.limits import limits
from clara_compat.translate.native.native_config import users_path
from clara_compat.translate.prediction_of_training import prediction_of
from clara_compat.translate.render import render, spelled
from clara_compat.translate.train import translate_train
from clara_compat.translate.validation_run import keeps_best, validation_run

__all__ = ["START", "Configs", "migrated_configs"]

Overrides: TypeAlias = Sequence[str] | Mapping[str, Any]
"""What ``--set`` takes."""

TRAINING, EVALUATION = "config/config_train.json", "config/config_validation.json"
_INPUT = "clara_compat.engine.evaluation.cases.image_files"
START = "start"
"""Folder below ``models/`` with the weights that the training starts from."""
_IMAGES = {"dataset_dir": "$@bundle_root + '/input'", "output_dir": "$@bundle_root + '/predictions'"}


@dataclass
class Configs:
    """What the configs of an MMAR became.

    Args:
        mmar: its folder.
        workflows: the legacy configs, the training's first.
        overrides: for each what was set when it was read.
        bundles: what each became, with where its parts come from: ``train``, ``evaluate``, ``inference``.
        configs: the same at their places in a bundle.
        weights: files for ``models/``, by their places there: those that exist.
        classes: the user's components, that of the trained network included.
        numbers: ``spatial_dims``, ``in_channels`` and ``out_channels`` of the network, as far as they are known.
        notices: what the user should know.
    """

    mmar: Path
    workflows: list[Workflow] = field(default_factory=list)
    overrides: list[Overrides] = field(default_factory=list)
    bundles: dict[str, Bundle] = field(default_factory=dict)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    weights: dict[str, Path] = field(default_factory=dict)
    classes: list[UserClass] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    @property
    def training(self) -> TrainWorkflow | None:
        """The training config, if there is one."""
        return next((one for one in self.workflows if isinstance(one, TrainWorkflow)), None)

    @property
    def roots(self) -> list[Path]:
        """Folders of the user's code, in the order in which they are searched."""
        searched = [Path(root) for one in self.workflows for root in one.user_roots]
        return list(dict.fromkeys([*searched, *(user.root for user in self.classes)]))

    @property
    def outputs(self) -> list[Path]:
        """Folders that runs of the MMAR write to."""
        names = ("MMAR_CKPT_DIR", "MMAR_EVAL_OUTPUT_PATH")
        return [Path(str(one.variables[name])) for one in self.workflows for name in names if one.variables.get(name)]


def migrated_configs(
    configs: Sequence[str | os.PathLike[str]] = (),
    *,
    mmar: Path | None = None,
    env: Path | None = None,
    overrides: Overrides = (),
) -> Configs:
    """Translate the configs of an MMAR for a bundle. No user code is imported, and the data need not be there.

    Args:
        configs: a training config, one for evaluation, or both; by default those that Clara's scripts name.
        mmar: folder of the MMAR.
        env: the environment file.
        overrides: what ``--set`` takes.

    Raises:
        ClaraError: something of the user's must be mended.
    """
    named = [Path(config) for config in configs] or _usual(mmar)
    given: dict[str, Any] = {"mmar": mmar, "env": env}
    training: TrainWorkflow | None = None
    evaluation: EvaluateWorkflow | None = None
    notices: list[Notice] = []
    used: dict[str, Overrides] = {}
    for config in named:
        if is_evaluation(read_json(find_config(config, mmar), shown=str(config)).data):
            if evaluation is not None:
                raise ClaraError(f"{evaluation.file} and {config} are both for evaluation: a bundle has one of them")
            evaluation, used["evaluation"] = _evaluation(config, given, overrides, notices)
        else:
            if training is not None:
                raise ClaraError(f"{training.file} and {config} are both for training: a bundle has one of them")
            training, used["training"] = _training(config, given, overrides)
    workflows: list[Workflow] = [one for one in (training, evaluation) if one is not None]
    ordered = [used[name] for name in ("training", "evaluation") if name in used]
    return _Migration(training, evaluation, Configs(workflows[0].mmar, workflows, ordered, notices=notices)).done()


def _usual(mmar: Path | None) -> list[Path]:
    """Return the configs that every MMAR's scripts name."""
    found = [name for name in (TRAINING, EVALUATION) if ((mmar or Path()) / name).is_file()]
    if not found:
        where = f"{mmar or '.'} has neither {TRAINING} nor {EVALUATION}"
        raise ClaraError(f"{where}: name the MMAR with -m and its configs with -c")
    return [Path(name) if mmar is None else mmar / name for name in found]


def _training(config: Path, given: Mapping[str, Any], overrides: Overrides) -> tuple[TrainWorkflow, Overrides]:
    workflow = load_train_workflow(config, **given, overrides=overrides)
    problems = Problems()
    problems.errors = limits(workflow)
    problems.raise_any()
    return workflow, overrides


def _evaluation(
    config: Path, given: Mapping[str, Any], overrides: Overrides, notices: list[Notice]
) -> tuple[EvaluateWorkflow, Overrides]:
    workflow = load_evaluate_workflow(config, **given, overrides=overrides)
    changed: dict[str, bool] = {}
    if workflow.val_metrics and not workflow.settings.do_validation and not workflow.annotation:
        text = "the bundle's evaluation compares with the labels, as Clara's validate.sh told it to"
        notices.append(Notice(workflow.address("do_validation"), text))
        changed["do_validation"] = True
    if changed:
        overrides = _with(overrides, **changed)
        workflow = load_evaluate_workflow(config, **given, overrides=overrides)
    problems = Problems()
    problems.errors = evaluation_limits(workflow)
    problems.raise_any()
    return workflow, overrides


def _with(overrides: Overrides, **more: bool) -> Overrides:
    if isinstance(overrides, Mapping):
        return {**overrides, **more}
    return [*overrides, *(f"{name}={str(value).lower()}" for name, value in more.items())]


class _Migration:
    def __init__(self, training: TrainWorkflow | None, evaluation: EvaluateWorkflow | None, found: Configs) -> None:
        self.training = training
        self.evaluation = evaluation
        self.found = found

    def done(self) -> Configs:
        found = self.found
        for workflow in found.workflows:
            found.notices += workflow.notices
            found.classes += [spec.user for spec in workflow.specs if spec.user is not None]
        if self.training is not None:
            self._train(self.training)
        model = self._model()
        self._network(model)
        if is_file(model.files.file):
            found.weights[str(model.files.file.relative_to(model.files.folder))] = model.files.file
        if self.evaluation is not None and not self.evaluation.annotation:
            folder = Path(str(self.evaluation.variables["MMAR_EVAL_OUTPUT_PATH"]))
            self._add("evaluate", translate_evaluate(self.evaluation, model, folder))
        elif "train" in found.bundles and (run := validation_run(found.bundles["train"].config, model.files)):
            self._add("evaluate", replace(found.bundles["train"], config=run, notices=[]))
        self._inference(model)
        return found

    def _train(self, workflow: TrainWorkflow) -> None:
        start = start_weights(workflow)
        self.found.notices += start.notices
        ckpt_dir, path = workflow.ckpt_dir, None
        if start.path is not None:
            self.found.weights[f"{START}/{start.path.name}"] = start.path
            path = Expression(f"$@bundle_root + {spelled(f'/models/{START}/{start.path.name}')}")  # not of ckpt_dir
        self._add("train", translate_train(workflow, seeds_of(workflow.settings.determinism), ckpt_dir, path))

    def _model(self) -> Model:
        """Return the network with its weights; where no training was run yet, with those it will leave."""
        workflow, evaluation = self.training, self.evaluation
        if evaluation is not None:
            try:
                return find_model(evaluation)
            except ClaraError as error:
                if workflow is None:
                    raise
                place = evaluation.address() if evaluation.model_loader is None else evaluation.model_loader.address
                text = f"{error.message}; the bundle evaluates the weights of its own training"
                self.found.notices.append(Notice(place, text))
        if workflow is None:
            raise RuntimeError("neither a training nor an evaluation")
        ckpt_dir = workflow.ckpt_dir
        if _has_weights(ckpt_dir):
            return find_model(_as_evaluation(workflow))
        configured = network_of(workflow, ckpt_dir)
        name = "model.pt" if keeps_best(self.found.bundles["train"].config) else "final_model.pt"
        text = f"{ckpt_dir} holds no weights: train the bundle before it is evaluated"
        self.found.notices.append(Notice(workflow.address(), text))
        files = ModelFiles(ckpt_dir, weights=ckpt_dir / name)
        return Model(files, network=configured.network, label_format=configured.label_format)

    def _network(self, model: Model) -> None:
        """Keep what is known of the network, and its class where it is the user's own and no training names it."""
        found = self.found
        found.numbers = {} if model.network is None else dict(model.network.numbers)
        own = users_path(model.entries)
        if own is None or any(user.path == own[0] for user in found.classes):
            return
        place = found.workflows[0].address()
        roots = UserRoots(tuple(map(Path, model.code)))
        found.classes.append(find_user_class(own[0], roots, place, Catalogue.installed().family_of))

    def _inference(self, model: Model) -> None:
        workflow: EvaluateWorkflow | None = self.evaluation
        notices: list[Notice] = []
        if workflow is None and self.training is not None:
            workflow, notices = prediction_of(self.training, model)
        if workflow is None:
            return
        folder = Path(str(workflow.variables["MMAR_EVAL_OUTPUT_PATH"]))
        bundle = translate_evaluate(workflow, model, folder, Inference([]))
        self._add("inference", replace(bundle, notices=[*notices, *bundle.notices]))
        images = render(Entry(_INPUT, folder=Expression("@dataset_dir")))
        self.found.configs["inference"] |= {**_IMAGES, "images": images}

    def _add(self, name: str, bundle: Bundle) -> None:
        """Keep a bundle config, and write it for its place in a bundle."""
        found = self.found
        found.bundles[name] = bundle
        told = {notice.text for notice in found.notices}
        found.notices += [notice for notice in bundle.notices if notice.text not in told]
        found.configs[name] = moved(bundle.config, found.mmar, found.outputs, has_code=bool(found.classes))


def _has_weights(ckpt_dir: Path) -> bool:
    try:
        find_weights(ckpt_dir)
    except ClaraError:
        return False
    return True


def _as_evaluation(workflow: TrainWorkflow) -> EvaluateWorkflow:
    """Return an evaluation that looks for the weights where the training leaves them."""
    stand_in = Model(ModelFiles(workflow.ckpt_dir))
    return prediction_of(workflow, stand_in)[0]
