# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Says where the configuration server is: DNS-SD (RFC 6763) over multicast DNS (RFC 6762)."""

import asyncio
import logging
import secrets
import socket
from collections.abc import Sequence

import ifaddr
from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

log = logging.getLogger(__name__)

SERVICE_TYPE = "_muster._tcp.local."
_OWN = "127.0.0.1"
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - compared with, not bound to


class Advertisement:
    """One service instance per address, each with that address alone as its A record.

    A device that asks on one network must not be sent to an address on another. Failing to
    advertise never stops the server: devices still try their gateway.
    """

    def __init__(self, listens: Sequence[tuple[str, int]]) -> None:
        self._listens = listens
        self._zeroconf: AsyncZeroconf | None = None
        self._announcements: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Answer queries from now on."""
        places = _reachable([place for listen in self._listens for place in _places(*listen)])
        try:
            self._zeroconf = AsyncZeroconf(
                interfaces=sorted({address for address, _ in places}),
                ip_version=IPVersion.V4Only,
            )
            for address, port in places:
                # Names with random parts need no probing, so queries are answered at once.
                announced = await self._zeroconf.async_register_service(
                    _instance(address, port), cooperating_responders=True
                )
                self._announcements.append(asyncio.ensure_future(announced))
        except OSError as error:
            log.warning("no DNS-SD, devices will try their gateway: %s", error)

    async def stop(self) -> None:
        """Fall silent."""
        for announcement in self._announcements:
            announcement.cancel()
        await asyncio.gather(*self._announcements, return_exceptions=True)
        if self._zeroconf is not None:
            await self._zeroconf.async_close()


def _places(address: str, port: int) -> list[tuple[str, int]]:
    if address != ANY_ADDRESS:
        return [(address, port)]
    found = (ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4)
    return [(str(ip), port) for ip in found if not str(ip).startswith("127.")]


def _reachable(places: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Leave out the address that every machine has for itself, if there is another one."""
    return [place for place in places if place[0] != _OWN] or places


def _instance(address: str, port: int) -> ServiceInfo:
    name = f"muster-{secrets.token_hex(4)}"
    return ServiceInfo(
        SERVICE_TYPE,
        f"{name}.{SERVICE_TYPE}",
        port=port,
        addresses=[socket.inet_aton(address)],
        properties={"v": "1"},
        server=f"{name}.local.",
    )
