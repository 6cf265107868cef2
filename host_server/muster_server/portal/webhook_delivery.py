# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Has webhooks told, in the background: nobody who does something at the portal waits for it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable

from muster_server import outgoing
from muster_server.errors import HostError
from muster_server.outgoing import NotDelivered
from muster_server.portal.webhook_signature import headers
from muster_server.portal.webhooks import Webhooks
from muster_server.store.webhooks import Delivery, Webhook
from muster_server.threads import Threads

log = logging.getLogger(__name__)

_EVERY_S = 2.0
_AT_ONCE = 8


class WebhookDelivery:
    """Looks for news every other second, and sends some messages at once."""

    def __init__(
        self,
        webhooks: Webhooks,
        every_s: float = _EVERY_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` is the time that receivers compare with theirs, in Unix seconds."""
        self._webhooks = webhooks
        self._every_s = every_s
        self._clock = clock
        # Of its own: no request waits for one that asks for news.
        self._threads = Threads(1)

    async def run(self) -> None:
        """Go on until cancelled; what was not sent then is sent after the next start."""
        while True:
            with contextlib.suppress(HostError):  # the server is away: its news wait there
                await self._threads.run(self._webhooks.collect)
            try:
                while await self._send_some():
                    pass
            except HostError as error:
                log.warning("webhooks are put off: %s", error)
            await asyncio.sleep(self._every_s)

    async def _send_some(self) -> bool:
        due = await self._threads.run(self._webhooks.due, _AT_ONCE)
        await asyncio.gather(*(self._send(hook, delivery) for hook, delivery in due))
        return len(due) == _AT_ONCE

    async def _send(self, hook: Webhook, delivery: Delivery) -> None:
        body = delivery.body.encode()
        signed = headers(hook.secret, delivery.id, int(self._clock()), body)
        try:
            answer = await outgoing.post(hook.url, body, signed, self._webhooks.rules)
        except NotDelivered as error:
            outcome, is_taken = str(error), False
        else:
            outcome = f"HTTP {answer.status_code}"
            is_taken = 200 <= answer.status_code < 300
        if not is_taken:
            log.info("webhook %s did not take a message (%s)", hook.id, outcome)
        await self._threads.run(self._webhooks.told, delivery, outcome, is_taken=is_taken)


@contextlib.asynccontextmanager
async def telling(webhooks: Webhooks | None) -> AsyncIterator[None]:
    """Have webhooks told for as long as the block lasts; None: there are none."""
    if webhooks is None:
        yield
        return
    task = asyncio.create_task(WebhookDelivery(webhooks).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
