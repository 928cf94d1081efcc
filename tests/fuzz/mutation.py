"""Texts that are nearly JSON: real configs with bytes, tokens and lines changed."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from random import Random

from tests.fuzz.grammar import Grammar

__all__ = ["mutated", "scrambled"]

_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[{}\[\],:]|\w+|\s+|.', re.DOTALL)
_TOKENS = [
    *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"'", b"true", b"false", b"null", b"NaN", b"Infinity", b"-Infinity"),
    *(
        b"1e999",
        b"-1e999",
        b"0" * 50,
        b"9" * 400,
        b"9" * 5000,
        b"1.",
        b".5",
        b"+1",
        b"0x1",
        b"-",
        b"-0",
        b"1E+",
        b"ture",
    ),
    *(b'""', b'"\\u0000"', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\', b'"\\x"', b'"\xff"', b'"\\u"', b'"a\nb"', b"\\"),
    *(
        b"// no\n",
        b"/* no */",
        b"# no\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\x00",
        b"\x1b[2J",
        b"\xe2\x80\xae",
        b"\r",
        b"\x0c",
    ),
    *(
        b'"name": "Dice",',
        b'"ref": "LoadNifti",',
        b'"disabled": true,',
        b'"path": "mine.Mine",',
        b'"_target_": "os.x",',
    ),
    *(b'"{epochs}"', b'"{NOPE}"', b'"x{A}"', b'"{{"', b'"$canary"', b'"@canary"', b'"%canary"', b'"a#b"', b'"a::b"'),
    *(b"[" * 300, b'{"a":' * 300, b"[" * 5000, b"[]", b"{}", b"[[]]", b'{"":{}}', b"[1,2,3]", b"[16,16,16]"),
]


def mutated(text: bytes, draw: Random) -> bytes:
    """Return a JSON text with a few changes of its values, or of its bytes, tokens and lines."""
    if draw.random() < 0.5:
        with suppress(json.JSONDecodeError):  # one of the published configs is none
            return json.dumps(Grammar(draw).spoiled(json.loads(text))).encode()
    return scrambled(text, draw)


def scrambled(text: bytes, draw: Random) -> bytes:
    """Return a text with a few changes of its bytes, tokens and lines."""
    for _ in range(draw.choice([1, 1, 1, 2, 3, 8])):
        text = draw.choice([_token, _token, _token, _token, _byte, _line, _cut, _repeat])(text, draw)
    return text[:400_000]


def _token(text: bytes, draw: Random) -> bytes:
    tokens = _TOKEN.findall(text)
    solid = [number for number, token in enumerate(tokens) if not token.isspace()]
    if not solid:
        return draw.choice(_TOKENS)
    place = draw.choice(solid)
    kind = draw.random()
    if kind < 0.4:
        tokens[place] = draw.choice(_TOKENS)
    elif kind < 0.6:
        tokens[place] = tokens[draw.choice(solid)]
    elif kind < 0.8:
        del tokens[place]
    else:
        tokens.insert(place, draw.choice([*_TOKENS, tokens[place]]))
    return b"".join(tokens)


def _byte(text: bytes, draw: Random) -> bytes:
    place = draw.randrange(len(text) + 1)
    kind = draw.random()
    other = bytes([draw.randrange(256)])
    if kind < 0.4:
        return text[:place] + other + text[place + 1 :]
    return text[:place] + other + text[place:] if kind < 0.7 else text[:place] + text[place + 1 :]


def _line(text: bytes, draw: Random) -> bytes:
    lines = text.split(b"\n")
    place, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    kind = draw.random()
    if kind < 0.4:
        del lines[place]
    elif kind < 0.7:
        lines.insert(place, lines[other])
    else:
        lines[place], lines[other] = lines[other], lines[place]
    return b"\n".join(lines)


def _cut(text: bytes, draw: Random) -> bytes:
    if draw.random() < 0.3:
        return text[: draw.randrange(len(text) + 1)]
    place = draw.randrange(len(text) + 1)
    return text[:place] + text[place + draw.randrange(60) :]


def _repeat(text: bytes, draw: Random) -> bytes:
    place = draw.randrange(len(text) + 1)
    part = text[place : place + draw.randrange(1, 80)]
    return text[:place] + part * draw.choice([2, 3, 10]) + text[place:]
