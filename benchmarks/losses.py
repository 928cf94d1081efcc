"""What do Clara's losses cost, compared with MONAI's?

A training step's share of the loss, forward and backward down to the logits, in turns: on our side the network's final
activation is counted, too, as MONAI's losses take it over. Where the maths is the same the gradients are compared.

The cross entropy has a wider target: it stands against torch's own, one fused operation that needs no probabilities,
while ours has the activation before it, ``smooth`` and labels without a class.

    python benchmarks/losses.py                # 2 x 3 x 96^3, the targets
    python benchmarks/losses.py --size 32 --rounds 3
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from monai.losses import DiceCELoss, DiceFocalLoss, DiceLoss, FocalLoss
from torch import nn

from clara_compat.engine.losses.cross_entropy import ClaraCrossEntropyLoss
from clara_compat.engine.losses.dice import ClaraDiceLoss
from clara_compat.engine.losses.focal import ClaraFocalLoss
from clara_compat.engine.losses.weighted_sum import WeightedSumLoss
from clara_compat.engine.networks.activation import FinalActivation

Step = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def pairs() -> dict[str, tuple[nn.Module, Step, bool, float]]:
    """Return ours, MONAI's, whether the two are the same function of the logits, and the target of the ratio."""
    softmax = {"softmax": True, "to_onehot_y": True}
    dice, focal = {"smooth_nr": 0.0, "smooth_dr": 1e-5, **softmax}, {"gamma": 2.0, "to_onehot_y": True}
    entropy = nn.CrossEntropyLoss()
    return {
        "dice": (ClaraDiceLoss(), DiceLoss(**dice), True, 1.1),
        "cross_entropy": (
            ClaraCrossEntropyLoss(smooth=0.0),
            lambda logits, labels: entropy(logits, labels[:, 0].long()),
            True,
            1.9,
        ),
        "cross_entropy_smooth": (
            ClaraCrossEntropyLoss(),
            lambda logits, labels: entropy(logits, labels[:, 0].long()),
            False,
            2.3,
        ),
        "focal": (ClaraFocalLoss(alpha=1.0 / 3), FocalLoss(use_softmax=True, **focal), True, 1.0),
        "cross_entropy_dice": (
            WeightedSumLoss([ClaraCrossEntropyLoss(smooth=0.0), ClaraDiceLoss()]),
            DiceCELoss(**dice),
            True,
            1.35,
        ),
        "focal_dice": (
            WeightedSumLoss([ClaraFocalLoss(alpha=1.0 / 3), ClaraDiceLoss()]),
            DiceFocalLoss(**dice, gamma=2.0),
            False,  # MONAI's focal part is that of independent sigmoids
            1.0,
        ),
    }


def step(loss: Step, logits: torch.Tensor, labels: torch.Tensor) -> tuple[float, torch.Tensor]:
    """Return the seconds of a forward and a backward pass, and the gradient."""
    logits.grad = None
    synchronise(logits.device)
    started = time.perf_counter()
    loss(logits, labels).backward()
    synchronise(logits.device)
    gradient = logits.grad
    if gradient is None:
        raise RuntimeError("the loss does not depend on the logits")
    return time.perf_counter() - started, gradient


def synchronise(device: torch.device) -> None:
    """Wait for what the device has to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    """Compare every loss with MONAI's and print the ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=96, help="edge of the patches in voxels")
    options.add_argument("--batch-size", type=int, default=2)
    options.add_argument("--classes", type=int, default=3)
    options.add_argument("--rounds", type=int, default=9, help="steps of each side that count")
    options.add_argument("--device", default="cpu")
    chosen = options.parse_args()
    torch.manual_seed(0)
    shape = (chosen.size,) * 3
    logits = torch.randn(chosen.batch_size, chosen.classes, *shape, device=chosen.device, requires_grad=True)
    labels = torch.randint(0, chosen.classes, (chosen.batch_size, 1, *shape), device=chosen.device).float()
    activation = FinalActivation("softmax")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {chosen.device}, {list(logits.shape)}")
    for name, (loss, monai, same, target) in pairs().items():

        def ours(values: torch.Tensor, targets: torch.Tensor, loss: nn.Module = loss) -> torch.Tensor:
            return loss(activation(values), targets)

        seconds = []
        for turn in range(chosen.rounds + 1):
            mine, gradient = step(ours, logits, labels)
            theirs, other = step(monai, logits, labels)
            if turn:  # the first one warms both up
                seconds.append((mine, theirs))
        if same:
            torch.testing.assert_close(gradient, other, rtol=1e-3, atol=1e-10)
        mine, theirs = (1000 * statistics.median(column) for column in zip(*seconds, strict=True))
        ratio = statistics.median(a / b for a, b in seconds)
        print(f"{name:22} ours {mine:8.1f} ms   MONAI {theirs:8.1f} ms")
        print(f"ratio loss_{name} {ratio:.3f} target {target}")


if __name__ == "__main__":
    main()
