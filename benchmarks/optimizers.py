"""What does a step of our optimizers cost, compared with torch's and MONAI's?

Both optimizers of a pair update copies of the same parameters by the same gradients, in turns in one process; the
parameters are those of the default Unet and of a SegResNet with 32 filters.

    python benchmarks/optimizers.py
    python benchmarks/optimizers.py --device cuda --rounds 200
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from monai.networks.nets import SegResNet
from monai.optimizers import Novograd

from clara_compat.engine.networks.unet import ClaraUNet
from clara_compat.engine.optimizers.adam import TensorFlowAdam
from clara_compat.engine.optimizers.novograd import ClaraNovoGrad
from clara_compat.engine.optimizers.rmsprop import TensorFlowRMSprop

TARGET = 1.15
"""On the CPU an optimizer takes about a hundredth of a training step."""
Make = Callable[[list[torch.nn.Parameter]], torch.optim.Optimizer]
PAIRS: dict[str, tuple[Make, Make]] = {
    "adam_fused": (lambda p: TensorFlowAdam(p, 1e-4), lambda p: torch.optim.Adam(p, 1e-4, fused=True)),
    "adam_default": (lambda p: TensorFlowAdam(p, 1e-4), lambda p: torch.optim.Adam(p, 1e-4)),
    "rmsprop": (
        lambda p: TensorFlowRMSprop(p, 1e-4, momentum=0.9),
        lambda p: torch.optim.RMSprop(p, 1e-4, momentum=0.9),
    ),
    "novograd": (
        lambda p: ClaraNovoGrad(p, 1e-4, weight_decay=1e-4),
        lambda p: Novograd(p, 1e-4, (0.95, 0.98), weight_decay=1e-4),
    ),
}


def parameters(network: torch.nn.Module, device: str) -> list[torch.nn.Parameter]:
    """Return copies of a network's parameters with gradients."""
    copies = [torch.nn.Parameter(parameter.detach().clone().to(device)) for parameter in network.parameters()]
    for one in copies:
        one.grad = torch.full_like(one, 0.1)
    return copies


def seconds(optimizer: torch.optim.Optimizer, steps: int, device: str) -> float:
    """Return the seconds of a step, the device's work included."""
    started = time.perf_counter()
    for _ in range(steps):
        optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - started) / steps


def main() -> None:
    """Compare every pair and print the ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    options.add_argument("--rounds", type=int, default=15, help="turns of each side")
    options.add_argument("--steps", type=int, default=5, help="steps per turn")
    chosen = options.parse_args()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {chosen.device}")
    ratios = []
    for name, network in (("unet", ClaraUNet(3, 1, 2)), ("segresnet", SegResNet(init_filters=32))):
        for pair, makers in PAIRS.items():
            sides = [make(parameters(network, chosen.device)) for make in makers]
            turns = [[seconds(side, chosen.steps, chosen.device) for side in sides] for _ in range(chosen.rounds + 1)]
            ours, theirs = zip(*turns[1:], strict=True)  # the first turn makes the state
            medians = [1000 * statistics.median(side) for side in (ours, theirs)]
            print(f"{name:10} {pair:13} ours {medians[0]:8.3f} ms, theirs {medians[1]:8.3f} ms")
            ratios.append((f"{pair}_{name}", statistics.median(a / b for a, b in turns[1:])))
    for ratio_name, ratio in ratios:
        print(f"ratio optimizer_{ratio_name} {ratio:.3f} target {TARGET}")


if __name__ == "__main__":
    main()
