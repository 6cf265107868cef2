# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Fixtures that the portal's tests share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muster_server.config_server.app import create_app as create_config
from muster_server.portal.app import create_app
from muster_server.portal.service import Portal
from muster_server.store.config_tables import HEAD
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.secrets import SecretBox
from tests.host_server.config_server.field import (
    PROFILE,
    SERVER_URL,
    FakePlatform,
    FakePlatforms,
    Field,
    open_field,
)
from tests.host_server.portal.api import ADMIN, SERVICE, call, hashes
from tests.host_server.portal.pages.site import Person, Site
from tests.host_server.serving import served


@pytest.fixture
def place(empty_store: Callable[[str], str]) -> Iterator[Field]:
    # Servers and tests are at it at the same time.
    with open_field(empty_store("config")) as opened:
        yield opened


@pytest.fixture
def ada(site: Site) -> Person:
    """The first administrator."""
    return site.joined("ada", "administrator")


@pytest.fixture
def grace(site: Site, ada: Person) -> Person:
    """An owner, whom ada has invited."""
    return site.joined("grace", "owner")


@pytest.fixture(scope="module")
def config_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    engine = open_engine(database_url(Path(tmp_path_factory.mktemp("data")), "config"))
    migrate(engine, "muster_server.config_server", HEAD)
    platform = FakePlatform()
    app = create_config(
        engine,
        SecretBox(bytes(32)),
        accepted_hashes=lambda: hashes(SERVICE),
        platforms=FakePlatforms(platform),
        public_url="http://127.0.0.1:8421",
    )
    with served(app) as url:
        yield url
    engine.dispose()


@pytest.fixture(scope="module")
def url(config_url: str) -> Iterator[str]:
    with served(create_app(Portal(config_url, SERVICE), lambda: hashes(ADMIN))) as url:
        assert call("POST", url + "/v1/profiles", PROFILE).status_code == 201
        yield url


@pytest.fixture
def desk(place: Field) -> Iterator[tuple[Field, str]]:
    """A portal before the field's own rules, and the field."""
    config = create_config(
        place.engine,
        SecretBox(bytes(32)),
        accepted_hashes=lambda: hashes(SERVICE),
        platforms=place.platforms,
        public_url=SERVER_URL,
    )
    with (
        served(config) as config_url,
        served(create_app(Portal(config_url, SERVICE), lambda: hashes(ADMIN))) as url,
    ):
        yield place, url
