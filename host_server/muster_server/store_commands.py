# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The commands `muster store …`: move what the servers remember to PostgreSQL."""

import os
import sys
from argparse import Namespace
from pathlib import Path

from muster_server.commands import say
from muster_server.errors import SettingsError
from muster_server.store_url import check_flag, store_url


def copy(options: Namespace) -> int:
    """Copy the databases of a data folder, beside its servers. SettingsError if no store is
    named, or if it is not empty; StoreError if it cannot be done.
    """
    from muster_server.store.copying import move

    check_flag(options.store)
    store = store_url(options.store or os.environ.get("MUSTER_STORE") or None)
    if store is None:
        raise SettingsError("name the store, or set MUSTER_STORE, e.g. postgresql://db/muster")
    folder = Path(options.folder)
    moved = move(folder, store, lambda line: print(line, file=sys.stderr, flush=True))
    counts = ", ".join(f"{role} {count}" for role, count in moved.rows.items())
    return say(
        f"moved and compared, row by row: {counts}; {moved.held_s:.1f} s without writing",
        f"nothing can be written in {folder} any more; start the servers with the same --data and "
        "--store now. If you want to go back before that: muster store reopen",
    )


def reopen(options: Namespace) -> int:
    """Let servers work on the data folder again."""
    from muster_server.store.copying import reopen as open_again

    folder = Path(options.folder)
    if not open_again(folder):
        return say(f"{folder} has not moved")
    return say(f"{folder} is in use again; the copy is of no use any more: drop it")
