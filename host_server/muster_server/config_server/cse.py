# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Requests to a CSE under one originator (TS-0009), with a deadline for all of them together."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from muster_server.document import compact_json
from muster_server.errors import NoAnswer, ServiceUnreachable
from muster_server.service_client import PLATFORM_TIMEOUT_S, Service, fetch
from muster_server.tokens import TokenSource

CREATED, OK, DELETED, UPDATED = 2001, 2000, 2002, 2004
NOT_FOUND, CONFLICT, NO_PRIVILEGE = 4004, 4105, 4103
_MOST_BYTES = 1024 * 1024
# Refusals that say nothing about what the CSE has: who asks may not, or not now.
_NOT_ALLOWED = (NO_PRIVILEGE, 4107, 4117, 4008, 5103)


@dataclass(frozen=True)
class Told:
    """An answer: its response status code, 0 if it has none, and its document."""

    rsc: int
    status: int
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def resource(self) -> dict[str, Any]:
        """The resource in it, if there is one."""
        inner: Any = next(iter(self.document.values()), {})
        return inner if isinstance(inner, dict) else {}

    @property
    def is_unknown_here(self) -> bool:
        """Tell whether the CSE has no such type or attribute, as far as a refusal tells."""
        if self.rsc:
            return self.rsc >= 4000 and self.rsc not in _NOT_ALLOWED
        return self.status in (400, 404, 405, 501)

    def refusal(self, what: str) -> ServiceUnreachable:
        """An error that says what could not be done."""
        code = self.rsc or "none"
        return ServiceUnreachable(
            f"the platform refuses {what}: HTTP {self.status}, response status code {code}"
        )


class Send(Protocol):
    """The way to a CSE."""

    def __call__(
        self, method: str, path: str, headers: dict[str, str], body: Any, timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and content; NoAnswer if they do not come in time."""


def at_home(service: Service, token: TokenSource) -> Send:
    """The way to the product's own platform."""

    def send(
        method: str, path: str, headers: dict[str, str], body: Any, timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        answer = service.ask(method, path, token, body, headers=headers, read_timeout_s=timeout_s)
        return answer.status_code, answer.headers, answer.content

    return send


def over_http(url: str, token: str | None, ca_file: str | None) -> Send:
    """The way to a platform of somebody else, who may answer anything."""

    def send(
        method: str, path: str, headers: dict[str, str], body: Any, timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        place = url.rstrip("/") + path
        try:
            answer = fetch(
                place,
                token,
                headers=headers,
                ca_file=ca_file,
                timeout_s=timeout_s,
                most_bytes=_MOST_BYTES,
                method=method,
                body=None if body is None else compact_json(body).encode(),
            )
        except ServiceUnreachable as error:
            # Owners read it, and a path may hold an originator, which is all one has to show.
            raise type(error)(str(error).replace(place.partition("?")[0], url)) from None
        return answer.status, answer.headers, answer.content

    return send


class Cse:
    """A CSE, asked as one originator."""

    def __init__(
        self,
        send: Send,
        name: str,
        originator: str,
        *,
        seconds: float,
        is_stopping: Callable[[], bool] = lambda: False,
        release: str = "4",
        monotonic: Callable[[], float] = time.monotonic,
        is_home: bool = False,
    ) -> None:
        """`seconds` are for everything that is asked; nothing is once the server stops. `is_home`:
        it is the product's own platform.
        """
        self.name = name
        self.originator = originator
        self._send = send
        self._release = release
        self._is_home = is_home
        self._monotonic = monotonic
        self._is_stopping = is_stopping
        self._until = monotonic() + seconds

    def get(self, path: str) -> Told:
        """Retrieve or discover."""
        return self._ask("GET", path, None, None)

    def create(self, path: str, ty: int, root: str, **attributes: Any) -> Told:
        """Create a resource under this one."""
        return self._ask("POST", path, {root: attributes}, f"application/json;ty={ty}")

    def create_all(
        self, path: str, ty: int, wanted: list[tuple[str, dict[str, Any]]]
    ) -> list[Told]:
        """Create several resources under this one, each with its root and attributes; at our own
        platform all at once.
        """
        if self._is_home and len(wanted) > 1:
            made = [{"ty": ty, "pc": {root: attributes}} for root, attributes in wanted]
            told = self._ask("POST", f"/children{path}", {"made": made}, "application/json")
            answers = told.document.get("made")
            if told.status == 200 and isinstance(answers, list) and len(answers) == len(wanted):
                return [_one_of_several(each) for each in answers]
            # A platform of an earlier release has no such address.
        return [self.create(path, ty, root, **attributes) for root, attributes in wanted]

    def update(self, path: str, root: str, **changes: Any) -> Told:
        """Change attributes; None removes one."""
        return self._ask("PUT", path, {root: changes}, "application/json")

    def delete(self, path: str, what: str) -> None:
        """Remove a resource. Raises ServiceUnreachable if it is there afterwards."""
        told = self._ask("DELETE", path, None, None)
        if told.rsc not in (DELETED, NOT_FOUND):
            raise told.refusal(f"to remove {what}")

    def _ask(self, method: str, path: str, body: Any, content_type: str | None) -> Told:
        left_s = self._until - self._monotonic()
        if left_s <= 0:
            raise NoAnswer("the platform answers too slowly; it is asked again later")
        if self._is_stopping():
            raise NoAnswer("this server stops; the platform is asked again when it is back")
        headers = {
            "X-M2M-Origin": self.originator,
            "X-M2M-RI": secrets.token_hex(8),
            "X-M2M-RVI": self._release,
            "Accept": "application/json",
        }
        if content_type is not None:
            headers["Content-Type"] = content_type
        timeout_s = min(left_s, PLATFORM_TIMEOUT_S)
        status, about, content = self._send(method, path, headers, body, timeout_s)
        code = about.get("X-M2M-RSC", "")
        rsc = int(code) if code.isdecimal() and len(code) == 4 else 0
        return Told(rsc, status, _document(content))


def _one_of_several(answer: Any) -> Told:
    code, document = (answer.get("rsc"), answer.get("pc")) if isinstance(answer, dict) else (0, {})
    return Told(
        code if isinstance(code, int) else 0, 200, document if isinstance(document, dict) else {}
    )


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content) if content else {}
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
