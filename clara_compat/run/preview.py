"""Show what a transform chain does to a few items, step by step."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clara_compat.common.user_code_switch import user_code_allowed
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline
from clara_compat.components.transforms.native import NativeTransform
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.problems import Problems
from clara_compat.config.workflow import TrainWorkflow, load_train_workflow
from clara_compat.errors import Address, ClaraError
from clara_compat.report.preview import Column, ItemSteps, Sheet, Stop
from clara_compat.run.console import logging_of_a_run
from clara_compat.run.outputs import check_writable
from clara_compat.run.seeds import seeds_of
from clara_compat.translate.bundle import Bundle, Seeds
from clara_compat.translate.data_side import pipeline_of
from clara_compat.translate.limits import limits
from clara_compat.translate.section_data import SectionName, SectionSpecs, section_specs, translate_section_data

__all__ = ["PreviewResult", "preview"]

logger = logging.getLogger("clara_compat")

_MOST_ITEMS = 20
_SEEDS = 2**63
_MOST_CROPS = 3
"""Crops of an item that are drawn."""


@dataclass(frozen=True)
class PreviewResult:
    """What a preview gives.

    Args:
        sheet: what was seen.
        path: the PNG, or None when there was nothing to draw.
        error: what stopped the chain, or None.
    """

    sheet: Sheet
    path: Path | None
    error: Exception | None = None


def preview(
    config: str | os.PathLike[str],
    mmar: str | os.PathLike[str] | None = None,
    env: str | os.PathLike[str] | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    items: int = 2,
    section: SectionName = "train",
    seed: int | None = None,
    epoch: int = 1,
    out: str | os.PathLike[str] | None = None,
    user_code: bool = True,
) -> PreviewResult:
    """Run the transforms of a training configuration on the first items of an epoch and draw every step.

    The items, and all that is drawn at random, are those that a training with the same seed has in that epoch. The
    network, the loss and the optimizer are neither made nor needed.

    Args:
        config: the training configuration, relative to the working folder or to the MMAR.
        mmar: root folder of the MMAR; by default the folder above the config's ``config`` folder.
        env: the environment file; by default the MMAR's ``config/environment.json``.
        overrides: what ``--set`` takes.
        items: how many items, 1 to 20; fewer when an epoch has fewer.
        section: ``train`` or ``validate``.
        seed: seed of the random draws; by default the config's ``determinism``, or a drawn one.
        epoch: from 1.
        out: the PNG; by default ``preview.png`` in the MMAR_CKPT_DIR.
        user_code: whether code of the MMAR and of PYTHONPATH may run; a config that names some is an error otherwise.

    Returns:
        The sheet; when a transform failed, all until then, and the error.

    Raises:
        ClaraError: something of the user's must be mended before the first item can be made.
    """
    if not 1 <= items <= _MOST_ITEMS:
        raise ClaraError(f"{items} items: a sheet has room for 1 to {_MOST_ITEMS}")
    if epoch < 1:
        raise ClaraError(f"the epoch is {epoch}: epochs count from 1")
    if seed is not None and not 0 <= seed < _SEEDS:
        raise ClaraError(f"the seed is {seed}, expected a whole number from 0 to {_SEEDS - 1}")
    workflow = load_train_workflow(
        Path(config),
        mmar=_path(mmar),
        env=_path(env),
        overrides=overrides,
        user_code_required=False,
        user_code=user_code,
    )
    with user_code_allowed(user_code, workflow.mmar):
        return _drawn(workflow, section, _path(out), items=items, seed=seed, epoch=epoch)


def _drawn(
    workflow: TrainWorkflow, section: SectionName, out: Path | None, *, items: int, seed: int | None, epoch: int
) -> PreviewResult:
    """Run the transforms and draw what they do."""
    specs = section_specs(workflow, section)
    target = _target(workflow, out)
    seeds, origin = _seeds(workflow, seed)
    bundle = _checked(workflow, section, specs, seeds, target)
    with logging_of_a_run(None):
        for notice in bundle.notices:
            logger.warning("%s", notice)
        sheet, error = _seen(workflow, section, specs, bundle, items=items, epoch=epoch)
        sheet.facts = f"{section} section · seed {seeds.data}{origin} · epoch {epoch} · {sheet.facts}"
        if not any(item.steps for item in sheet.items):
            return PreviewResult(sheet, None, error)
        return PreviewResult(sheet, _saved(sheet, target), error)


def _seeds(workflow: TrainWorkflow, seed: int | None) -> tuple[Seeds, str]:
    """Return the seeds and, in words, where they come from."""
    if seed is None and workflow.settings.determinism is not None:
        return seeds_of(workflow.settings.determinism), " (determinism)"
    if seed is not None:
        return Seeds(seed, seed, seed, seed), ""
    drawn = secrets.randbelow(2**31)
    return Seeds(drawn, drawn, drawn, drawn), f" (drawn; again with --seed {drawn})"


def _target(workflow: TrainWorkflow, out: Path | None) -> Path:
    """Return where the sheet goes.

    Raises:
        ClaraError: there is no such place.
    """
    folder = workflow.variables["MMAR_CKPT_DIR"]
    if out is None and not folder:
        raise ClaraError("MMAR_CKPT_DIR is empty: name the file for the sheet with --out")
    target = Path(str(folder)) / "preview.png" if out is None else out
    if target.suffix.lower() != ".png" or target.is_dir():
        raise ClaraError(f"the sheet is a PNG picture: '{target}' should be a file that ends in .png")
    check_writable(target.parent, "MMAR_CKPT_DIR" if out is None else "--out")
    return target


def _checked(workflow: TrainWorkflow, section: SectionName, specs: SectionSpecs, seeds: Seeds, target: Path) -> Bundle:
    """Translate the data side, and look at what it needs.

    Raises:
        ClaraError: what must be mended; what concerns the network, the loss or the metrics is left to the training.
    """
    from clara_compat.run.data_check import check_data

    problems = Problems()
    concerned = {spec.address for spec in specs.all}
    problems.errors = [limit for limit in limits(workflow) if limit.address in concerned]
    for spec in specs.all:
        if spec.cls is None and spec.user is None and not spec.pending:  # user code that was not found
            reasons = [notice.text for notice in workflow.notices if notice.address == spec.address]
            problems.error(reasons[0] if reasons else f"'{spec.name}' was not found", spec.address)
    problems.raise_any()
    folder = Path(str(workflow.variables["MMAR_CKPT_DIR"] or target.parent))
    bundle = translate_section_data(workflow, section, seeds, folder)
    problems.errors = check_data(specs.pipeline, specs.chain)
    problems.raise_any()
    return bundle


def _seen(
    workflow: TrainWorkflow, section: SectionName, specs: SectionSpecs, bundle: Bundle, *, items: int, epoch: int
) -> tuple[Sheet, Exception | None]:
    """Run the chain and return what was seen, and what stopped it."""
    from clara_compat.engine.data.datalist import describe
    from clara_compat.engine.data.failure import ItemError, failure
    from clara_compat.engine.item_context import ItemKey
    from clara_compat.run.execute import execute
    from clara_compat.run.snapshots import Camera
    from clara_compat.run.stepwise import run_stepwise

    parser = execute(bundle)
    names = ("data", "preprocessing", "plan")
    data, transform, plan = (parser.get_parsed_content(f"{section}#{name}") for name in names)
    ends = _ends(specs.chain, bundle.sources[section])
    order = plan.order(epoch)[:items]
    batched = ", ".join(spec.name for spec in specs.batch_chain)
    facts = f"{len(order)} of {len(plan)} {'item' if len(plan) == 1 else 'items'}"
    sheet = Sheet(
        title=f"What the transforms of {workflow.file.name} do",
        facts=facts + (f" · not shown, as they run on whole batches: {batched}" if batched else ""),
        columns=_columns(specs.chain, transform.transforms, ends),
    )
    pipeline = pipeline_of(specs.pipeline)
    for position, index in enumerate(order):
        camera, seen = Camera(), ItemSteps(_title(data[index], position, _place(pipeline, index)))
        sheet.items.append(seen)

        def see(_step: int, made: Any, camera: Camera = camera, seen: ItemSteps = seen) -> None:
            seen.steps.append(camera.look(made, _MOST_CROPS))

        try:
            run_stepwise(
                transform,
                ends,
                dict(data[index]),
                ItemKey(plan.seed, epoch, position, index),
                see,
                requested=pipeline.num_cached is not None,
                single_thread=workflow.settings.determinism is not None,
            )
        except (Exception, SystemExit) as raised:  # noqa: BLE001 -- whatever a user's transform raises is reported
            told = failure(raised, transform, describe(data[index]), section)
            step = len(seen.steps)
            sheet.stop = Stop(step, told.reason)
            address = specs.chain[step].address if step < len(specs.chain) else None
            return sheet, ClaraError(str(ItemError(told)), address) if told.mendable else RuntimeError(told.trace)
    return sheet, None


def _ends(chain: Sequence[ComponentSpec], sources: Sequence[Address]) -> list[int]:
    """Return for each transform of the config how many entries are done after it; it may have become several."""
    ends, done = [], 0
    for spec in chain:
        done += sources.count(spec.address)
        ends.append(done)
    return ends


def _columns(chain: Sequence[ComponentSpec], transforms: Sequence[Any], ends: Sequence[int]) -> list[Column]:
    from monai.transforms import RandomizableTrait

    columns = []
    for number, (spec, start, end) in enumerate(zip(chain, [0, *ends][:-1], ends, strict=True), 1):
        component = create(spec) if spec.cls is not None else None
        if isinstance(component, NativeTransform):
            random = not component.is_deterministic()
        else:
            random = any(isinstance(one, RandomizableTrait) for one in transforms[start:end])
        columns.append(Column(number, "#".join([spec.name, *spec.alias]), random))
    return columns


def _place(pipeline: BaseImagePipeline, index: int) -> str:
    """Return where an item stands in the data list file, which has no repetitions."""
    return f"{pipeline.data_list_key}[{index // pipeline.duplicate_count}]"


def _title(item: Mapping[str, Any], position: int, place: str) -> str:
    image = item.get("image")
    first = image[0] if isinstance(image, list) and image else image
    name = Path(first).name if isinstance(first, str) else ""
    return f"item {position + 1}: {name} ({place})" if name else f"item {position + 1}: {place}"


def _saved(sheet: Sheet, target: Path) -> Path:
    from clara_compat.report.contact_sheet import draw_sheet
    from clara_compat.report.page import save_png

    figure = draw_sheet(sheet)
    try:
        save_png(target, figure)
    except OSError as error:
        raise ClaraError(f"{error.strerror}: {target}; name another file with --out") from error
    return target


def _path(value: str | os.PathLike[str] | None) -> Path | None:
    return None if value is None else Path(value)
