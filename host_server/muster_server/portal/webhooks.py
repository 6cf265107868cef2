# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The rules of webhooks: which there are, what they are told, and when no more."""

import ipaddress
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from muster_server.document import compact_json
from muster_server.errors import Conflict, Invalid, NotFound
from muster_server.outgoing import DEADLINE_S, Rules
from muster_server.portal.access import Caller
from muster_server.portal.service import Portal
from muster_server.portal.webhook_signature import SECRET_BYTES, secret_text
from muster_server.store.people import PeopleStore
from muster_server.store.webhooks import DELIVERED, GIVEN_UP, WAITING, Delivery, Webhook

EVENTS = (
    "device.added",
    "device.configured",
    "device.failed",
    "device.label_copied",
    "device.removed",
)
TEST = "webhook.test"
MOST = 20
URL = 512
MOST_WAITING = 1000  # of a webhook; then nothing more is fetched for it
RETRY_S = (5, 30, 300, 1800, 7200, 21600, 43200, 86400)
DISABLED_AFTER_S = 5 * 86400.0
_KEPT = 50
_SHOWN = 10
_GONE = "HTTP 410"
_LOOK_S = 0.1


@dataclass(frozen=True)
class Shown:
    """A webhook as its page shows it: of its URL only the host, for many a URL is a password."""

    hook: Webhook
    host: str
    waiting: int
    newest: list[Delivery]


class Webhooks:
    """Webhooks of an owner's devices. `clock` is in Unix seconds."""

    def __init__(
        self,
        store: PeopleStore,
        portal: Portal,
        rules: Rules | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`rules` say to which addresses inside something may be sent."""
        self.rules = replace(rules or Rules(), needs_https=True)
        self._store = store
        self._portal = portal
        self._clock = clock

    # Managing them

    def add(self, by: Caller, url: str, events: list[str]) -> tuple[Webhook, str]:
        """Keep a new one; its secret is told this once.

        Invalid for a URL to which nothing would be sent, no event or an unknown one; Conflict for
        one too many.
        """
        if not set(events) <= set(EVENTS):
            raise Invalid(f"wanted some of {', '.join(EVENTS)}", path="events")
        chosen = tuple(event for event in EVENTS if event in events)
        if not chosen:
            raise Invalid("choose at least one event", path="events")
        self._check_url(url)
        secret = secrets.token_bytes(SECRET_BYTES)
        hook = Webhook(secrets.token_hex(8), by.owner, url, secret, chosen, self._clock())
        with self._store.transaction() as records:
            if len(records.webhooks.of(by.owner)) >= MOST:
                raise Conflict("there are too many webhooks; remove one first")
            records.webhooks.add(hook)
        return hook, secret_text(secret)

    def shown(self, by: Caller) -> list[Shown]:
        """Return all of the owner, with what became of their newest messages."""
        with self._store.transaction() as records:
            return [
                Shown(
                    hook,
                    urlsplit(hook.url).hostname or "",
                    records.webhooks.waiting(hook.id),
                    records.webhooks.newest(hook.id, _SHOWN),
                )
                for hook in records.webhooks.of(by.owner)
            ]

    def test(self, by: Caller, hook_id: str) -> str:
        """Send it a message that tells nothing; the message's id. NotFound, or Conflict if it is
        switched off.
        """
        hook = self._mine(by, hook_id)
        if not hook.is_enabled:
            raise Conflict("this webhook is switched off")
        now, message_id = self._clock(), f"msg_{secrets.token_hex(12)}"
        delivery = Delivery(
            message_id, hook.id, TEST, _body(TEST, now, {}), now, WAITING, due_at=now
        )
        with self._store.transaction() as records:
            records.webhooks.put(delivery)
        return message_id

    def tested(self, by: Caller, hook_id: str) -> Delivery:
        """Send it such a message, and wait for the first outcome, but for a few seconds at most:
        it is sent in the background all the same. NotFound or Conflict as above.
        """
        message_id = self.test(by, hook_id)
        end = time.monotonic() + DEADLINE_S
        while True:
            found = self.outcome_of(message_id)
            if found is None:
                raise NotFound("there is no such webhook")  # not any more
            if found.tries or found.state != WAITING or time.monotonic() > end:
                return found
            time.sleep(_LOOK_S)

    def outcome_of(self, message_id: str) -> Delivery | None:
        """Return how far a message has come."""
        with self._store.transaction() as records:
            return records.webhooks.delivery(message_id)

    def enable(self, by: Caller, hook_id: str) -> None:
        """Tell it again, of what happens from now on; NotFound."""
        self._mine(by, hook_id)
        with self._store.transaction() as records:
            records.webhooks.enable(hook_id)

    def remove(self, by: Caller, hook_id: str) -> None:
        """Forget it; NotFound."""
        with self._store.transaction() as records:
            if not records.webhooks.remove(by.owner, hook_id):
                raise NotFound("there is no such webhook")

    def _mine(self, by: Caller, hook_id: str) -> Webhook:
        with self._store.transaction() as records:
            hook = records.webhooks.one(hook_id)
        if hook is None or hook.owner != by.owner:
            raise NotFound("there is no such webhook")
        return hook

    def _check_url(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise Invalid("wanted a URL like https://example.org/muster", path="url") from None
        is_plain = url.isascii() and url.isprintable() and not set(' "<>\\') & set(url)
        is_web = parts.scheme in ("https", "http") and bool(host) and "@" not in parts.netloc
        if not is_web or not is_plain or len(url) > URL:
            raise Invalid("wanted a URL like https://example.org/muster", path="url")
        is_secure = parts.scheme == "https"
        try:
            is_allowed = self.rules.allow(str(ipaddress.ip_address(host)), is_secure=is_secure)
        except ValueError:  # a name: it is looked at with each message
            is_allowed = is_secure or bool(self.rules.networks)
        if not is_allowed:
            raise Invalid(
                "nothing is sent there: wanted https, to an address that is public", path="url"
            )

    # Telling them

    def collect(self) -> None:
        """Fetch what has happened, and put it on its way. Raises what the portal's service does.

        What was fetched is kept before anybody is told, and with it up to where that was: so a
        restart loses nothing, and repeats nothing under another id.
        """
        with self._store.transaction() as records:
            hooks = records.webhooks.enabled()
            full = {h.id for h in hooks if records.webhooks.waiting(h.id) >= MOST_WAITING}
        for hook in hooks:
            if hook.id in full:
                continue
            found = self._portal.events(hook.owner, hook.place)
            if hook.place == found["next"]:
                continue
            with self._store.transaction() as records:
                for event in found["events"]:
                    if event["event"] in hook.events:
                        records.webhooks.put(self._message(hook, event))
                records.webhooks.move(hook.id, found["next"])

    def _message(self, hook: Webhook, event: dict[str, Any]) -> Delivery:
        data = {"device_id": event["device_id"]}
        if event["event"] == "device.failed":
            data |= {"step": event["step"], "code": event["code"]}
        body = _body(event["event"], event["at"], data)
        now = self._clock()
        name = f"msg_{hook.id}_{event['id']}"
        return Delivery(name, hook.id, event["event"], body, now, WAITING, due_at=now)

    def due(self, most: int) -> list[tuple[Webhook, Delivery]]:
        """Return messages whose turn it is, each with its webhook."""
        with self._store.transaction() as records:
            found = records.webhooks.due(self._clock(), most)
            hooks = {d.webhook_id: records.webhooks.one(d.webhook_id) for d in found}
        pairs = [(hooks[d.webhook_id], d) for d in found]
        return [(hook, delivery) for hook, delivery in pairs if hook is not None]

    def told(self, delivery: Delivery, outcome: str, *, is_taken: bool) -> None:
        """Note what became of a try; the next one comes later and later, and there are nine."""
        now = self._clock()
        tries = delivery.tries + 1
        after = replace(delivery, tries=tries, outcome=outcome, tried_at=now)
        with self._store.transaction() as records:
            hook = records.webhooks.one(delivery.webhook_id)
            if hook is None:
                return
            if is_taken:
                after = replace(after, state=DELIVERED)
                records.webhooks.note_failing(hook.id, None)
            elif tries > len(RETRY_S):
                after = replace(after, state=GIVEN_UP)
            else:
                after = replace(after, due_at=now + RETRY_S[tries - 1])
            records.webhooks.change(after)
            if not is_taken:
                since = hook.failing_since if hook.failing_since is not None else now
                records.webhooks.note_failing(hook.id, since)
                if outcome == _GONE or now - since > DISABLED_AFTER_S:
                    records.webhooks.disable(hook.id)
            if after.state != WAITING:
                records.webhooks.forget_old(hook.id, _KEPT)


def _body(event: str, at: float, data: dict[str, Any]) -> str:
    """The message: no network's name, no secret, no detail that a device wrote is in it."""
    when = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return compact_json({"type": event, "timestamp": when.replace("+00:00", "Z"), "data": data})
