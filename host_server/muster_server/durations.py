# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Lengths of time as people type them: "30s", "5m", "2h", "30d"."""

import re

from muster_server.errors import SettingsError

_FORM = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(text: str, option: str, bounds: tuple[int, int]) -> int:
    """The seconds within bounds; SettingsError names the option."""
    found = _FORM.fullmatch(text)
    if not found:
        raise SettingsError(f'{option}: wanted a number and s, m, h or d, e.g. "30d"')
    low, high = bounds
    length_s = int(found[1]) * _UNIT_S[found[2]]
    if not low <= length_s <= high:
        raise SettingsError(f"{option}: wanted {_said(low)} to {_said(high)}, got {text}")
    return length_s


def _said(length_s: int) -> str:
    unit = next(unit for unit in "dhms" if length_s % _UNIT_S[unit] == 0)
    return f"{length_s // _UNIT_S[unit]}{unit}"
