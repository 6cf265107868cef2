# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""oneM2M's time format: ISO 8601 basic, UTC, without a zone, e.g. "20261123T075904,012551".

Two such strings compare as the times they name, so the platform stores and compares the text.
"""

import math
import re
from datetime import UTC, datetime
from functools import lru_cache

# What a resource shows whose life the platform does not limit.
FOR_EVER = "99991231T235959"

_FORM = re.compile(r"[0-9]{8}T[0-9]{6}(,[0-9]{1,6})?", re.ASCII)


def timestamp(unix_s: float) -> str:
    whole_s = math.floor(unix_s)
    micro_s = round((unix_s - whole_s) * 1_000_000)
    if micro_s == 1_000_000:
        whole_s, micro_s = whole_s + 1, 0
    return f"{_second(whole_s)},{micro_s:06d}"


@lru_cache(64)
def _second(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y%m%dT%H%M%S")


def is_timestamp(text: str) -> bool:
    if not _FORM.fullmatch(text):
        return False
    try:
        datetime.strptime(text[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007  (the form has no zone)
    except ValueError:
        return False
    return True
