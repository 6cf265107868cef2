# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster token rotate` and `muster keys rotate`: work on a data directory, beside its servers."""

import os
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from muster_server.commands import say
from muster_server.errors import SettingsError
from muster_server.kept_tokens import OVERLAP_S, AdministratorToken, ServiceToken
from muster_server.private_files import named, write_private
from muster_server.settings import ROLES, store_beside

if TYPE_CHECKING:
    from muster_server.store import rotation


def rotate_tokens(options: Namespace) -> int:
    """Make new tokens for these roles' doors, all of them if none is named."""
    data = _data_dir(options)
    for role in ROLES:
        if role in (options.role or ROLES):
            _rotate(data, role, options)
    return 0


def _rotate(data: Path, role: str, options: Namespace) -> None:
    if role != "portal":
        with named("--data", data):
            file = ServiceToken(data, role).rotate()
        server = "the portal" if role == "config" else "the configuration server"
        say(
            f"{role}: {file} holds another token; running servers take it by themselves, and the "
            f"former one for {OVERLAP_S:.0f} s. If {server} has a data directory of its own, copy "
            f"the file there. MUSTER_{role.upper()}_TOKEN, where it is set, counts instead"
        )
        return
    with named("--data", data):
        token = AdministratorToken(data).rotate()
    if options.admin_token_file is None:
        say(f"administrator's token, shown this once: {token}")
        return
    place = Path(options.admin_token_file)
    with named("--admin-token-file", place):
        write_private(place, token.encode() + b"\n")
    say(f"portal: {place} holds the administrator's new token; the former one is no good any more")


def rotate_keys(options: Namespace) -> int:
    """Seal everything at configuration server and portal with another key; they may run.

    Raises SettingsError if there is no such server's data, or no new key in the environment.
    """
    from muster_server.store import rotation
    from muster_server.store.key_file import FileBox
    from muster_server.store.secrets import KEY_VARIABLE, SecretBox, decoded_keys

    data = Path(options.data)
    file: Path | None = data / "secret.key"
    from_environment = os.environ.get(KEY_VARIABLE)
    store = store_beside(data, os.environ)
    with ExitStack() as engines:
        databases = _sealed_databases(data, store, engines)
        if from_environment is not None:
            keys = decoded_keys(from_environment, KEY_VARIABLE)
            if len(keys) < 2:
                raise SettingsError(
                    f"{KEY_VARIABLE}: wanted the new key, a comma and the old one; start the "
                    "server anew with the same, then rotate, then take the old one out"
                )
            box, file = SecretBox(*keys), None
        elif file is not None:
            with named("--data", file):
                rotation.begin(databases, file)
                box = FileBox(file)
        rotation.finish(databases, box, file, lambda done: say(f"{done} sealed anew"))
    kept = KEY_VARIABLE if file is None else str(file)
    say(
        f"secrets are sealed with key {box.key_id} now ({kept}): keep a copy of it apart from the "
        "database's backups, and the former key as long as backups that need it"
    )
    return 0


def _sealed_databases(data: Path, store: str | None, engines: ExitStack) -> "rotation.Databases":
    """Open the databases in which something is sealed; SettingsError if there is none."""
    from muster_server.store import config_tables, platform, portal_tables, rotation
    from muster_server.store.migrated import is_there, opened

    found = []
    for role, head, sealed in (
        ("config", config_tables.HEAD, rotation.SEALED),
        ("portal", portal_tables.HEAD, rotation.SEALED_AT_PORTAL),
        ("platform", platform.HEAD, rotation.SEALED_AT_PLATFORM),
    ):
        if is_there(data, role, store):
            engine = opened(data, role, head, store)
            engines.callback(engine.dispose)
            found.append((engine, sealed))
    if not found:
        raise SettingsError(
            f"--data: {data} has no database of a configuration server or of a portal"
        )
    return tuple(found)


def _data_dir(options: Namespace) -> Path:
    data = Path(options.data)
    if not (data / "config-token").exists() and not (data / "admin-token.sha256").exists():
        raise SettingsError(f"--data: {data} is not the data directory of a server")
    return data
