# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The fixtures: units, networks, and the log of everything that happens to them."""

import contextlib
import glob
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from muster_harness.air.air import Air
from muster_harness.errors import HarnessError
from muster_harness.esp32.evidence import NOTHING_MORE, Evidence
from muster_harness.log import Log
from muster_harness.units.pool import Install, Shortage, UnitPool, copier
from muster_harness.units.rig import Network, Rig, read_rig
from muster_harness.units.unit import Unit, check_capabilities

LOG = pytest.StashKey[Log]()
EVIDENCE = pytest.StashKey[Evidence]()
_LONGEST_NAME = 150
_AIR = frozenset({"air"})


def setting(config: pytest.Config, name: str) -> Any:
    """Return the option of the command line, else the one of the ini file."""
    return config.getoption(name) or config.getini(name)


def rig_path(config: pytest.Config) -> Path | None:
    """Return the rig file that the options name, else rig.toml in the root if there is one."""
    named = setting(config, "hil_rig")
    path = Path(config.rootpath, named or "rig.toml")
    return path if named or path.exists() else None


def needs(item: pytest.Item) -> frozenset[str]:
    """Return the capabilities that a test asks for. Raises CannotDo for an unknown word."""
    return check_capabilities(
        str(word) for mark in item.iter_markers("hil_needs") for word in mark.args
    )


def unit_count(item: pytest.Item) -> int:
    """Return how many boards a test asks for. Raises HarnessError if that is no number."""
    mark = item.get_closest_marker("hil_units")
    if mark is None:
        return 1
    if len(mark.args) != 1 or not isinstance(mark.args[0], int) or mark.args[0] < 1:
        raise HarnessError(f"hil_units{mark.args} wants one number, e.g. hil_units(2)")
    return mark.args[0]


def log_name(nodeid: str) -> str:
    """Return a file name that belongs to one test alone, e.g. "test_bell.py-test_press".

    A few digits stand at its end where something had to be replaced or cut.
    """
    plain = re.sub(r"/|::", "-", nodeid)
    name = re.sub(r"[^\w.-]+", "-", plain)[-_LONGEST_NAME:].strip("-")
    if name == plain and "-" not in nodeid:
        return name
    return f"{name}-{hashlib.sha256(nodeid.encode()).hexdigest()[:8]}"


@pytest.fixture(scope="session")
def hil_rig(pytestconfig: pytest.Config) -> Rig | None:
    """The rig file, read; None if there is none."""
    path = rig_path(pytestconfig)
    with _said_plainly():
        return None if path is None else read_rig(path)


@pytest.fixture(scope="session")
def hil_firmware(pytestconfig: pytest.Config) -> Install | None:
    """Puts the firmware onto a unit: the files of the ini option hil_firmware. Override it in a
    conftest.py to build or compile: return a function that takes a Unit. Every test finds the
    firmware on its units; on emulated ones it is installed once and then copied."""
    path = _folder(pytestconfig, "hil_firmware")
    return copier(path) if path else None


def _folder(config: pytest.Config, option: str) -> Path | None:
    folder = config.getini(option)
    path = Path(config.rootpath, folder)
    if folder and not path.is_dir():
        raise pytest.UsageError(f"{option} is {folder!r}, and there is no such folder")
    return path if folder else None


@pytest.fixture(scope="session")
def hil_pool(
    pytestconfig: pytest.Config, hil_rig: Rig | None, tmp_path_factory: pytest.TempPathFactory
) -> UnitPool:
    """All boards of this run, for the other fixtures."""
    return UnitPool(
        setting(pytestconfig, "hil_board"),
        hil_rig,
        pytestconfig.getini("hil_heap"),
        tmp_path_factory.mktemp("hil"),
        _folder(pytestconfig, "hil_shims"),
        pytestconfig.stash.get(EVIDENCE, NOTHING_MORE),
    )


@pytest.fixture
def hil_log(request: pytest.FixtureRequest, hil_rig: Rig | None) -> Iterator[Log]:
    """The log of this test: serial bytes, exec calls, radio events, flash operations, resets. Add
    what your servers see: hil_log.note("server", "POST /reading")."""
    folder = Path(request.config.rootpath, setting(request.config, "hil_log_dir"))
    folder.mkdir(parents=True, exist_ok=True)
    name = log_name(request.node.nodeid)
    for ending in (
        "pcapng",
        "*.vcd",
        "*.heap.svg",
    ):  # of an earlier run, which had perhaps more to show
        for old in folder.glob(f"{glob.escape(name)}.{ending}"):
            old.unlink(missing_ok=True)
    log = Log(folder / f"{name}.log", mode="w")
    for network in hil_rig.networks.values() if hil_rig else ():
        log.hide(network.password)
    request.node.stash[LOG] = log
    request.node.user_properties.append(("hil_log", str(log.path)))
    log.note("test", request.node.nodeid)
    yield log
    log.close()


@pytest.fixture
def hil_air(hil_log: Log, hil_pool: UnitPool, request: pytest.FixtureRequest) -> Iterator[Air]:
    """The scripted networks around the emulated boards; other boards skip the test."""
    _chosen(hil_pool, 1, needs(request.node) | _AIR)
    with Air() as air:
        air.listeners.append(lambda event: hil_log.note("air", str(event)))
        has_contents = bool(request.config.getini("hil_contents"))
        air.capture_to(hil_log.path.with_suffix(".pcapng"), has_contents=has_contents)
        yield air


@pytest.fixture
def hil_units(
    request: pytest.FixtureRequest,
    hil_pool: UnitPool,
    hil_log: Log,
    hil_firmware: Install | None,
    tmp_path: Path,
) -> Iterator[list[Unit]]:
    """The boards of a test, as many as its marker hil_units says, with the firmware and stopped at
    their prompts; `reset()` starts it. Boards without what hil_needs asks for skip the test."""
    wanted = needs(request.node)
    if "hil_air" in request.fixturenames:
        wanted |= _AIR
    boards = _chosen(hil_pool, unit_count(request.node), wanted)
    _require_one_process(request.config, hil_pool.on_desk(boards))
    request.node.user_properties.append(("hil_board", ", ".join(boards)))
    air = request.getfixturevalue("hil_air") if hil_pool.has_air(boards) else None
    folder = tmp_path / "hil"  # flash and log of each emulated board
    with contextlib.ExitStack() as stack:
        with _said_plainly():
            given = hil_pool.units(boards, hil_log, air, folder, hil_firmware, wanted)
            units = stack.enter_context(given)
        yield units


@pytest.fixture
def hil_unit(hil_units: list[Unit]) -> Unit:
    """The board of a test, with the firmware and stopped at its prompt; `reset()` starts it."""
    return hil_units[0]


@pytest.fixture
def hil_network(
    request: pytest.FixtureRequest, hil_units: list[Unit], hil_log: Log, hil_rig: Rig | None
) -> Callable[..., Network]:
    """Gives a network by its name: hil_network("home") puts up an access point around emulated
    boards, with a new password; around others it is [network.home] of the rig file. Servers of the
    test listen on its `address`. Further arguments are those of Air.add_access_point."""
    made: dict[str, Network] = {}
    has_air = hil_units[0].can("air")

    def network(name: str, ssid: str | None = None, **options: Any) -> Network:
        if name not in made and has_air:
            options.setdefault("password", secrets.token_urlsafe(12))
            air: Air = request.getfixturevalue("hil_air")
            point = air.add_access_point(ssid or name, **options)
            made[name] = Network(name, ssid or name, options["password"], point.gateway)
        elif name not in made:
            made[name] = _of_rig(hil_rig, name)
        hil_log.hide(made[name].password)
        return made[name]

    return network


@contextlib.contextmanager
def _said_plainly() -> Iterator[None]:
    """Turn an error about a board or a file into a failure without a traceback: the code here is
    not at fault."""
    try:
        yield
    except HarnessError as e:
        raise pytest.fail.Exception(str(e), pytrace=False) from None  # said once


def _require_one_process(config: pytest.Config, on_desk: list[str]) -> None:
    """Refuse several processes: each of pytest-xdist's would at times find the port in use by
    another."""
    processes = getattr(config, "workerinput", {}).get("workercount", 1)
    if on_desk and processes > 1:
        pytest.fail(
            f"{processes} processes of pytest-xdist cannot share {', '.join(on_desk)}; run the "
            "tests on it with -n 0, or all of them with --hil-board emulated",
            pytrace=False,
        )


def _of_rig(rig: Rig | None, name: str) -> Network:
    if rig is None:
        pytest.skip(f"no network {name!r}: describe it in rig.toml ([network.{name}])")
    if name not in rig.networks:
        pytest.skip(f"no network {name!r}: add [network.{name}] to {rig.path}")
    return rig.networks[name]


def _chosen(pool: UnitPool, count: int, wanted: frozenset[str]) -> list[str]:
    with _said_plainly():
        try:
            return pool.choose(count, wanted)
        except Shortage as e:
            pytest.skip(str(e))
