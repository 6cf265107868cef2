# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tests on whatever is behind a serial port: `make hil PORT=…`.

Of the board they know its port, and nothing else. The networks for the nine steps are the desk's:
rig.toml says which there are (docs/muster-unit.md). Without --hil-port all of this is skipped.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.ports import find_port
from harness.units import SerialUnit

ROOT = Path(__file__).resolve().parents[2]
# A person's own, or what `make emulate` offers while it runs.
_RIGS = (ROOT / "rig.toml", ROOT / "build" / "emulated" / "rig.toml")
_TEST_S = 900  # a board computes some hundred times slower than a PC


@dataclass(frozen=True)
class Rig:
    """What the desk offers: this machine's addresses on both networks, and how to join one."""

    onboarding_address: str
    operational_address: str
    ssid: str
    password: str | None = field(repr=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hil", "a board behind a serial port")
    group.addoption("--hil-port", help="path, USB serial number, socket:// or rfc2217://")
    group.addoption("--hil-rig", help="the desk's networks (rig.toml)")
    group.addoption(
        "--hil-force",
        action="store_true",
        help="replace an identity that these tests did not write",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(_TEST_S))
            if not config.getoption("--hil-port", default=None):
                item.add_marker(pytest.mark.skip(reason="no board; make hil PORT=…"))


@pytest.fixture(scope="session")
def hil_port(request: pytest.FixtureRequest) -> str:
    return find_port(request.config.getoption("--hil-port"))


@pytest.fixture
def hil_unit(hil_port: str, tmp_path: Path) -> Any:
    with SerialUnit(hil_port, tmp_path / "unit.log") as unit:
        yield unit


@pytest.fixture(scope="session")
def hil_rig(request: pytest.FixtureRequest) -> Rig:
    """The desk's networks; skips with the cure where nobody has described them."""
    port = request.config.getoption("--hil-port")
    given = request.config.getoption("--hil-rig")
    for path in [Path(given)] if given else [p for p in _RIGS if p.exists()]:
        rig = tomllib.loads(path.read_text())
        if "ports" in rig and port not in rig["ports"]:
            continue  # another board's
        operational = rig["operational"]
        return Rig(
            rig["onboarding"]["address"],
            operational["address"],
            operational["ssid"],
            operational.get("password"),
        )
    pytest.skip("no networks for this board; describe them in rig.toml (docs/muster-unit.md)")
