"""Is a training step of the engine's SegResNet as fast as one of MONAI's of equal size?

Both take the same batch, in turns: forward, mean of the squares, backward. The engine's pads as TensorFlow does and
ends in a softmax, which MONAI's gets here as well. A third and fourth network add the VAE branch.

    python benchmarks/networks.py                # 64^3
    python benchmarks/networks.py --device cuda
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from monai.networks.nets import SegResNet, SegResNetVAE

from clara_compat.engine.networks.segresnet import ClaraSegResNet

TARGET = 1.05


def steps(size: int, filters: int, device: torch.device) -> dict[str, Callable[[], None]]:
    """Return a training step of each network by its name."""
    image = torch.rand(1, 1, size, size, size, device=device)
    cube = (size, size, size)
    networks = {
        "monai": SegResNet(init_filters=filters),
        "engine": ClaraSegResNet(3, 1, 2, init_filters=filters),
        "monai vae": SegResNetVAE(cube, vae_estimate_std=True, vae_nz=128, init_filters=filters),
        "engine vae": ClaraSegResNet(3, 1, 2, init_filters=filters, vae_image_size=cube, reg_weight=1e-5),
    }
    for network in networks.values():
        network.to(device)

    def step(network: torch.nn.Module) -> None:
        network.zero_grad()
        out = network(image)
        if isinstance(network, ClaraSegResNet):
            loss = out.square().mean() + network.extra_loss()
        else:
            logits, extra = out if isinstance(out, tuple) else (out, 0.0)
            loss = torch.softmax(logits, dim=1).square().mean() + extra
        loss.backward()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return {name: lambda network=network: step(network) for name, network in networks.items()}


def main() -> None:
    """Compare the networks and print the ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=64, help="edge of the patch in voxels")
    options.add_argument("--filters", type=int, default=8)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--device", default="cpu")
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    sides = steps(chosen.size, chosen.filters, torch.device(chosen.device))
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(chosen.rounds + 2):
        for name, run in sides.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    for name, each in seconds.items():
        print(f"{name:12} {1000 * statistics.median(each[2:]):8.1f} ms (median)")
    where = f"{chosen.device}, {chosen.threads} threads"
    print(f"torch {torch.__version__}, {where}, {chosen.size}^3, {chosen.filters} filters")
    for kind in ("", " vae"):
        pairs = zip(seconds[f"engine{kind}"][2:], seconds[f"monai{kind}"][2:], strict=True)
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"ratio segresnet{kind.replace(' ', '_')}_step {ratio:.3f} target {TARGET}")


if __name__ == "__main__":
    main()
