from __future__ import annotations

import logging
import logging.config
import sys

import pytest

from clara_compat.config.log_config import read_log_config
from clara_compat.errors import ClaraError

LEGACY = """[loggers]
keys=root,modelLogger

[handlers]
keys=consoleHandler

[formatters]
keys=fullFormatter

[logger_root]
level=INFO
handlers=consoleHandler

[logger_modelLogger]
level=DEBUG
handlers=consoleHandler
qualname=modelLogger
propagate=0

[handler_consoleHandler]
class=StreamHandler
level=DEBUG
formatter=fullFormatter
args=(sys.stdout,)

[formatter_fullFormatter]
format=%(asctime)s - %(name)s - %(levelname)s - %(message)s
datefmt=%H:%M
"""


@pytest.fixture
def read(tmp_path):
    def run(text, folder=None):
        file = tmp_path / "log.config"
        file.write_text(text)
        return read_log_config(file, folder)

    return run


@pytest.fixture
def restored_logging():
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    yield
    for handler in root.handlers:
        if handler not in before[1]:
            handler.close()
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    logging.getLogger("modelLogger").handlers.clear()


def test_the_legacy_file(read):
    assert read(LEGACY) == {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "fullFormatter": {"format": "%(asctime)s - %(name)s - %(levelname)s - %(message)s", "datefmt": "%H:%M"}
        },
        "handlers": {
            "consoleHandler": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "level": "DEBUG",
                "formatter": "fullFormatter",
            }
        },
        "loggers": {"modelLogger": {"level": "DEBUG", "handlers": ["consoleHandler"], "propagate": False}},
        "root": {"level": "INFO", "handlers": ["consoleHandler"]},
    }


@pytest.mark.parametrize("standard", [False, True], ids=["ours", "fileConfig"])
def test_it_configures_logging_as_file_config_does(read, tmp_path, restored_logging, capsys, standard):
    config = read(LEGACY)
    if standard:
        logging.config.fileConfig(tmp_path / "log.config", disable_existing_loggers=False)
    else:
        logging.config.dictConfig(config)
    (handler,) = logging.getLogger().handlers
    assert handler.stream is sys.stdout
    assert handler.level == logging.DEBUG
    assert handler.formatter._fmt == "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
    model = logging.getLogger("modelLogger")
    assert (model.level, model.propagate, logging.getLogger().level) == (logging.DEBUG, False, logging.INFO)
    model.debug("hello")
    assert capsys.readouterr().out.endswith(" - modelLogger - DEBUG - hello\n")


def handler(text):
    head, _, tail = LEGACY.partition("class=StreamHandler")
    return head + text + "\n" + tail.partition("args=(sys.stdout,)")[2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class=StreamHandler\nargs=(sys.stderr,)", {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"}),
        ("class=StreamHandler", {"class": "logging.StreamHandler"}),
        ("class=logging.StreamHandler\nargs=()", {"class": "logging.StreamHandler"}),
        ("class=NullHandler", {"class": "logging.NullHandler"}),
        (
            "class=FileHandler\nargs=('out.log', 'a')",
            {"class": "logging.FileHandler", "filename": "{folder}/out.log", "mode": "a"},
        ),
        (
            "class=handlers.RotatingFileHandler\nargs=('sub/out.log', 'a', 20000, 5)",
            {
                "class": "logging.handlers.RotatingFileHandler",
                "filename": "{folder}/sub/out.log",
                "mode": "a",
                "maxBytes": 20000,
                "backupCount": 5,
            },
        ),
        (
            "class=handlers.TimedRotatingFileHandler\nkwargs={'filename': 'out.log', 'when': 'D', 'utc': True}",
            {
                "class": "logging.handlers.TimedRotatingFileHandler",
                "filename": "{folder}/out.log",
                "when": "D",
                "utc": True,
            },
        ),
        (
            "class=FileHandler\nargs=('{folder}/in.log',)",
            {"class": "logging.FileHandler", "filename": "{folder}/in.log"},
        ),
    ],
)
def test_handlers(read, tmp_path, restored_logging, text, expected):
    folder = tmp_path / "logs"
    (folder / "sub").mkdir(parents=True)
    config = read(handler(text.replace("{folder}", str(folder))), folder)
    assert config["handlers"]["consoleHandler"] == {
        key: value.replace("{folder}", str(folder)) if isinstance(value, str) else value
        for key, value in expected.items()
    }
    logging.config.dictConfig(config)


def test_files_lie_beside_the_configuration_by_default(read, tmp_path):
    config = read(handler("class=FileHandler\nargs=('out.log',)"))
    assert config["handlers"]["consoleHandler"]["filename"] == str(tmp_path / "out.log")


ARGS = "class=StreamHandler\nargs="


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            handler(f"{ARGS}(__import__('os').system('x'),)"),
            "expected literal values, sys.stdout or sys.stderr; nothing is",
        ),
        (
            handler(f"{ARGS}(os.system,)"),
            r"log.config:20 \[handler_consoleHandler\]: args is \(os.system,\), expected literal",
        ),
        (handler(f"{ARGS}(sys.modules,)"), "expected literal values"),
        (handler(f"{ARGS}(open('x'),)"), "expected literal values"),
        (handler(f"{ARGS}((("), "expected literal values"),
        (handler(f"{ARGS}3"), r"args is 3, expected a tuple such as \(sys.stdout,\)"),
        (handler(f"{ARGS}(1,)"), "the stream is 1, expected sys.stdout or sys.stderr"),
        (handler(f"{ARGS}('ext://os.system',)"), "the stream is 'ext://os.system', expected sys.stdout or sys.stderr"),
        (handler(f"{ARGS}(sys.stdout, 1)"), "StreamHandler takes at most 1 args, got 2"),
        (handler("class=StreamHandler\nkwargs={'x': 1}"), "kwargs is {'x': 1}, expected a dictionary of stream"),
        (handler("class=FileHandler"), "the log file is None, expected a file name"),
        (
            handler("class=FileHandler\nargs=('../x.log',)"),
            r"the log file '../x.log' lies outside of .*: use a relative",
        ),
        (handler("class=FileHandler\nargs=('/etc/x.log',)"), "the log file '/etc/x.log' lies outside of"),
        (handler("class=FileHandler\nargs=('.',)"), "lies outside of"),
        (handler("class=FileHandler\nargs=('a\\0b',)"), "the log file is .*, expected a file name"),
        (handler("class=FileHandler\nargs=('x', 'ext://os')"), "mode is 'ext://os', expected plain text"),
        (handler("class=FileHandler\nargs=('x', ['a'])"), r"mode is \['a'\], expected a number or a text"),
        (
            handler("class=handlers.SocketHandler"),
            "the handler class 'handlers.SocketHandler' is not allowed; did you mean",
        ),
        (handler("class=os.system"), "the handler class 'os.system' is not allowed"),
        (handler("class=StreamHandlr"), "'StreamHandlr' is not allowed; did you mean 'StreamHandler'"),
        (handler("class=StreamHandler\nlevel=LOUD"), "level is 'LOUD', expected one of NOTSET"),
        (
            handler("class=StreamHandler\nformatter=fulFormatter"),
            "no formatter 'fulFormatter'; did you mean 'fullFormatter'",
        ),
        (handler("level=INFO"), "there is no 'class'"),
        (LEGACY.replace("handlers=consoleHandler", "handlers=console"), "there is no handler 'console'"),
        (LEGACY.replace("propagate=0", "propagate=no"), "propagate is 'no', expected 0 or 1"),
        (
            LEGACY.replace("keys=root,modelLogger", "keys=modelLogger"),
            "the keys are modelLogger, expected root among them",
        ),
        (
            LEGACY.replace("[logger_root]", "[logger_rot]"),
            r"there is no section \[logger_root\]; did you mean 'logger_rot'",
        ),
        (LEGACY.replace("datefmt=%H:%M", "datefmt=cfg://handlers"), "datefmt is 'cfg://handlers', expected plain text"),
        (LEGACY.replace("datefmt=%H:%M", "class=my.Formatter"), "only Python's own logging.Formatter is allowed"),
        (LEGACY.replace("datefmt=%H:%M", "style=x"), "style is 'x', expected %, { or"),
        ("keys=root", r"log.config:1: not a logging configuration: File contains no section headers"),
        ("[loggers]\nkeys=root\n[loggers]\n", r"log.config:3: not a logging configuration: .*already exists"),
        ("[loggers]\nnonsense\n", "log.config:2: not a logging configuration: "),
        ("", r"there is no section \[handlers\]"),
    ],
)
def test_refused(read, text, message):
    with pytest.raises(ClaraError, match=message):
        read(text)


def test_unreadable(tmp_path):
    with pytest.raises(ClaraError, match="the logging configuration cannot be read: No such file"):
        read_log_config(tmp_path / "log.config")
    (tmp_path / "log.config").write_bytes(b"\xff")
    with pytest.raises(ClaraError, match="cannot be read: it is not UTF-8 text"):
        read_log_config(tmp_path / "log.config")


def test_nothing_is_evaluated(read, tmp_path):
    mark = tmp_path / "mark"
    with pytest.raises(ClaraError):
        read(handler(f"{ARGS}(__import__('pathlib').Path({str(mark)!r}).touch(),)"))
    assert not mark.exists()
