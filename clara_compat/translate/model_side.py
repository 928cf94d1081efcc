"""The model of a workflow: its network, its part of the loss, and what other components are told of it."""

from __future__ import annotations

from dataclasses import replace

from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.components.models._common import BuiltInModel
from clara_compat.config.arguments import create
from clara_compat.config.components import ComponentSpec
from clara_compat.errors import Address, ClaraError
from clara_compat.translate.own_modules import kind_of

__all__ = ["ModelSide"]


class ModelSide:
    """What the model becomes in a training.

    Args:
        spec: the model's.
    """

    def __init__(self, spec: ComponentSpec) -> None:
        self.spec = spec
        self.kind = kind_of(spec)
        model = create(spec) if self.kind == "catalogue" else None
        self.built_in = model if isinstance(model, BuiltInModel) else None
        """The model when it is one of the catalogue."""
        self.addresses = dict.fromkeys(("network", "network_def"), spec.address)

    def told(self, context: BundleContext) -> BundleContext:
        """Return the context with the outputs of the model, as far as the config tells; nothing of a user's model."""
        if self.built_in is not None:
            return replace(context, outputs=self.built_in.num_classes, final_activation=self.built_in.activation)
        outputs = self.spec.args.get("out_channels") if self.kind == "stock" else None
        return replace(context, outputs=outputs) if type(outputs) is int else context

    def check_batch(self, items: int | None, context: BundleContext) -> None:
        """Check that the network can be trained with batches of so many items, when both are known.

        Raises:
            ClaraError: it cannot.
        """
        if self.built_in is None or items is None:
            return
        try:
            self.built_in.check_batch(items, context.crop_size or ())
        except ClaraError as error:
            raise ClaraError(error.message, self.spec.address) from error

    def check_windows(self, inferer: Entry, address: Address) -> None:
        """Check the windows of an inferer against what the network takes.

        Raises:
            ClaraError: it does not take them.
        """
        roi_size = inferer.arguments.get("roi_size")
        if roi_size is None or self.built_in is None:
            return
        try:
            self.built_in.check_size("roi_size", roi_size)
        except ClaraError as error:
            raise ClaraError(error.message, address) from error

    def loss_function(self) -> Expression | Entry:
        """Return the trainer's loss: the configured one, with the network's own where it has one."""
        if not self._has_extra_loss():
            return Expression("@loss")
        return Entry(
            "clara_compat.engine.losses.extra.LossWithExtra", loss=Expression("@loss"), network=Expression("@network")
        )

    def _has_extra_loss(self) -> bool:
        if self.built_in is not None:
            return self.built_in.has_extra_loss
        user = self.spec.user
        return self.kind == "legacy" or (self.kind == "module" and user is not None and "extra_loss" in user.methods)

    def network(self, start_weights: str | Expression | None) -> Entry | Expression:
        """Return the network on its device, with the weights it starts from."""
        network = Expression("$@network_def.to(@device)")
        if start_weights is None:
            return network
        target = "clara_compat.engine.fine_tuning.load_into"
        return Entry(target, network=network, path=start_weights)
