"""The demo from beginning to end: make an MMAR and scans, train, predict, draw."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clara_compat.errors import ClaraError

if TYPE_CHECKING:
    from rich.console import Console

    from clara_compat.demo.pictures import Case
    from clara_compat.run.train import TrainResult

__all__ = ["DemoResult", "demo_mmar_folder", "predict_cases", "prepare_mmar", "run_demo"]

_MARK = ".made_by_clara_compat_demo"
_NOT_COPIED = ("models", "eval", "data", "__pycache__")  # what working in the MMAR leaves there


@dataclass(frozen=True)
class DemoResult:
    """What the demo reached.

    Args:
        dice: mean Dice of the best model over the test scans, which neither trained it nor chose it.
        case_dice: Dice per test scan.
        picture: the PNG with slices and curve.
        mmar: the folder, a complete legacy-format MMAR with its data and results.
    """

    dice: float
    case_dice: dict[str, float]
    picture: Path
    mmar: Path


def run_demo(
    folder: str | os.PathLike[str] | None = None,
    *,
    epochs: int | None = None,
    seed: int | None = None,
    console: Console | None = None,
) -> DemoResult:
    """Train the demo's MMAR on synthetic scans and show what it learned.

    Args:
        folder: where to work, ``clara_compat_demo`` by default; made when missing, filled anew when an earlier demo
            made it (results in its ``models`` are kept as training keeps them).
        epochs: number of epochs; the MMAR's own when None.
        seed: seed of the scans and of the training; the MMAR's own when None.
        console: where to print.

    Raises:
        ClaraError: the folder holds files that no demo made.
    """
    from rich.console import Console

    from clara_compat.demo.pictures import Curve, save_overview
    from clara_compat.demo.scans import make_scans
    from clara_compat.run.train import train

    console = console or Console()
    started = time.perf_counter()
    mmar = prepare_mmar(Path("clara_compat_demo" if folder is None else folder))
    console.print(f"MMAR in the format of Clara Train 3.1: {mmar}", highlight=False, markup=False)
    with console.status("making synthetic CT scans"):
        data_list = make_scans(mmar / "data", seed=seed or 0)
    console.print(f"Synthetic CT scans: {data_list}", highlight=False, markup=False)

    overrides: dict[str, Any] = {"DATA_ROOT": str(data_list.parent), "DATASET_JSON": str(data_list)}
    if epochs is not None:
        overrides["epochs"] = epochs
    if seed is not None:
        overrides["determinism"] = {
            "python_seed": str(seed), "random_seed": seed, "numpy_seed": seed, "tf_seed": seed,
        }  # fmt: skip
    trained = train(mmar, "config/config_train.json", "config/environment.json", overrides)

    cases = predict_cases(trained, data_list)
    picture = save_overview(mmar / "demo.png", cases, Curve.from_stats(trained.stats))
    case_dice = {case.name: case.dice for case in cases}
    result = DemoResult(sum(case_dice.values()) / len(case_dice), case_dice, picture, mmar)
    _print_result(console, result, trained, time.perf_counter() - started)
    return result


def demo_mmar_folder() -> Path:
    """Return the folder of the MMAR that ships with the package, in an installed wheel or in the source tree.

    Raises:
        ClaraError: neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "resources" / "demo_mmar", package.parent / "configs" / "demo_mmar"):
        if folder.is_dir():
            return folder
    raise ClaraError(f"the demo's MMAR is missing from the installation in '{package}': install clara-compat again")


def prepare_mmar(folder: Path) -> Path:
    """Copy the demo's MMAR into ``folder`` and return its absolute path; only an own or empty folder is filled.

    Raises:
        ClaraError: the folder holds files that no demo made, or it is a file.
    """
    folder = folder.expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise ClaraError(f"'{folder}' is a file, expected a folder for the demo: name another one")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _MARK).is_file():
        raise ClaraError(f"'{folder}' holds files that the demo did not make: name a new or an empty folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MARK).write_text("The clara-compat demo may overwrite this folder.\n", encoding="utf-8")
        shutil.copytree(demo_mmar_folder(), folder, ignore=shutil.ignore_patterns(*_NOT_COPIED), dirs_exist_ok=True)
        for command in folder.glob("commands/*.sh"):
            command.chmod(command.stat().st_mode | 0o755)  # a wheel does not keep it
    except OSError as error:
        raise ClaraError(f"the demo cannot write into '{folder}': {error.strerror}; name another folder") from error
    return folder


def predict_cases(result: TrainResult, data_list: Path, key: str = "testing") -> list[Case]:
    """Segment scans with the best model of a finished run, prepared as its validation prepares them.

    Args:
        result: of a run whose config has a ``validate`` section, with the organ as class 1.
        data_list: the data list file.
        key: which of its lists.

    Returns:
        The scans on the grid the network saw, turned so that their axes run to the right, front and head.
    """
    import copy

    import torch

    from clara_compat.engine.data.datalist import load_datalist
    from clara_compat.engine.data.dataset import SeededDataset

    items = load_datalist(data_list, key, data_list.parent)
    dataset = SeededDataset(items, result.parser.get_parsed_content("validate#transform"))
    inferer = result.parser.get_parsed_content("validate#inferer")
    network = copy.deepcopy(result.network).eval()
    device = next(network.parameters()).device
    network.load_state_dict(torch.load(result.paths["model"], map_location=device, weights_only=True))
    cases = []
    for index in range(len(dataset)):
        item = dataset[index]
        with torch.no_grad():
            scores = inferer(item["image"].as_tensor()[None].to(device), network)
        cases.append(_case(item, scores[0].argmax(dim=0).cpu().numpy()))
    return cases


def _case(item: Any, prediction: Any) -> Case:
    """Turn a scan to right, front, head; ``item`` has channel-first MetaTensors, ``prediction`` no channel."""
    import nibabel
    import numpy as np

    from clara_compat.demo.pictures import Case

    affine = item["image"].affine.numpy()
    turned = [
        nibabel.as_closest_canonical(nibabel.Nifti1Image(array.astype(np.float32), affine))
        for array in (item["image"][0].numpy(), item["label"][0].numpy(), prediction)
    ]
    image, truth, predicted = (np.asarray(nifti.dataobj) for nifti in turned)
    name = Path(str(item["image"].meta["filename_or_obj"])).name.partition(".")[0]
    dx, dy, dz = (float(zoom) for zoom in turned[0].header.get_zooms())
    return Case(name, image, truth, predicted, (dx, dy, dz))


def _print_result(console: Console, result: DemoResult, trained: TrainResult, seconds: float) -> None:
    from rich.table import Table

    table = Table("test scan", "Dice", title="The best model on scans it never saw", title_justify="left", min_width=40)
    for name, dice in result.case_dice.items():
        table.add_row(name, f"{dice:.3f}")
    table.add_section()
    table.add_row("mean", f"{result.dice:.3f}", style="bold")
    console.print(table)
    stats = trained.stats
    console.print(
        f"{len(stats['epochs'])} epoch(s), {stats['steps']} steps on {stats['device']}: {seconds:.0f} seconds in all.\n"
        f"Picture: {result.picture}\n"
        f"Model: {trained.paths['model']}\n"
        f"Read {result.mmar / 'docs' / 'Readme.md'} for what to try next.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
