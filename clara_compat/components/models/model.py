"""The base of all models.

Source: Clara 3.1 page "Bring your own components"; clara-3.1-engine facts, section 2.0.
"""

from __future__ import annotations

from typing import Any

from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.graph_component import GraphComponent

__all__ = ["Model"]


class Model(GraphComponent):
    """Maps a batch of images to predictions, ending in its own activation.

    Example::

        class OneLayer(Model):
            def __init__(self, num_classes):
                Model.__init__(self)
                self.num_classes = num_classes

            def get_predictions(self, inputs, is_training, build_ctx=None):
                logits = tf.layers.conv3d(inputs, self.num_classes, 3, padding="same", data_format="channels_first")
                return tf.nn.softmax(logits, axis=1)
    """

    def __init__(self) -> None:
        GraphComponent.__init__(self)

    def get_predictions(self, inputs: Any, is_training: Any, build_ctx: BuildContext) -> Any:
        """Return the predictions, (N, classes, spatial...) for channels first.

        Callers pass the arguments by position: user code renames the second one.

        Args:
            inputs: batch of images, (N, C, spatial...) for channels first.
            is_training: whether this is a training step.
            build_ctx: the objects built so far.

        Raises:
            NotImplementedError: the subclass does not override it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not implement get_predictions(inputs, is_training, build_ctx)"
        )

    def get_loss(self) -> Any:
        """Return the model's own loss, which is added to the configured one: 0."""
        return 0

    def get_update_ops(self) -> list[Any]:
        """Return the operations to run in each training step: those that TensorFlow code collected as updates."""
        from clara_compat.tensorflow.graph import running

        graph = running()
        return [] if graph is None else graph.collected("update_ops")

    def build(self, build_ctx: BuildContext) -> Any:
        """Return the predictions for the model input of ``build_ctx``.

        Raises:
            KeyError: the model input or the training flag is not built yet.
        """
        inputs = build_ctx.must_get(BuildContext.KEY_MODEL_INPUT)
        is_training = build_ctx.must_get(BuildContext.KEY_IS_TRAIN)
        return self.get_predictions(inputs, is_training, build_ctx)
