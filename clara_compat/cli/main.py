"""The command ``clara-compat``; every heavy import happens inside a command, so that ``--help`` is instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from clara_compat.cli.exit import exit_code
from clara_compat.cli.export import export, spread_shape
from clara_compat.cli.flags import spread
from clara_compat.cli.lint import lint
from clara_compat.cli.migrate import migrate, spread_configs
from clara_compat.cli.report import report
from clara_compat.cli.weights import weights
from clara_compat.errors import ClaraError

__all__ = ["app", "main"]

app = typer.Typer(
    name="clara-compat",
    help="Run NVIDIA Clara Train 3.1 configurations (MMARs) and your own components on MONAI.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
)

Mmar = Annotated[Path | None, typer.Option("-m", "--mmar", help="Root folder of the MMAR.")]
Env = Annotated[
    Path | None,
    typer.Option("-e", "--env", help="Environment file. By default the MMAR's config/environment.json."),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="K=V",
        help="Override a variable (epochs=2, DATA_ROOT=/data) or any place in the config "
        "(train.pre_transforms[3].args.size=[32,32,32]). Several may follow one --set.",
    ),
]

Log = Annotated[
    Path | None,
    typer.Option("-l", "--log_config", help="Logging configuration. By default the MMAR's resources/log.config."),
]

CacheGb = Annotated[
    float | None,
    typer.Option(
        "--cache-gb",
        min=0,
        help="Memory for cached scans, in GB; 0 caches nothing. By default half of what is free. What does not fit "
        "goes to disk (~/.cache/clara_compat).",
    ),
]


@app.command()
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
    accelerate: Annotated[
        str | None,
        typer.Option(
            help="What may make the training faster: auto (by default; a short trial chooses when the run is long "
            "enough), off, or levers such as bf16,channels_last. Off under determinism.",
        ),
    ] = None,
    set_: Set = None,
) -> None:
    """Train an unmodified config_train.json.

    Everything that can be known before the first batch is checked first. Results go to MMAR_CKPT_DIR: model.pt (best),
    final_model.pt, checkpoint.pt, train_stats.json, report.html, TensorBoard events and the MONAI bundle config that
    ran.

    Example: clara-compat train -m my_mmar -c config/config_train.json -e config/environment.json --set epochs=2
    """
    from clara_compat.cli.tables import print_training
    from clara_compat.run.train import train as run

    overrides = [*_overrides(set_, cache_gb), *([] if accelerate is None else [f"accelerate={accelerate}"])]
    print_training(run(mmar, config, env, overrides, log_config=log))


@app.command()
def evaluate(
    config: Annotated[
        Path,
        typer.Option("-c", "--config", help="Evaluation configuration, also relative to the MMAR."),
    ] = Path("config/config_validation.json"),
    mmar: Mmar = None,
    env: Env = None,
    log: Log = None,
    set_: Set = None,
) -> None:
    """Run an unmodified config_validation.json: predict the scans of its data list, write the results, measure them.

    do_validation=true compares with the labels; output_infer_result=false writes no predictions;
    overwrite_previous_result=false takes what an earlier run left, so that an interrupted run goes on. Results go to
    MMAR_EVAL_OUTPUT_PATH, one folder per case, with evaluate_stats.json and the MONAI bundle config that ran.

    Example: clara-compat evaluate -m my_mmar -c config/config_validation.json --set do_validation=true
    """
    from clara_compat.cli.evaluation_tables import print_evaluation
    from clara_compat.run.evaluate import evaluate as run

    print_evaluation(run(mmar, config, env, set_ or (), log_config=log))


@app.command()
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
    set_: Set = None,
) -> None:
    """Run single images through a network, as Clara's annotation server did.

    The mask has the affine, the shape and the orientation of the image's file.

    Example: clara-compat infer scan.nii.gz -c my_mmar/config/config_aiaa.json -m my_mmar -o mask.nii.gz
    """
    from clara_compat.cli.evaluation_tables import print_inference
    from clara_compat.run.infer import infer as run

    found = run([*images], config, out, mmar=mmar, model=model, env=env, overrides=set_ or (), log_config=log)
    print_inference(found)


@app.command()
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

    report = run(config, mmar, env, _overrides(set_, cache_gb), data=not no_data)
    print_check(report, as_json=json)
    if html is not None:
        write_check_page(report, html, quiet=json)
    raise typer.Exit(0 if report.passed else 2)


@app.command()
def preview(
    config: Annotated[Path, typer.Argument(help="Training configuration, also relative to the MMAR.")],
    mmar: Mmar = None,
    env: Env = None,
    set_: Set = None,
    items: Annotated[int, typer.Option("-n", "--items", min=1, max=20, help="How many items of the data list.")] = 2,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="The PNG. By default preview.png in MMAR_CKPT_DIR.")
    ] = None,
    section: Annotated[Literal["train", "validate"], typer.Option(help="Whose transforms.")] = "train",
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Seed of the random draws. By default the config's determinism, or a drawn one."),
    ] = None,
    epoch: Annotated[int, typer.Option(min=1, help="Another epoch shows other random draws.")] = 1,
) -> None:
    """Draw what each transform of a config does to a few items: a picture, and a table here.

    The picture has a row per item (and per crop) and a column per transform: the slice with the most label, the label
    on top of it, and below it shape, spacing in mm, values and labels. It is what a training with this seed sees:
    flips, rotations, crops and shifts of the grey values as they are drawn for it. Neither the network nor the loss is
    needed. When a transform fails, the picture shows all until then.

    Example: clara-compat preview my_mmar/config/config_train.json -n 3 -o augmentation.png --seed 7
    """
    from clara_compat.cli.preview_tables import print_preview
    from clara_compat.run.preview import preview as run

    result = run(config, mmar, env, set_ or (), items=items, section=section, seed=seed, epoch=epoch, out=out)
    print_preview(result)
    if result.error is not None:
        raise result.error


@app.command()
def components(
    family: Annotated[str | None, typer.Argument(help="Only this family, such as transforms or losses.")] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write COMPONENTS.md (with all arguments), FIDELITY.md, TENSORFLOW.md and the tables of the migration "
            "guide there instead of printing.",
        ),
    ] = None,
) -> None:
    """List the catalogue: every Clara component, what it becomes on MONAI, and how faithful that is.

    Example: clara-compat components losses
    """
    if markdown is None:
        from clara_compat.cli.tables import print_components

        print_components(family)
    else:
        from clara_compat.run.reference import write_reference

        if family is not None:
            raise ClaraError("--markdown writes the whole catalogue: leave the family out")
        for path in write_reference(markdown):
            typer.echo(path)


@app.command()
def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="Folder to work in; made when missing. By default clara_compat_demo, with the task's name if another."
        ),
    ] = None,
    task: Annotated[
        Literal["segmentation", "tensorflow", "classification", "classification3d"],
        typer.Option(help="What to learn."),
    ] = "segmentation",
    epochs: Annotated[int | None, typer.Option(help="Fewer epochs, for a quick look.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the run.")] = None,
) -> None:
    """Train a complete Clara 3.1 MMAR on synthetic images, and draw what it learned.

    The tasks: find the spleen in CT scans (segmentation), the same with a network and a loss written with TensorFlow 1
    (tensorflow), say which lesions a picture has (classification) or which one a CT volume has (classification3d).
    Each takes a few minutes on two cores, and ends with the Dice or the area under the ROC curve on images it never
    saw, a picture and the curve.

    Example: clara-compat demo --task classification
    """
    from clara_compat.demo.run import run_demo

    run_demo(folder, task=task, epochs=epochs, seed=seed)


app.command()(export)
app.command()(lint)
app.command()(migrate)
app.command()(report)
app.add_typer(weights, name="weights")


def _overrides(set_: list[str] | None, cache_gb: float | None) -> list[str]:
    return [*(set_ or ()), *([] if cache_gb is None else [f"cache_gb={cache_gb}"])]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with 0, 2 (something of the user's must be mended) or 1 (a defect of ours)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    sys.exit(exit_code(lambda: app(spread_shape(spread_set(spread_configs(arguments))))))


def spread_set(arguments: list[str]) -> list[str]:
    """Write ``--set a=1 b=2`` as ``--set a=1 --set b=2``: Clara's ``--set`` takes everything up to the next flag."""
    return spread(arguments, "--set", lambda text: [text] if "=" in text and not text.startswith("-") else [])
