"""One step of an evaluation: predict, post-process, write, compare."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from monai.data import MetaTensor
from monai.data.utils import to_affine_nd
from monai.engines import SupervisedEvaluator
from monai.transforms import Compose
from monai.transforms.utils import scale_affine
from monai.utils import CommonKeys

from clara_compat.common.constants import ImageProperty
from clara_compat.common.result_files import case_name
from clara_compat.common.shape_format import ShapeFormat
from clara_compat.engine import properties
from clara_compat.engine.data.failure import ItemError, ItemFailure, failure
from clara_compat.engine.data.skipping import STOP, OnBadItem
from clara_compat.engine.evaluation.cases import FILE, REUSED, ResultWriter
from clara_compat.engine.evaluation.fields import batch_of, small
from clara_compat.engine.evaluation.slices import CaseSlice, case_slice
from clara_compat.engine.model_files import refusal
from clara_compat.engine.tensors import plain
from clara_compat.errors import ClaraError

__all__ = ["MODEL", "Case", "EvaluateCases"]

logger = logging.getLogger("clara_compat")

MODEL = "model"
"""Field of the prediction, as Clara called it."""

_IMAGE = CommonKeys.IMAGE.value
_LABELS = "label_transforms"
_LAYOUTS = {3: ShapeFormat.CHW, 4: ShapeFormat.CDHW}


@dataclass
class Case:
    """What became of a case.

    Args:
        name: of the case.
        file: of its image.
        reused: the results of an earlier run took the place of a prediction.
        seconds: for the prediction and what follows it, a batch's time shared by its cases.
        paths: files of its results.
        values: what the chain left besides images and was not there before, such as points or class values.
        metrics: values by the names of the metrics; NaN where a metric is not defined.
        slice: a slice of it, for a picture.
    """

    name: str
    file: str
    reused: bool = False
    seconds: float = 0.0
    paths: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    slice: CaseSlice | None = None


class EvaluateCases:
    """The ``iteration_update`` of a ``SupervisedEvaluator``: takes lists of items, gives the fields metrics compare.

    The prediction becomes the field ``model`` of its item, on the CPU, with the geometry of the image the network saw:
    whatever follows knows where its voxels are. Post-processing, writers and the label's chain then run case by case,
    so images of several cases are never held; the label is only read when the prediction is done with.

    Args:
        post: chain of the prediction.
        writers: write the results.
        labels: chain of the label, when metrics compare with it; without it no field is handed out.
        fields: images that metrics or the label's chain look at; the others are let go before the label is read. None
            keeps all.
        drawn: fields of a prediction and a label of which a slice is kept for a picture.
        writes: whether the writers write.
        in_channels: channels the network takes, None when not known.
        training_mode: predict with the network in training mode.
        on_bad_item: ``stop``, or ``leave_out`` a case whose label cannot be read; its result is there.
    """

    def __init__(
        self,
        post: Compose,
        writers: Sequence[ResultWriter] = (),
        labels: Compose | None = None,
        fields: Sequence[str] | None = None,
        drawn: Sequence[str] | None = None,
        writes: bool = True,
        in_channels: int | None = None,
        training_mode: bool = False,
        on_bad_item: OnBadItem = STOP,
    ) -> None:
        self.post = post
        self.writers = list(writers)
        self.labels = labels
        self.drawn = drawn
        self.fields = None if fields is None else frozenset(fields)
        self.writes = writes
        self.in_channels = in_channels
        self.training_mode = training_mode
        self.on_bad_item = on_bad_item
        self.cases: list[Case] = []
        """The cases done so far."""
        self.left_out: list[ItemFailure] = []
        """Why others were left out."""

    @torch.no_grad()
    def __call__(self, engine: SupervisedEvaluator, batch: Sequence[Any]) -> dict[str, Any]:
        """Evaluate the cases of a batch.

        Raises:
            ItemError: a case could not be read, or a transform or a writer failed.
            ClaraError: the images do not fit the network, or each other.
        """
        started = time.perf_counter()
        failed = [item for item in batch if isinstance(item, ItemFailure)]
        for item in failed:
            if not item.skipped:
                raise ItemError(item)
        self.left_out += failed
        batch = [item for item in batch if not isinstance(item, ItemFailure)]
        fresh = [item for item in batch if REUSED not in item]
        for item in fresh:
            _warn_of_nan(_image(item), item[FILE])
        predictions = self._predict(engine, [_image(item) for item in fresh]) if fresh else []
        done: list[dict[str, Any]] = []
        cases: list[Case] = []
        for item in batch:
            file, reused = item.pop(FILE), item.pop(REUSED, False)
            case = Case(case_name(file), _text(file), reused)
            if not reused:
                _name_image(item, file)
                item[MODEL] = _as_field(predictions.pop(0), item[_IMAGE])
            try:
                done.append(self._finished(item, file, case))
            except ItemError as error:
                if self.on_bad_item == STOP or error.failure.section != _LABELS or not error.failure.skippable:
                    raise
                self.left_out.append(error.failure)
                continue
            cases.append(case)
        output = {} if self.labels is None or not done else batch_of(done)
        if MODEL in output:
            output[CommonKeys.PRED] = output.pop(MODEL)
        for case in cases:
            case.seconds = (time.perf_counter() - started) / len(cases)
        self.cases += cases
        names = [case.file for case in cases]
        engine.state.batch = {_IMAGE: MetaTensor(torch.empty(len(names)), meta={"filename_or_obj": names})}
        return output

    def _predict(self, engine: SupervisedEvaluator, images: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        for image in images:
            if self.in_channels is not None and len(image) != self.in_channels:
                raise ClaraError(
                    f"the image has {len(image)} channels at the end of pre_transforms, but the network takes "
                    f"{self.in_channels}: prepare it as the training did"
                )
        shapes = {tuple(image.shape) for image in images}
        if len(shapes) > 1:
            raise ClaraError(
                f"the images of a batch differ in size ({', '.join(map(str, sorted(shapes)))}): set batch_size to 1"
            )
        inputs = images[0][None] if len(images) == 1 else torch.stack(list(images))
        network = engine.network.train(self.training_mode)
        try:
            outputs = engine.inferer(inputs.to(engine.state.device), network)
        except (RuntimeError, torch.jit.Error) as error:  # an exported network has its checks, too
            reason = refusal(error)
            if not reason:
                raise
            raise ClaraError(f"the exported network does not take the images: {reason}") from error
        if isinstance(outputs, (tuple, list)):
            outputs = outputs[0]
        if not isinstance(outputs, torch.Tensor):
            raise ClaraError(f"the network returns a {type(outputs).__name__}, expected a tensor")
        return list(plain(outputs).cpu())

    def _finished(self, given: dict[str, Any], file: Any, case: Case) -> dict[str, Any]:
        """Return the fields that metrics read, the results written; ``given`` is emptied, as images take memory."""
        item = dict(given)
        given.clear()
        if case.reused:
            for writer in self.writers:
                item |= writer.restored(file)
        else:
            before = item.keys() - {MODEL}
            item = _run(self.post, item, file, "post_transforms")
            case.values = {name: found for name in item if name not in before and (found := small(item[name]))}
            for index, writer in enumerate(self.writers if self.writes else ()):
                try:
                    writer(item)
                except Exception as error:
                    found = failure(error, None, _text(file), "writers")
                    raise ItemError(replace(found, transform=index)) from error
        if self.writes or case.reused:
            case.paths = [path for writer in self.writers for path in writer.paths(file)]
        if self.labels is None:
            return {}
        item = _run(self.labels, self._needed(item), file, _LABELS)
        if self.drawn is not None:
            case.slice = case_slice(item.get(_IMAGE), *(item.get(name) for name in self.drawn))
        return self._needed(item)

    def _needed(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return the item without images that nobody looks at any more."""
        if self.fields is None:
            return item
        kept = self.fields
        return {name: value for name, value in item.items() if name in kept or not isinstance(value, torch.Tensor)}


def _run(chain: Compose, given: dict[str, Any], file: Any, section: str) -> dict[str, Any]:
    """Run a chain step by step, so that what a transform replaced is let go; ``given`` is emptied."""
    item: Any = dict(given)
    given.clear()
    try:
        for index in range(len(chain.transforms)):
            item = chain(item, start=index, end=index + 1)
    except Exception as error:
        raise ItemError(failure(error, chain, _text(file), section)) from error
    if not isinstance(item, dict):
        raise ClaraError(f"{section} make a {type(item).__name__} of an item: expected one item ({_text(file)})")
    return item


def _image(item: Mapping[str, Any]) -> torch.Tensor:
    """Return the image as the network takes it: (C, spatial...), float32."""
    value = item.get(_IMAGE)
    if not isinstance(value, torch.Tensor):
        found = "is missing" if _IMAGE not in item else f"is a {type(value).__name__}, not an image"
        raise ClaraError(f"at the end of pre_transforms the field '{_IMAGE}' {found}: load it, and keep it")
    return plain(value).to(torch.float32)


def _warn_of_nan(image: torch.Tensor, file: Any) -> None:
    """Say that values of an image are no numbers: a network spreads them over its prediction."""
    if bool(torch.isfinite(image.sum())):  # one pass; the sum of numbers that are all finite can only overflow
        return
    count = image.numel() - int(torch.isfinite(image).sum())
    if count:
        logger.warning(
            "%s: %d of %d values that the network sees are nan or infinite, so its prediction means nothing there or "
            "anywhere: mend the image",
            _text(file),
            count,
            image.numel(),
        )


def _name_image(item: dict[str, Any], file: Any) -> None:
    """Let the image say which file it comes from, also where a loader of the user's did not."""
    image = item[_IMAGE]
    image = image if isinstance(image, MetaTensor) else MetaTensor(image)
    image.meta.setdefault("filename_or_obj", _text(file))
    item[_IMAGE] = image


def _as_field(prediction: torch.Tensor, image: MetaTensor) -> torch.Tensor:
    """Return the prediction where the image lies; a vector of class values lies nowhere."""
    if prediction.ndim != image.ndim:
        return prediction
    affine = None
    if prediction.shape[1:] != image.shape[1:]:
        scale = scale_affine(image.shape[1:], prediction.shape[1:])
        affine = image.affine @ torch.from_numpy(to_affine_nd(len(image.affine) - 1, scale))
    layout = {ImageProperty.SHAPE_FORMAT: str(_LAYOUTS[prediction.ndim])} if prediction.ndim in _LAYOUTS else {}
    return properties.carry(prediction, image, affine, **layout)


def _text(file: Any) -> str:
    return ", ".join(map(str, file)) if isinstance(file, (list, tuple)) else str(file)
