"""A typed evaluation workflow as one MONAI bundle config."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.components.model_loaders.model_loader import network_entry
from clara_compat.components.transforms.native import NativeTransform
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.evaluate_workflow import EvaluateWorkflow
from clara_compat.config.problems import Notice
from clara_compat.errors import Address, ClaraError
from clara_compat.translate.bundle import Bundle, Seeds, addresses_of, autocast, initialize
from clara_compat.translate.chain import Chain, component_entry, transform_chain
from clara_compat.translate.evaluation_data import data_entry, data_source
from clara_compat.translate.evaluation_model import Model
from clara_compat.translate.evaluation_writers import (
    Inference,
    evaluation_writers,
    inference_writers,
    lost_field,
    made,
)
from clara_compat.translate.memory_levers import evaluation_levers
from clara_compat.translate.metrics import metric_entry, metric_fields, named_entries
from clara_compat.translate.places import DATA_PLACES, Places
from clara_compat.translate.render import render
from clara_compat.translate.several import device_of, meeting, parting

__all__ = ["STATS", "translate_evaluate"]

STATS = "evaluate_stats.json"
"""What an evaluation leaves in MMAR_EVAL_OUTPUT_PATH besides the writers' files."""


def translate_evaluate(
    workflow: EvaluateWorkflow, model: Model, eval_dir: Path, inference: Inference | None = None
) -> Bundle:
    """Translate ``workflow`` into the config that evaluates its data list, or infers some images.

    Args:
        workflow: the resolved config.
        model: its network.
        eval_dir: where the results go.
        inference: images in place of the data list.

    Raises:
        ClaraError: something in the workflow cannot be translated.
    """
    return _EvaluateTranslation(workflow, model, eval_dir, inference).bundle()


class _EvaluateTranslation:
    def __init__(self, workflow: EvaluateWorkflow, model: Model, eval_dir: Path, inference: Inference | None) -> None:
        self.workflow = workflow
        self.settings = workflow.settings
        self.model = model
        self.eval_dir = eval_dir
        self.inference = inference
        self.validates = self.settings.do_validation and inference is None
        self.notices: list[Notice] = []
        self.sources: dict[str, list[Address]] = {}
        self.context = BundleContext(
            spatial_dims=model.number("spatial_dims") or self._window_axes() or 3,
            in_channels=model.number("in_channels") or 1,
            label_format=model.label_format,
            section="evaluate",
            mmar=str(workflow.mmar),
            debug_dir=str(eval_dir / "debug"),
            loss=None,
        )

    def bundle(self) -> Bundle:
        workflow, model = self.workflow, self.model
        if model.files.notice:
            self.notices.append(Notice(self._place_of_network(), model.files.notice))
        self._check_purpose()
        writers = self._writers()
        reuse = self._reuses(writers)
        places = Places(self._paths())
        bad = {"on_bad_item": "leave_out"} if self.settings.on_bad_item == "skip" and self.inference is None else {}
        config: dict[str, Any] = {
            **places.paths,
            **data_source(self.inference),
            "seed": 0,
            "user_code": list(dict.fromkeys([*workflow.user_roots, *model.code])),
            "device": device_of(self.settings),
            **model.entries,
            "network": network_entry(model.files),
            "data": places.listed(data_entry(workflow, self.inference)),
            "preprocessing": Entry("Compose", transforms=self._chain("pre_transforms").entries),
            "writers": writers,
            "dataset": Entry(
                "clara_compat.engine.evaluation.cases.CaseDataset",
                data=Expression("@data"),
                transform=Expression("@preprocessing"),
                writers=Expression("@writers"),
                reuse=reuse,
                always_loads=self._labels_need_image(),
                section="pre_transforms",
                **bad,
            ),
            "dataloader": Entry(
                "clara_compat.engine.evaluation.cases.case_loader",
                dataset=Expression("@dataset"),
                batch_size=self.settings.batch_size,
            ),
            "inferer": self._inferer(),
            "postprocessing": Entry("Compose", transforms=self._chain("post_transforms").entries),
            "label_preprocessing": (
                Entry("Compose", transforms=self._chain("label_transforms").entries) if self.validates else None
            ),
            "step": Entry(
                "clara_compat.engine.evaluation.step.EvaluateCases",
                post=Expression("@postprocessing"),
                writers=Expression("@writers"),
                labels=Expression("@label_preprocessing"),
                fields=self._fields(),
                drawn=self._drawn(),
                writes=self.settings.output_infer_result or self.inference is not None,
                in_channels=model.number("in_channels"),
                training_mode=model.training_mode,
                **bad,
            ).placed(workflow.address()),
            "metrics": self._metrics(),
            "handlers": self._handlers(),
            "evaluator": Entry(
                "SupervisedEvaluator",
                device=Expression("@device"),
                val_data_loader=Expression("@dataloader"),
                network=Expression("@network"),
                iteration_update=Expression("@step"),
                inferer=Expression("@inferer"),
                val_handlers=Expression("@handlers"),
                decollate=False,
            ),
            "initialize": [
                *meeting(self.settings),
                *initialize(Seeds(data=0, torch=0, numpy=0, python=0)),
            ],
            "run": [Expression("$@evaluator.run()")],
            "finalize": parting(self.settings),
        }
        top = {*places.paths, "dataset_dir", "images", "user_code"}
        placed = {name: value if name in top else places.placed(value) for name, value in config.items()}
        return Bundle(
            {name: value if name == "network_def" else render(value) for name, value in placed.items()},
            self.sources,
            self.notices,
            evaluation_levers(workflow),
            {**addresses_of(config), **dict.fromkeys(("network", "network_def"), self._place_of_network())},
        )

    def _place_of_network(self) -> Address:
        loader = self.workflow.model_loader
        return self.workflow.address() if loader is None else loader.address

    def _paths(self) -> dict[str, str]:
        """Return the paths that stand at the top of the config."""
        paths = {
            "bundle_root": str(self.workflow.mmar),
            "ckpt_dir": str(self.model.files.folder),
            "output_dir": str(self.eval_dir),
        }
        data = {name: str(self.workflow.variables.get(name) or "") for name in DATA_PLACES}
        return paths if self.inference is not None else {**paths, **data}

    def _check_purpose(self) -> None:
        """Refuse a run that would leave nothing, and say what is missing of one that leaves less than it seems."""
        workflow = self.workflow
        if self.inference is not None:
            return
        writes = self.settings.output_infer_result and workflow.writers
        if not writes and not (self.validates and workflow.val_metrics):
            raise ClaraError(
                "the run would leave nothing: set output_infer_result=true with a writer, or do_validation=true with "
                "val_metrics",
                workflow.address(),
            )
        if self.validates and not workflow.val_metrics:
            self.notices.append(Notice(workflow.address(), "do_validation is true, but there are no val_metrics"))
        if self.settings.output_infer_result and not workflow.writers:
            self.notices.append(Notice(workflow.address(), "output_infer_result is true, but there are no writers"))

    def _chain(self, name: str) -> Chain:
        """Translate a chain and keep what it tells."""
        specs: list[ComponentSpec] = getattr(self.workflow, name)
        chain = transform_chain(specs, self.context)
        if chain.crops is not None:
            crop = next(spec for spec in specs if getattr(made(spec), "batches", None) is not None)
            raise ClaraError(
                f"{crop.name} makes several crops of an image, which an evaluation cannot put together: leave it out, "
                "the inferer looks at the whole image",
                crop.address,
            )
        self.sources[name] = chain.sources
        self.notices += chain.notices
        return chain

    def _inferer(self) -> Entry:
        spec = self.workflow.inferer
        inferer = Entry("SimpleInferer") if spec is None else component_entry(spec, self.context)
        if spec is not None:
            self.notices += [Notice(spec.address, text) for text in create(spec).notices(self.context)]
        return autocast(inferer, use_amp=self.settings.use_amp)

    def _window_axes(self) -> int | None:
        spec = self.workflow.inferer
        size = None if spec is None or spec.cls is None else getattr(create(spec), "roi_size", None)
        return len(size) if size else None

    def _metrics(self) -> Any:
        if not self.validates:
            return None
        entries: dict[str, Entry] = {}
        for spec in self.workflow.val_metrics:
            name = str(spec.args.get("name", spec.name))
            if name in entries:
                raise ClaraError(f"two metrics are called '{name}': give one of them another name", spec.address)
            entries[name] = metric_entry(spec, name, self.context)
        return named_entries(entries)

    def _writers(self) -> list[Entry]:
        self.sources["writers"] = [spec.address for spec in self.workflow.writers]
        if self.inference is not None:
            return inference_writers(self.workflow, self.context, self.inference, self.eval_dir)
        return evaluation_writers(self.workflow, self.context)

    def _reuses(self, writers: Sequence[Entry]) -> bool:
        """Whether results of an earlier run can take the place of a prediction."""
        if self.settings.overwrite_previous_result or self.inference is not None or not writers:
            return False
        lost = lost_field(self.workflow) if self.validates else None
        if lost is not None:
            spec, name = lost
            text = (
                f"overwrite_previous_result is false, but no writer keeps '{name}', which {spec.name} reads: every "
                "case is evaluated anew"
            )
            self.notices.append(Notice(spec.address, text))
        return lost is None

    def _labels_need_image(self) -> bool:
        """Whether the label's chain may look at the image, which then is loaded for finished cases, too."""
        if not self.validates:
            return False
        components = [made(spec) for spec in self.workflow.label_transforms]
        return any(not isinstance(one, NativeTransform) or "image" in one.used_fields() for one in components)

    def _fields(self) -> list[str] | None:
        """Return the images that the metrics and the label's chain look at; None where that is not known."""
        if not self.validates or any(spec.cls is None for spec in self.workflow.val_metrics):
            return None
        labels = [made(spec) for spec in self.workflow.label_transforms]
        if not all(isinstance(one, NativeTransform) for one in labels):
            return None
        compared = [name for spec in self.workflow.val_metrics for name in metric_fields(spec).values()]
        used = [name for one in labels if isinstance(one, NativeTransform) for name in one.used_fields()]
        drawn = ["image"] if self._drawn() else []
        return list(dict.fromkeys([*compared, *used, *drawn]))

    def _drawn(self) -> list[str] | None:
        """Return the fields that the first metric compares, of which slices are drawn; None when none does."""
        found = metric_fields(self.workflow.val_metrics[0]) if self.validates and self.workflow.val_metrics else {}
        return [found["field"], found["label_field"]] if len(found) == 2 else None

    def _handlers(self) -> list[Entry]:
        run = {
            "config": str(self.workflow.file),
            "model": str(self.model.files.file),
            "validated": self.validates,
        }
        return [
            Entry(
                "clara_compat.engine.evaluation.report.CaseReport",
                path=None if self.inference is not None else str(self.eval_dir / STATS),
                step=Expression("@step"),
                metrics=Expression("@metrics"),
                run=run,
            ),
            Entry(
                "clara_compat.engine.handlers.case_progress.CaseProgress",
                step=Expression("@step"),
                total=Expression("$len(@data)"),
            ),
        ]
