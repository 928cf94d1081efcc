"""What the built-in models have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from clara_compat.common.build_ctx import BuildContext
from clara_compat.components.component import Component
from clara_compat.components.entry import BundleContext, Entry
from clara_compat.components.finite import require_finite
from clara_compat.components.models.model import Model
from clara_compat.errors import ClaraError, suggestion

if TYPE_CHECKING:
    from clara_compat.engine.networks.network import ClaraNetwork

__all__ = ["BuiltInModel", "check_dims", "numbers", "pretrained_notice"]

_ACTIVATIONS = ("softmax", "sigmoid", "linear")
_DATA_FORMATS = ("channels_first", "channels_last")


class BuiltInModel(Component, Model):
    """Base of the built-in models: the arguments that several of them have, checked, and the entry they become.

    Sizes and channels of the input come from the image pipeline (clara-3.1 facts, README). ``becomes`` is the path of
    the network, a :class:`~clara_compat.engine.networks.network.ClaraNetwork`.

    Args:
        num_classes: output channels.
        final_activation: ``softmax``, ``sigmoid`` or ``linear``; case is ignored. A softmax over one channel would be
            1 everywhere: with ``num_classes`` 1 it is a sigmoid.
        data_format: accepted; data are channel-first inside in any case.
        dtype: only ``float32``; ``use_amp`` gives mixed precision.
        use_batch_norm: normalise over the batch.
        use_group_norm: normalise over groups of channels.
        use_group_normG: number of groups; never more than there are channels.
        reg_weight: weight of an L2 penalty on the kernels.
        dropout_prob: probability of dropout.

    Raises:
        ClaraError: for a value outside these.
    """

    task: ClassVar[str] = "segmentation"
    """``segmentation``: predictions (N, num_classes, spatial...); ``classification``: (N, num_classes)."""

    reg_weight_name = "reg_weight"
    """What this model calls the weight of the L2 penalty."""

    shallower = ""
    """How to halve less often, as the end of a sentence."""

    built_in_network: ClaraNetwork
    """The network, of a user's subclass that calls :meth:`get_predictions`: made in the first call, and trained."""

    def __init__(
        self,
        num_classes: int,
        final_activation: str,
        data_format: str,
        dtype: Any,
        *,
        use_batch_norm: bool = False,
        use_group_norm: bool = False,
        use_group_normG: int = 8,  # noqa: N803 - Clara's name
        reg_weight: float = 0.0,
        dropout_prob: float = 0.0,
    ) -> None:
        Model.__init__(self)
        self.num_classes = num_classes
        self.final_activation = final_activation
        self.data_format = data_format
        self.dtype = dtype
        self.use_batch_norm = use_batch_norm
        self.use_group_norm = use_group_norm
        self.use_group_normG = use_group_normG
        self.reg_weight = reg_weight
        self.dropout_prob = dropout_prob
        require_finite(**{self.reg_weight_name: reg_weight, "dropout_prob": dropout_prob})
        if num_classes < 1:
            raise ClaraError(f"num_classes is {num_classes} but must be at least 1")
        if reg_weight < 0:
            raise ClaraError(f"{self.reg_weight_name} is {reg_weight} but must not be negative")
        if not 0.0 <= dropout_prob < 1.0:
            raise ClaraError(f"dropout_prob is {dropout_prob} but must be at least 0 and below 1")
        for name, value, known in (
            ("final_activation", final_activation, _ACTIVATIONS),
            ("data_format", data_format, _DATA_FORMATS),
        ):
            if value.lower() not in known:
                raise ClaraError(f"{name} is '{value}', expected one of {', '.join(known)}{suggestion(value, known)}")
        if "float32" not in str(dtype):
            raise ClaraError(f"dtype is {dtype}, expected float32: use_amp gives mixed precision")

    @property
    def activation(self) -> str:
        """What the network ends in: ``softmax``, ``sigmoid`` or ``linear``."""
        name = self.final_activation.lower()
        return "sigmoid" if name == "softmax" and self.num_classes == 1 else name

    @property
    def has_extra_loss(self) -> bool:
        """Whether the network adds something of its own to the loss in training."""
        return self.reg_weight > 0

    @property
    def halvings(self) -> int:
        """How often the network halves a size that must be even each time."""
        return 0

    def notices(self, context: BundleContext) -> list[str]:
        """Say which normalisation is used when both are asked for, and what a softmax over one channel is."""
        found = []
        if self.use_batch_norm and self.use_group_norm:
            found.append(
                "use_batch_norm and use_group_norm (if only by default) are both true: normalisation over the batch"
            )
        if self.activation != self.final_activation.lower():
            found.append(
                "num_classes is 1, over which a softmax (if only by default) would be 1 everywhere and learn nothing: "
                "the network ends in a sigmoid"
            )
        return found

    def bundle_entry(self, context: BundleContext) -> Entry:
        """Return the network for the image of ``context``.

        Raises:
            ClaraError: the network cannot take that image.
        """
        self.check_size("output_crop_size", context.crop_size or ())
        return Entry(
            self.becomes,
            spatial_dims=context.spatial_dims,
            in_channels=context.in_channels,
            out_channels=self.num_classes,
            **self.network_arguments(context),
            final_activation=self.activation,
        )

    def get_predictions(self, inputs: Any, is_training: Any, build_ctx: BuildContext | None = None) -> Any:
        """Return the predictions of the network, as a user's subclass calling ``super().get_predictions`` expects.

        Args:
            inputs: batch of images in the layout of the pipeline; channels and spatial axes are those it has in the
                first call, whatever the user's code has made of the pipeline's image.
            is_training: whether this is a training step.
            build_ctx: the objects of the step; without it those of the step that is running.

        Returns:
            Tensor (N, num_classes, spatial...) in the layout of the pipeline, or (N, num_classes).

        Raises:
            ClaraError: the network cannot take that image.
        """
        from clara_compat.tensorflow.built_in import Surroundings

        around = Surroundings.of(build_ctx)
        image = around.channel_first(inputs)
        network = getattr(self, "built_in_network", None)
        if network is None:
            context = BundleContext(
                spatial_dims=image.ndim - 2, in_channels=image.shape[1], crop_size=around.crop_size(image)
            )
            network = self.built_in_network = self.bundle_entry(context).made().to(image.device)
        if network.training != bool(is_training):
            network.train(bool(is_training))
        return around.laid_out(network(image))

    def get_loss(self) -> Any:
        """Return what the network adds to the loss, a scalar: 0 before its first call."""
        network = getattr(self, "built_in_network", None)
        return 0 if network is None else network.extra_loss()

    def network_arguments(self, context: BundleContext) -> dict[str, Any]:
        """Return the arguments of the network that not all have.

        Raises:
            ClaraError: they do not go with ``context``.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its network is made of")

    def check_size(self, name: str, sizes: Sequence[int]) -> None:
        """Check that the network can take an input of these spatial sizes.

        Args:
            name: what the sizes are, for the message: ``output_crop_size``, ``roi_size``.
            sizes: sizes in voxels; -1 is not known and passes.

        Raises:
            ClaraError: a size cannot be halved as often as the network does.
        """
        divisor = 2**self.halvings
        if any(size > 0 and size % divisor for size in sizes):
            raise ClaraError(
                f"the {type(self).__name__} halves its input {self.halvings} times, so every size must be a multiple "
                f"of {divisor}, but {name} is {list(sizes)}: use other sizes{self.shallower}"
            )

    @property
    def normalises_over_batch(self) -> bool:
        """Whether the network has batch normalisation."""
        return self.use_batch_norm

    def deepest_voxels(self, sizes: Sequence[int]) -> int:
        """Return how many voxels an image of these spatial sizes has at least where its features are normalised."""
        return math.prod(size // 2**self.halvings for size in sizes)

    def check_batch(self, items: int, sizes: Sequence[int]) -> None:
        """Check that batch normalisation can be trained.

        Args:
            items: images in a batch.
            sizes: spatial sizes of an image in voxels; -1 is not known and passes.

        Raises:
            ClaraError: it would see a single value per channel.
        """
        known = sizes and min(sizes) > 0
        if known and items == 1 and self.normalises_over_batch and self.deepest_voxels(sizes) == 1:
            raise ClaraError(
                f"the {type(self).__name__} normalises over the batch, but of one image of {list(sizes)} a single "
                "voxel is left at its deepest: use a larger output_batch_size or output_crop_size"
            )

    def norm(self) -> Any:
        """Return the normalisation as the networks take it: None, ``batch``, or a name with its options."""
        if self.use_batch_norm:
            return "batch"
        return ["group", {"num_groups": self.use_group_normG}] if self.use_group_norm else None

    def check_groups(self, channels: Sequence[int], where: str) -> None:
        """Check that ``use_group_normG`` groups can share out these numbers of channels.

        Args:
            channels: that are normalised.
            where: where they come from, for the message.

        Raises:
            ClaraError: one of them is not divisible.
        """
        if not self.use_group_norm or self.use_batch_norm:
            return
        groups = self.use_group_normG
        uneven = [n for n in channels if groups < 1 or n % min(groups, n)]
        if uneven:
            raise ClaraError(
                f"use_group_normG is {groups}, which does not divide the {uneven[0]} channels of {where}: "
                "choose a number that divides all of them"
            )


def numbers(name: str, text: str) -> list[int]:
    """Return the numbers of an argument such as ``32,64,64,64``.

    Raises:
        ClaraError: it is none of positive whole numbers.
    """
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise ClaraError(f"{name} is '{text}', expected positive whole numbers separated by commas, such as '32,64,64'")
    return found


def check_dims(n_spatial_dim: int | None, context: BundleContext) -> None:
    """Check a model's own number of spatial dimensions, if it has one, against the image pipeline's.

    Raises:
        ClaraError: they differ.
    """
    if n_spatial_dim is not None and n_spatial_dim != context.spatial_dims:
        raise ClaraError(
            f"n_spatial_dim is {n_spatial_dim} but the images of the pipeline have {context.spatial_dims} spatial "
            "dimensions: leave it out, or mend output_data_dims or output_crop_size of the pipeline"
        )


def pretrained_notice(name: str | Sequence[str] | None, url: str | Sequence[str] | None) -> list[str]:
    """Return what to say of pretrained weights that Clara read: one sentence, or none when none are named."""
    named = name or url
    if not named:
        return []
    shown = named if isinstance(named, str) else ", ".join(named)
    text = (
        f"the pretrained weights '{shown}' are of a format that is not read: the network starts from its usual random "
        "weights (MMAR_CKPT starts from the weights of an earlier training)"
    )
    return [text]
