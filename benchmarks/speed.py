"""How fast does a legacy config train, compared with what one writes by hand with MONAI?

The same network, loss, optimiser, patches, TensorBoard and checkpoints, four ways:

- ``script``: a hand-written MONAI script: ``CacheDataset``, ``DataLoader``, a plain loop in float32;
- ``bundle``: a plain MONAI bundle config, as those of MONAI's model zoo;
- ``off``: the legacy config, ``clara-compat train`` with ``accelerate: off``;
- ``auto``: the same with ``accelerate: auto``, after its trial.

Each is a process of its own, and they train in turns, epoch by epoch, so that a busy machine slows all. Twice: with
batches that lie ready, and with crops and augmentations out of a cache. Everything an epoch does is timed: loading,
steps, logging, saving. Then the time until the first batch is asked for is compared with ``import monai``.

    python benchmarks/speed.py                     # eight minutes on two cores
    python benchmarks/speed.py --quick             # under two minutes: a small network
    python benchmarks/speed.py --dice              # and the time to Dice 0.9 on the demo's scans
    python benchmarks/speed.py --markdown          # also write the figures into benchmarks/RESULTS.md
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import startup
from speed_chains import KEYS, augmented_legacy, augmented_monai, legacy_config, ready_legacy, ready_monai, write_scans
from speed_dice import LEAST_DICE, dice_times
from speed_dice import table as dice_table
from speed_facts import Utilisation, graphics, machine, processor
from speed_results import RESULTS, Table, as_markdown, replaced_section
from speed_side import Side
from speed_sides import SIDES

OFF_TARGET = 1.02
AUTO_TARGETS = {True: 0.40, False: 0.75}
"""Of a CPU with avx512_bf16, and elsewhere."""
DATA = ("ready", "augmented")
EPOCHS = 1000
"""Of every side; so long a run is worth a trial of the levers. It ends when all have had their rounds."""
NETWORKS: dict[str, dict[str, Any]] = {
    "unet": {"name": "Unet", "args": {"num_classes": 2}},
    "demo": {
        "name": "Unet",
        "args": {"num_classes": 2, "nf_enc": "16,32,32,32", "nf_dec": "32,32,32,32,32,16,16", "use_group_norm": True},
    },
    "segresnet": {"name": "SegResnet", "args": {"num_classes": 2}},
}
"""Clara's Unet as it is unless told otherwise, that of the demo's size, and its SegResnet."""


def facts_of(folder: Path, data: str, chosen: argparse.Namespace) -> dict[str, Any]:
    """Write scans and the legacy config of a comparison; return what all sides get.

    Args:
        folder: where everything of it goes.
        data: ``ready`` or ``augmented``.
        chosen: the command line.
    """
    folder.mkdir(parents=True)
    size, count = chosen.size, chosen.steps * chosen.batch
    if data == "ready":
        data_list = write_scans(folder, (size,) * 3, (1.0, 1.0, 1.0), count)
        legacy, monai = ready_legacy(), ready_monai()
    else:
        edge = 2 * (3 * size // 4)  # the axes at 1 mm
        data_list = write_scans(folder, (edge, edge, edge // 2), (1.0, 1.0, 2.0), count)
        legacy, monai = augmented_legacy(size), augmented_monai(size, (edge, edge, edge))
    config = folder / "config_train.json"
    options = {"model": NETWORKS[chosen.network], "batch_size": chosen.batch, "num_workers": chosen.workers}
    config.write_text(json.dumps(legacy_config(data_list, legacy, size, epochs=EPOCHS, **options)))
    listed = json.loads(data_list.read_text())["training"]
    return {
        "folder": str(folder),
        "config": str(config),
        "chain": monai,
        "items": [{name: str(folder / item[name]) for name in KEYS} for item in listed],
        "batch": chosen.batch,
        "workers": chosen.workers,
        "epochs": EPOCHS,
        "device": chosen.device,
    }


def compare(facts: dict[str, Any], rounds: int, meter: Utilisation | None) -> dict[str, Side]:
    """Train all sides in turns; the order goes round, so that no side always follows the same other."""
    sides: list[Side] = []
    try:
        for name in SIDES:
            sides.append(Side.start(name, facts))  # noqa: PERF401 -- those that started must end when one does not
        for turn in range(rounds + 1):
            first = turn % len(sides)
            for side in sides[first:] + sides[:first]:
                side.train(counts=turn > 0, meter=meter)
    finally:
        for side in sides:
            side.close()
    return {side.name: side for side in sides}


def repeated(facts: dict[str, Any], chosen: argparse.Namespace, meter: Utilisation | None) -> dict[str, Side]:
    """Compare in fresh processes several times, as how a process's memory happens to lie is part of its speed."""
    first, *others = (compare(facts, chosen.rounds, meter) for _ in range(chosen.starts))
    for other in others:
        for name, side in other.items():
            first[name].seconds += side.seconds
            first[name].cpu += side.cpu
            first[name].busy += side.busy
    return first


def ratio(side: Side, script: Side) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(side.seconds, script.seconds, strict=True))


def targets(*, bf16: bool, cuda: bool) -> dict[str, float]:
    """Return the most that a side may take of the script's time.

    Args:
        bf16: whether the CPU has avx512_bf16.
        cuda: whether a GPU trains.
    """
    return {"off": OFF_TARGET, "auto": AUTO_TARGETS[bf16 and not cuda]}


def rows_of(sides: dict[str, Side], steps: int, most: dict[str, float]) -> list[list[str]]:
    """Return the rows of a comparison's table."""
    script = sides["script"]
    rows = []
    for name, side in sides.items():
        busy = f"{statistics.mean(side.busy):.0f} %" if side.busy else "-"
        rows.append(
            [
                name,
                f"{1000 * statistics.median(side.seconds) / steps:.1f}",
                f"{1000 * statistics.median(side.cpu) / steps:.1f}",
                f"{ratio(side, script):.3f}",
                f"{most[name]:.2f}" if name in most else "-",
                f"{side.warm_up:.1f}",
                busy,
            ]
        )
    return rows


def choose(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line and fill in what depends on the device and on ``--quick``."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="a small network and few rounds")
    options.add_argument("--network", choices=NETWORKS, help="default: unet, with --quick demo")
    options.add_argument("--size", type=int, help="edge of the patches in voxels (default: 64, with --quick 32)")
    options.add_argument("--batch", type=int, help="patches per step (default: 1 on a CPU, 4 on a GPU)")
    options.add_argument("--steps", type=int, help="steps per epoch (default: 3, with --quick 6, on a GPU 32)")
    options.add_argument("--rounds", type=int, help="epochs of each process that count (default: 4, with --quick 3)")
    options.add_argument("--starts", type=int, help="fresh processes of each side (default: 2, with --quick 1)")
    options.add_argument("--workers", type=int, help="worker processes that load (default: 0 on a CPU, 4 on a GPU)")
    options.add_argument("--device", choices=["cpu", "cuda"], help="default: a GPU where there is one")
    options.add_argument("--data", choices=DATA, nargs="+", default=list(DATA), help="which comparisons")
    options.add_argument("--no-startup", action="store_true", help="leave the start-up out")
    options.add_argument("--dice", action="store_true", help=f"also the time to Dice {LEAST_DICE} on the demo's scans")
    options.add_argument("--markdown", action="store_true", help="also write the figures into benchmarks/RESULTS.md")
    chosen = options.parse_args(arguments)
    chosen.device = chosen.device or ("cuda" if graphics() else "cpu")
    cuda, quick = chosen.device == "cuda", chosen.quick
    defaults = {
        "network": "demo" if quick else "unet",
        "size": 32 if quick else 64,
        "batch": 4 if cuda else 1,
        "steps": 32 if cuda else 6 if quick else 3,
        "rounds": 3 if quick else 4,
        "starts": 1 if quick else 2,
        "workers": 4 if cuda else 0,
    }
    for name, value in defaults.items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, value)
    return chosen


def main() -> None:
    """Compare, print tables and ratios, and write them down when asked to."""
    chosen = choose()
    most = targets(bf16=processor().has_bf16, cuda=chosen.device == "cuda")
    meter = Utilisation() if chosen.device == "cuda" else None
    tables: list[Table] = []
    ratios: list[str] = []
    told = f"{chosen.network}, {chosen.size}³ voxels, batch {chosen.batch}, "
    told += f"{chosen.starts} x {chosen.rounds} epochs of {chosen.steps} steps"
    header = ["", "ms a step", "processor ms a step", "of the script", "at most", "s until warm", "GPU busy"]
    with tempfile.TemporaryDirectory() as name:
        for data in chosen.data:
            sides = repeated(facts_of(Path(name) / data, data, chosen), chosen, meter)
            words = {"ready": "Batches that lie ready", "augmented": "Crops and augmentations out of a cache"}[data]
            rows, note = rows_of(sides, chosen.steps, most), sides["auto"].said("accelerate: ")
            tables.append(Table(f"{words}: {told}", header, rows, note))
            tables[-1].show()
            ratios += [
                f"ratio speed_{side}_{data} {ratio(sides[side], sides['script']):.3f} target {most[side]}"
                for side in sides
                if side in most
            ]
        if not chosen.no_startup:
            seconds = startup.measure(Path(name), 2 if chosen.quick else 5)
            medians = [statistics.median(found) for found in seconds]
            row = [*(f"{median:.2f}" for median in medians), f"{startup.ratio(seconds):.2f}", f"{startup.TARGET}"]
            words = "Until the first batch is asked for, the demo"
            tables.append(Table(words, ["`import monai`, s", "`clara-compat train`, s", "ratio", "at most"], [row]))
            tables[-1].show()
            ratios.append(f"ratio startup {startup.ratio(seconds):.3f} target {startup.TARGET}")
        if chosen.dice:
            tables.append(
                dice_table(dice_times(Path(name), [side for side in SIDES if side != "bundle"], chosen.device))
            )
            tables[-1].show()
    if meter is not None:
        meter.close()
    facts = machine(chosen.device)
    print("\n".join(f"{name}: {value}" for name, value in facts.items()))
    if chosen.markdown:
        RESULTS.write_text(replaced_section(RESULTS.read_text(), as_markdown(chosen.device, facts, tables)))
    print("\n".join(ratios))


if __name__ == "__main__":
    main()
