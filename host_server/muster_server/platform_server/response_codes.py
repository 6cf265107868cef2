# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""oneM2M response status codes (TS-0004 6.6.3) with their HTTP status (TS-0009 6.3.2).

Each error is raised where the rule is broken and rendered once, by the HTTP binding. The pairs are
those that ACME CSE answers with; tests/host_server/platform_server holds the comparison.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from muster_server.errors import HostError

ACCEPTED = 1000  # and not yet carried out
ACCEPTED_SYNCHRONOUS = 1001
ACCEPTED_ASYNCHRONOUS = 1002
OK = 2000
CREATED = 2001
DELETED = 2002
UPDATED = 2004

HTTP_STATUS: Mapping[int, int] = {
    ACCEPTED_SYNCHRONOUS: HTTPStatus.ACCEPTED,
    ACCEPTED_ASYNCHRONOUS: HTTPStatus.ACCEPTED,
    OK: HTTPStatus.OK,
    CREATED: HTTPStatus.CREATED,
    DELETED: HTTPStatus.OK,
    UPDATED: HTTPStatus.OK,
}


class RequestRefused(HostError):
    """A oneM2M request that the platform does not carry out; the text goes to the originator.

    The text says what was wanted and what came. It never holds a token.
    """

    code = "request_refused"
    title = "The platform refuses the request"
    rsc: ClassVar[int] = 5000


class BadRequest(RequestRefused):
    rsc = 4000
    status = HTTPStatus.BAD_REQUEST


class VersionNotSupported(RequestRefused):
    rsc = 4001
    status = HTTPStatus.NOT_IMPLEMENTED


class NotFound(RequestRefused):
    rsc = 4004
    status = HTTPStatus.NOT_FOUND


class OperationNotAllowed(RequestRefused):
    rsc = 4005
    status = HTTPStatus.METHOD_NOT_ALLOWED


class RequestTimeout(RequestRefused):
    """The time that the request has set itself is over."""

    rsc = 4008
    status = HTTPStatus.GATEWAY_TIMEOUT


class ContentsUnacceptable(RequestRefused):
    rsc = 4102
    status = HTTPStatus.BAD_REQUEST


class NoPrivilege(RequestRefused):
    """The caller is known, and may not do this."""

    rsc = 4103
    status = HTTPStatus.FORBIDDEN


class Conflict(RequestRefused):
    rsc = 4105
    status = HTTPStatus.CONFLICT


class SecurityAssociationRequired(RequestRefused):
    """The token is good, but not for the originator that the request names."""

    rsc = 4107
    status = HTTPStatus.FORBIDDEN


class InvalidChildType(RequestRefused):
    rsc = 4108
    status = HTTPStatus.FORBIDDEN


class AlreadyRegistered(RequestRefused):
    rsc = 4117
    status = HTTPStatus.FORBIDDEN


class NotImplementedHere(RequestRefused):
    """Something that oneM2M has and this subset has not."""

    rsc = 5001
    status = HTTPStatus.NOT_IMPLEMENTED


class NotVerified(RequestRefused):
    """A target of a subscription does not say that it wants to be notified."""

    rsc = 5204
    status = HTTPStatus.INTERNAL_SERVER_ERROR


class NotAcceptable(RequestRefused):
    """A bound would be exceeded: a container's mbs, an AE's share of the platform."""

    rsc = 5207
    status = HTTPStatus.NOT_ACCEPTABLE
