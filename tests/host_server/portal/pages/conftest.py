# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Fixtures that tests of the pages share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from muster_server.store.engine import database_url
from tests.host_server.config_server.field import Field
from tests.host_server.portal.pages.site import Person, Site
from tests.host_server.portal.pages.site import opened as site_opened
from tests.programs import chromium

_ANSWER_MS = 20_000
_PHONE: Any = {"width": 390, "height": 844}


@pytest.fixture
def empty_store(tmp_path: Path) -> Callable[[str], str]:
    """SQLite alone: the services' tests ask of both kinds what the pages ask of a store."""
    return lambda role: database_url(tmp_path, role)


@pytest.fixture
def site(place: Field, tmp_path: Path) -> Iterator[Site]:
    with site_opened(place, tmp_path) as site:
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=_ANSWER_MS)
    with chromium.browser() as browser:
        yield browser


@pytest.fixture
def opened(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Opens a page on a phone for somebody who has signed in."""
    contexts: list[BrowserContext] = []

    def page_of(person: Person | None, *, script: bool = True, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport=_PHONE,
            locale="en-GB",
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(_ANSWER_MS)
        contexts.append(context)
        if person is not None:
            context.add_cookies([{"name": "muster", "value": person.cookie, "url": site.url}])
        return context.new_page()

    yield page_of
    for context in contexts:
        context.close()
