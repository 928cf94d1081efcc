"""One side of ``speed.py``, in a process of its own: it trains an epoch when it is told to, and says how long it took.

Sides have their own processes because settings of a process (how memory is given back, threads, kernels) would
otherwise reach the others.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SIDES = ("script", "bundle", "off", "auto")
"""A hand-written MONAI script, a MONAI bundle, the legacy config as it is, and with the levers that win their trial."""


class Turns:
    """Waits to be told to go, and tells the seconds of what came before.

    Args:
        told: lines that say to go on; when there are none left, the process ends.
        report: where each turn is reported as a line of JSON.
    """

    def __init__(self, told: Iterator[str], report: Callable[[str], Any]) -> None:
        self.told = told
        self.report = report
        self._started: tuple[float, float] | None = None

    def next(self) -> None:
        """End a turn, if one has begun, and begin the next when told to."""
        taken = {}
        if self._started is not None:
            wall, cpu = self._started
            taken = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        self.report(json.dumps(taken))
        if not next(self.told, ""):
            os._exit(0)  # what a run would still do at its end belongs to no turn
        self._started = time.perf_counter(), time.process_time()


def network(config: str) -> Any:
    """Make the network that a legacy config asks for, of the very class that the config trains."""
    from monai.bundle import ConfigParser

    from clara_compat.config.workflow import load_train_workflow
    from clara_compat.translate.bundle import Seeds
    from clara_compat.translate.train import translate_train

    workflow = load_train_workflow(Path(config))
    entry = translate_train(workflow, Seeds(0, 0, 0, 0), Path(config).parent).config["network_def"]
    return ConfigParser({"network": entry}).get_parsed_content("network")


def script(facts: dict[str, Any], turns: Turns) -> None:
    """Train as one writes it by hand with MONAI: cache, loader, loop, TensorBoard, a checkpoint after each epoch."""
    import torch
    from monai.bundle import ConfigParser
    from monai.data import CacheDataset, DataLoader
    from monai.losses import DiceLoss
    from torch.utils.tensorboard import SummaryWriter

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chain = ConfigParser({"chain": {"_target_": "Compose", "transforms": facts["chain"]}}).get_parsed_content("chain")
    dataset = CacheDataset(facts["items"], chain, copy_cache=False, progress=False)
    workers = {"num_workers": facts["workers"], "persistent_workers": facts["workers"] > 0}
    pinned = torch.cuda.is_available()
    loader = DataLoader(dataset, batch_size=facts["batch"], shuffle=True, pin_memory=pinned, **workers)
    model = network(facts["config"]).to(device)
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
    loss_function = DiceLoss(to_onehot_y=True)  # the network ends in a softmax, as Clara's do
    folder = Path(facts["folder"]) / "script"
    writer = SummaryWriter(str(folder))
    step = 0
    turns.next()
    while True:
        model.train()
        total = 0.0
        for batch in loader:
            image, label = batch["image"].to(device), batch["label"].to(device)
            optimizer.zero_grad()
            loss = loss_function(model(image), label)
            loss.backward()
            optimizer.step()
            value = loss.item()
            total += value
            step += 1
            writer.add_scalar("train_loss", value, step)
        writer.add_scalar("epoch_loss", total / len(loader), step)
        torch.save({"network": model.state_dict(), "optimizer": optimizer.state_dict()}, folder / "checkpoint.pt")
        turns.next()


def bundle_config(facts: dict[str, Any]) -> dict[str, Any]:
    """Return a bundle config as a MONAI user writes it, after the bundles of MONAI's model zoo."""
    folder = str(Path(facts["folder"]) / "bundle")
    return {
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network": "$@network_def.to(@device)",
        "optimizer": {"_target_": "torch.optim.Adam", "params": "$@network.parameters()", "lr": 1e-4},
        "dataset": {
            "_target_": "CacheDataset",
            "data": facts["items"],
            "transform": {"_target_": "Compose", "transforms": facts["chain"]},
            "copy_cache": False,
            "progress": False,
        },
        "dataloader": {
            "_target_": "DataLoader",
            "dataset": "@dataset",
            "batch_size": facts["batch"],
            "shuffle": True,
            "num_workers": facts["workers"],
            "persistent_workers": facts["workers"] > 0,
            "pin_memory": "$torch.cuda.is_available()",
        },
        "handlers": [
            {
                "_target_": "StatsHandler",
                "tag_name": "train_loss",
                "output_transform": "$monai.handlers.from_engine(['loss'], first=True)",
            },
            {
                "_target_": "TensorBoardStatsHandler",
                "log_dir": folder,
                "tag_name": "train_loss",
                "output_transform": "$monai.handlers.from_engine(['loss'], first=True)",
            },
            {
                "_target_": "CheckpointSaver",
                "save_dir": folder,
                "save_dict": {"network": "@network", "optimizer": "@optimizer"},
                "save_interval": 1,
                "n_saved": 1,
            },
        ],
        "trainer": {
            "_target_": "SupervisedTrainer",
            "max_epochs": facts["epochs"],
            "device": "@device",
            "train_data_loader": "@dataloader",
            "network": "@network",
            "optimizer": "@optimizer",
            "loss_function": {"_target_": "DiceLoss", "to_onehot_y": True},
            "inferer": {"_target_": "SimpleInferer"},
            "train_handlers": "@handlers",
        },
    }


def bundle(facts: dict[str, Any], turns: Turns) -> None:
    """Train a plain MONAI bundle config."""
    from monai.bundle import ConfigParser

    stop_after_epochs(turns)
    config = {**bundle_config(facts), "network_def": f"$__import__('speed_sides').network({facts['config']!r})"}
    ConfigParser(config).get_parsed_content("trainer").run()


def legacy(facts: dict[str, Any], turns: Turns, accelerate: str) -> None:
    """Train the legacy config with the command a user types."""
    from clara_compat.cli.main import main

    stop_after_epochs(turns)
    results = f"MMAR_CKPT_DIR={facts['folder']}/{accelerate}"
    main(["train", "-c", facts["config"], "--accelerate", accelerate, "--set", results])


def stop_after_epochs(turns: Turns) -> None:
    """Have every training of MONAI's engines take turns; all handlers of a run lie inside what is timed."""
    from ignite.engine import Events
    from monai.engines import Trainer

    run = Trainer.run

    def in_turns(trainer: Any) -> None:
        for event in (Events.STARTED, Events.EPOCH_COMPLETED):
            trainer.add_event_handler(event, turns.next)
        run(trainer)

    Trainer.run = in_turns  # type: ignore[method-assign]


def main() -> None:
    """Run the side of the command line: its name, its facts as JSON, the descriptor of the pipe that it reports to."""
    side, facts, descriptor = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    with os.fdopen(descriptor, "w") as pipe:
        turns = Turns(iter(sys.stdin.readline, ""), lambda line: print(line, file=pipe, flush=True))
        if side == "script":
            script(facts, turns)
        elif side == "bundle":
            bundle(facts, turns)
        else:
            legacy(facts, turns, side)


if __name__ == "__main__":
    main()
