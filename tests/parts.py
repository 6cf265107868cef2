# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The parts of the suite, each a process of its own: `make test PART=servers`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The end of each part: it searches what that part has said.
SEARCH = "tests/test_no_secret_in_output.py"
# The longest first, as two cores have shown, so that none of them is left to run alone. What lies
# below a path and stands in a part of its own is left to that part.
PARTS = {
    "field": [
        "tests/system/test_places.py",
        "tests/system/test_patience.py",
        "tests/system/test_dead_link.py",
        "tests/system/test_home_is_gone.py",
        "tests/system/test_no_harm.py",
    ],
    "servers": ["tests/host_server"],
    "bench": ["tests/harness/bench", "tests/harness/wire", "tests/harness/test_hil_rehearsal.py"],
    "life": [
        "tests/system/test_adoption.py",
        "tests/system/test_end_of_life.py",
        "tests/system/test_short_lives.py",
        "tests/system/test_honest_portal.py",
    ],
    "platforms": [
        "tests/system/test_tls.py",
        "tests/system/test_acme.py",
        "tests/system/test_acme_configuration.py",
        "tests/system/test_platform_check.py",
        "tests/system/test_conformance.py",
        "tests/system/test_commands.py",
        "tests/system/test_hostile_air.py",
    ],
    "portal": ["tests/host_server/portal"],
    "outcomes": [
        "tests/system/test_outcomes.py",
        "tests/system/test_stranding.py",
        "tests/system/test_edges.py",
    ],
    "bundles": [
        "tests/system/test_setup_network.py",
        "tests/system/test_setup_page.py",
        "tests/system/test_setup_captive.py",
        "tests/system/test_local_wifi.py",
        "tests/system/test_local_wifi_told.py",
        "tests/system/test_without_wifi.py",
        "tests/system/test_carried_by_hand.py",
        "tests/system/test_bundle_over_serial.py",
        "tests/system/test_offline_flow.py",
    ],
    "exhaustion": ["tests/torture", "tests/soak", "tests/fuzz"],
    "stories": ["tests/system"],
    "stores": ["tests/host_server/config_server", "tests/host_server/store"],
    "harness": ["tests/harness", "tests/hil"],
    "units": [
        "tests/harness/units",
        "tests/harness/test_plugin.py",
        "tests/harness/test_examples.py",
    ],
    "firmware": ["tests/firmware"],
    "deployment": ["tests/harness/deploy", "tests/harness/commands"],
    "homecoming": ["tests/system/test_coming_home.py"],
    "proxies": ["tests/system/test_proxies.py", "tests/system/test_who_answers.py"],
    "contract": ["tests/harness/contract"],
    "security": ["tests/security"],
    "rest": ["tests"],
}


class UnknownPart(Exception):
    """A part that is not there was asked for; the text names those that are."""


def named(text: str) -> list[str]:
    """The parts of a list with commas, in the table's order; all of them for an empty one.

    Raises UnknownPart.
    """
    wanted = {name.strip() for name in text.split(",") if name.strip()}
    if unknown := sorted(wanted - PARTS.keys()):
        raise UnknownPart(f"no part named {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    return [name for name in PARTS if name in wanted or not wanted]


def command(name: str) -> list[str]:
    """Return the command that runs a part."""
    own = PARTS[name]
    return [
        *(sys.executable, "-m", "pytest", "--durations=8"),
        *own,
        *(f"--ignore={path}" for path in _left_out(name)),
        SEARCH,
    ]


def part_of(path: str) -> str:
    """The part that runs a test file, e.g. "servers" for tests/host_server/test_web.py."""
    return next(
        name
        for name, own in PARTS.items()
        if any(_below(path, mine) for mine in own)
        and not any(_below(path, other) for other in _left_out(name))
    )


def described() -> str:
    """One line a part: its name, and what it runs."""
    width = max(map(len, PARTS))
    lines = []
    for name, own in PARTS.items():
        short = [path.removeprefix("tests/").removesuffix(".py") for path in own]
        besides = ", without the other parts" if _left_out(name) else ""
        lines.append(f"{name:<{width}}  {', '.join(short)}{besides}")
    return "\n".join(lines)


def _left_out(name: str) -> list[str]:
    own = PARTS[name]
    others = [path for other, paths in PARTS.items() if other != name for path in paths]
    return [other for other in others if any(_below(other, mine) for mine in own if other != mine)]


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
