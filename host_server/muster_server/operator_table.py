# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The commands of who runs the servers; a part of the table of commands."""

from muster_server import cli_options, profile_options
from muster_server.command import Command

_KEYS = "muster_server.key_commands"
_BACKUP = "muster_server.backup_commands"
_STORE = "muster_server.store_commands"

OPERATOR_COMMANDS = (
    Command(
        ("init",),
        "Set up the servers: asks for network, Wi-Fi, platform and country, and writes all of it.",
        (
            "muster init",
            "muster init --address 192.168.1.10 --ssid factory --password-file wifi.txt "
            "--platform own --country DE",
        ),
        profile_options.init,
        "init",
        "muster_server.init_command",
    ),
    Command(
        ("serve",),
        "Run portal, configuration server and platform, all or some.",
        (
            "muster serve",
            "muster serve --role portal --config-url https://config.example:8421",
            "muster serve --config-listen 192.168.4.1:8421 --config-listen 10.0.0.2:8421",
            "muster serve --platform-cert certs/server.pem --platform-key certs/server.key "
            "--ca-file certs/ca.pem",
        ),
        cli_options.serve_options,
        "serve",
    ),
    Command(
        ("certs", "dev"),
        "Make an authority and a server's certificate, for development. Again: a new certificate.",
        (
            "muster certs dev --name m2m.example --name 192.168.1.10",
            "muster serve --platform-cert muster-certs/server.pem "
            "--platform-key muster-certs/server.key --ca-file muster-certs/ca.pem",
        ),
        cli_options.dev_certs,
        "make_certificates",
    ),
    Command(
        ("token", "rotate"),
        "Put another token in place of a role's: the administrator's (portal), and those that "
        "servers show each other.",
        (
            "muster token rotate                            # all three",
            "muster token rotate --role portal --admin-token-file token.txt",
        ),
        cli_options.rotate_tokens,
        "rotate_tokens",
        _KEYS,
    ),
    Command(
        ("keys", "rotate"),
        "Seal the configuration server's secrets with another key. The server may run; if this "
        "is cut off, run it again.",
        ("muster keys rotate", "muster keys rotate --data /srv/muster"),
        cli_options.rotate_keys,
        "rotate_keys",
        _KEYS,
    ),
    Command(
        ("backup", "key"),
        "Make the key for backups: the private one into a file, the public one shown.",
        ("muster backup key backup.key                 # keep it apart from the backups",),
        cli_options.backup_key,
        "key",
        _BACKUP,
    ),
    Command(
        ("backup", "make"),
        "Write all databases as they are at one moment into a file that the private key opens; "
        "the servers may run.",
        ("muster backup make --to monday.age --recipient age1…",),
        cli_options.backup_make,
        "make",
        _BACKUP,
    ),
    Command(
        ("backup", "restore"),
        "Unpack a backup into a data directory without databases.",
        ("muster backup restore monday.age --data /srv/muster --identity-file backup.key",),
        cli_options.backup_restore,
        "restore",
        _BACKUP,
    ),
    Command(
        ("store", "copy"),
        "Move the data to PostgreSQL while the servers run: copied, sealed, compared row by row. "
        "If this is cut off, run it again.",
        (
            "muster store copy /srv/muster postgresql://muster@db.example/muster",
            "MUSTER_STORE=postgresql://… muster store copy /srv/muster  # with a password",
        ),
        cli_options.store_copy,
        "copy",
        _STORE,
    ),
    Command(
        ("store", "reopen"),
        "Take a move back before a server has run on the copy: the folder is in use again.",
        ("muster store reopen /srv/muster",),
        cli_options.store_reopen,
        "reopen",
        _STORE,
    ),
)
