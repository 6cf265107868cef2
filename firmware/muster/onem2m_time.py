# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Times as oneM2M writes them: basic ISO 8601 form, UTC (TS-0004).

import time

from .clock import EPOCH_2000


# Reads "20261123T075904,012551" (oneM2M's basic form, UTC) as Unix time. Raises ValueError if it
# is no such time.
def parse_time(text):
    if len(text) < 15 or text[8] != "T":
        raise ValueError("not a time")
    fields = [int(text[i : i + 2]) for i in (4, 6, 9, 11, 13)]
    month, day, hour, minute, second = fields
    return time.mktime((int(text[:4]), month, day, hour, minute, second, 0, 0)) + EPOCH_2000


def format_time(unix):
    return "%04d%02d%02dT%02d%02d%02d" % tuple(time.gmtime(unix - EPOCH_2000)[:6])
