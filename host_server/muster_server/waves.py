# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The waves of a roll-out as people write them: "1, hall 3, 20 %"."""

import re
from typing import Any

_PERCENT = re.compile(r"([0-9]{1,3}) ?%")


def waves_in(text: str) -> list[dict[str, Any]]:
    """The waves of a text: a number of devices, a part of all, or a group's name, with commas."""
    return [_wave(part.strip()) for part in text.split(",") if part.strip()]


def _wave(text: str) -> dict[str, Any]:
    percent = _PERCENT.fullmatch(text)
    if percent:
        return {"percent": int(percent[1])}
    if text.isascii() and text.isdecimal():
        return {"number": int(text)}
    return {"group": text}


def wave_text(wave: dict[str, Any]) -> str:
    """A wave of an answer, as people write it."""
    if wave["percent"] is not None:
        return f"{wave['percent']} %"
    if wave["number"] is not None:
        return str(wave["number"])
    return str(wave["group"]) if wave["group"] is not None else "the rest"
