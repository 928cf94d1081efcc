"""The base of all optimizers.

Source: clara-3.1-engine facts, section 2.0.
"""

from __future__ import annotations

from typing import Any

from clara_compat.common.build_ctx import BuildContext
from clara_compat.common.graph_component import GraphComponent

__all__ = ["Optimizer"]


class Optimizer(GraphComponent):
    """Makes the optimizer of a run.

    Args:
        args: arguments of the optimizer, all but the learning rate; kept in ``self.args`` (an assumed name).

    Example::

        class AdamW(Optimizer):
            def get_optimizer(self, lr):
                return functools.partial(torch.optim.AdamW, lr=lr, **self.args)
    """

    def __init__(self, **args: Any) -> None:
        GraphComponent.__init__(self)
        self.args = args

    def get_optimizer(self, lr: Any) -> Any:
        """Return what makes the optimizer for this learning rate.

        It takes the network's parameters and returns a torch optimizer:
        ``functools.partial(torch.optim.AdamW, lr=lr)``, or what a built-in's ``get_optimizer`` returns. In Clara it was
        TensorFlow's optimizer itself, which cannot run here.

        Args:
            lr: the initial learning rate.

        Raises:
            NotImplementedError: the subclass does not override it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement get_optimizer(lr)")

    def build(self, build_ctx: BuildContext) -> Any:
        """Return the optimizer for the learning rate of ``build_ctx``.

        Raises:
            KeyError: there is no learning rate yet.
        """
        return self.get_optimizer(build_ctx.must_get(BuildContext.KEY_LEARNING_RATE))
