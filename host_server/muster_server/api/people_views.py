# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Answers about one's own account, transfers and webhooks."""

from typing import Annotated, Literal

from pydantic import Field

from muster_server.api.views import UnixTime, View

Once = Field(description="told this once")


class SecondFactor(View):
    """The second factors of a user."""

    app: Annotated[bool, Field(description="one-time codes of an app")]
    passkeys: int
    recovery_codes_left: int


class AppSetup(View):
    """The secret of an app for one-time codes, which counts once a code of it has come."""

    secret: Annotated[str, Once]
    uri: Annotated[str, Field(description="the same, for a QR code; told this once")]


class RecoveryCodes(View):
    """Codes in place of the second factor, each good once. Empty: the former ones stay."""

    recovery_codes: Annotated[list[str], Once]


class TransferCode(View):
    """A new code for a device's next owner; a former one is good no more."""

    device_id: str
    code: Annotated[str, Once]
    expires_at: UnixTime


class OpenTransfer(View):
    """A code that is out, without the code itself."""

    device_id: str
    by: Annotated[str, Field(description="who made it")]
    created_at: UnixTime
    expires_at: UnixTime


class GivenAway(View):
    """A device that its next owner has, and what is left to do for the former one."""

    device_id: str
    to_do: list[str]


class GivenAwayList(View):
    """The newest 20."""

    transfers: list[GivenAway]


class IssuedWebhook(View):
    """A webhook, with the secret that its messages are signed with."""

    id: str
    host: Annotated[str, Field(description="of its URL, which may be a password")]
    events: list[str]
    secret: Annotated[str, Once]


class Message(View):
    """A message to a webhook, and how far it has come."""

    id: str
    event: str
    state: Literal["waiting", "delivered", "given_up"]
    tries: int
    outcome: Annotated[str, Field(description="of the newest try", examples=["HTTP 200"])]
    created_at: UnixTime
    tried_at: UnixTime | None


class Webhook(View):
    """A webhook, without URL and secret."""

    id: str
    host: str
    events: list[str]
    is_enabled: bool
    failing_since: UnixTime | None
    created_at: UnixTime
    waiting: Annotated[int, Field(description="messages")]
    messages: Annotated[list[Message], Field(description="the newest 10")]


class Webhooks(View):
    """All of the house."""

    webhooks: list[Webhook]
