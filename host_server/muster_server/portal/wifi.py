# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""My Wi-Fi: a network's name and its password are enough for a profile of one's own.

All else, such as platform and country, is that of the profile on which an administrator based it.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from muster_server import ssids
from muster_server.errors import Conflict, Invalid, NotFound
from muster_server.portal.access import Caller
from muster_server.portal.people import People
from muster_server.portal.service import Portal

MOST_KEPT = 20
MISSING = "the password is missing; tick the box if there is none"
TOO_SHORT_OR_LONG = "a Wi-Fi password has 8 to 63 characters"
_FIELDS = {"ssid": "ssid", "ssid_b64": "ssid", "psk": "password"}
# Of an owner's own profile, e.g. "o-7k3m2p9qxa.factory-0f343b09".
_OWNED = re.compile(r"(?:admin|o-[0-9a-f]{10})\..+")


@dataclass(frozen=True)
class KeptWifi:
    """A network that its owner has given before."""

    profile: str
    ssid: str


class HomeWifi:
    """Networks of owners, kept as profiles that bear the owner's name."""

    def __init__(self, portal: Portal, people: People) -> None:
        self._portal = portal
        self._people = people

    def house_profiles(self) -> list[str]:
        """Return the names of profiles that are nobody's own."""
        names: list[str] = self._portal.profiles()["profiles"]
        return [name for name in names if not _OWNED.fullmatch(name)]

    def base(self) -> str | None:
        """The profile that others are made from: the chosen one, or the only one there is."""
        names, chosen = self.house_profiles(), self._people.wifi_base
        if chosen in names:
            return chosen
        return names[0] if len(names) == 1 else None

    def kept(self, caller: Caller) -> list[KeptWifi]:
        """The caller's networks, at most 20 of them."""
        names: list[str] = self._portal.profiles()["profiles"]
        own = [name for name in names if name.startswith(caller.owner + ".")]
        return [
            KeptWifi(name, ssids.name_of(self._portal.profile(name)["networks"][0]))
            for name in own[:MOST_KEPT]
        ]

    def keep(self, caller: Caller, ssid: str, password: str | None) -> str:
        """Return the profile for this network; a password that was kept before is replaced, unless
        none is typed. None is for an open network.

        Invalid if name or password can be none, Conflict if there is nothing to base it on or
        there are 20 already.
        """
        name = _name(caller.owner, ssid)
        own = [n for n in self._portal.profiles()["profiles"] if n.startswith(caller.owner + ".")]
        if password == "":
            if name in own:
                return name
            raise Invalid(MISSING, path="password")
        network = {"ssid": ssid, "psk": password}
        if name in own:
            document = {**self._portal.profile(name), "networks": [network]}
        else:
            if len(own) >= MOST_KEPT:
                raise Conflict(f"you have {MOST_KEPT} networks already", path="ssid")
            base = self.base()
            if base is None:
                raise Conflict("no settings for my Wi-Fi yet; an administrator chooses them")
            document = {**self._portal.profile(base), "name": name, "networks": [network]}
        self._put(name, document, is_new=name not in own)
        return name

    def correct(self, caller: Caller, profile: str, ssid: str, password: str) -> None:
        """Put another password for a network into a profile; all else stays.

        Invalid if it can be none, NotFound if the profile, or the network in it, is not there for
        the caller.
        """
        if not password:
            raise Invalid("the password is missing", path="password")
        caller.need_profile(profile)
        document = self._portal.profile(profile)
        networks = [{k: v for k, v in n.items() if k != "psk_set"} for n in document["networks"]]
        same = [network for network in networks if ssids.name_of(network) == ssid]
        if not same:
            raise NotFound("there is no such network in these settings")
        for network in same:
            network["psk"] = password
        self._put(profile, {**document, "networks": networks}, is_new=False)

    def _put(self, name: str, document: dict[str, Any], *, is_new: bool) -> None:
        try:
            if is_new:
                self._portal.add_profile(document)
            else:
                self._portal.replace_profile(name, document)
        except Invalid as error:
            field = (error.path or "").rpartition(".")[2]
            if field == "psk":  # what a profile may say of it is no business of a form
                raise Invalid(TOO_SHORT_OR_LONG, path="password") from None
            raise Invalid(error.detail, path=_FIELDS.get(field, error.path)) from None


def _name(owner: str, ssid: str) -> str:
    """The profile's name: readable, and one for each network."""
    readable = re.sub(r"[^a-z0-9]+", "-", ssid.lower()).strip("-")[:20].strip("-") or "wifi"
    digest = hashlib.sha256(ssid.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{owner}.{readable}-{digest}"
