# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The rows of `muster profile` in the table of commands."""

from muster_server import cli_options, profile_options
from muster_server.command import Command

_PROFILES = "muster_server.profile_commands"

PROFILE_COMMANDS = (
    Command(
        ("profile", "new"),
        "Write a template of a profile, with a word on each field.",
        ("muster profile new press                  # writes press.toml",),
        profile_options.new_profile,
        "new_profile",
        _PROFILES,
    ),
    Command(
        ("profile", "check"),
        "Say everything that is wrong with a profile in a file, and try its platform.",
        ("muster profile check press.toml", "muster profile check - < press.json"),
        profile_options.check_profile,
        "check_profile",
        _PROFILES,
    ),
    Command(
        ("profile", "add"),
        "Keep a profile.",
        ("muster profile add press.toml", "muster profile add press.json --replace"),
        profile_options.add_profile,
        "add_profile",
        _PROFILES,
    ),
    Command(
        ("profile", "edit"),
        "Change a kept profile in your editor ($EDITOR); its passwords stay.",
        ("muster profile edit press", "EDITOR='code --wait' muster profile edit press"),
        profile_options.edit_profile,
        "edit_profile",
        "muster_server.profile_editing",
    ),
    Command(
        ("profile", "set"),
        "Change one field of a kept profile; everything else stays.",
        (
            "muster profile set press 'networks[0].psk'    # asks for it",
            "muster profile set press policy.sync_s 600",
            "muster profile set press app '{\"interval_s\": 60}'",
        ),
        profile_options.set_field,
        "set_field",
        _PROFILES,
    ),
    Command(
        ("profile", "list"),
        "List the profiles.",
        ("muster profile list",),
        cli_options.client_options,
        "list_profiles",
        _PROFILES,
    ),
    Command(
        ("profile", "show"),
        "Show a profile; its passwords are never shown.",
        ("muster profile show press",),
        profile_options.one_profile,
        "show_profile",
        _PROFILES,
    ),
    Command(
        ("profile", "delete"),
        "Forget a profile that no device uses.",
        ("muster profile delete press",),
        profile_options.one_profile,
        "delete_profile",
        _PROFILES,
    ),
)
