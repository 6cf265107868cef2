# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Adapters, with which the configuration server makes a device known at its platform."""

import base64
import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from muster_server.config_server.platform_view import PlatformView, parse_view
from muster_server.errors import ServiceUnreachable
from muster_server.lane import settle
from muster_server.service_client import PLATFORM_TIMEOUT_S, Answer, Remote, Service
from muster_server.tokens import TokenSource

ADMIN_ORIGINATOR = "CAdmin"
# What all our originators begin with. A platform that lets originators in by a pattern cannot be
# told of each device: its operator allows this one once, e.g. "Cmuster*".
ORIGINATOR_PREFIX = "Cmuster"
_RELEASE = "4"

_URLS = 64  # of platforms, whose normal form is remembered

_CREATED, _CONFLICT, _NOT_FOUND = 2001, 4105, 4004


@dataclass(frozen=True)
class Token:
    """A device's credential. The platform tells it once and keeps only its hash."""

    id: str
    secret: str = field(repr=False)


class Home(Protocol):
    """The further calls of the platform at which this server keeps accounts."""

    def close_account(self, originator: str) -> None:
        """The account and all its tokens are revoked."""

    def open_reader(self, originator: str, policy: str, token_id: str, kind: str) -> Token:
        """An account that may only retrieve and discover what the policy names ("reader"), or
        command it, too ("application").
        """

    def name_in_policy(self, policy: str, originators: list[str]) -> None:
        """Open what these originators own to the policy's readers."""


class PlatformAdapter(Protocol):
    """The calls that the configuration server needs of a platform.

    Every call has a deadline and raises ServiceUnreachable if the platform did not do it; each
    may be repeated. Nothing is promised about order between devices.
    """

    def make_token(self, originator: str, token_id: str) -> Token | None:
        """The token of this id for the originator, whose account is made if there is none. One
        that had this id is good no longer, so whoever did not hear the answer asks again.

        None if the platform has no tokens (ACME: there the allow-list decides).
        """

    def revoke_token(self, originator: str, token_id: str) -> None:
        """Revoke this token; the account's others stay good."""

    def close_account(self, originator: str) -> None:
        """The account and all its tokens are revoked."""

    def describe(self, originator: str, device_id: str, facts: dict[str, Any]) -> None:
        """Make or renew the device's <node> with its [deviceInfo], linked to its AE."""

    def seen(self, originator: str) -> PlatformView:
        """Return what the platform saw of the originator; nothing if it does not tell."""


class Platforms(Protocol):
    """The choice of an adapter for each platform."""

    def has_accounts(self, url: str) -> bool:
        """Tell whether devices of the platform at this URL get tokens, and can be looked for."""

    @property
    def home_url(self) -> str:
        """The URL at which devices and backends find the platform that has accounts."""

    @property
    def home_place(self) -> tuple[str, str | None]:
        """The URL at which this server finds it, and the file with the authorities to trust."""

    def home(self) -> Home:
        """The platform that has accounts."""

    def adapter_for(self, url: str) -> PlatformAdapter:
        """The adapter for the platform at this URL."""

    def keeper_of(self, url: str, *, has_token: bool) -> PlatformAdapter:
        """Return the adapter for an account that was made when the platform was at this URL.

        An account with a token was made at the platform that has accounts, wherever that is now.
        """


def new_originator() -> str:
    """An originator that nobody can guess: 96 random bits in base32, e.g. "Cmuster7kq2…".

    27 characters in all: Mobius4 refuses more than 30. Accounts that were made with the 31 of
    former releases keep theirs, until they are given a new account.
    """
    return ORIGINATOR_PREFIX + base64.b32encode(secrets.token_bytes(12)).decode()[:20].lower()


class AllowListPlatform:
    """For a platform of somebody else, such as ACME: its operator lets our originators in.

    There is no token, so the originator is all that a device has to show, and nothing can be
    revoked from here: docs/platforms.md says what its operator does instead.
    """

    def make_token(self, originator: str, token_id: str) -> Token | None:
        return None

    def revoke_token(self, originator: str, token_id: str) -> None:
        return

    def close_account(self, originator: str) -> None:
        return

    def describe(self, originator: str, device_id: str, facts: dict[str, Any]) -> None:
        return

    def seen(self, originator: str) -> PlatformView:
        return PlatformView()


class MusterPlatform:
    """The product's own platform: accounts over its API, nodes over oneM2M, both over HTTP."""

    def __init__(
        self,
        url: str,
        token: TokenSource,
        cse: str = "cse-in",
        ca_file: str | None = None,
        *,
        inside: Service | None = None,
    ) -> None:
        """`inside` is the platform, if it runs in this process."""
        self._platform = inside or Remote(url, ca_file)
        self._cse = cse
        self._token = token

    def make_token(self, originator: str, token_id: str) -> Token | None:
        """Make the originator's token of this id anew, and its account if there is none.

        Raises ServiceUnreachable if the platform refuses, or its answer holds no token.
        """
        settle()  # else a crash could leave an account there of which this server knows nothing
        return self._issued(f"/accounts/{originator}?token_id={token_id}")

    def open_reader(self, originator: str, policy: str, token_id: str, kind: str) -> Token:
        query = f"policy={quote(policy, safe='')}&token_id={token_id}&kind={kind}"
        return self._issued(f"/readers/{originator}?{query}")

    def name_in_policy(self, policy: str, originators: list[str]) -> None:
        body = {"originators": originators}
        answer = self._call("POST", f"/policies/{quote(policy, safe='')}/members", body)
        if answer.status_code != 204:
            raise _refused(answer)

    def _issued(self, path: str) -> Token:
        answer = self._call("PUT", path)
        if answer.status_code not in (200, 201):
            raise _refused(answer)
        try:
            document = answer.json()
            return Token(str(document["token_id"]), str(document["token"]))
        except (ValueError, KeyError, TypeError):
            raise ServiceUnreachable("the platform's answer holds no token") from None

    def revoke_token(self, originator: str, token_id: str) -> None:
        self._gone("DELETE", f"/accounts/{originator}/tokens/{token_id}")

    def close_account(self, originator: str) -> None:
        self._gone("DELETE", f"/accounts/{originator}")

    def describe(self, originator: str, device_id: str, facts: dict[str, Any]) -> None:
        node = f"nod-{device_id}"
        place = f"/{self._cse}/{node}"
        body = {"rn": node, "ni": f"muster:{device_id}", "hael": [originator]}
        if self._create(f"/{self._cse}", 14, {"m2m:nod": body}) == _CONFLICT:
            self._update(place, {"m2m:nod": {"hael": [originator]}})
        info = {
            "dlb": f"|sn:{device_id}",
            "man": "unknown",
            "mod": facts.get("model") or "unknown",
            "dty": "device",
            "hwv": facts.get("board") or "unknown",
            "fwv": facts.get("micropython") or "unknown",
            "swv": facts.get("firmware") or "unknown",
        }
        created = {"m2m:dvi": {"rn": "dvi", "mgd": 1007, **info}}
        if self._create(place, 13, created) == _CONFLICT:
            self._update(f"{place}/dvi", {"m2m:dvi": info})

    def seen(self, originator: str) -> PlatformView:
        answer = self._call("GET", f"/accounts/{originator}/history")
        if answer.status_code != 200:
            raise _refused(answer)
        return parse_view(answer.content)

    def _create(self, path: str, ty: int, body: dict[str, Any]) -> int:
        return self._onem2m("POST", path, body, f"application/json;ty={ty}", _CREATED, _CONFLICT)

    def _update(self, path: str, body: dict[str, Any]) -> int:
        return self._onem2m("PUT", path, body, "application/json", 2004)

    def _onem2m(
        self, method: str, path: str, body: dict[str, Any], content_type: str, *wanted: int
    ) -> int:
        headers = {
            "X-M2M-Origin": ADMIN_ORIGINATOR,
            "X-M2M-RI": secrets.token_hex(8),
            "X-M2M-RVI": _RELEASE,
            "Content-Type": content_type,
        }
        answer = self._call(method, path, body, headers)
        code = answer.headers.get("X-M2M-RSC", "")
        if not code.isdecimal() or int(code) not in wanted:
            raise _refused(answer)
        return int(code)

    def _gone(self, method: str, path: str) -> None:
        answer = self._call(method, path)
        # What is not there any more need not be revoked.
        if answer.status_code not in (200, 204, 404):
            raise _refused(answer)

    def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        return self._platform.ask(
            method, path, self._token, body, headers=headers, read_timeout_s=PLATFORM_TIMEOUT_S
        )


class PlatformChoice:
    """The choice of an adapter for the platform that a profile names by its URL."""

    def __init__(
        self,
        public_url: str,
        own_url: str,
        token: TokenSource,
        ca_file: str | None = None,
        *,
        inside: Service | None = None,
    ) -> None:
        """`inside` is the platform, if it runs in this process."""
        self._public_url = public_url
        self._place = (own_url, ca_file)
        self._muster = MusterPlatform(own_url, token, ca_file=ca_file, inside=inside)
        self._others = AllowListPlatform()

    def has_accounts(self, url: str) -> bool:
        """Tell whether devices of this platform get a token: it is the one we have the key to."""
        return url == self._public_url or _normal(url) == _normal(self._public_url)

    @property
    def home_url(self) -> str:
        """The URL at which devices and backends find the platform that has accounts."""
        return self._public_url

    @property
    def home_place(self) -> tuple[str, str | None]:
        """The URL at which this server finds it, and the file with the authorities to trust."""
        return self._place

    def home(self) -> Home:
        """The platform that has accounts."""
        return self._muster

    def adapter_for(self, url: str) -> PlatformAdapter:
        """The adapter for the platform at this URL."""
        return self._muster if self.has_accounts(url) else self._others

    def keeper_of(self, url: str, *, has_token: bool) -> PlatformAdapter:
        """Return the adapter for an account that was made when the platform was at this URL."""
        return self._muster if has_token else self.adapter_for(url)


@lru_cache(_URLS)
def _normal(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return url  # the configuration's check refuses it in words
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path.rstrip('/')}"


def _refused(answer: Answer) -> ServiceUnreachable:
    code = answer.headers.get("X-M2M-RSC", "none")
    return ServiceUnreachable(
        f"the platform answered HTTP {answer.status_code}, response status code {code}; see its "
        "log"
    )
