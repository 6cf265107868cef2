# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Fixtures that the configuration server's tests share."""

from collections.abc import Iterator

import pytest

from tests.host_server.config_server.field import Field, open_field


@pytest.fixture
def place() -> Iterator[Field]:
    with open_field() as opened:
        yield opened
