# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Every secret that a test makes is noted here, and all output of the suite is searched for it."""

import base64
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from muster_harness.log import shown

_LOGS = ("*.log", "*.out", "*.txt")
_SHORTEST = 8

_secrets: set[bytes] = set()
# By their first bytes: some hundred thousand are looked for in some fifty megabytes.
_begins: dict[bytes, set[bytes]] = {}
_watched: list[Path] = []


def hide(secret: str | bytes) -> None:
    """Notes a secret, in each form in which it could slip into a text."""
    raw = secret.encode() if isinstance(secret, str) else secret
    if len(raw) < _SHORTEST:
        raise ValueError(f"a secret of {len(raw)} bytes would be found everywhere")
    for form in forms(raw) - _secrets:
        _secrets.add(form)
        _begins.setdefault(form[:_SHORTEST], set()).add(form)


def hide_label(text: str, secret: bytes) -> None:
    """Notes a label's secret: as printed, in groups of four, and raw."""
    hide(secret)
    code = text.rpartition(":")[2].replace("-", "").replace(" ", "")[:32]
    hide(code)
    hide(" ".join(code[i : i + 4] for i in range(0, len(code), 4)))


def forms(raw: bytes) -> set[bytes]:
    found = {
        raw.hex().encode(),
        base64.b64encode(raw).rstrip(b"="),
        base64.urlsafe_b64encode(raw).rstrip(b"="),
        base64.b32encode(raw).rstrip(b"="),
        repr(raw)[2:-1].encode(),
        shown(raw).encode(),
    }
    try:
        found |= {raw, quote(raw.decode()).encode()}
    except UnicodeDecodeError:
        found.add(raw)
    return found


def is_hidden(secret: str | bytes) -> bool:
    """Tell whether a secret has been noted."""
    raw = secret.encode() if isinstance(secret, str) else secret
    return forms(raw) <= _secrets


def watch(directory: Path) -> None:
    """All logs below the directory belong to the suite's output."""
    _watched.append(directory)


def logs() -> Iterable[Path]:
    for directory in _watched:
        for pattern in _LOGS:
            yield from directory.rglob(pattern)


def count() -> int:
    return len(_secrets)


_SHOWN = re.compile(
    r"""^(?:label|secret|setup\ passphrase)\ .*$
      | "(?:label|secret|setup_passphrase)":\ "[^"]*"
      | ^[\w-]+,[A-Z2-7]{16},MUSTER:1:\S+$
      | ^token\ {7}mst_\S+$
      | ^[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}$
      | "originator":\ "C(?:reader|app)\w+",\ "created_at":\ [\d.]+,\ "token":\ "[^"]*" """,
    re.MULTILINE | re.VERBOSE,
)


def without_shown_labels(text: str) -> str:
    """Return the standard output of a command whose work is to show a label, the token of a new
    reader, or a transfer code, without that.
    """
    return _SHOWN.sub("(shown on purpose)", text)


def leaks(text: bytes) -> int:
    """Count the noted secrets that stand in the text, but never say which: this is output too."""
    found: set[bytes] = set()
    for at in range(len(text) - _SHORTEST + 1):
        begin = text[at : at + _SHORTEST]
        if begin in _begins:
            found.update(secret for secret in _begins[begin] if text.startswith(secret, at))
    return len(found)
