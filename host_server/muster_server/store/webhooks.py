# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Records of webhooks and of what is on its way to them; a part of the portal's records."""

from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection, delete, func, insert, select, update

from muster_server.store.portal_tables import webhook_deliveries as deliveries
from muster_server.store.portal_tables import webhooks
from muster_server.store.secrets import SecretBox

WAITING, DELIVERED, GIVEN_UP = "waiting", "delivered", "given_up"


@dataclass(frozen=True)
class Webhook:
    """Somebody else's server that wants to be told. A repr shows neither URL nor secret."""

    id: str
    owner: str
    url: str = field(repr=False)
    secret: bytes = field(repr=False)
    events: tuple[str, ...]
    created_at: float
    is_enabled: bool = True
    failing_since: float | None = None
    place: int | None = None


@dataclass(frozen=True)
class Delivery:
    """A message for one webhook, and how far it has come."""

    id: str
    webhook_id: str
    event: str
    body: str
    created_at: float
    state: str
    due_at: float
    tries: int = 0
    outcome: str = ""
    tried_at: float | None = None


class WebhookRecords:
    """Questions and deeds within one transaction."""

    def __init__(self, connection: Connection, box: SecretBox) -> None:
        self._connection = connection
        self._box = box

    def add(self, hook: Webhook) -> None:
        """Keep a new one."""
        values = asdict(hook) | {
            "url": self._box.seal(hook.url.encode(), "webhook", "url", hook.id),
            "secret": self._box.seal(hook.secret, "webhook", "secret", hook.id),
            "events": " ".join(hook.events),
            "is_enabled": int(hook.is_enabled),
        }
        self._connection.execute(insert(webhooks).values(values))

    def of(self, owner: str) -> list[Webhook]:
        """All that tell of this owner's devices, the oldest first."""
        return self._found(webhooks.c.owner == owner)

    def enabled(self) -> list[Webhook]:
        """All that want to be told at present."""
        return self._found(webhooks.c.is_enabled == 1)

    def one(self, hook_id: str) -> Webhook | None:
        """The webhook of this id."""
        found = self._found(webhooks.c.id == hook_id)
        return found[0] if found else None

    def move(self, hook_id: str, place: int) -> None:
        """Remember up to where events are known."""
        self._change(hook_id, place=place)

    def enable(self, hook_id: str) -> None:
        """Tell it again, of what happens from now on."""
        self._change(hook_id, is_enabled=1, failing_since=None, place=None)

    def disable(self, hook_id: str) -> None:
        """Tell it nothing more; what waits is given up."""
        self._change(hook_id, is_enabled=0)
        mine = (deliveries.c.webhook_id == hook_id) & (deliveries.c.state == WAITING)
        self._connection.execute(update(deliveries).where(mine).values(state=GIVEN_UP))

    def note_failing(self, hook_id: str, since: float | None) -> None:
        """Remember since when it takes nothing; None: it takes something."""
        self._change(hook_id, failing_since=since)

    def remove(self, owner: str, hook_id: str) -> bool:
        """Forget it with all that waits; False if the owner has none of this id."""
        mine = (webhooks.c.id == hook_id) & (webhooks.c.owner == owner)
        return self._connection.execute(delete(webhooks).where(mine)).rowcount == 1

    # deliveries

    def put(self, delivery: Delivery) -> None:
        """Keep a message until it is delivered or given up; once, whoever asks again."""
        known = select(deliveries.c.id).where(deliveries.c.id == delivery.id)
        if self._connection.execute(known).first() is None:
            self._connection.execute(insert(deliveries).values(asdict(delivery)))

    def change(self, delivery: Delivery) -> None:
        """Keep the message as it is now."""
        mine = deliveries.c.id == delivery.id
        self._connection.execute(update(deliveries).where(mine).values(asdict(delivery)))

    def delivery(self, delivery_id: str) -> Delivery | None:
        """The message of this id."""
        query = select(deliveries).where(deliveries.c.id == delivery_id)
        row = self._connection.execute(query).mappings().first()
        return None if row is None else Delivery(**row)

    def due(self, now: float, most: int) -> list[Delivery]:
        """Messages whose turn it is, those that wait longest first."""
        is_due = (deliveries.c.state == WAITING) & (deliveries.c.due_at <= now)
        query = select(deliveries).where(is_due).order_by(deliveries.c.due_at).limit(most)
        return [Delivery(**row) for row in self._connection.execute(query).mappings()]

    def waiting(self, hook_id: str) -> int:
        """The number of messages that wait for it."""
        mine = (deliveries.c.webhook_id == hook_id) & (deliveries.c.state == WAITING)
        query = select(func.count()).select_from(deliveries).where(mine)
        return int(self._connection.execute(query).scalar_one())

    def newest(self, hook_id: str, most: int) -> list[Delivery]:
        """The newest messages, the newest first."""
        query = select(deliveries).where(deliveries.c.webhook_id == hook_id)
        ordered = query.order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc())
        return [Delivery(**r) for r in self._connection.execute(ordered.limit(most)).mappings()]

    def forget_old(self, hook_id: str, kept: int) -> None:
        """Forget all but the newest of those that are over."""
        mine = (deliveries.c.webhook_id == hook_id) & (deliveries.c.state != WAITING)
        newest = select(deliveries.c.id).where(mine).order_by(deliveries.c.created_at.desc())
        ids = self._connection.execute(newest.limit(kept)).scalars().all()
        self._connection.execute(delete(deliveries).where(mine & deliveries.c.id.not_in(ids)))

    def _change(self, hook_id: str, **values: object) -> None:
        self._connection.execute(update(webhooks).where(webhooks.c.id == hook_id).values(values))

    def _found(self, condition: object) -> list[Webhook]:
        query = select(webhooks).where(condition).order_by(webhooks.c.created_at)  # type: ignore[arg-type]
        found = []
        for row in self._connection.execute(query).mappings():
            hook_id = row["id"]
            found.append(
                Webhook(
                    hook_id,
                    row["owner"],
                    self._box.open(row["url"], "webhook", "url", hook_id).decode(),
                    self._box.open(row["secret"], "webhook", "secret", hook_id),
                    tuple(row["events"].split()),
                    row["created_at"],
                    bool(row["is_enabled"]),
                    row["failing_since"],
                    row["place"],
                )
            )
        return found
