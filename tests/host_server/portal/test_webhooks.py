# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are webhooks told what happens, in the end and within bounds, and nowhere inside?"""

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from muster_server import outgoing
from muster_server.errors import Invalid, NotFound
from muster_server.outgoing import NotDelivered, Rules, post
from muster_server.portal.access import HOUSE, Caller
from muster_server.portal.webhook_delivery import WebhookDelivery
from muster_server.portal.webhook_signature import headers
from muster_server.portal.webhooks import (
    DISABLED_AFTER_S,
    EVENTS,
    MOST_WAITING,
    RETRY_S,
    Webhooks,
)
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.people import PeopleStore
from muster_server.store.portal_tables import HEAD
from muster_server.store.secrets import SecretBox
from tests.host_server.config_server.field import Clock

ADA = Caller(HOUSE, "people", "ada")
OTHER = Caller("o-other", "manage", "eve")
_PATIENCE_S = 10.0


class Portal:
    """The part of the portal's service that webhooks ask."""

    def __init__(self) -> None:
        self.happened: list[dict[str, Any]] = []

    def happens(self, event: str, **more: Any) -> None:
        fields = {"device_id": "PRESS-4", "at": 1.5, "step": None, "code": "ok"} | more
        self.happened.append({"event": event, "id": len(self.happened) + 1, **fields})

    def events(self, owner: str, after: int | None) -> dict[str, Any]:
        newest = len(self.happened)
        assert owner == HOUSE
        found = [] if after is None else self.happened[after:]
        return {"events": found, "next": newest}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PeopleStore]:
    engine = open_engine(database_url(tmp_path, "portal"))
    migrate(engine, "muster_server.portal", HEAD)
    yield PeopleStore(engine, SecretBox(bytes(32)))
    engine.dispose()


class Desk:
    """Webhooks, with a clock and a service that a test moves."""

    def __init__(self, store: PeopleStore) -> None:
        self.store, self.clock, self.portal = store, Clock(), Portal()
        self.hooks = self.restarted()

    def restarted(self, rules: Rules | None = None) -> Webhooks:
        rules = rules or Rules(("127.0.0.1/32",))
        self.hooks = Webhooks(self.store, self.portal, rules, self.clock)  # type: ignore[arg-type]
        return self.hooks

    def deliver(self) -> None:
        """Run the delivery once."""
        self.hooks.collect()
        delivery = WebhookDelivery(self.hooks, clock=self.clock)

        async def all_of_it() -> None:
            while await delivery._send_some():
                pass

        asyncio.run(asyncio.wait_for(all_of_it(), _PATIENCE_S))


@pytest.fixture
def desk(store: PeopleStore) -> Desk:
    return Desk(store)


@contextmanager
def receiver(status: Callable[[], int] = lambda: 200) -> Iterator[tuple[str, list[Any]]]:
    """A server that takes messages: its URL, and what has come."""
    came: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((dict(self.headers), body, self.path))
            self.send_response(status())
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/in?a=b", came
    finally:
        server.shutdown()
        thread.join(_PATIENCE_S)
        server.server_close()


def test_message_is_signed_and_tells_no_detail(desk: Desk) -> None:
    with receiver() as (url, came):
        hook, _ = desk.hooks.add(ADA, url, list(EVENTS))
        desk.portal.happens("device.added")  # before it was looked at first: it is not told of
        desk.deliver()
        desk.portal.happens("device.failed", step=8, code="wifi_auth", detail="home: refused")
        desk.deliver()
        desk.deliver()
    ((head, body, path),) = came
    assert path == "/in?a=b"
    assert json.loads(body) == {
        "type": "device.failed",
        "timestamp": "1970-01-01T00:00:01.500Z",
        "data": {"device_id": "PRESS-4", "step": 8, "code": "wifi_auth"},
    }
    lower = {name.lower(): value for name, value in head.items()}
    expected = headers(hook.secret, lower["webhook-id"], int(desk.clock()), body)
    assert all(lower[name] == value for name, value in expected)
    ((message,),) = [one.newest for one in desk.hooks.shown(ADA)]
    assert (message.state, message.outcome, message.tries) == ("delivered", "HTTP 200", 1)


def test_only_the_chosen_events_are_told(desk: Desk) -> None:
    with receiver() as (url, came):
        desk.hooks.add(ADA, url, ["device.removed"])
        desk.deliver()
        for event in EVENTS:
            desk.portal.happens(event)
        desk.deliver()
    assert [json.loads(body)["type"] for _, body, _ in came] == ["device.removed"]


def test_message_is_tried_again_later_and_later_over_restarts(desk: Desk) -> None:
    with receiver(lambda: 500) as (url, came):
        desk.hooks.add(ADA, url, list(EVENTS))
        desk.deliver()
        desk.portal.happens("device.added")
        desk.deliver()
        for wait_s in RETRY_S:
            desk.restarted()
            before = len(came)
            desk.clock.pass_s(wait_s - 1)
            desk.deliver()
            assert len(came) == before
            desk.clock.pass_s(1)
            desk.deliver()
            assert len(came) == before + 1
        desk.clock.pass_s(10 * RETRY_S[-1])
        desk.deliver()
    assert len(came) == len(RETRY_S) + 1
    assert len({dict(head)["webhook-id"] for head, _, _ in came}) == 1
    ((message,),) = [one.newest for one in desk.hooks.shown(ADA)]
    assert (message.state, message.outcome) == ("given_up", "HTTP 500")


def test_webhook_that_takes_nothing_for_days_is_switched_off(desk: Desk) -> None:
    answers = [500]
    with receiver(lambda: answers[0]) as (url, came):
        hook, _ = desk.hooks.add(ADA, url, list(EVENTS))
        desk.deliver()
        desk.portal.happens("device.added")
        desk.deliver()
        desk.clock.pass_s(DISABLED_AFTER_S + 1)
        desk.deliver()
        (shown,) = desk.hooks.shown(ADA)
        assert (shown.hook.is_enabled, shown.waiting) == (False, 0)
        before = len(came)
        desk.portal.happens("device.added")
        desk.deliver()
        assert len(came) == before
        answers[0] = 200
        desk.hooks.enable(ADA, hook.id)
        desk.deliver()
        desk.portal.happens("device.removed")
        desk.deliver()
        assert len(came) == before + 1
        answers[0] = 410  # it says itself that it wants no more
        desk.portal.happens("device.removed")
        desk.deliver()
        assert not desk.hooks.shown(ADA)[0].hook.is_enabled


def test_what_waits_is_bounded_and_the_rest_waits_at_its_source(desk: Desk) -> None:
    with receiver(lambda: 500) as (url, _):
        desk.hooks.add(ADA, url, list(EVENTS))
        desk.hooks.collect()
        for _ in range(2):
            for _ in range(MOST_WAITING):
                desk.portal.happens("device.added")
            desk.hooks.collect()
        assert desk.hooks.shown(ADA)[0].waiting == MOST_WAITING


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/", "ftp://example.org/", "https://", "x", "https://a b/"),
        *("https://10.0.0.1/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/"),
        *("https://[::ffff:10.0.0.1]/", "https://me:pw@example.org/", "https://0.0.0.0/"),
        *("https://example.org:x/", "https://example.org/\r\nX: y", "https://" + "x" * 600),
    ],
)
def test_url_to_which_nothing_is_sent_is_refused_at_once(desk: Desk, url: str) -> None:
    hooks = desk.restarted(Rules())
    with pytest.raises(Invalid) as caught:
        hooks.add(ADA, url, list(EVENTS))
    assert caught.value.path == "url"
    with pytest.raises(Invalid) as caught:
        hooks.add(ADA, "https://example.org/", ["x"])
    assert caught.value.path == "events"


def test_name_that_means_an_address_inside_is_not_asked(desk: Desk) -> None:
    """The name is looked at with each message, and the address that was looked at is asked."""
    with receiver() as (url, came):
        hooks = desk.restarted(Rules())
        port = url.split(":")[2].split("/")[0]
        hook, _ = hooks.add(ADA, f"https://localhost:{port}/", list(EVENTS))
        message = hooks.test(ADA, hook.id)
        desk.deliver()
    assert came == []
    told = hooks.outcome_of(message)
    assert told is not None and told.outcome.startswith("an address inside")


def test_nothing_is_sent_outside_in_the_clear() -> None:
    rules = Rules(("127.0.0.1/32",), needs_https=True)
    assert rules.allow("127.0.0.1", is_secure=False)
    assert not rules.allow("93.184.216.34", is_secure=False)
    assert rules.allow("93.184.216.34")
    with pytest.raises(NotDelivered, match="without https"):
        asyncio.run(post("http://93.184.216.34/", b"{}", [], rules))


def test_what_went_wrong_is_said_in_words_to_act_on(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
    desk.hooks.add(ADA, url, list(EVENTS))
    message = desk.hooks.test(ADA, desk.hooks.shown(ADA)[0].hook.id)
    desk.deliver()
    told = desk.hooks.outcome_of(message)
    assert told is not None and told.outcome == "nothing listens there"
    assert outgoing._reason(socket.gaierror(-2, "x")) == "its name leads nowhere"
    expired = ssl.SSLCertVerificationError("x")
    assert outgoing._reason(expired) == "its certificate is not trusted"
    assert outgoing._reason(ssl.SSLError("x")) == "no TLS there"
    assert outgoing._reason(ConnectionResetError()) == "the connection broke"


def test_no_redirect_is_followed(desk: Desk) -> None:
    with receiver(lambda: 302) as (url, came):
        hook, _ = desk.hooks.add(ADA, url, list(EVENTS))
        message = desk.hooks.test(ADA, hook.id)
        desk.deliver()
    assert len(came) == 1
    told = desk.hooks.outcome_of(message)
    assert told is not None and (told.state, told.outcome) == ("waiting", "HTTP 302")


def test_webhook_of_another_owner_is_not_there(desk: Desk) -> None:
    hook, _ = desk.hooks.add(ADA, "https://example.org/", list(EVENTS))
    assert desk.hooks.shown(OTHER) == []
    for deed in (desk.hooks.test, desk.hooks.enable, desk.hooks.remove):
        with pytest.raises(NotFound):
            deed(OTHER, hook.id)
    desk.hooks.remove(ADA, hook.id)
    assert desk.hooks.shown(ADA) == []


def test_secret_and_url_are_sealed(desk: Desk) -> None:
    hook, secret = desk.hooks.add(ADA, "https://example.org/token-in-the-path", list(EVENTS))
    with desk.store.transaction() as records:
        raw = records._connection.connection.driver_connection
        dump = "\n".join(raw.iterdump())  # type: ignore[union-attr]
    for opening in ("token-in-the-path", secret, hook.secret.hex().upper()):
        assert opening not in dump
    assert "token-in-the-path" not in repr(hook) and secret not in repr(hook)
