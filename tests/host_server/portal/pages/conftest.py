# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Fixtures that tests of the pages share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host_server.config_server.field import Field
from tests.host_server.portal.pages.site import Person, Site, opened


@pytest.fixture
def site(place: Field, tmp_path: Path) -> Iterator[Site]:
    with opened(place, tmp_path) as site:
        yield site


@pytest.fixture
def ada(site: Site) -> Person:
    """The first administrator."""
    return site.joined("ada", "administrator")


@pytest.fixture
def grace(site: Site, ada: Person) -> Person:
    """An owner, whom ada has invited."""
    return site.joined("grace", "owner")
