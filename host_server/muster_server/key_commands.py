# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster token rotate` and `muster keys rotate`: work on a data directory, beside its servers."""

from argparse import Namespace
from pathlib import Path

from muster_server.commands import say
from muster_server.errors import SettingsError
from muster_server.kept_tokens import OVERLAP_S, AdministratorToken, ServiceToken
from muster_server.private_files import named, write_private
from muster_server.settings import ROLES


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


def _data_dir(options: Namespace) -> Path:
    data = Path(options.data)
    if not (data / "config-token").exists() and not (data / "admin-token.sha256").exists():
        raise SettingsError(f"--data: {data} is not the data directory of a server")
    return data
