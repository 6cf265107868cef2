# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Platforms at which objects are kept: the product's own, and those that the operator names."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from muster_server.config_server.cse import NOT_FOUND, OK, Cse, Send, at_home, over_http
from muster_server.config_server.device_objects import WIFI_CLIENT
from muster_server.config_server.other_platforms import OtherPlatforms
from muster_server.config_server.platform_adapter import ADMIN_ORIGINATOR
from muster_server.config_server.profile import DEFAULT_CSE
from muster_server.errors import ServiceUnreachable
from muster_server.service_client import PLATFORM_TIMEOUT_S, Service
from muster_server.tokens import TokenSource

CALLBACK = "/v1/changes"  # of this server: a platform says there that something changed
_NODE = "nod-"


@dataclass(frozen=True)
class Place:
    """One platform, and as whom this server comes there."""

    send: Send
    originator: str = field(repr=False)
    is_home: bool
    callback_url: str | None = None
    cse_name: str = DEFAULT_CSE

    def cse(
        self, name: str, seconds: float, is_stopping: Callable[[], bool] = lambda: False
    ) -> Cse:
        """The platform's CSE; `seconds` are for all that is asked."""
        return Cse(
            self.send,
            name,
            self.originator,
            seconds=seconds,
            is_stopping=is_stopping,
            is_home=self.is_home,
        )

    def callback(self, device_id: str) -> str | None:
        """The URL at which the platform tells of changes of this device, if it can."""
        return None if self.callback_url is None else f"{self.callback_url}/{device_id}"

    def changed_since(self, since: float, page: int, pages: int) -> set[str]:
        """The ids of devices with an object that changed; none where that cannot be asked.

        Raises NoAnswer if the platform is silent.
        """
        cse, found = self.cse(self.cse_name, PLATFORM_TIMEOUT_S * 2), set()
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(since))
        for n in range(pages):
            query = f"fu=1&ty=13&ms={stamp}&lim={page}&ofst={1 + n * page}"
            told = cse.get(f"/{self.cse_name}?{query}")
            addresses = told.document.get("m2m:uril")
            if told.rsc != OK or not isinstance(addresses, list):
                break
            parts = (part for each in addresses for part in str(each).split("/"))
            found |= {part.removeprefix(_NODE) for part in parts if part.startswith(_NODE)}
            if len(addresses) < page:
                break
        return found

    def handed_on(self, device_id: str) -> dict[str, dict[str, Any]]:
        """Return secrets that were written into the device's objects at home, by object.

        Raises ServiceUnreachable if the platform does not say.
        """
        if not self.is_home:
            return {}
        status, _, content = self.send(
            "GET", self._handed(device_id), {}, None, PLATFORM_TIMEOUT_S
        )
        if status != 200:
            raise ServiceUnreachable(f"the platform answered HTTP {status}; see its log")
        found = _object(content)
        return {WIFI_CLIENT: found} if isinstance(found.get("value"), dict) else {}

    def drop_handed_on(self, device_id: str, handed: dict[str, dict[str, Any]]) -> None:
        """Say that they are sealed here."""
        for each in handed.values():
            path = f"{self._handed(device_id)}?id={quote(str(each['id']), safe='')}"
            self.send("DELETE", path, {}, None, PLATFORM_TIMEOUT_S)

    def _handed(self, device_id: str) -> str:
        return f"/handed-on/{self.cse_name}/{_NODE}{device_id}/{WIFI_CLIENT}"

    def remove_entity(self, cse: Cse, originator: str) -> None:
        """Remove the AE of a device that is gone; at home its account's end is enough.

        Raises ServiceUnreachable if the platform did not do it.
        """
        if not self.is_home and cse.get(f"/{originator}").rsc != NOT_FOUND:
            cse.delete(f"/{originator}", "the device's AE")


class Places:
    """Finds the place for the URL that a configuration names."""

    def __init__(
        self,
        is_home: Callable[[str], bool],
        service: Service,
        token: TokenSource,
        others: OtherPlatforms,
    ) -> None:
        self._is_home = is_home
        self._home = Place(at_home(service, token), ADMIN_ORIGINATOR, True)
        self._others = others

    def at(self, url: str) -> Place | None:
        """The place at this URL; None if this server comes there as nobody."""
        if self._is_home(url):
            return self._home
        other = self._others.at(url)
        if other is None:
            return None
        callback = other.callback and other.callback.rstrip("/") + CALLBACK
        send = over_http(other.url, other.token, other.ca_file)
        return Place(send, other.originator, False, callback, other.cse)

    def editors(self, owner: str) -> tuple[str, ...]:
        """The originators that may change the configurations of this owner's devices."""
        return tuple(self._others.editors.get(owner, ()))


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
