# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Asks the servers for all that they have acknowledged, and says what is lost or doubled."""

from typing import Any

from muster_harness.fleet.device import FleetDevice, Refused
from muster_harness.fleet.ledger import CLAIMED, CONFIRMED, FETCHED, REGISTERED, Entry
from muster_harness.fleet.link import Links


class Check:
    """Compares one device after another with what the servers say now."""

    def __init__(self, entries: list[Entry], portal: Links, token: str, server: str):
        self._entries = {entry.device.number: entry for entry in entries}
        self._portal = portal
        self._token = token
        self._server = server
        self.losses: list[str] = []

    async def look(self, device: FleetDevice) -> None:
        """Note what this device has lost. Refused if a server cannot say now."""
        entry = self._entries[device.number]
        found = [*entry.doubled]
        if CLAIMED in entry.what:
            found += await self._told_at_portal(entry)
        if FETCHED in entry.what and not found:
            found += await self._at_server(entry)
        if REGISTERED in entry.what and not await device.is_registered():
            found.append("its AE is gone, or its token no longer good")
        if found:
            self.losses += [f"{device.label.device_id}: {text}" for text in found]

    def doubled_accounts(self) -> list[str]:
        """Return originators that two devices were given."""
        owners: dict[str, set[int]] = {}
        for number, entry in self._entries.items():
            for originator in entry.originators:
                owners.setdefault(originator, set()).add(number)
        return [
            f"devices {sorted(who)} share an account" for who in owners.values() if len(who) > 1
        ]

    async def _told_at_portal(self, entry: Entry) -> list[str]:
        shown = await self._shown(entry.device)
        if shown is None:
            return ["its claim is gone"]
        newest = max(entry.configs, default=0)
        if shown["issued_version"] < newest:
            return [f"version {newest} was handed out, and is not known"]
        if CONFIRMED in entry.what and shown["version"] < entry.device.committed:
            return [f"version {entry.device.committed} was proved, and is shown as unproved"]
        return []

    async def _at_server(self, entry: Entry) -> list[str]:
        try:
            action = await entry.device.check_in(self._server)
        except Refused as refusal:
            if " 403 " in f"{refusal.what} ":
                return ["the key that it was handed out is not recognised"]
            raise
        return [] if action in ("keep", "wait", "configure") else [f"it is told to {action}"]

    async def _shown(self, device: FleetDevice) -> dict[str, Any] | None:
        answer = await self._portal.request(
            "GET",
            f"/v1/devices/{device.label.device_id}",
            headers={"Authorization": f"Bearer {self._token}"},
        )
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise Refused(f"show: HTTP {answer.status} {answer.reason}".rstrip(), answer.retry_s)
        return answer.document()
