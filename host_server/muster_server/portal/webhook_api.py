# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Routes of webhooks, for administrators and operators."""

from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from muster_server.api import people_views as views
from muster_server.api.description import Description
from muster_server.api.people_bodies import NewWebhook
from muster_server.api.reading import read_body
from muster_server.errors import NotFound
from muster_server.portal.access import Asking, Caller
from muster_server.portal.webhooks import Shown, Webhooks
from muster_server.store.webhooks import Delivery
from muster_server.web import body_within, json_response, told_once

_BODY_LIMIT_BYTES = 8192
_OF_A_MESSAGE = tuple(views.Message.model_fields)
Body = Annotated[bytes, Depends(body_within(_BODY_LIMIT_BYTES))]


def add_webhooks(
    app: FastAPI, webhooks: Webhooks, guard: list[Any], described: Description
) -> None:
    """The routes."""
    made = described.of(views.IssuedWebhook, NewWebhook, 201)
    one = "/v1/webhooks/{webhook_id}"

    @app.post("/v1/webhooks", dependencies=guard, **made)
    def add_webhook(request: Request, body: Body, caller: Asking) -> Response:
        """Have another server told; the secret is in this answer alone."""
        new = read_body(NewWebhook, body)
        hook, secret = webhooks.add(caller, new.url, new.events)
        request.state.about = hook.id
        host = urlsplit(hook.url).hostname or ""
        return told_once(
            {"id": hook.id, "host": host, "events": list(hook.events), "secret": secret}, 201
        )

    @app.get("/v1/webhooks", dependencies=guard, **described.of(views.Webhooks))
    def list_webhooks(caller: Asking) -> Response:
        """All webhooks, with what became of their newest messages."""
        return json_response({"webhooks": [_shown(hook) for hook in webhooks.shown(caller)]})

    @app.post(f"{one}/test", dependencies=guard, **described.of(views.Message))
    def test_webhook(webhook_id: str, caller: Asking) -> Response:
        """Send a message that tells nothing, and return what became of it within seconds."""
        return json_response(_message(webhooks.tested(caller, webhook_id)))

    @app.post(f"{one}/enable", dependencies=guard, **described.of(views.Webhook))
    def enable_webhook(webhook_id: str, caller: Asking) -> Response:
        """Tell it again, of what happens from now on."""
        webhooks.enable(caller, webhook_id)
        return json_response(_shown(_existing(webhooks, caller, webhook_id)))

    @app.delete(one, dependencies=guard, **described.of(status=204))
    def remove_webhook(webhook_id: str, caller: Asking) -> Response:
        """Forget it, with all that waits for it."""
        webhooks.remove(caller, webhook_id)
        return Response(status_code=204)


def _existing(webhooks: Webhooks, caller: Caller, webhook_id: str) -> Shown:
    for found in webhooks.shown(caller):
        if found.hook.id == webhook_id:
            return found
    raise NotFound("there is no such webhook")


def _shown(found: Shown) -> dict[str, Any]:
    hook = found.hook
    return {
        "id": hook.id,
        "host": found.host,
        "events": list(hook.events),
        "is_enabled": hook.is_enabled,
        "failing_since": hook.failing_since,
        "created_at": hook.created_at,
        "waiting": found.waiting,
        "messages": [_message(message) for message in found.newest],
    }


def _message(message: Delivery) -> dict[str, Any]:
    fields = asdict(message)
    return {name: fields[name] for name in _OF_A_MESSAGE}
