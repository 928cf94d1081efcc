"""The command ``clara-compat``; every heavy import happens inside a command, so that ``--help`` is instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from clara_compat.cli.components import components
from clara_compat.cli.demo import demo
from clara_compat.cli.exit import exit_code
from clara_compat.cli.export import export, spread_shape
from clara_compat.cli.flags import spread
from clara_compat.cli.lint import lint
from clara_compat.cli.migrate import migrate, spread_configs
from clara_compat.cli.options import CacheGb, Env, Log, Mmar, NoUserCode, OnBadItem, Set
from clara_compat.cli.preview import preview
from clara_compat.cli.report import report
from clara_compat.cli.weights import weights

__all__ = ["app", "main"]

app = typer.Typer(
    name="clara-compat",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # its tables cut the names of options on a narrow terminal
)


def _print_version(asked: bool) -> None:
    if asked:
        from clara_compat import __version__

        typer.echo(f"clara-compat {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Run NVIDIA Clara Train 3.1 configurations (MMARs) and your own components on MONAI."""


@app.command(short_help="Train a config_train.json.")
def train(
    config: Annotated[
        Path,
        typer.Option("-c", "--config", "--train_config", help="Training configuration, also relative to the MMAR."),
    ] = Path("config/config_train.json"),
    mmar: Mmar = None,
    env: Env = None,
    log: Log = None,
    write_train_stats: Annotated[  # noqa: ARG001 -- Clara's flag
        bool, typer.Option("--write_train_stats", help="Accepted as in Clara; train_stats.json is always written.")
    ] = False,
    cache_gb: CacheGb = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on from the checkpoint.pt in MMAR_CKPT_DIR. Without one, start at the first epoch."
        ),
    ] = False,
    on_bad_item: OnBadItem = None,
    no_user_code: NoUserCode = False,
    accelerate: Annotated[
        str | None,
        typer.Option(
            help="auto (the default: a trial at the start of a long run chooses), off, or levers with commas between "
            "them: bf16, channels_last, cudnn_benchmark, compile, gpu_data."
        ),
    ] = None,
    set_: Set = None,
) -> None:
    """Train an unmodified config_train.json.

    Everything that can be known before the first batch is checked first. Results go to MMAR_CKPT_DIR: model.pt (best),
    final_model.pt, checkpoint.pt, train_stats.json, report.html, TensorBoard events and the MONAI bundle config that
    ran.

    SIGTERM and SIGINT (Ctrl-C) end it after the step that runs; the same command with --resume goes on from there, and
    from the last checkpoint after a crash. With determinism the weights are those of a training in one go.

    Example: clara-compat train -m my_mmar -c config/config_train.json -e config/environment.json --set epochs=2
    """
    from clara_compat.cli.tables import print_training
    from clara_compat.common.launch import is_first_process
    from clara_compat.run.train import train as run

    overrides = _overrides(set_, cache_gb=cache_gb, on_bad_item=on_bad_item, accelerate=accelerate)
    result = run(mmar, config, env, overrides, log_config=log, resume=resume, user_code=not no_user_code)
    if is_first_process():
        print_training(result)


@app.command(short_help="Predict and measure what a config_validation.json names.")
def evaluate(
    config: Annotated[
        Path,
        typer.Option("-c", "--config", help="Evaluation configuration, also relative to the MMAR."),
    ] = Path("config/config_validation.json"),
    mmar: Mmar = None,
    env: Env = None,
    log: Log = None,
    on_bad_item: OnBadItem = None,
    no_user_code: NoUserCode = False,
    set_: Set = None,
) -> None:
    """Run an unmodified config_validation.json: predict the scans of its data list, write the results, measure them.

    do_validation=true compares with the labels; output_infer_result=false writes no predictions;
    overwrite_previous_result=false takes what an earlier run left, so that an interrupted run goes on. Results go to
    MMAR_EVAL_OUTPUT_PATH, one folder per case, with evaluate_stats.json and the MONAI bundle config that ran.

    Example: clara-compat evaluate -m my_mmar -c config/config_validation.json --set do_validation=true
    """
    from clara_compat.cli.evaluation_tables import print_evaluation
    from clara_compat.common.launch import is_first_process
    from clara_compat.run.evaluate import evaluate as run

    overrides = _overrides(set_, on_bad_item=on_bad_item)
    result = run(mmar, config, env, overrides, log_config=log, user_code=not no_user_code)
    if is_first_process():
        print_evaluation(result)


@app.command(short_help="Run single images through a network.")
def infer(
    images: Annotated[list[Path], typer.Argument(help="Images, or folders with a DICOM series each.")],
    config: Annotated[
        Path, typer.Option("-c", "--config", help="config_aiaa.json (version 2 or 3) or config_validation.json.")
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for the results; for one image also the .nii.gz file itself.")
    ] = Path("infer_results"),
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            help="Output folder of a training, or an exported network (.ts). By default what the config names, else "
            "MMAR_CKPT_DIR.",
        ),
    ] = None,
    mmar: Mmar = None,
    env: Env = None,
    log: Log = None,
    no_user_code: NoUserCode = False,
    set_: Set = None,
) -> None:
    """Run single images through a network, as Clara's annotation server did.

    The mask has the affine, the shape and the orientation of the image's file.

    Example: clara-compat infer scan.nii.gz -c my_mmar/config/config_aiaa.json -m my_mmar -o mask.nii.gz
    """
    from clara_compat.cli.evaluation_tables import print_inference
    from clara_compat.common.launch import is_first_process
    from clara_compat.run.infer import infer as run

    found = run(
        [*images],
        config,
        out,
        mmar=mmar,
        model=model,
        env=env,
        overrides=set_ or (),
        log_config=log,
        user_code=not no_user_code,
    )
    if is_first_process():
        print_inference(found)


@app.command(short_help="Say what a config becomes, and what must be mended.")
def check(
    config: Annotated[Path, typer.Argument(help="Training or evaluation configuration, also relative to the MMAR.")],
    mmar: Mmar = None,
    env: Env = None,
    set_: Set = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write what a migration gives and needs as a page (report.html).")
    ] = None,
    no_data: Annotated[
        bool, typer.Option("--no-data", help="Leave out what needs the data or this machine's folders.")
    ] = False,
    cache_gb: CacheGb = None,
) -> None:
    """Say what each component of a config becomes and how faithful that is, and what must be mended.

    Also how many steps an epoch has, and which scans will be held in memory and how large they are. Nothing is run, and
    your own code is read but never imported. Exit code 0 when nothing must be mended, 2 otherwise.

    Example: clara-compat check my_mmar/config/config_train.json --set DATA_ROOT=/data DATASET_JSON=/data/dataset.json
    """
    from clara_compat.cli.tables import print_check, write_check_page
    from clara_compat.run.check import check as run

    report = run(config, mmar, env, _overrides(set_, cache_gb=cache_gb), data=not no_data)
    print_check(report, as_json=json)
    if html is not None:
        write_check_page(report, html, quiet=json)
    raise typer.Exit(0 if report.passed else 2)


app.command(short_help="Draw what each transform does to a few items.")(preview)
app.command(short_help="List the catalogue of Clara components.")(components)
app.command(short_help="Train a complete MMAR on synthetic images.")(demo)
app.command(short_help="Write a trained network as TorchScript or ONNX.")(export)
app.command(short_help="Say line by line what of your own code runs.")(lint)
app.command(short_help="Write an MMAR as a MONAI bundle.")(migrate)
app.command(short_help="Make the report of a training, one HTML page.")(report)
app.add_typer(weights, name="weights", short_help="Look into files of weights, or convert TensorFlow's.")


def _overrides(set_: list[str] | None, **given: float | str | None) -> list[str]:
    return [*(set_ or ()), *(f"{name}={value}" for name, value in given.items() if value is not None)]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with 0, 2 (something of the user's must be mended) or 1 (a defect of ours)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(exit_code(lambda: app(spread_shape(spread_set(spread_configs(arguments))))))


def spread_set(arguments: list[str]) -> list[str]:
    """Write ``--set a=1 b=2`` as ``--set a=1 --set b=2``: Clara's ``--set`` takes everything up to the next flag."""
    return spread(arguments, "--set", lambda text: [text] if "=" in text and not text.startswith("-") else [])
