# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The short way from a connection to the lane and back.

Most requests of a fleet come whole, in one packet, and are answered by a direct way in the lane:
those need neither a task of the event loop nor a stream of their body. All others go the way of
every ASGI server.
"""

import logging
from contextvars import copy_context
from typing import Any, cast

import uvicorn
from starlette.responses import Response
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import (
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)

from muster_server.direct import DirectApp
from muster_server.http_protocol import DeadlineProtocol
from muster_server.metering import Metered

log = logging.getLogger(__name__)


class DirectConfig(uvicorn.Config):
    """A server's configuration, with the app that has direct ways, and who counts its requests."""

    direct: DirectApp | None = None
    metered: Metered | None = None


class DirectProtocol(DeadlineProtocol):
    """Hands requests that have come whole to their direct ways."""

    _due: tuple[RequestResponseCycle, Any] | None = None  # it may be one, or not

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._due is not None:
            (cycle, app), self._due = self._due, None
            if not self.transport.is_closing():
                self._begin(cycle, app)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        config = self.config
        if not isinstance(config, DirectConfig) or config.direct is None:
            super()._start_asgi_task(cycle, app)
        elif cycle.more_body:
            self._due = cycle, app  # the rest may be in the same packet
        else:
            self._begin(cycle, app)

    def _begin(self, cycle: RequestResponseCycle, app: Any) -> None:
        config = self.config
        assert isinstance(config, DirectConfig)  # noqa: S101 - narrows the type
        assert config.direct is not None  # noqa: S101 - as above
        if cycle.more_body or cycle.waiting_for_100_continue:
            super()._start_asgi_task(cycle, app)
            return
        scope = cast(Scope, cycle.scope)
        context, counted = copy_context(), None
        if config.metered is not None:
            counted = context.run(config.metered.begin, scope)

        def told(response: Response | None) -> None:
            if response is None:
                super(DirectProtocol, self)._start_asgi_task(cycle, app)
                return
            self._send(cycle, response)
            if counted is not None:
                # A refusal is told within this context, which nobody enters twice.
                context.copy().run(counted, response.status_code)

        if not context.run(config.direct.in_lane, scope, bytes(cycle.body), told):
            super()._start_asgi_task(cycle, app)

    def _send(self, cycle: RequestResponseCycle, response: Response) -> None:
        """Write the answer at once, headers and body in one packet."""
        if cycle.disconnected or self.transport.is_closing():
            return
        headers = (*self.server_state.default_headers, *response.raw_headers)
        if any(HEADER_VALUE_RE.search(value) for _, value in headers):
            log.error("%s: the answer has a header that is none", cycle.scope["path"])
            response, cycle.keep_alive = Response(status_code=500), False
            headers = tuple(response.raw_headers)
        content = [STATUS_LINE[response.status_code]]
        for name, value in headers:
            content += (name, b": ", value, b"\r\n")
        if not cycle.keep_alive:
            content.append(b"connection: close\r\n")
        content += (b"\r\n", bytes(response.body))
        self.transport.write(b"".join(content))
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
