"""Coverage-guided runs of the parsers: ``python -m tests.fuzz.atheris_parsers TARGET [CORPUS] [-max_total_time=60]``.

Atheris (the extra ``fuzz``) watches which lines an input reaches, and changes inputs that reach new ones. A finding is
any exception but :class:`ClaraError`, an error that is not one for users, or an input that takes more than 5 seconds.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["clara_compat", "json.decoder", "json.scanner"]):
    from clara_compat.config.arguments import convert
    from clara_compat.config.elements import ElementReader, Slot
    from clara_compat.config.log_config import read_log_config
    from clara_compat.config.overrides import parse_overrides
    from clara_compat.config.paths import format_path, parse_path
    from clara_compat.config.positions import Located, read_json
    from clara_compat.config.problems import ConfigErrors, Problems
    from clara_compat.config.variables import resolve_variables, substitute, used_names
    from clara_compat.config.workflow import load_train_workflow
    from clara_compat.errors import ClaraError

from clara_compat.run.outputs import LOGGING_CONF
from tests.fuzz.oracle import assert_catalogued, assert_told

__all__ = ["TARGETS"]

FOLDER = Path(tempfile.gettempdir())
TYPES = [int, float, bool, str, list[int], list[float], str | list[str], int | None, tuple[int, int, int], dict, list]


def variables(data: bytes) -> None:
    """``{VAR}`` in texts, with values that name others."""
    text, *values_of = _texts(data, 5)
    values = dict(zip(("A", "B", "MMAR_X", "é"), values_of, strict=True))
    known = resolve_variables(values, {}, {}, "/mmar")
    document = {"x": text, "args": {text: [text]}, "disabled": text}
    used_names(document)
    problems = Problems()
    found = substitute(document, known, None, problems)
    json.dumps(found.data)
    _told(problems)


def overrides(data: bytes) -> None:
    """``--set``: what is said, and where it is put."""
    items = _texts(data, 3)
    problems = Problems()
    try:
        parse_overrides(items).apply(_document(), problems)
    except ClaraError as error:
        problems.take(error)
    _told(problems)


def paths(data: bytes) -> None:
    """JSON paths: what can be read is written so that it is read again."""
    try:
        path = parse_path(_texts(data, 1)[0])
    except ClaraError as error:
        assert_told(str(error))
    else:
        assert not path or parse_path(format_path(path)) == path


def positions(data: bytes) -> None:
    """The reader of JSON that keeps the lines: it takes what Python takes, and nothing else."""
    (FOLDER / "fuzz.json").write_bytes(data)
    try:
        found = read_json(FOLDER / "fuzz.json", shown="fuzz.json")
    except ClaraError as error:
        assert_catalogued(error)
        return
    assert repr(found.data) == repr(json.loads(data.decode("utf-8-sig")))
    for key in found.data:
        assert found.address(key).line
        assert found.written(key)


def references(data: bytes) -> None:
    """Names, aliases, references and ``disabled`` of components."""
    texts = _texts(data, 4)
    flag = {"true": True, "false": False, "null": None}.get(texts[3], texts[3])
    elements = [
        {"name": texts[0], "args": {texts[1]: texts[2]}, "disabled": flag},
        {"ref": texts[1]},
        {"path": texts[2], "name": texts[3]},
        {texts[0]: texts[1]},
    ]
    config = {
        "epochs": 1,
        "learning_rate": 1.0,
        "train": {"pre_transforms": elements, "loss": elements[:2], "model": elements[0]},
        "validate": {"pre_transforms": [{"ref": text} for text in texts]},
    }
    (FOLDER / "fuzz_config.json").write_text(json.dumps(config))
    problems = Problems()
    with suppress(ClaraError):
        document = read_json(FOLDER / "fuzz_config.json")
        list(ElementReader(document, {}, problems).elements(Slot(("train", "pre_transforms"), "transforms")))
    try:
        load_train_workflow(FOLDER / "fuzz_config.json", mmar=FOLDER)
    except ClaraError as error:
        problems.take(error)
    _told(problems)


def log_config(data: bytes) -> None:
    """``log.config``: parsed, not evaluated."""
    (FOLDER / "log.config").write_bytes(data)
    try:
        json.dumps(read_log_config(FOLDER / "log.config", FOLDER))
    except ClaraError as error:
        assert_told(str(error))


def arguments(data: bytes) -> None:
    """The conversion of an argument to the type its constructor asks for."""
    annotation = TYPES[data[0] % len(TYPES)] if data else str
    text = _texts(data[1:], 1)[0]
    value = text
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
    try:
        convert(value, annotation)
    except ValueError as error:
        assert_told(str(error))


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one for one in (variables, overrides, paths, positions, references, log_config, arguments)
}

_EXAMPLES: dict[str, list[bytes]] = {
    "variables": ["a {A}{B} {{é}} {é}\n{B}\n1\nmodels\nx".encode(), b"{A}\n3", b"{MMAR_X}/{A!r}{B:x}\n\n\n/y"],
    "overrides": [
        b'epochs=2\ntrain.loss.args.x=[1, {"a": 1e3}]\ntrain["pre_transforms"][0].ref=y',
        b"MMAR_X=1e3\n=\nx",
    ],
    "paths": [b"train.pre_transforms[3].args.size", b'train["my \\u00e9 key"][0]'],
    "references": [b"LoadNifti#a#b\nfields\nimage\ntrue", b"mine.Mine\n#a\nLoadNifti\nnull", b"Dice\nx\n{A}\nfalse"],
    "arguments": [b"\x00[1, 2.0]", b"\x01NaN", b'\x06"true"', b"\x089" + b"9" * 30],
    "positions": [b'{"a": [1, 2.5e3, "x"], "b": {"c": null}}', b'\xef\xbb\xbf{"a": tru}', b'{"a": "\\ud83d\\ude00"}'],
    "log_config": [LOGGING_CONF.encode()],
}
_DICTIONARY = [
    "{A}",
    "{{",
    "}}",
    "{MMAR_X}",
    "train",
    ".args",
    "[0]",
    '["',
    '"]',
    "=",
    "#",
    "\\\\u00e9",
    "true",
    "NaN",
    "1e999",
]


def _texts(data: bytes, count: int) -> list[str]:
    """Return as many texts, one from a line each; missing ones are empty."""
    lines = data.decode("utf-8", "ignore").split("\n", count - 1)
    return [*lines, *[""] * (count - len(lines))]


def _document() -> Located:
    place = FOLDER / "overridden.json"
    if not place.exists():
        place.write_text(
            '{"epochs": 1, "train": {"loss": {"name": "Dice", "args": {}}, "pre_transforms": [{"ref": "x"}]}}'
        )
    return read_json(place)


def _told(problems: Problems) -> None:
    for error in problems.errors:
        assert not isinstance(error, ConfigErrors)
        assert_told(str(error))
    for notice in problems.notices:
        assert_told(str(notice))


def main() -> None:
    """Run the target that the first argument names."""
    global FOLDER  # noqa: PLW0603 -- a folder for this process
    name = sys.argv.pop(1)
    FOLDER = Path(tempfile.mkdtemp(prefix=f"atheris_{name}_"))
    corpus = Path(next((one for one in sys.argv[1:] if not one.startswith("-")), FOLDER / "corpus"))
    corpus.mkdir(parents=True, exist_ok=True)
    for number, example in enumerate(_EXAMPLES.get(name, [])):
        (corpus / f"example{number}").write_bytes(example)
    (FOLDER / "words").write_text("".join(f'"{word}"\n' for word in (w.replace('"', '\\"') for w in _DICTIONARY)))
    atheris.Setup(
        [
            sys.argv[0],
            str(corpus),
            *(one for one in sys.argv[1:] if one.startswith("-")),
            "-timeout=5",
            f"-dict={FOLDER / 'words'}",
        ],
        TARGETS[name],
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
