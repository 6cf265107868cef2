# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Seals everything anew with another key, a little at a time, beside a running server.

First the file gets the new key before the old one: from its next transaction on, the server seals
with the new one and opens both. When nothing is left of the old key, the file loses it, in the
same transaction that has looked: the server cannot have sealed anything with it since. Whoever
stops in between begins again where he was, for what is sealed tells its key.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, func, select, update

from muster_server.private_files import read_private, write_private
from muster_server.store.config_tables import (
    bundles,
    claims,
    device_changes,
    key_checks,
    profile_versions,
    profiles,
    readers,
    task_rows,
    told_objects,
    vendor_devices,
    versions,
)
from muster_server.store.engine import POSTGRES, transaction
from muster_server.store.platform_handed_on import table as handed_on
from muster_server.store.portal_tables import totps, webhooks
from muster_server.store.secrets import SecretBox, decoded_keys, encoded, new_key

_AT_ONCE = 50
# For the server, which asks for the lock again and again but not at once.
_PAUSE_S = 0.03


Sealed = tuple[tuple[Column[Any], tuple[Column[Any], ...]], ...]

# Each sealed column, and the columns whose values, with a stroke between, name its row: those of
# the configuration server, those of the portal, and those of the platform.
SEALED: Sealed = (
    (profiles.c.document, (profiles.c.name,)),
    (profile_versions.c.document, (profile_versions.c.name, profile_versions.c.number)),
    (vendor_devices.c.secret, (vendor_devices.c.device_id,)),
    (claims.c.secret, (claims.c.id,)),
    (claims.c.adoption, (claims.c.id,)),
    (readers.c.token, (readers.c.owner, readers.c.name, readers.c.originator)),
    (key_checks.c.sealed, (key_checks.c.id,)),
    (versions.c.document, (versions.c.claim_id, versions.c.number)),
    (bundles.c.text, (bundles.c.claim_id, bundles.c.version)),
    (device_changes.c.document, (device_changes.c.claim_id, device_changes.c.field)),
    (told_objects.c.told, (told_objects.c.url, told_objects.c.device_id)),
    (task_rows.c.label, (task_rows.c.task_id, task_rows.c.number)),
)
SEALED_AT_PORTAL: Sealed = (
    (totps.c.secret, (totps.c.user_id,)),
    (webhooks.c.url, (webhooks.c.id,)),
    (webhooks.c.secret, (webhooks.c.id,)),
)
SEALED_AT_PLATFORM: Sealed = ((handed_on.c.value, (handed_on.c.path,)),)

# Databases that one key seals, each with its sealed columns, always in the same order.
Databases = tuple[tuple[Engine, Sealed], ...]


def begin(databases: Databases, file: Path) -> None:
    """Put a new key before the one in the file, unless a rotation is under way already."""
    with ExitStack() as turns:  # two who rotate at once take turns
        _connections(databases, turns)
        keys = decoded_keys(read_private(file), str(file))
        if len(keys) == 1:
            _write(file, new_key(), *keys)


def finish(
    databases: Databases, box: SecretBox, file: Path | None, say: Callable[[int], object]
) -> None:
    """Seal everything with the key with which the box seals, and leave it alone in the file.

    Without a file the keys are not this program's to change. `say` is told how many were sealed
    so far. StoreError if something opens with none of the keys.
    """
    done = 0
    while True:
        with ExitStack() as turns:
            connections = _connections(databases, turns)
            box.refresh()
            some = 0
            for connection, (_, sealed) in zip(connections, databases, strict=True):
                some += seal_anew(connection, box, sealed)
            if not some:
                if file is not None:
                    _write(file, decoded_keys(read_private(file), str(file))[0])
                break
        done += some
        say(done)
        time.sleep(_PAUSE_S)
    # What was sealed with the old key is not left in the journal either.
    for engine, _ in databases:
        if engine.name == POSTGRES:
            continue
        with closing(engine.raw_connection()) as raw:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _connections(databases: Databases, turns: ExitStack) -> list[Connection]:
    """Return a transaction on each, with its lock, until the turns end."""
    return [turns.enter_context(transaction(engine)) for engine, _ in databases]


def seal_anew(
    connection: Connection, box: SecretBox, sealed_columns: Sealed, at_once: int = _AT_ONCE
) -> int:
    """Seal some of what has another key; how many, 0 if nothing is left."""
    done = 0
    for column, names in sealed_columns:
        is_old = (func.length(column) > 0) & (func.substr(column, 1, len(box.head)) != box.head)
        found = connection.execute(
            select(*names, column).where(is_old).limit(at_once - done)
        ).all()
        for row in found:
            *key, blob = row
            where = (column.table.name, column.name, "/".join(map(str, key)))
            sealed = box.seal(box.open(blob, *where), *where)
            own = [name == value for name, value in zip(names, key, strict=True)]
            connection.execute(update(column.table).where(*own).values({column.name: sealed}))
        done += len(found)
        if done >= at_once:
            break
    return done


def _write(file: Path, *keys: bytes) -> None:
    write_private(file, encoded(*keys).encode() + b"\n")
