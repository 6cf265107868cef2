# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Rows of CSV that people open in programs for tables, which work no cell of them out."""

import csv
import io
from collections.abc import Iterable

# Programs for tables take what begins so for a formula, and work it out.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_row(values: Iterable[object]) -> str:
    """One line. A text that a table would work out has an apostrophe before it (OWASP, CSV
    injection).
    """
    file = io.StringIO()
    safe = [f"'{v}" if isinstance(v, str) and v.startswith(_FORMULA) else v for v in values]
    csv.writer(file).writerow(safe)
    return file.getvalue()
