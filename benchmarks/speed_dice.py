"""The time to Dice 0.9 on the demo's synthetic scans: a hand-written MONAI script and the legacy config.

Each way is one fresh process after the other, timed from its start until the validation that reaches the Dice has ended
(a training of the legacy config ends there: ``stop_threshold``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from speed_results import Table
from speed_sides import network

LEAST_DICE = 0.9
MOST_EPOCHS = 40
INTERVAL = 2
"""Epochs between validations, as in the demo's config."""


class DiceTime(NamedTuple):
    """What a side took.

    Args:
        side: its name.
        seconds: from the start of the process.
        dice: of the last validation.
        epochs: until then.
    """

    side: str
    seconds: float
    dice: float
    epochs: int


def dice_times(folder: Path, sides: list[str], device: str) -> list[DiceTime]:
    """Train each side until it has the Dice.

    Args:
        folder: where the demo's MMAR and the results go.
        sides: ``script``, ``off``, ``auto``.
        device: ``cpu`` or ``cuda``.
    """
    from clara_compat.demo.mmar import prepare_mmar
    from clara_compat.demo.scans import make_scans

    mmar = prepare_mmar(folder / "dice", "demo_mmar")
    data_list = make_scans(mmar / "data", seed=0)
    config = mmar / "config" / "config_train.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "determinism": None}))  # it turns the levers off
    return [_time(side, mmar, data_list, device) for side in sides]


def table(found: list[DiceTime]) -> Table:
    """Return the table of what all sides took."""
    rows = [[one.side, f"{one.seconds:.0f}", f"{one.dice:.3f}", str(one.epochs)] for one in found]
    return Table(f"Until Dice {LEAST_DICE} on the demo's scans, from the start", ["", "s", "Dice", "epochs"], rows)


def _time(side: str, mmar: Path, data_list: Path, device: str) -> DiceTime:
    results = mmar / "models" / side
    if side == "script":
        command = [sys.executable, __file__, str(mmar), str(data_list), str(results)]
    else:
        code = "import sys; from clara_compat.cli.main import main; main(sys.argv[1:])"
        command = [sys.executable, "-c", code, "train", "-m", str(mmar), "--set", f"DATA_ROOT={data_list.parent}"]
        command += [f"DATASET_JSON={data_list}", f"MMAR_CKPT_DIR={results}", f"stop_threshold={LEAST_DICE}"]
        command += [f"epochs={MOST_EPOCHS}", f"num_training_epoch_per_valid={INTERVAL}"]
        command += [f"accelerate={side}"]
    hidden = {} if device == "cuda" else {"CUDA_VISIBLE_DEVICES": ""}
    started = time.perf_counter()
    done = subprocess.run(  # noqa: S603 -- our own commands
        command, capture_output=True, text=True, check=False, env={**os.environ, **hidden}
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"{side} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    last = json.loads((results / "train_stats.json").read_text())["epochs"][-1]
    return DiceTime(side, seconds, last["metrics"]["mean_dice"], last["epoch"])


def script(mmar: Path, data_list: Path, results: Path) -> None:
    """Train the demo's task as one writes it by hand with MONAI, until it has the Dice."""
    import torch
    from monai.data import CacheDataset, DataLoader, decollate_batch
    from monai.inferers import sliding_window_inference
    from monai.losses import DiceLoss
    from monai.metrics import DiceMetric
    from monai.transforms import AsDiscrete
    from torch.utils.tensorboard import SummaryWriter

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    listed = json.loads(data_list.read_text())
    window = [48, 48, 32]

    def loader(key: str, *random: Any, batch: int) -> Any:
        items = [{name: str(data_list.parent / item[name]) for name in ("image", "label")} for item in listed[key]]
        return DataLoader(
            CacheDataset(items, _chain(*random), copy_cache=False, progress=False), batch, shuffle=key == "training"
        )

    training = loader("training", *_augmentations(window), batch=2)
    validation = loader("validation", batch=1)
    torch.manual_seed(0)
    model = network(str(mmar / "config" / "config_train.json")).to(device)
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    loss_function, dice = DiceLoss(to_onehot_y=True), DiceMetric(include_background=False)
    discrete = [AsDiscrete(argmax=True, to_onehot=2), AsDiscrete(to_onehot=2)]
    writer = SummaryWriter(str(results))
    epochs: list[dict[str, Any]] = []
    for epoch in range(1, MOST_EPOCHS + 1):
        model.train()
        for batch in training:
            optimizer.zero_grad()
            loss = loss_function(model(batch["image"].to(device)), batch["label"].to(device))
            loss.backward()
            optimizer.step()
            writer.add_scalar("train_loss", loss.item(), epoch)
        torch.save({"network": model.state_dict(), "optimizer": optimizer.state_dict()}, results / "checkpoint.pt")
        if epoch % INTERVAL:
            continue
        model.eval()
        with torch.no_grad():
            for batch in validation:
                scores = sliding_window_inference(batch["image"].to(device), window, 4, model)
                predictions = [discrete[0](one) for one in decollate_batch(scores)]
                dice(predictions, [discrete[1](one) for one in decollate_batch(batch["label"].to(device))])
        epochs.append({"epoch": epoch, "metrics": {"mean_dice": dice.aggregate().item()}})
        dice.reset()
        if epochs[-1]["metrics"]["mean_dice"] >= LEAST_DICE:
            break
    (results / "train_stats.json").write_text(json.dumps({"epochs": epochs}))


def _chain(*random: Any) -> Any:
    from monai import transforms as mt

    keys = ["image", "label"]
    return mt.Compose(
        [
            mt.LoadImaged(keys, image_only=True, ensure_channel_first=True),
            mt.Orientationd(keys, axcodes="RAS", labels=None),
            mt.Spacingd(keys, pixdim=(6.0, 6.0, 6.0), mode=("bilinear", "nearest")),
            mt.ScaleIntensityRanged("image", -160, 240, 0.0, 1.0, clip=True),
            *random,
            mt.EnsureTyped(keys, track_meta=False),
        ]
    )


def _augmentations(window: list[int]) -> list[Any]:
    from monai import transforms as mt

    keys, indices = ["image", "label"], ("label_fg_indices", "label_bg_indices")
    return [
        mt.EnsureTyped(keys),
        mt.FgBgToIndicesd("label"),
        mt.RandCropByPosNegLabeld(
            keys, "label", window, num_samples=1, fg_indices_key=indices[0], bg_indices_key=indices[1]
        ),
        mt.SelectItemsd(keys),
        mt.RandAdjustContrastd("image", prob=1.0, gamma=(1 / 1.35, 1.35)),
        mt.RandScaleIntensityd("image", factors=0.1, prob=1.0),
        mt.RandStdShiftIntensityd("image", factors=0.1, prob=1.0),
        mt.RandShiftIntensityd("image", offsets=0.05, prob=1.0),
    ]


if __name__ == "__main__":
    script(*(Path(argument) for argument in sys.argv[1:4]))
