"""The pages are complete, true to the commands and the configs, and hold nothing of one machine."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from clara_compat.cli.export import spread_shape
from clara_compat.cli.main import app, spread_set
from clara_compat.components.catalogue import components
from clara_compat.components.not_yet import NOT_YET
from clara_compat.config.settings import Determinism, EvaluateSettings, TrainSettings
from clara_compat.config.variables import DEFAULTS, DOCUMENTED
from clara_compat.config.workflow import load_train_workflow
from clara_compat.run.outputs import OUTPUTS
from clara_compat.run.seeds import seeds_of
from clara_compat.translate.not_accepted import NOT_ACCEPTED, SETTINGS
from clara_compat.translate.stock import REFUSED, REFUSED_ARGUMENTS
from clara_compat.translate.train import translate_train

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "clara_compat"
PAGES = sorted(DOCS.rglob("*.md"))
READERS = [*PAGES, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md"))]
COMMANDS: dict[str, Any] = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def page(name: str) -> str:
    return (DOCS / "migration" / name).read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def commands(text: str) -> Iterator[list[str]]:
    """The command lines of a page, in blocks of bash and in code within a sentence."""
    blocks = re.findall(r"^ *```bash\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`(clara-compat [^`]*)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL))
    for line in lines:
        words = shlex.split(line.strip(), comments=True)
        if words and words[0].endswith("clara-compat") and len(words) > 1:
            yield words[1:]


FOUND = [(name_of(path), words) for path in READERS for words in commands(path.read_text(encoding="utf-8"))]


def unknown_options(words: list[str]) -> list[str]:
    """What a command line has that the command does not take."""
    command, rest = COMMANDS.get(words[0]), words[1:]
    if words[0].startswith("-"):
        return [] if words == ["--help"] else words[:1]
    if command is None:
        return [words[0]] if words[0].islower() else []
    while hasattr(command, "commands") and rest:
        command, rest = command.commands.get(rest[0]), rest[1:]
        if command is None:
            return words[1:2]
    takes = {flag for parameter in command.params for flag in parameter.opts} | {"--help"}
    given = [word for word in spread_shape(spread_set(rest)) if re.match(r"-{1,2}[a-z]", word)]
    return [flag for flag in given if flag not in takes]


def test_the_pages_show_commands() -> None:
    assert len(FOUND) > 40
    assert {words[0] for _, words in FOUND} >= {"check", "train", "evaluate", "migrate", "export", "lint", "weights"}


@pytest.mark.parametrize(
    ("where", "words"), FOUND, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_a_command_of_a_page_has_the_options_it_is_shown_with(where: str, words: list[str]) -> None:
    assert not unknown_options(words), where


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("train --mmra x", ["--mmra"]),
        ("trian -m x", ["trian"]),
        ("weights lits x", ["lits"]),
        ("train --set a=1 b=2 -c x", []),
    ],
)
def test_a_wrong_command_would_be_seen(line: str, wrong: list[str]) -> None:
    assert unknown_options(line.split()) == wrong


def test_every_command_is_in_the_table() -> None:
    table = page("commands.md")
    for name in COMMANDS:
        assert f"`clara-compat {name}" in table, name
    for command in COMMANDS["weights"].commands:
        assert f"`clara-compat weights {command}`" in table


def test_what_each_command_executes_is_told() -> None:
    rows = [line for line in page("security.md").splitlines() if line.startswith("|")]
    told = {name for row in rows for name in re.findall(r"`clara-compat (\w+)`", row)}
    assert told >= set(COMMANDS) - {"demo"}


@pytest.mark.parametrize("model", [TrainSettings, EvaluateSettings, Determinism])
def test_every_setting_is_in_the_table(model: Any) -> None:
    table = page("config.md")
    assert [name for name in model.model_fields if f"`{name}`" not in table] == []


def test_every_variable_is_in_the_table() -> None:
    table = page("config.md")
    assert sorted(name for name in {*DEFAULTS, *DOCUMENTED} if f"`{name}`" not in table) == []


def sections() -> set[str]:
    from clara_compat.config import evaluate_workflow, sections

    keys = {".".join(slot.path) for slot in (*sections._TRAIN, *sections._VALIDATE)}
    return keys | set(evaluate_workflow._FAMILIES)


def test_every_section_is_in_the_table() -> None:
    table = page("config.md")
    assert sorted(name for name in sections() if f"| `{name}`" not in table) == []


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    overrides = ["DATA_ROOT=/data", "DATASET_JSON=/data/dataset.json"]
    mmar = ROOT / "configs" / "demo_mmar"
    config = json.loads((mmar / "config/config_train.json").read_text(encoding="utf-8"))
    file = tmp_path_factory.mktemp("with_all_sections") / "config_train.json"
    config["train"]["lr_policy"] = {"name": "ReducePoly", "args": {}}
    config["train"]["batch_transforms"] = [
        {"name": "ScaleIntensityOscillation", "args": {"fields": "image", "magnitude": 0.1}}
    ]
    file.write_text(json.dumps(config), encoding="utf-8")
    found = []
    for path in (mmar / "config/config_train.json", file):
        workflow = load_train_workflow(path, mmar=mmar, overrides=overrides)
        found.append(translate_train(workflow, seeds_of(workflow.settings.determinism), mmar / "models", None).config)
    return found


def test_entries_that_the_table_names_are_in_the_config(translated: list[dict]) -> None:
    ids = set(re.findall(r"`((?:train|validate)#\w+)`", page("config.md")))
    assert len(ids) > 12
    there = {f"{part}#{name}" for config in translated for part in ("train", "validate") for name in config[part]}
    assert ids <= there
    top = {name for config in translated for name in config}
    for name in ("epochs", "learning_rate", "val_interval", "seed", "DATA_ROOT", "DATASET_JSON", "ckpt_dir"):
        assert name in top
        assert f"`{name}`" in page("config.md")


def test_every_file_of_a_training_is_in_the_table() -> None:
    for name in OUTPUTS.values():
        assert f"`{name}`" in page("files.md")


def test_everything_that_is_not_accepted_is_on_its_page() -> None:
    text = page("what-is-not-accepted.md")
    for title, group in NOT_ACCEPTED.items():
        assert f"## {title}\n" in text
        for one in group:
            assert one.what.replace("``", "`").split(",")[0] in text.replace("\\", "")
    for name in (*NOT_YET, *REFUSED, *REFUSED_ARGUMENTS):
        assert f"`{name}`" in text


EVIDENCE = {
    "extra_inputs": ("translate/limits.py", "extra_inputs is not supported yet"),
    "inferers of your own": ("translate/limits.py", "user-written {slot} components do not run yet"),
    "model loaders of your own": ("run/evaluation_check.py", "user-written {kind}s do not run yet"),
    "image pipelines of your own": ("translate/data_side.py", "is not supported as image_pipeline"),
    "optimizers that return": ("translate/limits.py", "cannot use yet"),
    "auxiliary operations with": ("translate/limits.py", "cannot use yet"),
    "TRTISModelLoader": ("components/model_loaders/trtis_model_loader.py", "by a server is not supported"),
    "a symbol that is not": ("tensorflow/absent.py", "not provided by clara_compat's TensorFlow facade"),
    "frozen graphs": (
        "components/model_loaders/frozen_graph_model_loader.py",
        "frozen graph of TensorFlow that is there",
    ),
    "Keras weights": ("run/start_weights.py", "is a Keras file, whose weights are not read"),
    "checkpoints of TensorFlow": ("run/start_weights.py", "whose names are not known for this network"),
    "time series": ("engine/readers/nifti.py", "time series are not supported"),
    "a ``path`` of": ("config/stock.py", "is refused: of MONAI and torch a config may name"),
    "`` of MONAI": ("translate/stock.py", "it downloads code and runs it"),
    "the argument ``": ("translate/stock.py", "it is downloaded from"),
    "checkpoints that hold": ("engine/weights.py", "weights_only=True"),
    ".npy": ("components/transforms/load_numpy.py", "a pickle"),
    "log.config": ("config/log_config.py", "without evaluating anything"),
    "a chain of more than 1,000": ("config/elements.py", "_MOST = 1000"),
    "use_xla": ("translate/train.py", "use_xla has no counterpart and is ignored"),
}
"""Where the package refuses it, and words that stand there."""
NOT_THERE = ("recurrent", "tf.data", "TensorFlow's own", "search", "use_scanning_window", "federated")
"""What nothing in the package takes up: there is no symbol, no component, no reader of the key."""


def test_nothing_on_the_page_is_accepted_by_now() -> None:
    everything = [one.what for group in NOT_ACCEPTED.values() for one in group]
    settings = {one.what for one in SETTINGS.values()}
    for what in everything:
        found = [words for start, words in EVIDENCE.items() if start in what]
        assert what in settings or found or any(start in what for start in NOT_THERE), what
    for file, words in EVIDENCE.values():
        text = " ".join(re.sub(r'"\s*\n\s*f?"', "", (PACKAGE / file).read_text(encoding="utf-8")).split())
        assert words in text, (file, words)


def test_the_facade_has_no_symbols_for_what_it_does_not_run() -> None:
    from clara_compat.tensorflow.namespace import all_symbols

    names = set(all_symbols())
    for part in (".rnn_cell.", ".LSTM", ".GRU", "tensorflow.data.", "tensorflow.estimator."):
        assert not [name for name in names if part in f"{name}."], part
    assert not [name for name in names if name.startswith("tensorflow.train.") and name.endswith("Optimizer")]


def test_whatever_says_not_yet_is_known_to_the_page() -> None:
    says = re.compile(r"not supported yet|do(?:es)? not run yet|cannot use yet")
    files = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if says.search(re.sub(r'"""(?:.|\n)*?"""', "", path.read_text(encoding="utf-8")))
    }
    assert files <= {
        "translate/limits.py",
        "translate/configured_network.py",
        "run/evaluation_check.py",
        "run/check.py",
    } | {"cli/tables.py"}


def test_every_component_is_in_the_table() -> None:
    text = page("components.md")
    for name, cls in components().items():
        assert f"| [{name}](../COMPONENTS.md#{name.lower()}) | " in text
        assert cls.becomes.split(" ")[0].replace("_", "\\_") in text or cls.becomes.split(" ")[0] in text


BASES = (
    *("MultiFieldTransformer", "MedicalImage", "TransformContext", "ShapeFormat", "Loss", "MetricList", "Metric"),
    *("Model", "TrainHandler", "LRPolicy", "Optimizer", "AuxiliaryOperation", "BuildContext", "TrainContext"),
)


@pytest.mark.parametrize("name", BASES)
def test_every_base_class_is_in_the_table(name: str) -> None:
    assert re.search(rf"`{name}\b", page("base-classes.md"))


MODULES = {
    "MapTransform": "monai.transforms",
    "RandomizableTransform": "monai.transforms",
    "Invertd": "monai.transforms",
    "SaveImaged": "monai.transforms",
    "LoadImaged": "monai.transforms",
    "CumulativeIterationMetric": "monai.metrics",
    "LrScheduleHandler": "monai.handlers",
    "MetaTensor": "monai.data",
    "ImageReader": "monai.data",
}


@pytest.mark.parametrize("name", MODULES)
def test_what_the_table_names_is_in_monai(name: str) -> None:
    from importlib import import_module

    assert name in page("base-classes.md")
    assert hasattr(import_module(MODULES[name]), name)


def test_dotted_names_of_monai_lead_somewhere() -> None:
    from importlib import import_module

    text = "".join(path.read_text(encoding="utf-8") for path in PAGES if path.parent.name == "migration")
    for name in set(re.findall(r"`((?:monai|torch)(?:\.[A-Za-z_]\w*)+)`", text)):
        try:
            import_module(name)
        except ModuleNotFoundError:
            module, _, last = name.rpartition(".")
            assert hasattr(import_module(module), last), name


@pytest.mark.parametrize("path", READERS, ids=name_of)
def test_no_page_knows_this_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in (str(Path.home()), str(ROOT), "/tmp/", "clara-3.1", " at 0x"):
        assert word not in text, word


def slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("path", READERS, ids=name_of)
def test_links_hold_in_the_project_folder_too(path: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^()\s]+)\)", text):
        file, _, anchor = target.partition("#")
        if ":" in file:
            continue
        other = (path.parent / file).resolve() if file else path
        assert other.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {slug(title) for title in titles}, target


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_tables_are_whole(path: Path) -> None:
    text = re.sub(r"`[^`\n]*`", lambda code: code[0].replace("|", "/"), path.read_text(encoding="utf-8"))
    for block in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block


def test_evaluation_entries_that_the_table_names_are_in_the_config() -> None:
    from clara_compat.translate import evaluate

    source = Path(evaluate.__file__).read_text(encoding="utf-8")
    for name in (
        "preprocessing",
        "label_preprocessing",
        "postprocessing",
        "inferer",
        "writers",
        "metrics",
        "output_dir",
    ):
        assert f'"{name}":' in source
        assert f"`{name}`" in page("config.md")
