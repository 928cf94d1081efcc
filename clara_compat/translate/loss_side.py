"""The loss of a workflow: its entries, and what of it is trained."""

from __future__ import annotations

from typing import Any

from clara_compat.components.entry import BundleContext, Entry, Expression
from clara_compat.config.workflow import TrainWorkflow
from clara_compat.translate.own_modules import kind_of, loss_entry

__all__ = ["LossSide"]


class LossSide:
    """What the loss becomes in a training.

    Args:
        workflow: the resolved config.
    """

    def __init__(self, workflow: TrainWorkflow) -> None:
        self.workflow = workflow
        self.kind = kind_of(workflow.train.loss)
        self.learns = self.kind in ("legacy", "module")
        """Whether it may have variables of its own: the optimizer trains them and the checkpoint keeps them, as in
        TensorFlow. Only training needs them."""
        self.addresses = dict.fromkeys(("loss", "loss_def"), workflow.train.loss.address)

    def entries(self, context: BundleContext, start_weights: str | Expression | None) -> dict[str, Any]:
        """Return the entries of the loss; one that may have tensors of its own is brought to the device.

        Args:
            context: of the training section, with what is known of the network.
            start_weights: file of weights that the training starts from; None for new ones.

        Raises:
            ClaraError: the loss refuses its arguments, or does not go with the network.
        """
        entry = loss_entry(self.workflow, context)
        if self.kind == "catalogue":
            return {"loss": entry}
        loss: Entry | Expression = Expression("$@loss_def.to(@device)")
        if start_weights is not None and self.learns:
            target = "clara_compat.engine.loss_variables.load_loss_into"
            loss = Entry(target, loss=loss, path=start_weights, network=Expression("@network"))
        return {"loss_def": entry, "loss": loss}

    @property
    def parameters(self) -> Expression:
        """What the optimizer trains."""
        if not self.learns:
            return BundleContext.parameters
        return Expression("$[*@network.parameters(), *@loss.parameters()]")
