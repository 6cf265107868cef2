# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A fresh platform for each test."""

from collections.abc import Iterator

import pytest

from tests.host_server.platform_server.client import Client, running


@pytest.fixture
def platform() -> Iterator[Client]:
    with running("sqlite://") as client:
        yield client
