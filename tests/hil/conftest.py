# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tests on whatever board somebody names: `make hil PORT=…`. The suite leaves them out."""

from pathlib import Path

import pytest

_TEST_S = 900  # a board computes some hundred times slower than a PC


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(_TEST_S))
            if not config.getoption("--hil-board"):
                item.add_marker(pytest.mark.skip(reason="no board; make hil PORT=…"))
