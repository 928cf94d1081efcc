"""A user's Clara loss as a torch loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_map_only

from clara_compat.common.blame import users_code
from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.data_prop import DataProperty
from clara_compat.common.graph_component import GraphComponent
from clara_compat.errors import ClaraError
from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.layout import channel_first, label_shape, laid_out, plain
from clara_compat.tensorflow.network import LegacyNetwork
from clara_compat.tensorflow.user_module import UserModule

__all__ = ["LegacyLoss", "legacy_loss"]


class LegacyLoss(UserModule):
    """Runs ``get_loss`` of a user's loss, written with TensorFlow 1 or with torch inside.

    It is built at once on made-up predictions and a label that holds every class: a loss may make variables, which
    exist before the optimizer does. See :class:`~clara_compat.tensorflow.network.LegacyNetwork`.

    Args:
        loss: the user's object.
        name: its class, for messages.
        data_property: what the pipeline says of its data; the loss gets its layout.
        predictions_shape: channel-first, (N, classes, spatial...) or (N, classes).
        learning_rate: what the loss finds in its context until :meth:`step` says otherwise.
        network: its context (model input and more) is the loss's too, when it is a user's.
        final_activation: what the network ends in, when it is known: a loss of the catalogue from which the user's
            derives needs it.
        spatial_size: of the made-up image that a loss finds beside predictions of a network that is no user's, in
            voxels; by default that of the predictions.

    Raises:
        ClaraError: the loss has no ``get_loss``, fails, or returns something else than one number.
    """

    def __init__(
        self,
        loss: Any,
        name: str,
        data_property: DataProperty,
        predictions_shape: Sequence[int],
        learning_rate: float = 0.0,
        network: nn.Module | None = None,
        final_activation: str | None = None,
        spatial_size: Sequence[int] | None = None,
    ) -> None:
        method = "get_loss(predictions, targets, build_ctx)"
        super().__init__(loss, "loss", name, method, data_property, learning_rate)
        self.final_activation = final_activation
        self._network = [network]  # in a list: it is no part of this module
        self._image: torch.Tensor | None = None
        self._has_gradient = False
        self._build(tuple(predictions_shape), spatial_size)

    def step(
        self,
        image: torch.Tensor | None = None,
        label: torch.Tensor | None = None,
        learning_rate: float | None = None,
    ) -> None:
        """Say what the context of the next call holds besides predictions and targets.

        Args:
            image: of the batch, (N, C, spatial...).
            label: not needed here: the call has it.
            learning_rate: of the moment.
        """
        self._image = image
        if learning_rate is not None:
            self.learning_rate = learning_rate

    def forward(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the loss, a scalar.

        Args:
            predictions: (N, classes, spatial...) or (N, classes).
            targets: (N, C, spatial...) or (N, labels).
        """
        graph = self._new_graph(self.training, predictions.device)
        network = self._network[0]
        known = network.context if isinstance(network, LegacyNetwork) else None
        output = None if known is None else channel_first(known[BuildContext.KEY_MODEL_OUTPUT], self.data_property)
        if output is not None and output.shape != predictions.shape:
            known = None  # it is of the last window of a scan
        found = self._called(graph, plain(predictions), plain(targets), known)
        self.parts.check()
        return found

    @torch.no_grad()
    def _build(self, shape: tuple[int, ...], spatial_size: Sequence[int] | None) -> None:
        network, classes = self._network[0], shape[1]
        size = shape[2:] if spatial_size is None else spatial_size
        for training in (False, True):
            self.train(training)
            known = network.built(training) if isinstance(network, LegacyNetwork) else BuildContext()
            known = BuildContext(tree_map_only(torch.Tensor, torch.Tensor.cpu, dict(known)))
            if not known and size:
                image = torch.zeros(1, self.data_property.num_channels, *size)
                known[BuildContext.KEY_MODEL_INPUT] = laid_out(image, self.data_property)
            batch = known[BuildContext.KEY_MODEL_INPUT].shape[0] if known else 1
            predictions = torch.full((batch, *shape[1:]), 1.0 / max(classes, 2))
            targets = torch.zeros(label_shape(self.data_property, predictions.shape))
            targets = (torch.arange(targets.numel()) % max(classes, 2)).reshape(targets.shape)
            with torch.set_grad_enabled(training):
                given = predictions.requires_grad_(training).clone()  # which the loss may change in place
                self._called(self._new_graph(self.training, predictions.device, building=True), given, targets, known)
            self.parts.take()

    def _called(
        self, graph: Graph, predictions: torch.Tensor, targets: torch.Tensor, known: BuildContext | None
    ) -> torch.Tensor:
        self._rewind.back()
        context = BuildContext(known or {})
        context[BuildContext.KEY_DATA_PROP] = self.data_property
        context[BuildContext.KEY_IS_TRAIN] = graph.training
        context[BuildContext.KEY_LEARNING_RATE] = self.learning_rate
        if self._image is not None:
            context[BuildContext.KEY_MODEL_INPUT] = laid_out(plain(self._image), self.data_property)
        context[BuildContext.KEY_MODEL_OUTPUT] = laid_out(predictions, self.data_property)
        single = torch.promote_types(predictions.dtype, torch.float32)  # or double, where all is
        context[BuildContext.KEY_LABEL_INPUT] = laid_out(targets.to(single), self.data_property)
        context.final_activation = self.final_activation
        graph.context, graph.input_shape = context, tuple(context[BuildContext.KEY_MODEL_OUTPUT].shape)
        graph.input_dtype = predictions.dtype
        with entered(graph), users_code(self.what):
            found = self._value(context)
            graph.finish()
        if not isinstance(found, torch.Tensor) or found.numel() != 1:
            if found is None:
                what, fix = "nothing", "does it end in a return?"
            elif isinstance(found, torch.Tensor):
                what, fix = f"a tensor of shape {list(found.shape)}", "take its mean or sum"
            else:
                what, fix = f"a {type(found).__name__}", "take its mean or sum"
            raise ClaraError(
                f"{self.what}: {_place(self.user)}get_loss returned {what}, expected a scalar tensor: {fix}"
            )
        if predictions.requires_grad and torch.is_grad_enabled():
            found = self._with_gradient(found, predictions, graph)
        return found.reshape(()).float()

    def _with_gradient(self, found: torch.Tensor, predictions: torch.Tensor, graph: Graph) -> torch.Tensor:
        """Return the loss with a gradient of zero where this batch gives it none, as in a graph of TensorFlow.

        A branch that returns a number does so: where a batch has no foreground, say.

        Raises:
            ClaraError: it had none yet, not even when it was built.
        """
        if found.requires_grad:
            self._has_gradient = True
        elif self._has_gradient:
            found = found.reshape(()) + (predictions * 0).sum()
        elif not graph.building:
            raise ClaraError(
                f"{self.what}: {_place(self.user)}what get_loss returned has no gradient, so nothing can be "
                "trained with it: argmax, round, comparisons, casts to whole numbers, py_func and stop_gradient end "
                "it, and so do targets taken for predictions (the arguments are predictions, targets, build_ctx)"
            )
        return found

    def _value(self, context: BuildContext) -> Any:
        if isinstance(self.user, GraphComponent):  # its build may be the user's own
            return self.user.build(context)
        predictions, targets = context[BuildContext.KEY_MODEL_OUTPUT], context[BuildContext.KEY_LABEL_INPUT]
        return self.user.get_loss(predictions, targets, context)


def _place(loss: Any) -> str:
    code = getattr(getattr(loss.get_loss, "__func__", None), "__code__", None)
    return "" if code is None else f"{code.co_filename}:{code.co_firstlineno}: "


def legacy_loss(
    loss: Any,
    name: str,
    data_property: DataProperty,
    network: nn.Module,
    spatial_size: Sequence[int],
    learning_rate: float = 0.0,
    final_activation: str | None = None,
) -> LegacyLoss:
    """Make the :class:`LegacyLoss` for what a network predicts.

    Args:
        loss: the user's object.
        name: its class, for messages.
        data_property: what the pipeline says of its data.
        network: a user's network, or any other, which is called once on an empty image of the given size.
        spatial_size: in voxels.
        learning_rate: see :class:`LegacyLoss`.
        final_activation: see :class:`LegacyLoss`.
    """
    if isinstance(network, LegacyNetwork):
        shape = network.predictions_shape
    else:
        device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
        mode = network.training
        with torch.no_grad():
            image = torch.zeros(1, data_property.num_channels, *spatial_size, device=device)
            shape = tuple(network.eval()(image).shape)
        network.train(mode)
    return LegacyLoss(loss, name, data_property, shape, learning_rate, network, final_activation, spatial_size)
