"""A user's Clara model as a torch network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from clara_compat.common.blame import users_code
from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.data_format import DataFormat
from clara_compat.common.data_prop import DataProperty
from clara_compat.common.graph_component import GraphComponent
from clara_compat.errors import ClaraError
from clara_compat.tensorflow.graph import Graph, entered
from clara_compat.tensorflow.layout import channel_first, label_shape, laid_out, plain
from clara_compat.tensorflow.user_module import UserModule

__all__ = ["LegacyNetwork"]


@dataclass
class _Call:
    """What is held of the last call, and the label of the next."""

    label: torch.Tensor | None = None
    graph: Graph | None = None
    context: BuildContext | None = None


class LegacyNetwork(UserModule):
    """Runs ``get_predictions`` of a user's model, written with TensorFlow 1 or with torch inside.

    The model is built at once, on a made-up image of the given size, not training and then training: its variables
    exist before an optimizer is made, and what cannot run is found before the first batch. After that every call starts
    from the state the model had after ``__init__``, as if TensorFlow built its graph (``self.layers`` does not grow);
    layers of torch that it made are kept.

    Args:
        model: the user's object.
        name: its class, for messages.
        data_property: what the pipeline says of its data; the model gets and returns its layout.
        spatial_size: size of the made-up image, in voxels.
        learning_rate: what the model finds in its context until :meth:`step` says otherwise.

    Raises:
        ClaraError: the model has no ``get_predictions``, fails, or returns something else than a tensor.
    """

    def __init__(
        self,
        model: Any,
        name: str,
        data_property: DataProperty,
        spatial_size: Sequence[int],
        learning_rate: float = 0.0,
    ) -> None:
        method = "get_predictions(inputs, is_training, build_ctx)"
        super().__init__(model, "model", name, method, data_property, learning_rate)
        self.spatial_size = tuple(spatial_size)
        self._call = _Call()
        self.predictions_shape: tuple[int, ...] = self._build()

    def step(
        self,
        image: torch.Tensor | None = None,
        label: torch.Tensor | None = None,
        learning_rate: float | None = None,
    ) -> None:
        """Say what the context of the next call holds besides the image.

        Args:
            image: not needed here: the call has it.
            label: of the batch, (N, C, spatial...); outside training the context holds zeros without one.
            learning_rate: of the moment.
        """
        self._call.label = label
        if learning_rate is not None:
            self.learning_rate = learning_rate

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the predictions (N, classes, spatial...) for a batch of images (N, C, spatial...).

        Args:
            image: the batch.
        """
        image = plain(image)
        self._built.clear()
        found = self._called(self._new_graph(self.training, image.device), image, self._call.label)
        self.parts.check()
        return found

    def extra_loss(self) -> torch.Tensor:
        """Return what the model adds to the loss of the last call, a scalar: Clara's ``Model.get_loss``.

        After a call that trains, the updates that its ``get_update_ops`` names are run, as Clara ran them in each step.
        """
        graph, self._call.graph, self._call.context = self._call.graph, None, None
        device = next((parameter.device for parameter in self.parameters()), None)
        if graph is None:
            return torch.zeros((), device=device)
        with entered(graph), users_code(self.what):
            value = self.user.get_loss() if callable(getattr(self.user, "get_loss", None)) else 0
            if graph.training and callable(getattr(self.user, "get_update_ops", None)):
                graph.run_updates(self.user.get_update_ops())
            graph.finish()
        self._rewind.back()  # lets go of what the model keeps of this call
        loss = value if isinstance(value, torch.Tensor) else torch.as_tensor(value, dtype=torch.float32, device=device)
        if loss.numel() != 1:
            raise ClaraError(
                f"{self.what}: get_loss returned a tensor of shape {list(loss.shape)}, expected a scalar: take "
                "its mean or sum"
            )
        return loss.reshape(()).float()

    @property
    def context(self) -> BuildContext | None:
        """What the last call built, which the loss finds too; None after :meth:`extra_loss`."""
        return self._call.context

    def __getstate__(self) -> dict[str, Any]:
        """Leave the last call out of copies: torch copies no tensor of a running step."""
        self._rewind.back()
        return {**self.__dict__, "_call": _Call(), "_built": {}}

    @torch.no_grad()
    def made_up(self, training: bool) -> BuildContext:
        """Run the model on a made-up image, and return its context; nothing is kept of it.

        Args:
            training: whether it trains.
        """
        device = next((parameter.device for parameter in self.parameters()), torch.device("cpu"))
        kept = {name: buffer.clone() for name, buffer in self.parts.named_buffers()}
        mode = self.training
        for part in self.parts.values():
            part.train(training)
        batch = 2 if self.parts and training else 1  # torch's layers normalise no single value
        image = torch.zeros(batch, self.data_property.num_channels, *self.spatial_size, device=device)
        label = torch.zeros(label_shape(self.data_property, image.shape), device=device)
        self._called(self._new_graph(training, device, building=True), image, label)
        context = self._call.context or BuildContext()
        self.extra_loss()
        self.parts.take()
        self._forget(kept)
        self.train(mode)
        return context

    def built(self, training: bool) -> BuildContext:
        """Return the context of the pass in which the model was built; made anew once it has been called.

        Args:
            training: which of the two passes.
        """
        return self._built.get(training) or self.made_up(training)

    def _build(self) -> tuple[int, ...]:
        self.parts.take()
        self._built = {training: self.made_up(training) for training in (False, True)}
        found = self._built[True][BuildContext.KEY_MODEL_OUTPUT]
        if not list(self.parameters()):
            raise ClaraError(
                f"{self.what} has nothing to train: it made no variables; layers of torch must be kept on self"
            )
        return (1, *channel_first(found, self.data_property).shape[1:])

    def _forget(self, kept: Mapping[str, torch.Tensor]) -> None:
        """Let go of the averages of made-up images: put back what was there, start anew what was made since."""
        for name, module in self.parts.named_modules():
            own = {key: buffer for key, buffer in module.named_buffers(name, recurse=False) if buffer is not None}
            for key, buffer in own.items():
                if key in kept:
                    buffer.copy_(kept[key])
            if own and not own.keys() & kept.keys() and hasattr(module, "reset_running_stats"):
                module.reset_running_stats()

    def _called(self, graph: Graph, image: torch.Tensor, label: torch.Tensor | None) -> torch.Tensor:
        self._rewind.back()
        context = BuildContext()
        context[BuildContext.KEY_DATA_PROP] = self.data_property
        context[BuildContext.KEY_IS_TRAIN] = graph.training
        context[BuildContext.KEY_LEARNING_RATE] = self.learning_rate
        context[BuildContext.KEY_MODEL_INPUT] = laid_out(image, self.data_property)
        if label is None and not graph.training:  # there TensorFlow did not run what a model makes of the label
            label = image.new_zeros(label_shape(self.data_property, image.shape))
        if label is not None:
            context[BuildContext.KEY_LABEL_INPUT] = laid_out(plain(label).to(image.device).float(), self.data_property)
        graph.context, graph.input_shape = context, tuple(context[BuildContext.KEY_MODEL_INPUT].shape)
        graph.input_dtype = image.dtype
        with entered(graph), users_code(self.what):
            found = self._predictions(context)
            graph.finish()
        if not isinstance(found, torch.Tensor):
            raise ClaraError(
                f"{self.what}: get_predictions returned a {type(found).__name__}, expected the tensor of predictions"
            )
        if graph.building and (found.ndim not in (2, image.ndim) or found.shape[0] != image.shape[0]):
            raise ClaraError(
                f"{self.what}: get_predictions returned a tensor of shape {list(found.shape)} for images of "
                f"{list(image.shape)}, expected (N, classes) or {image.ndim} axes"
            )
        if graph.building and self._channels_taken_last(image.shape, found.shape):
            raise ClaraError(
                f"{self.what}: get_predictions returned a tensor of shape {list(found.shape)} for images of "
                f"{list(image.shape)}: its layers took the last axis for the channels, which come first here; give "
                "them data_format='channels_first', or transpose the images before and the predictions after them"
            )
        context[BuildContext.KEY_MODEL_OUTPUT] = found
        self._call.graph, self._call.context = graph, context
        return channel_first(
            found.float() if found.dtype in (torch.float16, torch.bfloat16) else found, self.data_property
        )

    def _channels_taken_last(self, image: Sequence[int], found: Sequence[int]) -> bool:
        """Whether layers whose default is channels_last were given images with their channels first.

        Nothing but the last spatial axis has changed then, which has one entry per class now.
        """
        spatial = len(found) == len(image) and len(image) > 3
        first = self.data_property.data_format == DataFormat.CHANNELS_FIRST
        return first and spatial and found[:-1] == image[:-1] and found[-1] != image[-1]

    def _predictions(self, context: BuildContext) -> Any:
        if isinstance(self.user, GraphComponent):  # its build may be the user's own
            return self.user.build(context)
        inputs, training = context[BuildContext.KEY_MODEL_INPUT], context[BuildContext.KEY_IS_TRAIN]
        return self.user.get_predictions(inputs, training, context)
