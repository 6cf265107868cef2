# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bodies about one's own account, transfers and webhooks. A repr shows no secret."""

from typing import Annotated

from pydantic import Field

from muster_server.api import bounds
from muster_server.api.bodies import text
from muster_server.api.reading import Body


class Confirmation(Body):
    """The password of the token's user: a token alone changes nothing about signing in."""

    password: Annotated[str, text(bounds.PASSWORD, repr=False)]


class FirstCode(Body):
    """A code that the app shows."""

    code: Annotated[str, text(bounds.FACTOR_CODE, repr=False, examples=["123456"])]


class TakenTransfer(Body):
    """The code of a device's former owner, and the settings that the device gets here."""

    code: Annotated[str, text(bounds.TRANSFER_CODE, repr=False, examples=["ABCD-EFGH-IJKL-MNOP"])]
    profile: Annotated[str, text(bounds.PROFILE_NAME, examples=["o-7d1f09c2ab.home"])]
    name: Annotated[str, text(bounds.DEVICE_NAME, examples=["press 4"])] = ""


class NewWebhook(Body):
    """A server that is to be told of the house's devices, and of what."""

    url: Annotated[
        str,
        text(bounds.WEBHOOK_URL, repr=False, examples=["https://example.org/muster"]),
    ]
    events: Annotated[
        list[Annotated[str, text(bounds.EVENT, examples=["device.failed"])]],
        Field(min_length=1, max_length=20),
    ]
