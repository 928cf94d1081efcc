"""What people mean who write JSON that is none."""

from __future__ import annotations

import json
import re

from clara_compat.errors import nearest

__all__ = ["slip"]

_WORDS = {"true": "true", "false": "false", "null": "null", "None": "null", "none": "null", "nil": "null"}


def slip(text: str, error: json.JSONDecodeError) -> str:
    """Return the end of a message: what was probably meant; empty where that is not clear.

    Args:
        text: of the file.
        error: that the decoder raised for it.
    """
    before = text[: error.pos].rstrip()
    here = text[error.pos :]
    # Newer Pythons point at the comma, older ones at the bracket behind it.
    if error.msg.startswith("Illegal trailing comma") or (here[:1] in {"}", "]"} and before.endswith(",")):
        return "; remove the comma before the closing bracket"
    if not here.strip():
        return "; the file ends too early: a closing bracket or a value is missing"
    if here.startswith("'"):
        return "; JSON needs double quotes: write \" instead of '"
    if here.startswith(("//", "/*", "#")):
        return "; JSON has no comments: remove it"
    if here[:1] in {"“", "”", "‘", "’"}:
        return "; these are typographic quotes: write plain double quotes"
    if error.msg.startswith("Expecting ',' delimiter") and here.startswith('"'):
        return "; a comma is missing before this"
    if not error.msg.startswith(("Expecting value", "Expecting property name")):
        return ""
    if word := re.match(r"[A-Za-z_]\w*", here):
        literal = nearest(word[0], _WORDS)
        guess = f"; did you mean {_WORDS[literal]}?" if literal else '; text needs double quotes: "..."'
        return f", found {word[0][:40]}{guess}" if error.msg == "Expecting value" else guess
    if number := re.match(r"\+?(\d+(?:\.\d+)?|\.\d+)", here):
        return f"; write {'0' if number[1].startswith('.') else ''}{number[1]}"
    return ""
