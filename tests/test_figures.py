# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Figures that the documents repeat are those of the code: whoever changes one finds the other."""

import ast
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

from muster_harness.commands.follow import STEPS
from muster_server.api import bounds
from muster_server.config_server import limits, window
from muster_server.store import claims
from tests.wire.bounds import FAILSAFE_S

ROOT = Path(__file__).resolve().parents[1]
LIFE = (ROOT / "docs" / "device-life.md").read_text()
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
BENCH = (ROOT / "docs" / "muster-unit.md").read_text()


def flat(text: str) -> str:
    """Join the lines: where a sentence is broken says nothing."""
    return " ".join(text.split())


def of_firmware(file: str) -> dict[str, Any]:
    """The constants of a firmware module by name, read from its source: const(…) and literals."""
    found: dict[str, Any] = {}
    for node in ast.parse((ROOT / "firmware" / "muster" / file).read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value
            if isinstance(value, ast.Call) and ast.unparse(value.func) == "const":
                value = value.args[0]
            try:
                found[node.targets[0].id] = ast.literal_eval(value)
            except ValueError:
                continue  # made of others
    return found


def cells(text: str, heading: str) -> list[list[str]]:
    """The rows of the table that begins with this heading."""
    table = text.partition(f"| {heading} |")[2].partition("\n\n")[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]


def test_led_patterns_are_those_that_the_led_shows() -> None:
    shown = {row[0]: row[2] for row in cells(LIFE, "state")}
    assert shown.pop("unlabelled") == "dark"
    patterns = of_firmware("led.py")["PATTERNS"]
    assert shown == {state: ", ".join(map(str, times)) for state, times in patterns.items()}


def test_flashes_of_a_failed_step_are_those_that_the_led_shows() -> None:
    source = (ROOT / "firmware" / "muster" / "led.py").read_text()
    found = re.search(r"\(\((\d+),\) \* \(2 \* step - 1\) \+ \((\d+),\)\)", source)
    assert found is not None
    flash_ms, pause_ms = map(int, found.groups())
    said = f"({flash_ms} ms on, {flash_ms} ms off), three times over, with {pause_ms / 1000} s in"
    assert said in flat(LIFE)


def test_back_off_is_what_the_device_does() -> None:
    constants = of_firmware("backoff.py")
    first_s, longest_s = constants["_FIRST_MS"] // 1000, constants["_LONGEST_MS"] // 1000
    waiting = LIFE.partition("## Waiting")[2]
    assert waiting.startswith(f"\n\n{first_s} s doubling to {longest_s // 60} min, ±25 %")
    source = (ROOT / "firmware" / "muster" / "backoff.py").read_text()
    assert f"{first_s} s doubling to {longest_s // 60} min" in source
    assert "base - base // 4 + random.randrange(base // 2)" in source  # ±25 %


def test_window_and_life_of_a_claim_are_those_of_the_server() -> None:
    assert window.WINDOW_S == 24 * 3600
    assert window.LONGEST_S == 14 * 86400
    said = f"{window.WINDOW_S // 3600} hours unless told otherwise, 14 days at most"
    assert said in flat(PROTOCOL)
    assert f"lives for {claims.CLAIM_LIFE_S // 86400} days after the last report" in flat(PROTOCOL)


def test_rates_are_those_behind_429_and_503() -> None:
    rows = [(row[1], row[2] if len(row) > 2 else "") for row in cells(PROTOCOL, "what is counted")]
    *rates, (at_once, _) = rows
    wanted = (
        *(limits.BY_ADDRESS, limits.BY_DEVICE, limits.BY_REPLAYED, limits.STRANGERS),
        limits.RECEIPTS,
    )
    found = [(int(burst), Fraction(per_s)) for burst, per_s in rates]
    assert found == [(r.burst, Fraction(r.per_s).limit_denominator(1000)) for r in wanted]
    assert int(at_once.strip("| ")) == limits.SYNCS_WAITING
    assert f"wait for one of {limits.SYNCS_AT_ONCE} places" in PROTOCOL
    assert f"`Retry-After`, {limits.BUSY_RETRY_S} s at least" in PROTOCOL


def test_bounds_of_the_configuration_are_those_that_are_checked() -> None:
    section = flat(PROTOCOL.partition("## 6. Configuration")[2].partition("\n## 7.")[0])
    low, high = FAILSAFE_S
    said = (
        f"at most {bounds.CONFIGURATION_BYTES} bytes",
        f"at most {bounds.DEEPEST} lists and objects",
        f"| `version` | 1 to {bounds.HIGHEST};",
        "| `networks` | {} to {} objects,".format(*bounds.NETWORKS),
        "`networks[].ssid` | {} to {} bytes".format(*bounds.SSID_BYTES),
        "{} to {} printable ASCII characters".format(*bounds.PASSPHRASE),
        f"{bounds.RAW_KEY} hexadecimal digits",
        "if any; {} to {} characters.".format(*bounds.URL),
        "port ({} to {})".format(*bounds.PORT),
        "`platform.cse` | the CSE's resource name, {} to {} characters".format(*bounds.CSE),
        "`platform.originator` | {} to {} characters".format(*bounds.ORIGINATOR),
        "`platform.api` | the AE's App-ID, {} to {} characters".format(*bounds.APP_ID),
        "`platform.token` | {} to {} characters".format(*bounds.TOKEN),
        f"`config_server.key` | canonical base64 of {bounds.KEY_BYTES} bytes",
        f"`device.name` | text, {bounds.DEVICE_NAME[1]} characters at most",
        f"texts of {bounds.TAG[1]} characters at most |",
        "`policy.failsafe_s` | seconds for a trial, {} to {},".format(*bounds.FAILSAFE_S),
        f"clamps to {low}…{high} |",
        "`policy.sync_s` | seconds between two syncs, {} to {} |".format(*bounds.SYNC_S),
        "of a time server, {} to {} characters;".format(*bounds.NTP),
    )
    assert [words for words in said if words not in section] == []


def test_life_of_a_bundle_is_what_is_accepted() -> None:
    assert "`life_s` {} to {} or null".format(*bounds.BUNDLE_LIFE_S) in PROTOCOL


def test_steps_in_transcripts_have_their_names() -> None:
    shown = re.findall(r"\[(\d)/9\] (.+?) {2,}", BENCH)
    assert len(shown) >= 4
    assert [(n, name) for n, name in shown if STEPS[int(n)] != name] == []
