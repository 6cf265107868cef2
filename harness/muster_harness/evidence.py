# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Pytest's options for evidence that costs time: `--hil-cov`, and `--hil-heap-chart`."""

import tempfile
from pathlib import Path
from typing import Any

import pytest

from muster_harness.coverage.reports import cobertura, lcov, table
from muster_harness.coverage.sources import Coverage
from muster_harness.deploy.layout import board_files
from muster_harness.esp32.evidence import Evidence
from muster_harness.fixtures import EVIDENCE, setting

_OF_WORKER = "hil_coverage"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("hil")
    group.addoption(
        "--hil-cov",
        action="store_true",
        help="say which lines of the firmware ran on emulated boards, and write coverage.lcov and "
        "coverage.xml (Cobertura) beside the logs; sources on boards only, .mpy is not seen",
    )
    group.addoption(
        "--hil-heap-chart",
        action="store_true",
        help="draw the heap of each emulated board over time, beside its log",
    )
    parser.addini(
        "hil_cov_source", "folder of the sources for --hil-cov (hil_firmware)", "string", ""
    )


def pytest_configure(config: pytest.Config) -> None:
    charts_heap = bool(config.getoption("hil_heap_chart"))
    if not config.getoption("hil_cov"):
        config.stash[EVIDENCE] = Evidence(charts_heap=charts_heap)
        return
    folder = config.getini("hil_cov_source") or config.getini("hil_firmware")
    source = Path(config.rootpath, folder)
    if not folder or not source.is_dir():
        raise pytest.UsageError(
            "--hil-cov needs the folder of the firmware's sources: set hil_firmware, or "
            f"hil_cov_source, in the ini file; it is {folder!r}"
        )
    hooks = _Hooks(config, source)
    config.stash[EVIDENCE] = Evidence(hooks.coverage, charts_heap)
    config.pluginmanager.register(hooks, "hil_line_coverage")


class _Hooks:
    """The hooks of a run that wants coverage. Each process of pytest-xdist counts for itself, and
    the one that started them adds all together."""

    def __init__(self, config: pytest.Config, source: Path):
        self._config = config
        self._folder = tempfile.TemporaryDirectory(prefix="hil-cov-")
        paths = [file for path, file in board_files(source) if path.suffix == ".py"]
        self.coverage = Coverage(paths, Path(self._folder.name))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a process of pytest-xdist has counted."""
        self.coverage.merge(getattr(node, "workeroutput", {}).get(_OF_WORKER, {}))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_OF_WORKER] = self.coverage.counts()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        root, files = self._config.rootpath, self.coverage.files()
        logs = Path(root, setting(self._config, "hil_log_dir"))
        logs.mkdir(parents=True, exist_ok=True)
        made = (("lcov", lcov(files, root)), ("xml", cobertura(files, root)))
        for ending, text in made:
            (logs / f"coverage.{ending}").write_text(text)
        terminalreporter.section("hil: lines that ran on emulated boards")
        for line in table(files, root):
            terminalreporter.write_line(line)
        terminalreporter.write_line(f"written: {logs}/coverage.lcov, {logs}/coverage.xml")

    def pytest_unconfigure(self) -> None:
        self._folder.cleanup()
