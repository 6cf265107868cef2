# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A visit to a oneM2M platform under originators to throw away; not for devices."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from muster_server.config_server.platform_adapter import new_originator
from muster_server.errors import HostError, ServiceUnreachable
from muster_server.service_client import call, fetch

OK, CREATED, DELETED, UPDATED, NOT_FOUND = 2000, 2001, 2002, 2004, 4004

_ANSWER_S = 5.0
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Place:
    """The platform that is visited. `token` is its administrator's, if it is one of Muster's own:
    accounts are made with it, and it speaks for `admin`.
    """

    url: str
    cse: str = "cse-in"
    ca_file: str | None = None
    admin: str | None = None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Heard:
    """An answer; `rsc` is 0 if it is not in oneM2M's form."""

    status: int
    rsc: int
    document: Mapping[str, Any]

    @property
    def resource(self) -> Mapping[str, Any]:
        """The attributes of the one resource that is in it."""
        inner = next(iter(self.document.values()), None)
        return inner if isinstance(inner, dict) else {}

    def __str__(self) -> str:
        if not self.rsc:
            return f"HTTP {self.status}, not in oneM2M's form"
        said = self.document.get("m2m:dbg")
        why = f": {said[:120]}" if isinstance(said, str) and said.isprintable() else ""
        return f"RSC {self.rsc}{why}"


class Visit:
    """Requests at one platform, and the list of what has to be removed at the end."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.release = "4"
        self.mine, self.other = new_originator(), new_originator()
        self._tokens: dict[str, str] = {}
        self._made: list[tuple[str, str]] = []  # path, and the originator that may remove it
        if place.token is not None and place.admin is not None:
            self._tokens[place.admin] = place.token

    def ask(
        self, method: str, path: str, originator: str, ty: int | None = None, body: Any = None
    ) -> Heard:
        """One request. NoAnswer if there is none in time: whatever is asked next waits, too."""
        headers = {
            "X-M2M-Origin": originator,
            "X-M2M-RI": secrets.token_hex(8),
            "X-M2M-RVI": self.release,
            "Accept": "application/json",
        }
        if body is not None:
            headers["Content-Type"] = "application/json" + (f";ty={ty}" if ty else "")
        answer = fetch(
            f"{self.place.url}/{path}",
            self._tokens.get(originator),
            headers=headers,
            ca_file=self.place.ca_file,
            timeout_s=_ANSWER_S,
            most_bytes=_MOST_BYTES,
            method=method,
            body=json.dumps(body).encode() if body is not None else None,
        )
        names = {name.lower(): value for name, value in answer.headers.items()}
        code = names.get("x-m2m-rsc", "")
        rsc = int(code) if code.isdecimal() and len(code) == 4 else 0
        return Heard(answer.status, rsc, _read(answer.content))

    def make(
        self, parent: str, name: str, originator: str, ty: int, root: str, **attributes: Any
    ) -> Heard:
        """Create a resource; it is removed at the end."""
        body = {root: {"rn": name, **attributes}}
        self._made.append((f"{parent}/{name}", originator))
        return self.ask("POST", f"{parent}?rcn=1", originator, ty, body)

    def open_accounts(self) -> None:
        """Make accounts for both originators, if this platform has such.

        Raises ServiceUnreachable if it does not make them.
        """
        if self.place.token is None:
            return
        for originator in (self.mine, self.other):
            answer = self._administrate("PUT", originator)
            try:
                self._tokens[originator] = str(answer.json()["token"])
            except (ValueError, KeyError, TypeError):
                raise ServiceUnreachable(
                    f"no account could be made at {self.place.url} (HTTP {answer.status_code}); "
                    "is that its administrator's token?"
                ) from None

    def leave(self) -> list[str]:
        """Remove what was made, the newest first; returns the addresses of what may be left."""
        left = []
        for path, originator in reversed(self._made):
            try:
                heard = self.ask("DELETE", path, originator)
                if heard.rsc in (DELETED, NOT_FOUND):
                    continue
                gone = self.ask("GET", path, originator).rsc == NOT_FOUND
            except HostError:
                gone = False
            if not gone:
                left.append(path)
        for originator in (self.mine, self.other):
            if originator not in self._tokens:
                continue
            try:
                status = self._administrate("DELETE", originator).status_code
            except HostError:
                status = 0
            if status not in (204, 404):
                left.append(f"accounts/{originator}")
        return left

    def _administrate(self, method: str, originator: str) -> Any:
        return call(
            method,
            f"{self.place.url}/accounts/{originator}",
            self.place.token,
            ca_file=self.place.ca_file,
            read_timeout_s=_ANSWER_S,
        )


def _read(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content) if content else {}
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
