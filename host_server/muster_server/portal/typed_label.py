# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A label as people type it: any case, blanks, without its beginning, with look-alikes."""

import itertools
import re

from muster_server.errors import LabelRefused
from muster_server.label import Label, parse_label

_BEGINNING = re.compile(r"MUSTER:1:")
# What base32 does not have, and what a person meant who typed it.
_MEANT = {"0": "O", "8": "B", "1": "IL"}
_MOST_DOUBTS = 6  # 1s, each of which is an I or an L
_CHARACTERS = 36
_GROUP = 4
_LONGEST = 512


class LabelMistyped(LabelRefused):
    """A label that cannot be read; `groups` are the numbers of the groups at fault, from 1."""

    def __init__(self, part: str, groups: tuple[int, ...] = ()) -> None:
        super().__init__("the label is mistyped", path=part)
        self.groups = groups


def typed_label(text: str) -> Label:
    """Return the label that was meant. LabelMistyped, which says where to look, if none fits.

    The check characters settle what a look-alike was: of 64 candidates one in 16,384 labels would
    have a second that fits.
    """
    parts = _parts(text)
    if parts is None:
        raise LabelMistyped("format")
    device_id, typed = parts
    choices = [_MEANT.get(character, character) for character in typed]
    doubts = sum(len(choice) > 1 for choice in choices)
    refused: LabelRefused | None = None
    if doubts <= _MOST_DOUBTS:
        for characters in itertools.product(*choices):
            try:
                return parse_label(f"MUSTER:1:{device_id}:{''.join(characters)}")
            except LabelRefused as error:
                refused = error
    part = (refused and refused.path) or "secret"
    raise LabelMistyped(part, _groups_at_fault(typed) if part == "secret" else ()) from refused


def _parts(text: str) -> tuple[str, str] | None:
    """The id and the characters of the secret, in capitals; None if there are not both."""
    _, mark, fragment = text.partition("#")
    text = (fragment if mark else text).strip()[:_LONGEST]
    capitals = "".join(c.upper() if c.isascii() else c for c in text)
    begun = _BEGINNING.match("".join(capitals.split()))
    if begun:
        pieces = "".join(capitals.split())[begun.end() :].split(":")
    else:
        pieces = re.split(r"[\s:]+", capitals, maxsplit=1)
    if len(pieces) != 2 or not all(pieces):
        return None
    return pieces[0], re.sub(r"[\s-]", "", pieces[1])


def _groups_at_fault(typed: str) -> tuple[int, ...]:
    strange = {
        n // _GROUP + 1
        for n, character in enumerate(typed)
        if not re.fullmatch(r"[A-Z2-7]", _MEANT.get(character, character)[0])
    }
    if not strange and len(typed) != _CHARACTERS:
        strange = {len(typed) // _GROUP + 1}
    return tuple(sorted(strange))
