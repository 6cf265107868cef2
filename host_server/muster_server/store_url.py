# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The options `--store` and `--workers`: PostgreSQL in place of SQLite, and its processes."""

from urllib.parse import urlsplit

from muster_server.errors import SettingsError

_MOST_WORKERS = 64


def check_flag(url: object) -> None:
    """SettingsError if the URL holds a password and comes from the command line."""
    if url is not None and _has_password(str(url)):
        raise SettingsError(
            "--store: every user of this machine sees a password there; put it into MUSTER_STORE, "
            "or into the file that PGPASSFILE names"
        )


def store_url(url: str | None) -> str | None:
    """Check what `--store` names. SettingsError, which does not repeat it, if it is none."""
    if url is not None and not url.startswith(("postgresql://", "postgres://")):
        raise SettingsError(
            '--store: wanted a URL like "postgresql://muster@db.example/muster"; without one, '
            "SQLite in --data is the store"
        )
    return url


def _has_password(url: str) -> bool:
    """Tell whether the URL of a store holds a password."""
    parts = urlsplit(url)
    return ":" in parts.netloc.rpartition("@")[0] or "password=" in parts.query


def worker_count(text: str | None, store: str | None) -> int:
    """Read `--workers`. SettingsError if it is no number, or if SQLite is to have several."""
    if text is None or not text.isdecimal() or not 1 <= int(text) <= _MOST_WORKERS:
        raise SettingsError(f"--workers: wanted a number from 1 to {_MOST_WORKERS}")
    if int(text) > 1 and store is None:
        raise SettingsError(
            "--workers: SQLite has one process that writes; several need PostgreSQL, --store"
        )
    return int(text)
