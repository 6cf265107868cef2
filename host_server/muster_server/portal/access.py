# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Access to the portal: who may do what, by roles and rights, and the door of its API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request

from muster_server.errors import Forbidden, NotFound, Unauthorized
from muster_server.tokens import matches_any

# The house itself: whose devices administrators, operators and the command line register.
HOUSE = "admin"

# Each right holds those before it.
RIGHTS = ("read", "change", "manage", "people")
# read: see devices and readings. change: register, mend, hand over; see bundles, which hold
# passwords. manage: profiles of the house, and devices before they are sold. people: other users.
ROLES = {"administrator": "people", "operator": "manage", "owner": "change", "viewer": "read"}
# A token of the API makes no users.
SCOPES = RIGHTS[:3]

_MANAGED = ("/v1/profiles", "/v1/rollouts", "/v1/vendor", "/v1/webhooks")
# Whatever is read there holds passwords: to read it is a deed.
HAND_OUT = ("/bundle", "/bundle.txt", "/bundle.svg")


@dataclass(frozen=True)
class Caller:
    """Somebody who is known: whose devices they see, and what they may do there."""

    owner: str
    right: str
    name: str
    user_id: str = ""  # of a user; the house's own token is nobody's

    def may(self, right: str) -> bool:
        """Tell whether they have this right."""
        return RIGHTS.index(right) <= RIGHTS.index(self.right)

    def need(self, right: str) -> None:
        """Raise Forbidden unless they have this right."""
        if not self.may(right):
            raise Forbidden("your role does not allow this; ask whoever invited you")

    def may_use(self, profile: str) -> bool:
        """Tell whether they may configure a device from this profile.

        A bundle is sealed with the label's key, so whoever holds the label reads the profile's
        passwords. So an owner uses profiles of their own, which bear the owner's name.
        """
        return self.may("manage") or profile.startswith(self.owner + ".")

    def need_profile(self, profile: str) -> None:
        """Raise NotFound unless they may use it: the same as for one that is not there."""
        if not self.may_use(profile):
            raise NotFound(f'there is no profile named "{profile}"')


ADMINISTRATOR = Caller(HOUSE, "people", "administrator's token")


class Tokens(Protocol):
    """The tokens of users."""

    def caller_with(self, token: str) -> Caller | None:
        """Return whose token this is, with what it may do; None if it is none."""


def needed_right(method: str, path: str) -> str:
    """Return the right that a request to the API asks for."""
    if path.startswith(_MANAGED):
        return "manage"
    if method in ("GET", "HEAD") and not path.endswith(HAND_OUT):
        return "read"
    return "change"


def door(
    accepted_hashes: Callable[[], frozenset[str]], tokens: Tokens | None
) -> Callable[[Request], None]:
    """A dependency that lets known callers pass who have the right; request.state.caller is who.

    Cookies open nothing here: so no page of another site can make a browser ask.
    """

    def check(request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token, caller = token.strip(), None
        if scheme.lower() == "bearer":
            if matches_any(token, accepted_hashes()):
                caller = ADMINISTRATOR
            elif tokens is not None:
                caller = tokens.caller_with(token)
        if caller is None:
            raise Unauthorized("send a token as Authorization: Bearer …")
        if not caller.may(needed_right(request.method, request.url.path)):
            raise Forbidden("this token's scope, or its user's role, does not allow this")
        request.state.caller = caller

    return check


def caller_of(request: Request) -> Caller:
    """The caller whom the door let pass."""
    caller = request.state.caller
    if not isinstance(caller, Caller):
        raise TypeError("the door was not asked")
    return caller


def owner_of(request: Request) -> str:
    """The owner for whom the caller asks."""
    return caller_of(request).owner


Asking = Annotated[Caller, Depends(caller_of)]
Owner = Annotated[str, Depends(owner_of)]
