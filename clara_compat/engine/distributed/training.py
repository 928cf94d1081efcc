"""Training steps of several processes that are one step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
import torch.distributed as dist
from ignite.engine import Engine, Events
from monai.engines.utils import IterationEvents
from monai.utils import CommonKeys

from clara_compat.engine.distributed.gather import rank, size
from clara_compat.engine.distributed.shares import own_images

__all__ = ["TrainTogether"]


class TrainTogether:
    """Makes one step of the steps of all processes: that of a batch which holds the batches of all of them.

    Between the backward pass and the optimizer's step every gradient becomes the mean over the images of all
    processes, also where these have different numbers of them in the last batch of an epoch, or none; and the loss of
    the step becomes that of all. At the start the network of the first process is everybody's, and from then on they
    stay alike, as they make the same steps. Statistics of batch normalisation are those of a process' own images; after
    every epoch all have those of the first one, which are the ones that are saved.

    The network is not wrapped in torch's ``DistributedDataParallel``: that knows nothing of the variables of a loss and
    of parts of a loss that do not come from the network's output (a penalty on weights, the branch of a VAE), has to be
    told whether parameters may go unused, which nobody knows of a user's network, and weighs the processes alike. What
    it does meanwhile, sending gradients while the backward pass is still going on, is saved time of which a 3-D network
    has little: it has few parameters for its computations.

    The generator of torch, from which dropout draws, is another one on every process. Where there is one process,
    nothing is done.

    Args:
        network: the network.
        optimizer: its parameters are trained, those of the loss included.

    Example::

        SupervisedTrainer(..., train_handlers=[TrainTogether(network, optimizer), ...])
    """

    def __init__(self, network: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.network = network
        self.optimizer = optimizer

    def attach(self, engine: Engine) -> None:
        """Attach to a trainer, ahead of all other handlers."""
        if size() == 1:
            return
        engine.add_event_handler(Events.STARTED, self._start)
        engine.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self._average)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._share_buffers)

    def _start(self, engine: Engine) -> None:
        _copy_of_first([*self._parameters(), *self.network.parameters(), *self.network.buffers()])
        if rank():
            words = np.random.SeedSequence([torch.initial_seed() % 2**64, rank()]).generate_state(2)
            torch.manual_seed(int(words[0]) << 32 | int(words[1]))

    def _share_buffers(self, engine: Engine) -> None:
        _copy_of_first(list(self.network.buffers()))

    @torch.no_grad()
    def _average(self, engine: Engine) -> None:
        count = engine.state.share = own_images(engine)
        loss = engine.state.output[CommonKeys.LOSS].detach()
        parameters = self._parameters()
        missing = [one.grad is None for one in parameters]
        told = [count, 0, *(0 if none or not count else 1 for none in missing)]
        facts = torch.tensor(told, dtype=torch.float64, device=loss.device)
        if count:
            facts[1] = loss.double() * count
        dist.all_reduce(facts)
        total = facts[0]
        gradients = [
            torch.zeros_like(one) if one.grad is None or not count else one.grad * (count / total).to(one.grad.dtype)
            for one in parameters
        ]
        for flat, parts in _flattened(gradients):
            dist.all_reduce(flat)
            _unflattened(flat, parts)
        # a parameter that no process used stays without a gradient: the optimizer leaves it alone
        used = facts[2:].tolist() if any(missing) else [1] * len(parameters)
        for parameter, gradient, processes in zip(parameters, gradients, used, strict=True):
            parameter.grad = gradient if processes else None
        engine.state.output[CommonKeys.LOSS] = (facts[1] / total).to(loss.dtype)

    def _parameters(self) -> list[torch.Tensor]:
        return [one for group in self.optimizer.param_groups for one in group["params"] if one.requires_grad]


@torch.no_grad()
def _copy_of_first(tensors: Sequence[torch.Tensor]) -> None:
    """Give all processes the values that the first one has."""
    for flat, parts in _flattened([one.detach() for one in tensors]):
        dist.broadcast(flat, src=0)
        _unflattened(flat, parts)


def _flattened(tensors: Iterable[torch.Tensor]) -> list[tuple[torch.Tensor, list[torch.Tensor]]]:
    """Return what can be sent together, tensors of one type and device in a row, and of which tensors it is made."""
    alike: dict[tuple[torch.dtype, torch.device], list[torch.Tensor]] = {}
    for one in tensors:
        alike.setdefault((one.dtype, one.device), []).append(one)
    return [(torch.cat([one.reshape(-1) for one in parts]), parts) for parts in alike.values()]


def _unflattened(flat: torch.Tensor, parts: Sequence[torch.Tensor]) -> None:
    """Write the values of a row back into the tensors."""
    for one, values in zip(parts, flat.split([one.numel() for one in parts]), strict=True):
        one.copy_(values.view(one.shape))
