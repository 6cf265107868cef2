# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A town to attack, shared by the tests of a file."""

from collections.abc import Iterator

import pytest

from tests import secrecy
from tests.security.town import Town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    running = Town(tmp_path_factory.mktemp("town"))
    secrecy.hide(running.administrator)
    running.add_profile()
    yield running
    running.stop()
    assert "Traceback" not in running.log
    assert "\x1b" not in running.log
