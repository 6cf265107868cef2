# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is each attack on the pages refused?"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from fastapi.routing import APIRoute

from muster_server.errors import HostError, TooManyRequests
from muster_server.label import new_label
from muster_server.portal.app import create_app
from muster_server.portal.pages.routes import router
from muster_server.portal.service import Portal
from muster_server.portal.throttle import FREE_TRIES, LONGEST_WAIT_S, Throttle
from tests.host_server.config_server.field import Device
from tests.host_server.portal.api import call
from tests.host_server.portal.pages.site import ADMIN_TOKEN, PASSWORD, Person, Site
from tests.host_server.portal.test_openapi import NAMES
from tests.host_server.serving import served

SCRIPT = "<script>alert(1)</script>"
WIFI = {"profile": "new", "ssid": "home", "password": "a password of mine"}
# The routes that strangers come to.
OPEN = {"/", "/sign-in", "/sign-in/second", "/sign-in/passkey", "/join", "/static/{digest}/{name}"}


def added(person: Person, **more: str) -> str:
    label = new_label()
    answer = person.post("/add", label=label.qr_text, **{**WIFI, **more})
    assert answer.is_redirect, answer.text
    return label.device_id


def routes(method: str) -> list[str]:
    """The paths of all pages with this method; none is left out by hand."""
    ground: Any = None  # no route asks for it before it is called
    found = [route for route in router(ground).routes if isinstance(route, APIRoute)]
    return sorted(route.path for route in found if method in (route.methods or ()))


def filled(path: str, device_id: str) -> str:
    names = {**NAMES, "device_id": device_id, "name": "style.css"}
    return path.format(**names, digest="x", deed="x")


# Another site


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_form_of_another_site_does_nothing(site: Site, ada: Person, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    for path in routes("POST"):
        fields = {"form_token": ada.form_token()}
        answer = ada.session.post(
            site.url + filled(path, "PRESS-4"), data=fields, headers=headers, timeout=5
        )
        assert answer.status_code == 403, path
        assert "not sent from a page of this portal" in answer.text
    assert ada.get("/account").status_code == 200  # nobody was signed out


def test_form_without_the_sessions_token_does_nothing(
    site: Site, ada: Person, grace: Person
) -> None:
    for token in ("", "x", grace.form_token(), "é"):
        for path in routes("POST"):
            answer = ada.post(filled(path, "PRESS-4"), form_token=token)
            assert answer.status_code == 403, path
            assert "another sign-in" in answer.text


def test_cookie_opens_nothing_of_the_api(site: Site, ada: Person) -> None:
    cookies = {"muster": ada.cookie}
    answer = requests.get(site.url + "/v1/devices", cookies=cookies, timeout=5)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "back",
    [
        *("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"),
        *("/%2f/evil.example", "/devices\r\nSet-Cookie: a=b", "/\t/evil.example", "\\\\evil"),
    ],
)
def test_nobody_is_led_to_another_site(site: Site, ada: Person, back: str) -> None:
    answer = Person(site.url).post("/sign-in", name="ada", password=PASSWORD, next=back)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_page_says_that_it_is_framed_by_nobody_and_asks_nobody_else(
    site: Site, ada: Person
) -> None:
    device_id = added(ada)
    for path in routes("GET"):
        if path.endswith("/stream"):
            continue
        answer = ada.get(filled(path, device_id))
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, path
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if "text/html" in answer.headers.get("Content-Type", ""):
            assert answer.headers["Cache-Control"] == "no-store"
            assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text), path
            assert not re.search(r"<script(?![^>]* src=)| on\w+=| style=", answer.text), path


# Script in what others wrote


def test_script_in_each_field_is_text(site: Site, ada: Person) -> None:
    device_id = added(ada, name=SCRIPT, ssid="<b>home</b>")
    page = f"/devices/{device_id}"
    label = next(iter(label_of(site, device_id)))
    device = Device(site.field, label)
    device.sync(model=SCRIPT, board=SCRIPT, firmware=SCRIPT)
    heard = [["PHNjcmlwdD54PC9zY3JpcHQ-", 6, -48, 3]]
    last = {"config": 1, "step": 8, "code": "wifi_no_ap", "detail": SCRIPT}
    device.sync(model=SCRIPT, board=SCRIPT, firmware=SCRIPT, scan=heard, last=last)
    ada.post("/account/tokens", name=SCRIPT, scope="read", days="5")
    wrong = [
        ada.post("/add", label=SCRIPT, name=SCRIPT, **{**WIFI, "ssid": SCRIPT}),
        ada.post(page + "/name", name=SCRIPT * 9),
        ada.post(page + "/receipt", receipt=SCRIPT),
        ada.post("/take-over", code=SCRIPT, name=SCRIPT, **{**WIFI, "ssid": SCRIPT}),
        ada.post("/sign-in/second", half=SCRIPT, code=SCRIPT, next=SCRIPT),
        ada.post("/sign-in/passkey", half=SCRIPT, passkey=SCRIPT, next=SCRIPT),
        ada.post("/account/second/passkey", key_password=PASSWORD, passkey_name=SCRIPT),
        ada.post("/account/second/confirm", code=SCRIPT),
        ada.post("/webhooks", url=SCRIPT, **{"device.added": "yes"}),
        ada.post("/webhooks/test", id=SCRIPT),
        ada.get(f"/overview?step={SCRIPT}"),
        ada.post("/sign-in", name=SCRIPT, password="x", next=SCRIPT),
        ada.get(f"/sign-in?next={SCRIPT}"),
        ada.get(f"/devices/{SCRIPT}"),
        ada.get(f"/devices?show={SCRIPT}&after={SCRIPT}"),
    ]
    shown = [ada.get(filled(path, device_id)) for path in routes("GET") if "stream" not in path]
    for answer in [*wrong, *shown]:
        if "text/html" in answer.headers.get("Content-Type", ""):
            text = re.sub(r'<script src="/static/[^"]*" defer></script>', "", answer.text)
            assert "<script" not in text.lower(), answer.url
            assert "<b>" not in text, answer.url
    assert "&lt;script&gt;" in ada.get(page).text


def label_of(site: Site, device_id: str) -> Iterator[Any]:
    from muster_server.label import Label

    with site.field.store.transaction() as records:
        for claim in records.claims_of(device_id):
            yield Label(device_id, claim.secret)


# Sessions


def test_session_that_somebody_else_chose_is_not_taken(site: Site, ada: Person) -> None:
    person = Person(site.url)
    person.session.cookies.set("muster", "chosen-by-somebody-else")
    fields = {"form_token": person.form_token()}
    answer = person.post("/sign-in", name="ada", password=PASSWORD, next="/", **fields)
    assert answer.is_redirect
    fresh = answer.cookies["muster"]
    assert fresh != "chosen-by-somebody-else" and len(fresh) > 40
    chosen = {"muster": "chosen-by-somebody-else"}
    account = site.url + "/account"
    kept = requests.get(account, cookies=chosen, timeout=5, allow_redirects=False)
    assert kept.status_code == 303


def test_cookie_is_for_this_server_and_no_script(site: Site, ada: Person) -> None:
    answer = Person(site.url).post("/sign-in", name="ada", password=PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert "Domain" not in cookie


def test_cookie_over_https_is_for_https_alone(site: Site, ada: Person) -> None:
    app = create_app(Portal("http://127.0.0.1:9", "x"), frozenset, site.people)
    with served(app, trusted_proxies=("127.0.0.1",)) as url:
        headers = {"Origin": url.replace("http:", "https:"), "X-Forwarded-Proto": "https"}
        fields = {"name": "ada", "password": PASSWORD}
        answer = requests.post(
            url + "/sign-in", data=fields, headers=headers, timeout=5, allow_redirects=False
        )
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-muster=") and "Secure" in cookie


def test_unknown_name_and_wrong_password_are_refused_alike(site: Site, ada: Person) -> None:
    answers = [
        Person(site.url).post("/sign-in", name=name, password="not this one at all")
        for name in ("ada", "nobody")
    ]
    texts = [re.sub(r'value="(ada|nobody)"', "", answer.text) for answer in answers]
    assert texts[0] == texts[1]
    assert {answer.status_code for answer in answers} == {401}


def test_guessing_a_password_is_slowed_down(site: Site, ada: Person) -> None:
    stranger = Person(site.url)
    statuses = [
        stranger.post("/sign-in", name="ada", password=f"guess number {n}").status_code
        for n in range(FREE_TRIES + 3)
    ]
    assert statuses[:FREE_TRIES] == [401] * FREE_TRIES
    assert statuses[-1] == 429
    assert stranger.post("/sign-in", name="ada", password=PASSWORD).status_code == 429


def test_waits_double_and_end_within_a_minute(site: Site) -> None:
    now = [0.0]
    throttle = Throttle(site.people.store, lambda: now[0])

    def fail() -> int:
        try:
            with throttle.trying("name ada", "address 192.0.2.7"):
                raise HostError
        except TooManyRequests as error:
            return error.retry_s or 0
        except HostError:
            return 0

    assert [fail() for _ in range(FREE_TRIES)] == [0] * FREE_TRIES
    waits = []
    for _ in range(8):
        waits.append(fail())
        now[0] += waits[-1]
        assert fail() == 0
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert waits[-1] == LONGEST_WAIT_S


def test_success_in_ones_own_name_buys_no_guesses_at_others(site: Site) -> None:
    throttle = Throttle(site.people.store, lambda: 0.0)
    for n in range(FREE_TRIES - 1):
        with pytest.raises(HostError), throttle.trying(f"name {n}", "address 192.0.2.7"):
            raise HostError
    with throttle.trying("name mine", "address 192.0.2.7"):
        pass
    with pytest.raises(HostError), throttle.trying("name x", "address 192.0.2.7"):
        raise HostError
    with pytest.raises(TooManyRequests), throttle.trying("name y", "address 192.0.2.7"):
        raise AssertionError("it was let try")


def test_large_or_odd_form_is_refused(site: Site, ada: Person) -> None:
    headers = {"Origin": site.url, "Content-Type": "application/x-www-form-urlencoded"}
    for body, status in (
        (b"name=" + b"x" * 100_000, 413),
        (b"&".join(b"a%d=1" % n for n in range(200)), 400),
        (b"name=%ff", 400),
        (b"name=\xff", 400),
    ):
        answer = requests.post(site.url + "/sign-in", data=body, headers=headers, timeout=5)
        assert answer.status_code == status, body[:20]
    answer = requests.post(site.url + "/join", json={}, headers={"Origin": site.url}, timeout=5)
    assert answer.status_code == 400


# Other people


def test_every_page_but_the_open_ones_asks_who_it_is(site: Site, ada: Person) -> None:
    device_id = added(ada)
    for method in ("GET", "POST"):
        for path in routes(method):
            if path in OPEN:
                continue
            answer = requests.request(
                method,
                site.url + filled(path, device_id),
                headers={"Origin": site.url, "Content-Type": "application/x-www-form-urlencoded"},
                timeout=5,
                allow_redirects=False,
            )
            assert answer.status_code == 303, (method, path)
            assert answer.headers["Location"].startswith("/sign-in"), (method, path)


def test_device_of_another_owner_is_not_there_by_any_page(
    site: Site, ada: Person, grace: Person
) -> None:
    eve = site.joined("eve", "owner")
    device_id = added(grace)
    before = grace.get(f"/devices/{device_id}/report").text
    for method in ("GET", "POST"):
        for path in routes(method):
            if "{device_id}" not in path:
                continue
            for other in (eve, ada):
                answer = (
                    other.get(filled(path, device_id))
                    if method == "GET"
                    else other.post(
                        filled(path, device_id),
                        **{**WIFI, "name": "mine", "receipt": "AAAA AAAA", "ssid": "home"},
                    )
                )
                assert answer.status_code == 404, (method, path)
    assert device_id not in eve.get("/devices").text + ada.get("/devices").text
    assert grace.get(f"/devices/{device_id}/report").text == before


def test_device_of_another_owner_is_not_there_by_any_route_of_the_api(
    site: Site, ada: Person, grace: Person
) -> None:
    device_id = added(grace)
    tokens = [token_of(site.joined("eve", "owner"), "change"), ADMIN_TOKEN]
    paths = requests.get(site.url + "/openapi.json", timeout=5).json()["paths"]
    bodies = {"receipts": {"receipt": "AAAA AAAA"}, "commands": {"value": 1}}
    asked = 0
    for path, methods in paths.items():
        if "{device_id}" not in path:
            continue
        for method in methods:
            for token in tokens:
                body = bodies.get(path.rpartition("/")[2], {})
                where = site.url + path.format(**{**NAMES, "device_id": device_id})
                answer = call(method.upper(), where, body, token)
                assert answer.status_code == 404, (method, path)
                asked += 1
    assert asked > 20
    for token in tokens:
        listed = call("GET", site.url + "/v1/devices", None, token).json()["devices"]
        assert device_id not in [device["device_id"] for device in listed]
    mine = call("GET", f"{site.url}/v1/devices/{device_id}", None, token_of(grace, "read"))
    assert mine.status_code == 200


def test_token_does_what_its_scope_says_and_no_more(site: Site, grace: Person) -> None:
    device_id = added(grace)
    token = token_of(grace, "read")
    paths = requests.get(site.url + "/openapi.json", timeout=5).json()["paths"]
    for path, methods in paths.items():
        for method in methods:
            where = site.url + path.format(**{**NAMES, "device_id": device_id})
            if method == "get" and "bundle" not in path and "profiles" not in path:
                continue
            if method == "get" and path.endswith("/bundles"):
                continue  # how far each has come, without its text
            assert call(method.upper(), where, {}, token).status_code == 403, (method, path)
    change = token_of(grace, "change")
    assert call("GET", site.url + "/v1/profiles/press", None, change).status_code == 403
    assert (
        call("POST", site.url + "/v1/vendor/devices", {"labels": ["x"]}, change).status_code == 403
    )
    profile = {"label": new_label().qr_text, "profile": "press"}
    assert call("POST", site.url + "/v1/devices", profile, change).status_code == 404
    moved = {"profile": "press"}
    where = f"{site.url}/v1/devices/{device_id}"
    assert call("PATCH", where, moved, change).status_code == 404


def test_token_ends_with_its_days_with_its_user_and_when_it_is_revoked(
    site: Site, ada: Person, grace: Person
) -> None:
    def status(token: str) -> int:
        return call("GET", site.url + "/v1/devices", None, token).status_code

    tokens = [token_of(grace, "read", days) for days in ("1", "300", "300")]
    assert list(map(status, tokens)) == [200, 200, 200]
    site.clock.now += 86_401
    assert list(map(status, tokens)) == [401, 200, 200]
    identity = re.findall(r'name="id" value="(\w+)"', grace.get("/account").text)[0]
    grace.post("/account/tokens/remove", id=identity)
    assert sorted(map(status, tokens)) == [200, 401, 401]
    user = re.findall(r'name="user" value="(\w+)"', ada.get("/people").text)[0]
    assert ada.post("/people/remove", user=user).is_redirect
    assert list(map(status, tokens)) == [401, 401, 401]
    assert grace.get("/account").status_code == 303


def test_nobody_makes_a_token_or_a_user_above_themselves(
    site: Site, ada: Person, grace: Person
) -> None:
    refused = grace.post("/account/tokens", name="x", scope="manage", days="5")
    assert refused.status_code == 422
    assert grace.post("/account/tokens", name="x", scope="people", days="5").status_code == 422
    for role in ("administrator", "operator", "owner", "god"):
        assert grace.post("/people/invite", role=role).status_code == 422
    viewer = site.joined("vera", "viewer")
    assert viewer.post("/people/invite", role="viewer").status_code == 403
    (user,) = re.findall(r'name="user" value="(\w+)"', ada.get("/people").text)[:1]
    assert grace.post("/people/remove", user=user).status_code in (303, 404)
    assert viewer.get("/account").status_code == 200


def token_of(person: Person, scope: str, days: str = "5") -> str:
    answer = person.post("/account/tokens", name="a program", scope=scope, days=days)
    found = re.search(r'id="new-token">(mst_[\w-]+)<', answer.text)
    assert found
    return found[1]
