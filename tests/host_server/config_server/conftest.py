# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Fixtures that the configuration server's tests share."""

from collections.abc import Callable, Iterator

import pytest

from tests.host_server.config_server.field import Field, open_field


@pytest.fixture
def place(empty_database: Callable[[str], str]) -> Iterator[Field]:
    with open_field(empty_database("config")) as opened:
        yield opened
