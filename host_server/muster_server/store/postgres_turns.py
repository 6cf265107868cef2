# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Turns on PostgreSQL: who waits for whom, by advisory locks of two numbers.

The first number is that of a role's schema. Transactions that write take turns by one lock, ALL,
as SQLite's do by its write lock; those that name what they are about share it, and take turns with
their like alone, in whichever process or machine they run.
"""

import zlib

# The second number of the lock that everybody takes, and of whoever changes the schema's form.
ALL, MIGRATION = -1, -2
SEVERAL = "\n"  # between names, where a transaction is about more than one thing


def number_of(text: str) -> int:
    """Return a number of 31 bits, the same in each process."""
    return zlib.crc32(text.encode()) >> 1


def turn(schema: int, about: str | None) -> str:
    """The statements that wait for the turn of a transaction about these things, or about all."""
    if about is None:
        return f"SELECT pg_advisory_xact_lock({schema}, {ALL})"
    # In one order, whoever comes: nobody waits for somebody who waits for him.
    own = sorted({number_of(name) for name in about.split(SEVERAL)})
    locks = [f"SELECT pg_advisory_xact_lock({schema}, {number})" for number in own]
    return "; ".join([f"SELECT pg_advisory_xact_lock_shared({schema}, {ALL})", *locks])
