# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""oneM2M's time format: ISO 8601 basic, UTC, without a zone, e.g. "20261123T075904,012551".

Two such strings compare as the times they name, so the platform stores and compares the text.
"""

import re
from datetime import UTC, datetime

# What a resource shows whose life the platform does not limit.
FOR_EVER = "99991231T235959"

_FORM = re.compile(r"[0-9]{8}T[0-9]{6}(,[0-9]{1,6})?", re.ASCII)


def timestamp(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y%m%dT%H%M%S,%f")


def is_timestamp(text: str) -> bool:
    if not _FORM.fullmatch(text):
        return False
    try:
        datetime.strptime(text[:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007  (the form has no zone)
    except ValueError:
        return False
    return True
