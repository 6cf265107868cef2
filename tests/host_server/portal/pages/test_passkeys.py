# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Passkeys in a real browser, with an authenticator that Chromium plays."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.host_server.portal.pages.site import PASSWORD, Person, Site
from tests.programs import axe

_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Holder:
    """A browser at the portal's name, with an authenticator in it."""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.url = f"http://localhost:{urlsplit(site.url).port}"
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        self.id = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})[
            "authenticatorId"
        ]

    def go(self, path: str) -> None:
        self.page.goto(self.url + path)

    def sign_in_as(self, person: Person) -> None:
        cookie = {"name": "muster", "value": person.cookie, "url": self.url}
        self.page.context.add_cookies([cookie])  # type: ignore[list-item]

    def make(self, name: str = "my phone") -> None:
        self.go("/account/second")
        form = self.page.locator("form[data-passkey=create]")
        form.get_by_label("Its name").fill(name)
        form.get_by_label("Password").fill(PASSWORD)
        form.get_by_role("button", name="Make a passkey").click()

    def credentials(self) -> list[dict[str, object]]:
        found = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])


@pytest.fixture
def holder(opened: Callable[..., Page], site: Site) -> Holder:
    return Holder(opened(None), site)


def test_passkey_is_made_signs_in_alone_and_beside_a_password_and_is_removed(
    site: Site, ada: Person, holder: Holder
) -> None:
    page = holder.page
    holder.sign_in_as(ada)
    holder.make()
    codes = page.locator("#codes li")
    expect(codes).to_have_count(10)
    assert axe.violations(page) == []
    recovery = codes.first.inner_text()
    holder.go("/sign-in")
    page.context.clear_cookies()
    # By itself: the authenticator knows whose it is.
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()
    # As a second factor: the password alone lets nobody in.
    page.context.clear_cookies()
    holder.go("/sign-in?next=/account")
    page.get_by_label("Your name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    assert axe.violations(page) == []
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="ada")).to_be_visible()
    # Without script, a recovery code does.
    stranger = Person(site.url)
    answer = stranger.post("/sign-in", name="ada", password=PASSWORD)
    half = re.findall(r'name="half" value="([^"]+)"', answer.text)[0]
    assert stranger.post("/sign-in/second", half=half, code=recovery).is_redirect
    # Removed, it opens nothing, and the password does again.
    holder.go("/account/second")
    page.get_by_role("radio", name=re.compile("my phone")).check()
    form = page.locator("form[action='/account/second/remove-passkey']")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_text("my phone")).to_have_count(0)
    page.context.clear_cookies()
    holder.go("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("this passkey was not accepted")).to_be_visible()
    assert Person(site.url).post("/sign-in", name="ada", password=PASSWORD).is_redirect


def test_what_a_passkey_signed_is_good_once_and_for_its_owner_alone(
    site: Site, ada: Person, grace: Person, holder: Holder
) -> None:
    page, sent = holder.page, []
    holder.sign_in_as(ada)
    holder.make()
    expect(page.locator("#codes li")).to_have_count(10)
    page.context.clear_cookies()
    page.on("request", lambda r: sent.append(r) if r.url.endswith("/sign-in/passkey") else None)
    holder.go("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()
    credential = sent[0].post_data_json["passkey"]
    stranger = Person(holder.url)
    replayed = stranger.post("/sign-in/passkey", passkey=credential)
    assert replayed.status_code == 401 and "Set-Cookie" not in replayed.headers
    # At another name of the same server it is nothing either.
    elsewhere = Person(site.url).post("/sign-in/passkey", passkey=credential)
    assert elsewhere.status_code == 401
    assert len(holder.credentials()) == 1
    # Another user's half sign-in is not completed with it.
    holder.sign_in_as(grace)
    holder.make("hers")
    expect(page.locator("#codes li")).to_have_count(10)
    answer = Person(holder.url).post("/sign-in", name="grace", password=PASSWORD)
    half = re.findall(r'name="half" value="([^"]+)"', answer.text)[0]
    page.context.clear_cookies()
    holder.go("/sign-in")
    # The authenticator is made to hold ada's alone.
    for known in holder.credentials():
        if known["userHandle"] != holder_of(sent[0].post_data_json["passkey"]):
            holder.cdp.send(
                "WebAuthn.removeCredential",
                {"authenticatorId": holder.id, "credentialId": known["credentialId"]},
            )
    page.evaluate(
        """(half) => { const form = document.querySelector("form[data-passkey]");
        const field = document.createElement("input"); field.type = "hidden";
        field.name = "half"; field.value = half; form.append(field); }""",
        half,
    )
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("this passkey was not accepted")).to_be_visible()


def holder_of(credential: str) -> str:
    """The user handle in a credential, as Chromium tells it: base64 with its padding."""
    import json
    from base64 import b64encode, urlsafe_b64decode

    handle = json.loads(credential)["response"]["userHandle"]
    return b64encode(urlsafe_b64decode(handle + "==")).decode()


def test_passkey_is_not_offered_where_browsers_bind_none(site: Site, ada: Person) -> None:
    """At an address there is no name that it could be bound to."""
    assert "data-passkey" not in ada.get("/account/second").text
    assert "data-passkey" not in Person(site.url).get("/sign-in").text
