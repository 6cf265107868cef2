# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Asks platforms for a device's containers, over oneM2M (TS-0009), and reads its readings.

For any oneM2M platform: nothing here is special to the product's own.
"""

import json
import secrets
import ssl
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from muster_server.document import compact_json
from muster_server.errors import ServiceUnreachable
from muster_server.service_client import PLATFORM_TIMEOUT_S, fetch

CONTAINER = "data"
_LONGEST_ANSWER_BYTES = 4 * 1024 * 1024
OK, NOT_FOUND, _NO_PRIVILEGE = 2000, 4004, 4103
_NO_TOKEN = 401  # of HTTP


class NotAllowed(ServiceUnreachable):
    """The platform knows the reader, and does not let it read this."""


class TokenRefused(ServiceUnreachable):
    """The platform does not know the reader's token: its account was closed, or all were lost."""


@dataclass(frozen=True)
class Place:
    """A container of a device's, and who asks for it."""

    url: str
    path: str  # of the container, e.g. "/cse-in/Cmuster5f0c…/data"
    originator: str
    release: str = "4"
    token: str | None = field(default=None, repr=False)
    ca_file: str | None = None


@dataclass(frozen=True)
class Reading:
    """One content instance. What is not in the form that devices publish in has no name."""

    id: str
    at: float | None  # Unix time
    name: str | None
    value: Any


def readings_at(place: Place) -> list[Reading]:
    """All that the container holds, the oldest first; none if it is not there yet.

    NotAllowed, TokenRefused or ServiceUnreachable if the platform does not tell.
    """
    # The container with its instances: every platform that was tried answers this alike.
    code, content = ask(place, f"{place.path}?rcn=4&ty=4", OK, NOT_FOUND)
    return [] if code == NOT_FOUND else _readings(content)


def ask(
    place: Place, path: str, *wanted: int, body: Any = None, ty: int | None = None
) -> tuple[int, bytes]:
    """The response status code, which is one of those wanted, and the answer; with a body it is
    a creation of that type.

    NotAllowed, TokenRefused or ServiceUnreachable if the platform says anything else.
    """
    headers = {
        "X-M2M-Origin": place.originator,
        "X-M2M-RI": secrets.token_hex(8),
        "X-M2M-RVI": place.release,
        "Accept": "application/json",
    }
    if body is not None:
        headers["Content-Type"] = f"application/json;ty={ty}"
    answer = fetch(
        place.url + path,
        place.token,
        headers=headers,
        ca_file=place.ca_file,
        timeout_s=PLATFORM_TIMEOUT_S,
        most_bytes=_LONGEST_ANSWER_BYTES,
        method="GET" if body is None else "POST",
        body=None if body is None else compact_json(body).encode(),
    )
    code = answer.headers.get("X-M2M-RSC", "none")
    if code in map(str, wanted):
        return int(code), answer.content
    if code == str(_NO_PRIVILEGE):
        verb = "read" if body is None else "write to"
        raise NotAllowed(f"the platform does not let {place.originator} {verb} {place.path}")
    if answer.status == _NO_TOKEN:
        raise TokenRefused(f"the platform does not accept the token of {place.originator}")
    raise ServiceUnreachable(
        f"the platform answered HTTP {answer.status}, response status code {code}; see its log"
    )


def _readings(content: bytes) -> list[Reading]:
    try:
        instances = json.loads(content)["m2m:cnt"].get("m2m:cin", [])
        found = [(str(item["ct"]), n, _reading(item)) for n, item in enumerate(instances)]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ServiceUnreachable("the platform's answer is not a container") from None
    # By age, and those of one moment as they came.
    return [reading for _, _, reading in sorted(found, key=lambda item: item[:2])]


def _reading(instance: dict[str, Any]) -> Reading:
    id_, at = str(instance["ri"]), unix_time(str(instance["ct"]))
    content = instance.get("con")
    try:
        published = json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        published = None
    if isinstance(published, dict) and set(published) == {"name", "value"}:
        name = published["name"]
        return Reading(id_, at, name if isinstance(name, str) else None, published["value"])
    return Reading(id_, at, None, content)


def unix_time(text: str) -> float | None:
    """Unix time of oneM2M's basic format, e.g. "20261123T075904,012551", which is UTC."""
    whole, _, fraction = text.partition(",")
    try:
        at = datetime.strptime(whole + "+0000", "%Y%m%dT%H%M%S%z").timestamp()
        return at + (float(f"0.{fraction}") if fraction.isdecimal() else 0.0)
    except ValueError:
        return None


@contextmanager
def authority_file(ca: str | None) -> Iterator[str | None]:
    """A file in PEM with the authority that a configuration holds as base64 of DER."""
    if not ca:
        yield None
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(ssl.DER_cert_to_PEM_cert(b64decode(ca)))
        file.flush()
        yield file.name
