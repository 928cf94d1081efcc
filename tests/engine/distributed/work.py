"""What the tests of this folder have one process do, or two: ``RANK=0 WORLD_SIZE=2 ... python work.py FOLDER``.

Every process leaves ``RANK.json`` in the folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.data import MetaTensor
from monai.engines import SupervisedEvaluator, SupervisedTrainer
from monai.transforms import Compose
from torch import nn

from clara_compat.common.train_handler import TrainHandler
from clara_compat.components.metrics.metric_list import MetricList
from clara_compat.engine.aux_ops import AuxiliaryOutputs
from clara_compat.engine.data.batch import prepare_batch
from clara_compat.engine.data.dataset import SeededDataset
from clara_compat.engine.data.epoch_plan import EpochPlan
from clara_compat.engine.data.failure import ItemFailure
from clara_compat.engine.data.loader import data_loader
from clara_compat.engine.data.skipping import SkippedItems
from clara_compat.engine.distributed import gather, processes
from clara_compat.engine.distributed.shares import means_of_all
from clara_compat.engine.distributed.training import TrainTogether
from clara_compat.engine.handlers.case_records import CaseRecords
from clara_compat.engine.handlers.skip_report import ShortValidation, SkipReport
from clara_compat.engine.handlers.statistics import TrainStatistics
from clara_compat.engine.handlers.train_events import TrainEvents
from clara_compat.engine.legacy.metric import LegacyMetric
from clara_compat.engine.metrics.auc import ClaraAUC
from clara_compat.engine.metrics.average import ClaraAverage
from clara_compat.engine.metrics.compare import greater
from clara_compat.engine.metrics.dice import ClaraDice
from clara_compat.errors import ClaraError

ITEMS = 5
EPOCHS = 4
RATE = 0.1


def points() -> tuple[np.ndarray, np.ndarray]:
    """Inputs (5, 3) and targets (5, 1) of a regression."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(ITEMS, 3)), generator.normal(size=(ITEMS, 1))


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used = nn.Linear(3, 1).double()
        self.unused = nn.Linear(2, 2).double()
        self.sometimes = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        for parameter in self.parameters():
            nn.init.constant_(parameter, 0.5 + gather.rank())  # the first process' weights are everybody's

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.seen += 1 + 10 * gather.rank()
        found = self.used(image)
        above = image[:, :1] > 0
        return found + self.sometimes * above if bool(above.any()) else found  # on some processes it has no gradient


class Scaled(nn.Module):
    """A loss with a variable of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones((), dtype=torch.float64) + gather.rank())

    def forward(self, predictions: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return (self.scale * predictions - targets).square().mean()


class Largest:
    """An auxiliary operation whose value is not a number where the batch has no input above 0."""

    do_summary = do_print = True

    def __call__(self, output: Any) -> dict[str, torch.Tensor]:
        mean = output["image"].mean(dim=1)
        return {"inputs": mean.mean(), "above": mean[mean > 0].mean()}


class Rows:
    """An auxiliary operation whose value is a single number only where a batch has one item."""

    do_summary = do_print = True

    def __call__(self, output: Any) -> dict[str, torch.Tensor]:
        return {"rows": output["image"].mean(dim=1)}


class StopsOnTheLast(TrainHandler):
    def end_epoch(self, ctx: Any) -> None:
        if ctx.current_epoch == EPOCHS - 1 and gather.rank() == gather.size() - 1:
            ctx.stop_training = True


def train(folder: Path, batch_size: int, *, shuffle: bool = True) -> dict[str, Any]:
    inputs, targets = points()
    items = [{"image": torch.tensor(x), "label": torch.tensor(y)} for x, y in zip(inputs, targets, strict=True)]
    plan = EpochPlan(items, shuffle=shuffle, seed=7)
    network, loss = Network(), Scaled()
    optimizer = torch.optim.SGD([*network.parameters(), *loss.parameters()], lr=RATE)
    losses: list[float] = []
    trainer = SupervisedTrainer(
        device="cpu",
        max_epochs=EPOCHS,
        train_data_loader=data_loader(SeededDataset(items, Compose([])), plan, batch_size=batch_size, num_workers=0),
        network=network,
        optimizer=optimizer,
        loss_function=loss,
        prepare_batch=prepare_batch,
        train_handlers=[
            TrainTogether(network, optimizer),
            AuxiliaryOutputs([Largest(), *([Rows()] if folder.name == "two" else [])]),
            TrainStatistics(str(folder / "train_stats.json")),
            TrainEvents(optimizer, RATE, handlers=[StopsOnTheLast()]),
        ],
        optim_set_to_none=True,
        decollate=False,
    )
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda e: losses.append(e.state.output["loss"].item()))
    drawn: list[float] = []
    trainer.add_event_handler(Events.EPOCH_STARTED(once=1), lambda _: drawn.append(torch.rand(()).item()))
    torch.manual_seed(1)
    trainer.run()
    return {
        "losses": losses,
        "parameters": [p.detach().tolist() for p in (*network.parameters(), *loss.parameters())],
        "without gradient": [name for name, p in network.named_parameters() if p.grad is None],
        "epochs": trainer.state.epoch,
        "metrics": trainer.state.metrics,
        "seen": int(network.seen),
        "dropout": drawn[0],
    }


def masks(count: int) -> list[dict[str, Any]]:
    """Scans of which the last is hard; one has an empty label."""
    items = []
    for i in range(count):
        generator = np.random.default_rng(i)
        image = generator.uniform(size=(1, 6, 6, 6)).astype(np.float32)
        label = (image + generator.normal(0, 0.1 * (i + 1), image.shape) > 0.5) * (i != 1)
        meta = {"filename_or_obj": f"/data/scan{i}.nii.gz"}
        items.append({"image": MetaTensor(image, meta=meta), "label": torch.tensor(label, dtype=torch.float32)})
    return items


class Names(MetricList):
    """A metric of the user's, which depends on the order of the cases."""

    def __init__(self) -> None:
        super().__init__("names")
        self.files: list[str] = []

    def reset(self) -> None:
        super().reset()
        self.files = []

    def update(self, value: Any, label_value: Any = None, filename: str = "", data_prop: Any = None) -> None:
        self.files.append(f"{Path(filename).name} {value.sum():.3f} {label_value.sum():.0f}")

    def get(self) -> float:
        return float(sum(len(self.files) ** i * len(text) for i, text in enumerate(self.files)))


class BatchMean:
    do_summary = do_print = False

    def __call__(self, output: Any) -> dict[str, torch.Tensor]:
        return {"mean": output["pred"].mean()}


class Reads:
    """Some scans cannot be read."""

    def __init__(self, bad: tuple[int, ...]) -> None:
        self.bad = [f"/data/scan{i}.nii.gz" for i in bad]

    def __call__(self, item: dict[str, Any]) -> dict[str, Any]:
        if item["image"].meta["filename_or_obj"] in self.bad:
            raise ClaraError("the file is cut off")
        return item


def validate(folder: Path, count: int, batch_size: int, bad: tuple[int, ...] = ()) -> dict[str, Any]:
    items = masks(count)
    names = Names()
    key = {"dice": ClaraDice(report_path=str(folder))}
    others = {
        "mean": ClaraAverage("mean", name="mean"),
        "names": LegacyMetric(SimpleNamespace(update=names.update, get=names.get, reset=names.reset, field="model",
                                              label_field="label"), "names"),
    }  # fmt: skip
    plan = EpochPlan(items, shuffle=False, seed=0)
    dataset = SeededDataset(
        items, Compose([Reads(bad)]), section="validate", on_bad_item="leave_out" if bad else "stop"
    )
    loader = data_loader(dataset, plan, batch_size=batch_size, num_workers=0)
    evaluator = SupervisedEvaluator(
        device="cpu",
        val_data_loader=loader,
        network=nn.Identity(),
        prepare_batch=prepare_batch,
        key_val_metric=key,
        additional_metrics=others,
        metric_cmp_fn=greater,
        val_handlers=[
            AuxiliaryOutputs([BatchMean()]),
            CaseRecords(str(folder), key, others, pictures=2),
            *([ShortValidation()] if bad else []),
        ],
        decollate=False,
    )
    evaluator.run()
    skipped = [one for told in gather.everybody(loader.skipped.told()) for one in told]
    return {
        "metrics": evaluator.state.metrics,
        "fed": names.files,
        "best": evaluator.state.best_metric,
        "skipped": sorted((one["files"], one["times"]) for one in skipped),
    }


def classify(folder: Path, count: int) -> dict[str, Any]:
    generator = np.random.default_rng(5)
    items = [
        {"image": torch.tensor(generator.normal(size=2)), "label": torch.tensor([float(i % 2), float(i % 3 == 0)])}
        for i in range(count)
    ]
    metric = ClaraAUC(report_path=str(folder), name="auc")
    evaluator = SupervisedEvaluator(
        device="cpu",
        val_data_loader=data_loader(
            SeededDataset(items, Compose([])), EpochPlan(items, shuffle=False, seed=0), batch_size=1, num_workers=0
        ),
        network=nn.Identity(),
        prepare_batch=prepare_batch,
        key_val_metric={"auc": metric},
        decollate=False,
    )
    evaluator.run()
    return {"auc": evaluator.state.metrics["auc"], "files": metric.files}


def skip() -> dict[str, Any]:
    """Each process skips an item of its own and one that all skip."""
    book = SkippedItems([{"image": f"scan{i}"} for i in range(9)], "train")
    engine: Any = Engine(lambda *_: None)
    engine.data_loader = SimpleNamespace(skipped=book)
    report = SkipReport()
    report.attach(engine)
    engine.add_event_handler(Events.COMPLETED, lambda e: setattr(e.state, "saved", report.state_dict()))
    names = (f"scan{gather.rank()}", "scan8")
    failures = [ItemFailure("torn", name, "train", position=i, instead=5) for i, name in enumerate(names)]
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: book.enter(failures, e.state.epoch))
    engine.run([0], max_epochs=2)
    again = SkippedItems(book.data, "train")
    other: Any = Engine(lambda *_: None)
    other.data_loader = SimpleNamespace(skipped=again)
    resumed = SkipReport()
    resumed.attach(other)
    resumed.load_state_dict(engine.state.saved)
    other.add_event_handler(Events.ITERATION_COMPLETED, lambda e: again.enter(failures, e.state.epoch))
    other.run([0], max_epochs=1)
    return {
        "resumed": {one["files"]: one["times"] for one in other.state.skipped["items"]},
        "items": {one["files"]: one["times"] for one in engine.state.skipped["items"]},
        **engine.state.skipped["epoch"],
    }


def means() -> dict[str, float]:
    """A process with two images and one with one."""
    rank = gather.rank()
    engine: Any = SimpleNamespace(state=SimpleNamespace(share=2 - rank, device=torch.device("cpu")))
    values = {"mean": torch.tensor(float(rank)), "rows": torch.full((2 - rank,), 3.0)}
    return {tag: value.item() for tag, value in means_of_all(values, engine).items()} if gather.size() > 1 else {}


def talk() -> dict[str, Any]:
    """What the processes tell each other."""
    rank = gather.rank()
    return {
        "size": gather.size(),
        "everybody": gather.everybody({"rank": rank}),
        "from_first": gather.from_first(lambda: f"made by {rank}"),
        "any": [gather.any_process(rank == 1), gather.any_process(False)],
        "merged": gather.merged([[f"{rank}a", f"{rank}b"], [f"{rank}c"]] if rank == 0 else [[f"{rank}a"]]),
        "merged_on_first": gather.merged_on_first([[f"{rank}a"], [f"{rank}b"]]),
        "to_first": gather.to_first([rank, rank]),
    }


def work(folder: Path, share: int = 1) -> dict[str, Any]:
    """Do everything; ``share`` is by how much the batch of one process is larger than that of each of several."""
    found: dict[str, Any] = {"talk": talk()}
    for name, batch in (("one", 1), ("two", 2)):
        place = folder / name
        place.mkdir(exist_ok=True)
        found[f"train {name}"] = train(place, batch * share)
        found[f"validate {name}"] = validate(place, 5, batch)
    for count in (1, 4):
        place = folder / str(count)
        place.mkdir(exist_ok=True)
        found[f"validate {count} cases"] = validate(place, count, 1)
    for name, bad in (("bad", (1, 4)), ("bad together", (2, 3))):
        place = folder / name
        place.mkdir(exist_ok=True)
        found[f"validate {name}"] = validate(place, 5, 1, bad)
    found["skip"] = skip()
    found["means"] = means()
    found["classify"] = classify(folder, 7)
    found["classify one"] = classify(folder / "one", 1)
    return found


if __name__ == "__main__":
    out = Path(sys.argv[1])
    processes.start()
    number = gather.rank()
    result = work(out)
    processes.end()
    result["after"] = gather.size()
    (out / f"{number}.json").write_text(json.dumps(result))
