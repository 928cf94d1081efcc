"""A typed training workflow as one MONAI bundle config."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from clara_compat.common.levers import levers_of
from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.problems import Notice
from clara_compat.config.workflow import TrainWorkflow, ValidateSection
from clara_compat.errors import Address, ClaraError
from clara_compat.translate.aux_ops import data_property, operation_tags, translate_operations
from clara_compat.translate.bundle import Bundle, Seeds, addresses_of, autocast, initialize
from clara_compat.translate.chain import component_entry
from clara_compat.translate.data_side import DataSide, pipeline_of
from clara_compat.translate.held_predictions import held_as_masks
from clara_compat.translate.loss_side import LossSide
from clara_compat.translate.memory_levers import training_levers
from clara_compat.translate.metrics import Metrics, translate_metrics
from clara_compat.translate.model_side import ModelSide
from clara_compat.translate.own_modules import building_size, network_def_entry, network_input, own_notices
from clara_compat.translate.render import render
from clara_compat.translate.section_data import SectionName, places_of, section_context, section_data
from clara_compat.translate.several import device_of, meeting, parting, together
from clara_compat.translate.training_events import needless, optimizer_entry, train_events
from clara_compat.translate.validation_fields import with_fields_of_the_chain

__all__ = ["translate_train"]

_IMPORTS = (("clara_compat.engine.data.batch", "prepare_batch"), ("clara_compat.engine.metrics.compare", "greater"))
"""Functions that the config hands over as they are."""


def translate_train(
    workflow: TrainWorkflow, seeds: Seeds, ckpt_dir: Path, start_weights: Path | Expression | None = None
) -> Bundle:
    """Translate ``workflow`` into the config that trains it.

    Args:
        workflow: the resolved config.
        seeds: of this run.
        ckpt_dir: where the outputs go.
        start_weights: file of weights that the network starts from, or what gives its path in the bundle; None for new
            ones.

    Raises:
        ClaraError: something in the workflow cannot be translated; what is not supported yet is found before, by
            :func:`clara_compat.translate.limits.limits`.
    """
    return _TrainTranslation(workflow, seeds, ckpt_dir, start_weights).bundle()


class _TrainTranslation:
    def __init__(
        self, workflow: TrainWorkflow, seeds: Seeds, ckpt_dir: Path, start_weights: Path | Expression | None
    ) -> None:
        self.workflow = workflow
        self.settings = workflow.settings
        self.seeds = seeds
        self.ckpt_dir = ckpt_dir
        self.start_weights = str(start_weights) if isinstance(start_weights, Path) else start_weights
        self.model = ModelSide(workflow.train.model)
        self.loss = LossSide(workflow)
        self.pipeline = pipeline_of(workflow.train.image_pipeline)
        self.places = places_of(workflow, ckpt_dir)
        self.sources: dict[str, list[Address]] = {}
        self.notices: list[Notice] = []
        self.metrics = Metrics()

    def bundle(self) -> Bundle:
        settings, train = self.settings, self.workflow.train
        if settings.use_xla:
            self.notices.append(Notice(self.workflow.address("use_xla"), "use_xla has no counterpart and is ignored"))
        if settings.determinism is not None and levers_of(settings.accelerate):
            text = f"accelerate is '{settings.accelerate}', but determinism is set, under which it is off"
            self.notices.append(Notice(self.workflow.address("accelerate"), text))
        context = section_context(self.workflow, "train", self.ckpt_dir)
        told = self.model.told(context)
        for spec in (train.model, train.loss, *train.aux_ops):
            if spec.cls is not None:
                self.notices += [Notice(spec.address, text) for text in create(spec).notices(told)]
        self.notices += own_notices(self.workflow, context)
        tags = operation_tags(train.aux_ops, told.outputs)
        if self.workflow.validate is not None:
            validating = pipeline_of(self.workflow.validate.image_pipeline)
            metrics = self.workflow.validate.metrics
            tags = with_fields_of_the_chain(tags, self.workflow.validate.pre_transforms)
            place = section_context(self.workflow, "validate", self.ckpt_dir)
            place = replace(place, label_format=place.label_format or context.label_format)
            self.metrics = translate_metrics(metrics, tags, place, data_property(validating))
            address = self.workflow.address("validate", "metrics")
            self.notices += [Notice(address, text) for text in self.metrics.notices]
        config: dict[str, Any] = {
            "imports": [Expression(f"$from {module} import {name}") for module, name in _IMPORTS],
            **self.places.paths,
            "dataset_dir": Expression("@DATA_ROOT"),
            "epochs": settings.epochs,
            "learning_rate": settings.learning_rate,
            "val_interval": self._validation_interval(),
            "seed": self.seeds.data,
            "resume": settings.continue_from_ckpt_epoch,
            "accelerate": "off" if settings.determinism is not None else settings.accelerate,
            "cache_budget": Entry("clara_compat.engine.data.budget.CacheBudget", gb=settings.cache_gb),
            "user_code": [str(root) for root in self.workflow.user_roots],
            "device": device_of(settings),
            **self._network(context),
            **self.loss.entries(told, self.start_weights),
            "optimizer": optimizer_entry(train.optimizer, replace(context, parameters=self.loss.parameters)),
            "train": self._train_section(context),
        }
        if self.workflow.validate is not None:
            config["validate"] = self._validate_section(self.workflow.validate)
        seeding = initialize(self.seeds, deterministic=settings.determinism is not None, tf32=settings.use_tf32)
        config["initialize"] = [*meeting(settings), *seeding]
        top = {*self.places.paths, "user_code"}
        config["run"] = [Expression("$@train#trainer.run()")]
        config["finalize"] = parting(settings)
        placed = {name: value if name in top else self.places.placed(value) for name, value in config.items()}
        rendered = {name: render(value) for name, value in placed.items()}
        addresses = addresses_of(config) | self.model.addresses | self.loss.addresses
        return Bundle(rendered, self.sources, self.notices, training_levers(self.workflow), addresses)

    def _validation_interval(self) -> int:
        """Epochs between validations; a run that would end without any validates after its last epoch."""
        interval = self.settings.num_training_epoch_per_valid
        if self.settings.validate_at_end and not 0 < interval <= self.settings.epochs:
            return self.settings.epochs
        return interval

    def _network(self, context: BundleContext) -> dict[str, Any]:
        """Return the entries of the network."""
        entries: dict[str, Any] = {"network_def": network_def_entry(self.workflow, context)}
        if self.model.kind != "catalogue":
            entries["network_input"] = network_input(self.pipeline, building_size(self.workflow, context))
        return {**entries, "network": self.model.network(self.start_weights)}

    def _data_side(self, section: SectionName) -> DataSide:
        """Translate a section's data side and keep what it tells."""
        side = section_data(self.workflow, section, self.ckpt_dir)
        self.sources |= side.sources
        self.notices += side.notices
        return side

    def _train_section(self, context: BundleContext) -> dict[str, Any]:
        validated = self.workflow.validate is not None and self._validation_interval() > 0
        evaluator = Expression("@validate#evaluator") if validated else None
        data = self._data_side("train")
        self.model.check_batch(data.batch, context)
        operations = translate_operations(self.workflow.train.aux_ops, self.model.told(context), self.pipeline)
        events = train_events(self.workflow, context, evaluator, Expression("$@train#tensorboard.writer"))
        if evaluator is None or self._validation_interval() > self.settings.epochs or self.metrics.key is None:
            self.notices += needless(self.workflow)
        handlers = [*together(self.settings), Entry("clara_compat.engine.handlers.loss_watch.LossWatch")]
        kinds = (("@network", self.model.kind), ("@loss", self.loss.kind))
        told = [Expression(reference) for reference, kind in kinds if kind == "legacy"]
        if told:
            target = "clara_compat.engine.handlers.step_facts.StepFacts"
            handlers.append(Entry(target, modules=told, optimizer=Expression("@optimizer")))
        if operations:
            handlers.append(Entry("clara_compat.engine.aux_ops.AuxiliaryOutputs", ops=operations))
        handlers.append(
            Entry(
                "clara_compat.engine.handlers.checkpoints.Checkpoints",
                folder=Expression("@ckpt_dir"),
                network=Expression("@network"),
                optimizer=Expression("@optimizer"),
                evaluator=evaluator,
                **({} if events is None else {"events": Expression("@train#events")}),
                **({"loss": Expression("@loss")} if self.loss.learns else {}),
                **({} if evaluator is None else {"interval": Expression("@val_interval")}),
                seeds=self.seeds.referred(),
                resume=Expression("@resume"),
            )
        )
        handlers.append(Entry("clara_compat.engine.handlers.release.ReleaseOutput"))
        if evaluator is not None:
            handlers.append(
                Entry("ValidationHandler", interval=Expression("@val_interval"), validator=evaluator, epoch_level=True)
            )
        if self.settings.on_bad_item == "skip":
            handlers.append(Entry("clara_compat.engine.handlers.skip_report.SkipReport", evaluator=evaluator))
        handlers.append(
            Entry(
                "clara_compat.engine.handlers.statistics.TrainStatistics",
                path=f"{self.ckpt_dir / 'train_stats.json'}",
                evaluator=evaluator,
                run=self._facts(),
            )
        )
        named = [Expression(f"@train#{name}") for name in (["events"] if events is not None else []) + ["tensorboard"]]
        handlers += [
            Entry("clara_compat.engine.acceleration.handler.Acceleration", levers=Expression("@accelerate")),
            Entry("clara_compat.engine.handlers.named.NamedHandlers", handlers=named),
            Entry(
                "clara_compat.engine.handlers.progress.Progress",
                evaluator=evaluator,
                leave_out=self.metrics.unprinted,
            ),
        ]
        handlers += data.handlers
        return {
            **data.entries,
            "tensorboard": Entry(
                "clara_compat.engine.handlers.tensorboard.TensorBoardScalars",
                log_dir=Expression("@ckpt_dir"),
                evaluator=evaluator,
                interval=self.settings.train_summary_recording_interval,
                leave_out=self.metrics.unsummarised,
            ),
            **({} if events is None else {"events": events}),
            "inferer": autocast(Entry("SimpleInferer"), use_amp=self.settings.use_amp),
            "handlers": handlers,
            "trainer": Entry(
                "SupervisedTrainer",
                device=Expression("@device"),
                max_epochs=Expression("@epochs"),
                train_data_loader=Expression("@train#dataloader"),
                network=Expression("@network"),
                optimizer=Expression("@optimizer"),
                loss_function=self.model.loss_function(),
                non_blocking=True,
                prepare_batch=Expression("$prepare_batch"),
                inferer=Expression("@train#inferer"),
                train_handlers=Expression("@train#handlers"),
                optim_set_to_none=True,
                decollate=False,
            ),
        }

    def _validate_section(self, validate: ValidateSection) -> dict[str, Any]:
        pipeline = pipeline_of(validate.image_pipeline)
        context = section_context(self.workflow, "validate", self.ckpt_dir)
        if pipeline.output_image_channels != self.pipeline.output_image_channels:
            raise ClaraError(
                f"output_image_channels is {pipeline.output_image_channels} here and "
                f"{self.pipeline.output_image_channels} in train: one network cannot take both",
                validate.image_pipeline.address,
            )
        operations = translate_operations(self.workflow.train.aux_ops, self.model.told(context), pipeline)
        inferer = Entry("SimpleInferer") if validate.inferer is None else self._inferer(validate.inferer, context)
        if not self.settings.infer_in_training_mode:  # there the windows of a batch are not cut apart
            inferer = held_as_masks(inferer, self.metrics.entries, operations)
        data = self._data_side("validate")
        metrics = {"key_metric": self.metrics.key, "additional_metrics": self.metrics.others}
        arguments = {"key_metric": "key_val_metric", "additional_metrics": "additional_metrics"}
        measured = [name for name, metric in metrics.items() if metric is not None]
        return {
            **data.entries,
            **{name: metrics[name] for name in measured},
            "inferer": autocast(inferer, use_amp=self.settings.use_amp),
            "handlers": [*self._validation_handlers(operations), *data.handlers],
            "evaluator": Entry(
                "SupervisedEvaluator",
                device=Expression("@device"),
                val_data_loader=Expression("@validate#dataloader"),
                network=Expression("@network"),
                non_blocking=True,
                prepare_batch=Expression("$prepare_batch"),
                inferer=Expression("@validate#inferer"),
                **{arguments[name]: Expression(f"@validate#{name}") for name in measured},
                metric_cmp_fn=Expression("$greater"),
                val_handlers=Expression("@validate#handlers"),
                mode="train" if self.settings.infer_in_training_mode else "eval",
                decollate=False,
            ),
        }

    def _validation_handlers(self, operations: list[Entry]) -> list[Entry]:
        handlers = [Entry("clara_compat.engine.handlers.release.ReleaseOutput")]
        if operations:
            handlers.append(Entry("clara_compat.engine.aux_ops.AuxiliaryOutputs", ops=operations))
        if self.settings.infer_in_training_mode:
            target = "clara_compat.engine.handlers.training_mode.KeepStatistics"
            handlers.append(Entry(target, network=Expression("@network")))
        if self.metrics.key is not None:
            target = "clara_compat.engine.handlers.case_records.CaseRecords"
            metrics = {"key_metric": self.metrics.key, "additional_metrics": self.metrics.others}
            given = {name: Expression(f"@validate#{name}") for name, metric in metrics.items() if metric is not None}
            handlers.append(Entry(target, folder=Expression("@ckpt_dir"), **given))
        return handlers

    def _inferer(self, spec: ComponentSpec, context: BundleContext) -> Entry:
        """Return the entry of the validation's inferer, its windows checked against what the network takes."""
        self.notices += [Notice(spec.address, text) for text in create(spec).notices(context)]
        entry = component_entry(spec, context)
        self.model.check_windows(entry, spec.arg_address("roi_size"))
        return entry

    def _facts(self) -> dict[str, Any]:
        """What the statistics file says about the run besides its course."""
        return {
            "config": str(self.workflow.file),
            "seeds": self.seeds.referred(),
            "determinism": self.settings.determinism is not None,
        }
