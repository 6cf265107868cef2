# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Fixtures that the configuration server's tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.host_server.config_server.field import PROFILE, Field, open_field
from tests.host_server.config_server.lane_town import Town


@pytest.fixture
def place(empty_database: Callable[[str], str]) -> Iterator[Field]:
    with open_field(empty_database("config")) as opened:
        yield opened


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    made.place.profiles.add(PROFILE)
    yield made
    made.close()
