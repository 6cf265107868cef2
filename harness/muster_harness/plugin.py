# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The pytest plugin: options, markers and hooks; the fixtures are in muster_harness.fixtures.

Every name that other projects can see begins with hil_ (hardware in the loop).
"""

import glob
from collections.abc import Generator
from pathlib import Path

import pytest

from muster_harness.errors import HarnessError
from muster_harness.fixtures import (
    LOG,
    hil_air,
    hil_firmware,
    hil_log,
    hil_network,
    hil_pool,
    hil_rig,
    hil_unit,
    hil_units,
    needs,
    rig_path,
    setting,
    unit_count,
)
from muster_harness.log import tail
from muster_harness.units.pool import check_boards, what_is_lacking
from muster_harness.units.rig import Rig, read_rig

__all__ = [
    "hil_air",
    "hil_firmware",
    "hil_log",
    "hil_network",
    "hil_rig",
    "hil_pool",
    "hil_unit",
    "hil_units",
]

pytest_plugins = ["muster_harness.patience", "muster_harness.evidence"]
_WAY_TO_SERVERS = (
    "An emulated board's servers are reached from its network only, not at its address from this "
    'host. Ask hil_unit.url(80), e.g. urlopen(hil_unit.url(80)), or air.visit("network").'
)
_KINDS = (
    ("pcapng", "the air, for Wireshark"),
    ("vcd", "pins and buses, for PulseView or GTKWave"),
    ("heap.svg", "heap over time, for a browser"),
)
_DEVICES = Path("/dev")
_MARKERS = (
    'hil_needs("button", "power"): run on boards with these capabilities (harness/README.md '
    "lists them), skip others",
    "hil_units(2): the test wants so many boards at once",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hil", "MicroPython boards, emulated or real (muster-harness)")
    group.addoption(
        "--hil-board",
        action="append",
        default=[],
        metavar="BOARD",
        help="emulated; emulated:FILE with a board file; a unit of the rig file; or a port: a "
        "path, a USB serial number, socket://host:port, rfc2217://host:port. May be repeated, for "
        "tests with several boards. Write --hil-board=/dev/ttyUSB0, with an equals sign: after a "
        "space pytest takes a path for one of tests",
    )
    group.addoption(
        "--hil-rig",
        metavar="FILE",
        help="your units, their ports and wiring, your networks (default: rig.toml, if it exists)",
    )
    group.addoption(
        "--hil-log-dir",
        metavar="DIR",
        help="where each test leaves its log (default: hil-logs)",
    )
    parser.addini("hil_board", "as --hil-board, for runs without that option", "args", [])
    parser.addini("hil_rig", "as --hil-rig", "string", "")
    parser.addini("hil_log_dir", "as --hil-log-dir", "string", "hil-logs")
    parser.addini("hil_firmware", "folder of the files that every board gets", "string", "")
    parser.addini(
        "hil_shims",
        "folder of modules that programs on emulated boards find before all others",
        "string",
        "",
    )
    parser.addini(
        "hil_contents",
        "captures of the air hold what programs say, passwords too, and not the heads alone",
        "bool",
        False,
    )
    parser.addini("hil_heap", "MicroPython's heap on emulated boards", "string", "328K")


def pytest_configure(config: pytest.Config) -> None:
    if _DEVICES in (config.rootpath, *config.rootpath.parents):
        raise pytest.UsageError(
            "pytest took the port for a path of tests; write --hil-board=/dev/…, with an equals "
            "sign"
        )
    try:
        check_boards(setting(config, "hil_board"), _rig(config))
    except HarnessError as e:
        raise pytest.UsageError(f"--hil-board: {e}") from None
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


def _rig(config: pytest.Config) -> Rig | None:
    path = rig_path(config)
    try:
        return None if path is None else read_rig(path)
    except HarnessError:
        return None  # the tests that want it say what is wrong with it


def pytest_report_header(config: pytest.Config) -> str | None:
    boards = setting(config, "hil_board")
    if not boards:
        return None
    header = f"hil: {', '.join(boards)}; logs in {setting(config, 'hil_log_dir')}"
    lacking = what_is_lacking(boards)
    return f"{header}\nhil: {lacking}" if lacking else header


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave alone what pip or mip has put into the firmware: some packages have `test_*.py`."""
    firmware = config.getini("hil_firmware")
    if not firmware:
        return None
    library = Path(config.rootpath, firmware, "lib")
    return True if library in (collection_path, *collection_path.parents) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        try:
            needs(item)
            unit_count(item)
        except HarnessError as e:
            raise pytest.UsageError(f"{item.nodeid}: {e}") from None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    log = item.stash.get(LOG, None)
    if log is not None:
        if report.failed:
            log.note("test", f"{report.when} failed")
            text = f"{tail(log.path)}\nwhole log: {log.path}" + _pictures(log.path)
            if item.config.getoption("hil_cov"):
                text += f"\nlines that ran, at the end of the run: {log.path.parent}/coverage.xml"
            report.sections.append(("hil: the last that happened", text))
            if call.excinfo is not None and _was_refused(call.excinfo.value):
                report.sections.append(("hil: a server that does not answer", _WAY_TO_SERVERS))
        elif report.when == "call":
            log.note("test", report.outcome)
    return report


def _pictures(log: Path) -> str:
    """Name the files beside a log, and what opens them."""
    found = [
        f"\n{what}: {path}"
        for ending, what in _KINDS
        for path in sorted(log.parent.glob(f"{glob.escape(log.stem)}*.{ending}"))
    ]
    return "".join(found)


def _was_refused(error: BaseException | None) -> bool:
    """Tell whether a client of the test met a closed door; urllib and others wrap that, each in
    its own way."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        if isinstance(error, ConnectionError):
            return True
        seen.append(error)
        reason = getattr(error, "reason", None)
        inner = reason if isinstance(reason, BaseException) else None
        error = inner or error.__cause__ or error.__context__
    return False
