# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Pytest's options for tests that do not always pass: `--hil-repeat`, and the quarantine."""

from pathlib import Path

import pytest

from muster_harness.errors import HarnessError
from muster_harness.units.quarantine import ENOUGH, Passes, named, read_quarantine, strangers

_ROUND = "hil_round"
_CACHE = "hil/quarantine"
_MOST_ROUNDS = 10_000


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hil")
    group.addoption(
        "--hil-repeat",
        type=int,
        default=1,
        metavar="N",
        help="run each test with a board so many times, to find the one that does not always pass",
    )
    parser.addini(
        "hil_quarantine",
        "file of tests that may fail for now, each with its reason; quarantine.toml in the root, "
        "if there is one",
        "string",
        "",
    )


def pytest_configure(config: pytest.Config) -> None:
    if not 1 <= config.getoption("hil_repeat") <= _MOST_ROUNDS:
        raise pytest.UsageError(f"--hil-repeat is 1 to {_MOST_ROUNDS}")
    file = config.getini("hil_quarantine")
    path = Path(config.rootpath, file or "quarantine.toml")
    try:
        known = read_quarantine(path) if file or path.exists() else {}
    except HarnessError as e:
        raise pytest.UsageError(str(e)) from None
    if known:
        config.pluginmanager.register(_Quarantine(config, known), "hil_quarantine")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    rounds = metafunc.config.getoption("hil_repeat")
    if rounds > 1 and any(name.startswith("hil_") for name in metafunc.fixturenames):
        metafunc.fixturenames.append(_ROUND)
        ids = [f"{n}-of-{rounds}" for n in range(1, rounds + 1)]
        metafunc.parametrize(_ROUND, range(rounds), ids=ids)


class _Quarantine:
    """The hooks of a run that has tests in quarantine."""

    def __init__(self, config: pytest.Config, known: dict[str, str]):
        self._known = known
        self._cache = getattr(config, "cache", None)  # none with -p no:cacheprovider
        self._passes = Passes(self._cache.get(_CACHE, {}) if self._cache is not None else {})

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if unknown := strangers(self._known, (item.nodeid for item in items)):
            raise pytest.UsageError(f"the quarantine names tests that are not there: {unknown}")
        for item in items:
            test = named(item.nodeid, self._known)
            if test is not None:
                reason = f"quarantine: {self._known[test]}"
                item.add_marker(pytest.mark.xfail(reason=reason, strict=False))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = named(report.nodeid, self._known)
        if test is None or not hasattr(report, "wasxfail"):
            return
        if report.outcome == "skipped":  # so an expected failure is reported
            self._passes.failed(test)
        elif report.when == "call":
            self._passes.passed(test)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for test in self._passes.healed(self._known):
            terminalreporter.write_line(
                f"hil: {test} has passed {self._passes.counts[test]} times in a row; take it out "
                f"of the quarantine, if {ENOUGH} are enough for you"
            )

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        is_worker = hasattr(session.config, "workerinput")
        if self._cache is not None and not is_worker:
            self._cache.set(_CACHE, self._passes.counts)
