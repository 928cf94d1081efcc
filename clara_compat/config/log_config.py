"""Reading ``resources/log.config``, Python's logging INI format, without evaluating anything.

``logging.config.fileConfig`` runs ``eval`` on handler classes and arguments, and ``dictConfig`` imports what a value
such as ``ext://os.system`` names: a file from a stranger may do neither. The format is that of clara-3.1 facts, 1.1.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clara_compat.common.files import endless
from clara_compat.errors import Address, ClaraError, suggestion

__all__ = ["read_log_config"]

_STREAMS = {"sys.stdout": "ext://sys.stdout", "sys.stderr": "ext://sys.stderr"}
_FILE = ("filename", "mode", "encoding", "delay", "errors")
_HANDLERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "StreamHandler": ("logging.StreamHandler", ("stream",)),
    "NullHandler": ("logging.NullHandler", ()),
    "FileHandler": ("logging.FileHandler", _FILE),
    "handlers.RotatingFileHandler": (
        "logging.handlers.RotatingFileHandler",
        ("filename", "mode", "maxBytes", "backupCount", "encoding", "delay", "errors"),
    ),
    "handlers.TimedRotatingFileHandler": (
        "logging.handlers.TimedRotatingFileHandler",
        ("filename", "when", "interval", "backupCount", "encoding", "delay", "utc"),
    ),
}
_LOG_ENDINGS = (".log", ".txt", ".out", ".err", "")
_LEVELS = ("NOTSET", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "FATAL", "CRITICAL")
_LOOKED_UP = re.compile(r"[a-z]+://")


def read_log_config(path: str | Path, folder: str | Path | None = None) -> dict[str, Any]:
    """Read a logging INI file as a dictionary for ``logging.config.dictConfig``.

    Args:
        path: the INI file.
        folder: where relative log files go, and outside of which none may be; the INI file's folder when None.

    Raises:
        ClaraError: the file cannot be read, a section is missing, or it asks for anything but the standard stream
            and file handlers with literal arguments.
    """
    return _LogConfig(Path(path), Path(path).parent if folder is None else Path(folder)).read()


class _LogConfig:
    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder
        self.lines: list[str] = []
        self.parser = configparser.RawConfigParser()

    def read(self) -> dict[str, Any]:
        self._parse()
        formatters = {name: self._formatter(f"formatter_{name}") for name in self._keys("formatters", required=False)}
        handlers = {name: self._handler(f"handler_{name}", formatters) for name in self._keys("handlers")}
        names = self._keys("loggers")
        if "root" not in names:
            raise self._error("loggers", f"the keys are {', '.join(names) or 'empty'}, expected root among them")
        loggers: dict[str, Any] = {}
        for name in names:
            section = f"logger_{name}"
            logger = self._logger(section, handlers)
            if name != "root":
                propagate = self._get(section, "propagate", "1").strip()
                if propagate not in ("0", "1"):
                    raise self._error(section, f"propagate is '{propagate}', expected 0 or 1")
                loggers[self._get(section, "qualname", name)] = {**logger, "propagate": propagate == "1"}
            else:
                root = logger
        return {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": formatters,
            "handlers": handlers,
            "loggers": loggers,
            "root": root,
        }

    def _parse(self) -> None:
        if (kind := endless(self.path)) is not None:
            raise ClaraError(f"the logging configuration is {kind}, expected a file", Address(str(self.path)))
        try:
            text = self.path.read_text(encoding="utf-8-sig")
            self.lines = text.splitlines()
            self.parser.read_string(text)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise ClaraError(f"the logging configuration cannot be read: {reason}", Address(str(self.path))) from error
        except configparser.Error as error:
            line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), None)
            message = f"not a logging configuration: {str(error).splitlines()[0]}"
            raise ClaraError(message, Address(str(self.path), line)) from error

    def _keys(self, section: str, *, required: bool = True) -> list[str]:
        if not required and not self.parser.has_section(section):
            return []
        return [key.strip() for key in self._get(section, "keys").split(",") if key.strip()]

    def _formatter(self, section: str) -> dict[str, Any]:
        if self._get(section, "class", "logging.Formatter").strip() not in ("logging.Formatter", "Formatter", ""):
            raise self._error(section, "only Python's own logging.Formatter is allowed: remove 'class'")
        found: dict[str, Any] = {}
        for key in ("format", "datefmt", "style"):
            value = self._get(section, key, "")
            if value:
                found[key] = self._plain(section, key, value)
        if found.get("style", "%") not in ("%", "{", "$"):
            raise self._error(section, f"style is '{found['style']}', expected %, {{ or $")
        return found

    def _handler(self, section: str, formatters: Mapping[str, Any]) -> dict[str, Any]:
        name = self._get(section, "class").strip().removeprefix("logging.")
        if name not in _HANDLERS:
            hint = suggestion(name, _HANDLERS) or f"; expected one of {', '.join(_HANDLERS)}"
            raise self._error(section, f"the handler class '{name}' is not allowed{hint}")
        target, parameters = _HANDLERS[name]
        handler: dict[str, Any] = {"class": target}
        given = self._literal(section, "args", "()")
        if not isinstance(given, (tuple, list)):
            raise self._error(section, f"args is {given!r}, expected a tuple such as (sys.stdout,)")
        if len(given) > len(parameters):
            raise self._error(section, f"{name} takes at most {len(parameters)} args, got {len(given)}")
        named = self._literal(section, "kwargs", "{}")
        if not isinstance(named, dict) or not all(key in parameters for key in named):
            raise self._error(section, f"kwargs is {named!r}, expected a dictionary of {', '.join(parameters)}")
        for key, value in {**dict(zip(parameters, given, strict=False)), **named}.items():
            handler[key] = self._argument(section, key, value)
        if "filename" in parameters:
            handler["filename"] = self._log_file(section, handler.get("filename"))
        if level := self._level(section):
            handler["level"] = level
        formatter = self._get(section, "formatter", "").strip()
        if formatter:
            if formatter not in formatters:
                raise self._error(section, f"there is no formatter '{formatter}'{suggestion(formatter, formatters)}")
            handler["formatter"] = formatter
        return handler

    def _logger(self, section: str, handlers: Mapping[str, Any]) -> dict[str, Any]:
        logger: dict[str, Any] = {}
        if level := self._level(section):
            logger["level"] = level
        names = [name.strip() for name in self._get(section, "handlers", "").split(",") if name.strip()]
        for name in names:
            if name not in handlers:
                raise self._error(section, f"there is no handler '{name}'{suggestion(name, handlers)}")
        return {**logger, "handlers": names}

    def _argument(self, section: str, key: str, value: Any) -> Any:
        if key == "stream":
            if value not in _STREAMS.values():
                raise self._error(section, f"the stream is {value!r}, expected sys.stdout or sys.stderr")
            return value
        if isinstance(value, str):
            return self._plain(section, key, value)
        if value is not None and not isinstance(value, (int, float)):
            raise self._error(section, f"{key} is {value!r}, expected a number or a text")
        return value

    def _log_file(self, section: str, name: Any) -> str:
        if not isinstance(name, str) or not name or "\0" in name:
            raise self._error(section, f"the log file is {name!r}, expected a file name")
        folder = self.folder.resolve()
        file = (folder / name).resolve()
        if file == folder or not file.is_relative_to(folder):
            raise self._error(section, f"the log file '{name}' lies outside of {folder}: use a relative file name")
        if file.suffix.lower() not in _LOG_ENDINGS:  # results of runs lie there, too
            endings = ", ".join(_LOG_ENDINGS[:-1])
            raise self._error(
                section, f"the log file is '{name}', expected a name that ends in {endings} or in nothing"
            )
        return str(file)

    def _literal(self, section: str, key: str, default: str) -> Any:
        """Read a Python literal in which ``sys.stdout`` and ``sys.stderr`` may stand for themselves."""
        text = self._get(section, key, default).strip() or default
        try:
            tree = ast.parse(text, mode="eval")
            return ast.literal_eval(_Streams().visit(tree))
        except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
            message = f"{key} is {text[:80]}, expected literal values, sys.stdout or sys.stderr; nothing is evaluated"
            raise self._error(section, message) from error

    def _level(self, section: str) -> str | None:
        level = self._get(section, "level", "").strip().upper()
        if level and level not in _LEVELS:
            raise self._error(section, f"level is '{level}', expected one of {', '.join(_LEVELS)}")
        return level or None

    def _plain(self, section: str, key: str, value: str) -> str:
        """Refuse what dictConfig would look up instead of taking it as text."""
        if _LOOKED_UP.match(value):
            raise self._error(section, f"{key} is '{value[:60]}', expected plain text (no address)")
        return value

    def _get(self, section: str, key: str, default: str | None = None) -> str:
        if not self.parser.has_section(section):
            hint = suggestion(section, self.parser.sections())
            raise ClaraError(f"there is no section [{section}]{hint}", Address(str(self.path)))
        value = self.parser.get(section, key, fallback=default)
        if value is None:
            raise self._error(section, f"there is no '{key}'")
        return value

    def _error(self, section: str, message: str) -> ClaraError:
        lines = (number for number, line in enumerate(self.lines, 1) if line.strip().startswith(f"[{section}]"))
        return ClaraError(message, Address(str(self.path), next(lines, None), f"[{section}]"))


class _Streams(ast.NodeTransformer):
    """Puts the text that dictConfig resolves in place of the two streams."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        stream = _STREAMS.get(ast.unparse(node))
        return ast.copy_location(ast.Constant(stream), node) if stream else node
