# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The files under on_board/ run on MicroPython; test_on_board.py collects them."""

import pytest

collect_ignore = ["on_board"]

_FIGURES = pytest.StashKey[dict[str, str]]()


@pytest.fixture
def muster_figures(pytestconfig: pytest.Config) -> dict[str, str]:
    """Measured figures by name, shown at the end of the run."""
    return pytestconfig.stash.setdefault(_FIGURES, {})


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for name, value in sorted(config.stash.get(_FIGURES, {}).items()):
        terminalreporter.write_line(f"{name} = {value}")
