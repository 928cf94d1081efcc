"""What ``evaluate`` and ``infer`` print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from clara_compat.cli.tables import wide_console

if TYPE_CHECKING:
    from clara_compat.run.evaluate import EvaluateResult
    from clara_compat.run.infer import InferResult

__all__ = ["print_evaluation", "print_inference"]


def print_evaluation(result: EvaluateResult) -> None:
    """Print a row per case with its metrics, their values over all cases, and where the results are."""
    names, cases = list(result.metrics), result.stats["cases"]
    table = Table("case", *map(escape, names), "seconds", title="Evaluation finished", title_justify="left")
    per_case = {name for name in names if any(case["metrics"].get(name) is not None for case in cases)}
    for case in cases:
        seconds = "earlier run" if case["reused"] else f"{case['seconds']:.1f}"
        table.add_row(
            escape(case["name"]),
            *(_number(case["metrics"].get(name)) if name in per_case else "" for name in names),
            seconds,
        )
    if names:
        table.add_section()
        table.add_row("all cases", *(_number(result.metrics[name]) for name in names), "", style="bold")
    out = wide_console()
    out.print(table)
    facts = Table.grid(padding=(0, 2))
    files = len({path for case in cases for path in case["paths"]})
    facts.add_row("cases", f"{len(cases)} in {result.stats['seconds']:.1f} s on {result.stats['device']}")
    for one in result.stats.get("skipped", ()):
        facts.add_row("left out", escape(f"{one['files']}: {one['reason']}"))
    facts.add_row("network", escape(result.stats["model"]))
    facts.add_row("results", escape(f"{result.paths['folder']} ({files} files of predictions)"))
    facts.add_row("figures", escape(str(result.paths["stats"])))
    if "picture" in result.paths:
        facts.add_row("picture", escape(str(result.paths["picture"])))
    out.print(facts)


def print_inference(result: InferResult) -> None:
    """Print which files were written for each image, and what else the chain left."""
    out = wide_console()
    for image, files in result.files.items():
        for file in dict.fromkeys(files):
            out.print(f"{image} -> {file}", markup=False, highlight=False, soft_wrap=True)
        for name, value in result.values[image].items():
            out.print(f"{image}: {name} = {value}", markup=False, highlight=False, soft_wrap=True)


def _number(value: Any) -> str:
    return "undefined" if value is None else f"{value:.4f}"
