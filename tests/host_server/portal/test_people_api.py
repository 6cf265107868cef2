# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The API of second factors, transfers and webhooks: as described, for whom it is, with no secret
told twice."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest
import requests

from muster_server.label import new_label
from muster_server.outgoing import Rules
from muster_server.portal.throttle import FREE_TRIES
from muster_server.store.engine import database_url
from tests import secrecy
from tests.host_server.api.schemas import errors
from tests.host_server.config_server.field import Field
from tests.host_server.portal.api import call
from tests.host_server.portal.pages.site import ADMIN_TOKEN, PASSWORD, Person, Site, opened
from tests.host_server.portal.pages.test_attacks import token_of
from tests.host_server.portal.test_openapi import NAMES, component, operations
from tests.host_server.portal.test_webhooks import receiver

FACTOR = "/v1/account/second-factor"
OWN = {"password": PASSWORD}


@pytest.fixture
def empty_store(tmp_path: Path) -> Callable[[str], str]:
    """SQLite alone, as the pages' tests have it."""
    return lambda role: database_url(tmp_path, role)


@pytest.fixture
def site(place: Field, tmp_path: Path) -> Iterator[Site]:
    with opened(place, tmp_path, Rules(("127.0.0.1/32",))) as site:
        yield site


class Asker:
    """Asks with one token, and holds each answer to its description."""

    def __init__(self, site: Site, token: str) -> None:
        self.site, self.token = site, token
        self.asked: set[tuple[str, str]] = set()

    def ask(self, method: str, path: str, body: Any = None, **names: str) -> requests.Response:
        where = self.site.url + path.format(**names)
        answer = call(method, where, body, self.token)
        if answer.ok and answer.content:
            described = component(path, method.lower())
            assert errors(described, answer.json(), is_closed=True) == []
        if answer.ok:
            self.asked.add((path, method.lower()))
        elif answer.status_code != 405:
            assert answer.headers["Content-Type"] == "application/problem+json"
        return answer

    def done(self, method: str, path: str, body: Any = None, **names: str) -> Any:
        answer = self.ask(method, path, body, **names)
        assert answer.ok, (path, answer.text)
        return answer.json() if answer.content else None


def profile_of(person: Person, site: Site) -> str:
    """A profile of their own, which the pages make of a network and its password."""
    label = new_label()
    wifi = {"profile": "new", "ssid": "home", "password": "a password of mine"}
    assert person.post("/add", label=label.qr_text, **wifi).is_redirect
    with site.field.store.reading() as records:
        (claim,) = records.claims_of(label.device_id)
    return claim.profile


def test_every_route_of_people_answers_as_described(
    site: Site, ada: Person, grace: Person
) -> None:
    house = Asker(site, token_of(ada, "manage"))
    hers = Asker(site, token_of(grace, "change"))
    profile = profile_of(grace, site)
    asked = _set_up_an_app(site, hers)
    assert grace.get("/account").status_code == 303  # she had come with the password alone
    asked |= _hand_over(site, house, hers, profile)
    asked |= _tell_others(house)
    alone = {(path, method) for path, method, _ in operations(is_alone=True)}
    assert asked == {(path, method) for path, method, _ in operations()} - alone


def _set_up_an_app(site: Site, hers: Asker) -> set[tuple[str, str]]:
    assert hers.done("GET", FACTOR) == {"app": False, "passkeys": 0, "recovery_codes_left": 0}
    refused = hers.ask("POST", FACTOR + "/app", {"password": "not mine at all"})
    assert (refused.status_code, refused.json()["path"]) == (401, "password")
    answer = hers.ask("POST", FACTOR + "/app", OWN)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    secret = answer.json()["secret"]
    secrecy.hide(secret)
    totp = pyotp.TOTP(secret)
    assert hers.ask("POST", FACTOR + "/app/confirm", {"code": "000000"}).status_code == 401
    assert hers.done("GET", FACTOR)["app"] is False
    first = hers.done("POST", FACTOR + "/app/confirm", {"code": totp.at(int(site.clock.now))})
    assert len(first["recovery_codes"]) == 10
    assert hers.done("GET", FACTOR) == {"app": True, "passkeys": 0, "recovery_codes_left": 10}
    assert hers.ask("POST", FACTOR + "/app", OWN).status_code == 409
    again = hers.done("POST", FACTOR + "/recovery-codes", OWN)["recovery_codes"]
    assert len(again) == 10 and not set(again) & set(first["recovery_codes"])
    assert hers.ask("POST", FACTOR + "/app/remove", {"password": "x"}).status_code == 401
    hers.done("POST", FACTOR + "/app/remove", OWN)
    assert hers.done("GET", FACTOR) == {"app": False, "passkeys": 0, "recovery_codes_left": 0}
    return hers.asked


def _hand_over(site: Site, house: Asker, hers: Asker, profile: str) -> set[tuple[str, str]]:
    device = site.field.registered()
    device.onboard()
    one = {"device_id": device.id}
    path = "/v1/devices/{device_id}/transfer-code"
    assert house.ask("GET", path, **one).status_code == 404
    withdrawn = house.done("POST", path, **one)["code"]
    out = house.ask("GET", path, **one)
    assert out.json()["by"] == "ada" and withdrawn not in out.text
    house.done("DELETE", path, **one)
    body = {"code": withdrawn, "profile": profile}
    assert hers.ask("POST", "/v1/transfers", body).status_code == 401
    body["code"] = house.done("POST", path, **one)["code"]
    # Settings of the house are not there for her, and cost her no code.
    assert hers.ask("POST", "/v1/transfers", {**body, "profile": "press"}).status_code == 404
    taken = hers.done("POST", "/v1/transfers", {**body, "name": "my press"})
    assert (taken["device_id"], taken["name"]) == (device.id, "my press")
    assert hers.ask("POST", "/v1/transfers", body).status_code == 401  # good once
    assert house.ask("GET", path, **one).status_code == 404
    (left,) = house.done("GET", "/v1/transfers")["transfers"]
    assert left["device_id"] == device.id and left["to_do"]
    house.done("POST", "/v1/devices/{device_id}/handed-over", **one)
    assert house.done("GET", "/v1/transfers") == {"transfers": []}
    return house.asked | hers.asked


def _tell_others(house: Asker) -> set[tuple[str, str]]:
    hooks, one = "/v1/webhooks", "/v1/webhooks/{webhook_id}"
    for url in ("http://169.254.169.254/latest", "https://10.0.0.1/x", "https://[::1]/", "x"):
        refused = house.ask("POST", hooks, {"url": url, "events": ["device.added"]})
        assert (refused.status_code, refused.json()["path"]) == (422, "url"), url
    assert house.ask("POST", hooks, {"url": "https://example.org", "events": ["x"]}).status_code
    with receiver() as (url, came):
        made = house.done("POST", hooks, {"url": url, "events": ["device.added"]})
        assert made["secret"].startswith("whsec_") and made["events"] == ["device.added"]
        secrecy.hide(made["secret"])
        hook = {"webhook_id": made["id"]}
        message = house.done("POST", one + "/test", **hook)
        assert (message["state"], message["outcome"]) == ("delivered", "HTTP 200")
        assert len(came) == 1
        assert house.done("POST", one + "/enable", **hook)["is_enabled"] is True
        listed = house.ask("GET", hooks)
        assert made["secret"] not in listed.text and url not in listed.text
        assert listed.json()["webhooks"][0]["messages"][0]["event"] == "webhook.test"
        house.done("DELETE", one, **hook)
    assert house.ask("POST", one + "/test", **hook).status_code == 404
    assert house.done("GET", hooks) == {"webhooks": []}
    return house.asked


def test_the_houses_own_token_has_no_second_factor(site: Site, ada: Person) -> None:
    asker = Asker(site, ADMIN_TOKEN)
    assert asker.ask("GET", FACTOR).status_code == 403
    assert asker.ask("POST", FACTOR + "/app", OWN).status_code == 403
    assert asker.ask("POST", FACTOR + "/app/confirm", {"code": "1"}).status_code == 403


def test_a_token_guesses_passwords_and_transfer_codes_no_quicker_than_a_page(
    site: Site, ada: Person, grace: Person
) -> None:
    hers = Asker(site, token_of(grace, "change"))
    profile = profile_of(grace, site)
    for path, body in (
        (FACTOR + "/app", {"password": "not mine at all"}),
        ("/v1/transfers", {"code": "AAAA-BBBB-CCCC-DDDD", "profile": profile}),
    ):
        site.clock.now += 3601  # tries before, from the same address, are forgotten
        statuses = [hers.ask("POST", path, body).status_code for _ in range(FREE_TRIES + 3)]
        assert statuses[0] == 401 and statuses[-1] == 429, path
    site.clock.now += 3601
    statuses = [
        Person(site.url).post("/sign-in", name="grace", password=f"guess {n}").status_code
        for n in range(FREE_TRIES)
    ]
    assert statuses == [401] * FREE_TRIES
    # What was tried at one door counts at the other.
    assert hers.ask("POST", FACTOR + "/app", OWN).status_code == 429


def test_each_asks_about_themselves_alone_and_owners_have_no_webhooks(
    site: Site, ada: Person, grace: Person
) -> None:
    eve = Asker(site, token_of(site.joined("eve", "owner"), "change"))
    hers = Asker(site, token_of(grace, "change"))
    hers.done("POST", FACTOR + "/app", OWN)
    assert eve.done("GET", FACTOR)["app"] is False
    assert eve.ask("POST", FACTOR + "/app/confirm", {"code": "000000"}).status_code == 404
    for path, method, _ in operations():
        if path.startswith("/v1/webhooks"):
            assert eve.ask(method.upper(), path, {}, **NAMES).status_code == 403, (method, path)
    viewer = Asker(site, token_of(site.joined("vera", "viewer"), "read"))
    assert viewer.done("GET", FACTOR)["app"] is False
    assert viewer.ask("POST", FACTOR + "/app", OWN).status_code == 403
    assert viewer.ask("POST", "/v1/transfers", {"code": "x", "profile": "y"}).status_code == 403


def test_what_is_done_there_stands_in_the_audit_log(site: Site, ada: Person) -> None:
    house = Asker(site, token_of(ada, "manage"))
    made = house.done(
        "POST", "/v1/webhooks", {"url": "https://example.org", "events": ["device.added"]}
    )
    house.done("DELETE", "/v1/webhooks/{webhook_id}", webhook_id=made["id"])
    log = ada.get("/audit").text
    assert log.count(made["id"]) >= 2 and made["secret"] not in log
