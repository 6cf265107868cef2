# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Makes hostile inputs out of good ones. The same file runs on the host and on MicroPython.

All chance comes from `random`, so that a seed tells the whole story.
"""

import json
import random

LARGEST = 9000  # bytes; a little more than anything of ours accepts
BYTES = b"\x00\x01\x09\x0a\x0d\x20\"'+,-./0:;=@[\\]_{}~\x7f\x80\xc0\xe2\xed\xff"
NUMBERS = [
    0, -1, 1, 9, 10, 127, 128, 255, 256, 65535, 65536, 999999999, 2**30, 2**31 - 1, 2**31, 2**32,
    2**53, 2**63 - 1, 2**63, 2**64, -(2**31), -(2**63) - 1, 10**40, 0.5, -0.0, 1e38, 1e-45,
]  # fmt: skip
TEXTS = [
    "", " ", "\0", "\n", "\r\nX: y", "é", "💡", "../..", "%s%d", "%00", "a" * 33, "b" * 65,
    "c" * 257, "d" * 2100, "0", "-1", "1e9", "null", "NaN", "true", "*", "http://", "https://a:1",
    "'; --", "{}", "\\ud800", "\u2028", "Infinity",
]  # fmt: skip
# What json.dumps cannot or will not write: put into the text afterwards.
_RAW = "@raw:"
_RAW_WORDS = [b"NaN", b"1e999", b"-", b"0x1", b'"\\ud800"', b'"\xff"', b"9" * 400, b"01", b""]
_DEPTHS = (3, 17, 65, 400, 1900)


def some(things: list) -> object:  # type: ignore[type-arg]
    return things[random.randrange(len(things))]


def chance(one_in: int) -> bool:
    return random.randrange(one_in) == 0


def _spot(data: bytes) -> int:
    return random.randrange(len(data) + 1)


def _span(data: bytes) -> tuple:  # type: ignore[type-arg]
    start = _spot(data)
    return start, min(len(data), start + 1 + random.randrange(1 << random.randrange(1, 7)))


def _one_byte(data: bytes, other: bytes, words: list) -> bytes:  # type: ignore[type-arg]
    at = _spot(data)
    new = BYTES[random.randrange(len(BYTES))] if chance(2) else random.getrandbits(8)
    return data[:at] + bytes([new]) + data[at + 1 :]


def _one_bit(data: bytes, other: bytes, words: list) -> bytes:  # type: ignore[type-arg]
    if not data:
        return data
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << random.getrandbits(3) & 255]) + data[at + 1 :]


def _cut_out(data: bytes, other: bytes, words: list) -> bytes:  # type: ignore[type-arg]
    start, end = _span(data)
    return data[:start] + data[end:]


def _cut_off(data: bytes, other: bytes, words: list) -> bytes:  # type: ignore[type-arg]
    return data[: _spot(data)]


def _repeat(data: bytes, other: bytes, words: list) -> bytes:  # type: ignore[type-arg]
    start, end = _span(data)
    times = 1 << random.randrange(1, 9) if chance(8) else 2
    return data[:start] + data[start:end] * times + data[end:]


def _word(data: bytes, other: bytes, words: list) -> bytes:  # type: ignore[type-arg]
    at = _spot(data)
    word = words[random.randrange(len(words))] if words else b"0"
    return data[:at] + word + data[at + (len(word) if chance(2) else 0) :]


def _number(data: bytes, other: bytes, words: list) -> bytes:  # type: ignore[type-arg]
    at = _spot(data)
    number = int(NUMBERS[random.randrange(len(NUMBERS))])
    size = 1 << random.randrange(3)
    order = "big" if chance(2) else "little"
    raw = (number & (1 << 8 * size) - 1).to_bytes(size, order)  # type: ignore[arg-type]
    return data[:at] + raw + data[at + size :]


def _splice(data: bytes, other: bytes, words: list) -> bytes:  # type: ignore[type-arg]
    return data[: _spot(data)] + other[_spot(other) :]


_MOVES = (
    _one_byte, _one_byte, _one_bit, _one_bit, _cut_out, _cut_off, _repeat, _word, _word, _number,
    _splice,
)  # fmt: skip


def changed_bytes(data: bytes, other: bytes, words: list) -> bytes:  # type: ignore[type-arg]
    """One to eight small changes; `other` is a second good input, `words` what the format uses."""
    for _ in range(1 << random.getrandbits(2)):
        data = _MOVES[random.randrange(len(_MOVES))](data, other, words)[:LARGEST]
    return data


def changed_text(text: str) -> str:
    """A few characters otherwise."""
    for _ in range(1 + random.randrange(3)):
        at = random.randrange(len(text) + 1)
        kind = random.randrange(4)
        middle = "" if kind == 0 else str(some(TEXTS)) if kind == 1 else _character()
        text = text[:at] + middle + text[at + (0 if kind == 3 else 1) :]
    return text


# Few, because MicroPython keeps each character that it has ever seen alone.
_ODD = "\0\x07\x1b\x7f\x85\xa0\xad\xdfäéı\u0301\u200b\u202e\u2028\ufeff\ufffd💡"


def _character() -> str:
    return chr(random.randrange(32, 127)) if chance(2) else _ODD[random.randrange(len(_ODD))]


def _another(value: object) -> object:
    """Something else in the place of a value, of the same kind or of another."""
    if chance(2):
        if isinstance(value, str):
            return changed_text(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value + random.randrange(-2, 3) if chance(2) else some(NUMBERS)
    kind = random.randrange(9)
    if kind < 3:
        return some([None, True, False, [], {}, [[]], {"": None}, [0] * 65])
    if kind < 5:
        return some(NUMBERS)
    if kind < 7:
        return some(TEXTS)
    if kind == 7:
        return _RAW + str(random.randrange(len(_RAW_WORDS)))
    return _RAW + ("[" if chance(2) else "{") + str(some(list(_DEPTHS)))


def changed_document(value: object) -> object:
    """A copy in which one place is otherwise; what is not on the way there is shared."""
    if isinstance(value, dict) and value:
        new = dict(value)
        names = list(new)
        name = names[random.randrange(len(names))]
        kind = random.randrange(12)
        if kind == 0:
            del new[name]
        elif kind == 1:
            value = new.pop(name)  # MicroPython takes a name that is no text
            new[changed_text(str(name))] = value
        elif kind == 2:
            new[some(TEXTS)] = _another(None)
        elif kind == 3:
            new[name] = new[names[random.randrange(len(names))]]
        else:
            new[name] = changed_document(new[name])
        return new
    if isinstance(value, list) and value:
        items = list(value)
        at = random.randrange(len(items))
        kind = random.randrange(8)
        if kind == 0:
            items.pop(at)
        elif kind == 1:
            items = items[:at] + items[at : at + 1] * (1 << random.randrange(1, 8)) + items[at:]
        else:
            items[at] = changed_document(items[at])
        return items
    return _another(value)


def _raw(text: bytes) -> bytes:
    kind, digits = text[:1], text[1:]
    if kind in (b"[", b"{") and digits.isdigit():
        depth = min(int(digits), LARGEST)
        if kind == b"[":
            return b"[" * depth + b"]" * depth
        return b'{"":' * depth + b"0" + b"}" * depth
    return _RAW_WORDS[int(text)] if text.isdigit() and int(text) < len(_RAW_WORDS) else text


def written(document: object) -> bytes:
    """The document as JSON, with what is no JSON where changed_document() wants it so."""
    parts = json.dumps(document).encode().split(b'"' + _RAW.encode())
    out = [parts[0]]
    for part in parts[1:]:
        raw, _, rest = part.partition(b'"')
        out += [_raw(raw), rest]
    return b"".join(out)


def changed_json(document: object, other: bytes, words: list) -> bytes:  # type: ignore[type-arg]
    """JSON in which one to four places are otherwise, and sometimes not even JSON any more."""
    try:
        for _ in range(1 + random.randrange(4)):
            document = changed_document(document)
        text = written(document)
    except (RuntimeError, MemoryError):  # too deep, or too large, to be written once more
        return changed_bytes(other, other, words)
    return changed_bytes(text, other, words) if chance(4) else text[:LARGEST]
