"""Networks and losses that are not of the catalogue: the user's own, MONAI's and torch's.

Three kinds of them run. A *legacy* one is written for Clara: a ``Model`` with ``get_predictions``, a ``Loss`` with
``get_loss``, in TensorFlow or with torch inside. A *module* is a ``torch.nn.Module`` of the user's. A *stock* one is
named by its path in MONAI or torch. The last two are the modules themselves, so users port one piece at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.components.pipelines.image_pipeline_base import BaseImagePipeline
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.config.problems import Notice
from clara_compat.config.user_code import UserClass
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.errors import ClaraError
from clara_compat.translate.aux_ops import data_property
from clara_compat.translate.chain import component_entry, user_component
from clara_compat.translate.data_side import pipeline_of
from clara_compat.translate.stock import downloads, stock_entry

__all__ = [
    "LEGACY_NETWORK",
    "USER_MODULE",
    "Kind",
    "building_size",
    "is_unchanged",
    "kind_of",
    "loss_entry",
    "network_def_entry",
    "network_input",
    "own_notices",
    "user_kind",
]

Kind = Literal["catalogue", "legacy", "module", "stock"]

LEGACY_NETWORK = "clara_compat.tensorflow.network.LegacyNetwork"
LEGACY_LOSS = "clara_compat.tensorflow.loss.legacy_loss"
USER_MODULE = "clara_compat.engine.legacy.module.user_module"

_USUAL_SIZE = 64
"""Voxels along an axis of which no size is known."""
_METHODS = {"model": "get_predictions", "loss": "get_loss"}
_CHANGES = {
    "model": {"get_predictions", "get_loss", "get_update_ops", "build", "forward"},
    "loss": {"get_loss", "build", "forward"},
}
"""Methods by which a user's subclass of a built-in becomes something of its own."""


def kind_of(spec: ComponentSpec) -> Kind:
    """Return what a model or loss is.

    Raises:
        ClaraError: it is a class of the user's that can be neither.
    """
    if spec.stock:
        return "stock"
    slot = spec.section.rpartition(".")[2]
    if spec.cls is not None or is_unchanged(spec, slot):
        return "catalogue"
    if spec.user is None:
        return "legacy"
    kind = user_kind(spec.user, slot)
    if kind == "module" and not set(spec.user.bases) - {"object"}:
        raise ClaraError(
            f"{spec.user.class_name} ({spec.user.address}) cannot be a {slot}: derive it from Clara's "
            f"{slot.capitalize()} and write {_METHODS[slot]}, or derive it from torch.nn.Module and write forward",
            spec.address,
        )
    return kind


def is_unchanged(spec: ComponentSpec, slot: str) -> bool:
    """Whether a user's subclass of a built-in leaves its constructor and what it does as they are."""
    return spec.base is not None and spec.user is not None and not _CHANGES[slot] & spec.user.methods


def user_kind(user: UserClass, slot: str) -> Literal["legacy", "module"]:
    """Return how a class of the user's is run; one that is both has its Clara method called."""
    if _METHODS[slot] in user.methods:
        return "legacy"
    return "module" if user.is_module or user.family is None else "legacy"


def network_def_entry(workflow: TrainWorkflow, context: BundleContext, *, alone: bool = False) -> Entry:
    """Return the entry of the network.

    Args:
        workflow: the resolved config.
        context: of the training section.
        alone: it refers to no other entry of the config.

    Raises:
        ClaraError: it refuses its arguments, or does not go with the image.
    """
    spec = workflow.train.model
    kind = kind_of(spec)
    if kind == "catalogue":
        return component_entry(spec, context)
    if kind == "stock":
        return stock_entry(spec, _of_the_image(context))
    if kind == "module":
        return Entry(USER_MODULE, module=user_component(spec), name=spec.name)
    return Entry(
        LEGACY_NETWORK,
        model=user_component(spec),
        name=spec.name,
        data_property=data_property(pipeline_of(workflow.train.image_pipeline)),
        spatial_size=building_size(workflow, context),
        learning_rate=workflow.settings.learning_rate if alone else context.learning_rate,
    )


def _of_the_image(context: BundleContext) -> dict[str, int]:
    """Return what the pipeline says of the image, by the names of MONAI's arguments."""
    return {"spatial_dims": context.spatial_dims, "in_channels": context.in_channels}


def loss_entry(workflow: TrainWorkflow, context: BundleContext) -> Entry:
    """Return the entry of the loss.

    Args:
        workflow: the resolved config.
        context: of the training section, with what is known of the network.

    Raises:
        ClaraError: it refuses its arguments, or does not go with the network.
    """
    spec = workflow.train.loss
    kind = kind_of(spec)
    if kind == "catalogue":
        return component_entry(spec, context)
    if kind == "stock":
        return stock_entry(spec)
    if kind == "module":
        return Entry(USER_MODULE, module=user_component(spec), name=spec.name)
    return Entry(
        LEGACY_LOSS,
        loss=user_component(spec),
        name=spec.name,
        data_property=data_property(pipeline_of(workflow.train.image_pipeline)),
        network=Expression("@network"),
        spatial_size=building_size(workflow, context),
        learning_rate=context.learning_rate,
        final_activation=context.final_activation,
    )


def building_size(workflow: TrainWorkflow, context: BundleContext) -> list[int]:
    """Return the spatial size, in voxels, with which a user's model and loss are built.

    Where the pipeline does not say it, it is that of the validation's windows, or a usual one.
    """
    sizes: list[Sequence[int]] = [context.crop_size or [-1] * context.spatial_dims]
    inferer = None if workflow.validate is None else workflow.validate.inferer
    windows = getattr(create(inferer), "roi_size", None) if inferer is not None and inferer.cls is not None else None
    if windows and len(windows) == context.spatial_dims:
        sizes.append(windows)
    sizes.append([_USUAL_SIZE] * context.spatial_dims)
    return [next(size for size in along if size > 0) for along in zip(*sizes, strict=True)]


def network_input(pipeline: BaseImagePipeline, size: Sequence[int]) -> dict[str, Any]:
    """Return what an evaluation or export must know of a network whose entry does not say it."""
    labels = pipeline.label_format
    return {
        "task": pipeline.task,
        "spatial_dims": pipeline.spatial_dims,
        "in_channels": pipeline.output_image_channels,
        "size": list(size),
        **({} if labels is None else {"label_format": list(labels.classes_per_label)}),
    }


def own_notices(workflow: TrainWorkflow, context: BundleContext) -> Iterator[Notice]:
    """Say what is particular to a model or loss that is not of the catalogue."""
    model, loss = workflow.train.model, workflow.train.loss
    kinds = {spec.section: kind_of(spec) for spec in (model, loss)}
    of_model, of_loss = kinds[model.section], kinds[loss.section]
    if of_model in ("stock", "module"):
        filled = [name for name in ("spatial_dims", "in_channels") if of_model == "stock" and name not in model.args]
        where = f" ({' and '.join(filled)}, where it has them, are the image pipeline's)" if filled else ""
        yield Notice(
            model.address,
            f"what {model.dotted} returns goes to the loss, the metrics and the writers as it is{where}: networks of "
            "MONAI return logits, while Clara's end in an activation",
        )
    if of_model == "stock" and downloads(stock_entry(model, _of_the_image(context))):
        if not workflow.roots.allowed:
            raise ClaraError(
                f"{model.dotted} would download its first weights, which it does not with --no-user-code: set its "
                "argument pretrained to false",
                model.address,
            )
        text = f"{model.dotted} may download its first weights when it is made: pretrained=false leaves that out"
        yield Notice(model.address, text)
    if of_model == "module" and model.user is not None and "get_loss" in model.user.methods:
        yield Notice(model.address, f"get_loss of {model.name} is not called: call it extra_loss to add it to the loss")
    if of_loss in ("stock", "module"):
        more = " (to_onehot_y=true makes one channel per class of them)" if loss.dotted.startswith("monai.") else ""
        yield Notice(
            loss.address,
            f"{loss.dotted} gets the network's output and the labels as the image pipeline gives them{more}",
        )
    if "legacy" in (of_model, of_loss) and not (context.crop_size and min(context.crop_size) > 0):
        spec = model if of_model == "legacy" else loss
        yield Notice(
            spec.address,
            f"{spec.name} is built with an image of {building_size(workflow, context)} voxels (assumed): give the "
            "image pipeline the output_crop_size of the training",
        )
