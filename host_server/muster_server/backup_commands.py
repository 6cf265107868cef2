# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The commands `muster backup …`: work on a data directory, beside its servers."""

import os
from argparse import Namespace
from pathlib import Path

from muster_server import backup
from muster_server.commands import say
from muster_server.errors import SettingsError
from muster_server.settings import store_beside


def key(options: Namespace) -> int:
    """Make the key for backups: the private one into a file, the public one shown."""
    public = backup.make_key(Path(options.file))
    return say(
        f"public key: {public}",
        f"{options.file} holds the private one, which opens the backups; keep it apart from them",
    )


def make(options: Namespace) -> int:
    """Write a backup; SettingsError if there is none to make, or the store is not SQLite."""
    if store_beside(Path(options.data), os.environ) is not None:
        raise SettingsError(
            "the store is PostgreSQL, whose own backups know how to be consistent (pg_dump, "
            "pg_basebackup, or those of who runs it); muster backup is for SQLite"
        )
    size = backup.make(Path(options.data), Path(options.to), options.recipient)
    return say(
        f"{options.to}: {size} bytes",
        "the sealing key (secret.key) is not in it: keep a copy of that in another place",
    )


def restore(options: Namespace) -> int:
    """Unpack a backup."""
    data = Path(options.data)
    names = backup.restore(Path(options.file), data, Path(options.identity_file))
    lines = [f"restored to {data}: {', '.join(names)}"]
    if not (data / "secret.key").exists():
        lines.append(f"put the sealing key of that time to {data / 'secret.key'}, mode 600, first")
    return say(*lines)
