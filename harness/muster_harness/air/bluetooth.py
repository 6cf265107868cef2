# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bluetooth Low Energy in the air: who advertises, who is connected, and what they ask each other.

What happens at a device is an event, with the numbers and data of MicroPython's `bluetooth` (IRQ).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from muster_harness.air.ether import Ether
from muster_harness.air.gatt import (
    READ,
    READ_PROTECTED,
    WRITE,
    WRITE_NO_RESPONSE,
    WRITE_PROTECTED,
    Attribute,
    Database,
)

CENTRAL_CONNECT, CENTRAL_DISCONNECT, GATTS_WRITE = 1, 2, 3
PERIPHERAL_CONNECT, PERIPHERAL_DISCONNECT = 7, 8
SERVICE_RESULT, SERVICE_DONE = 9, 10
CHARACTERISTIC_RESULT, CHARACTERISTIC_DONE = 11, 12
DESCRIPTOR_RESULT, DESCRIPTOR_DONE = 13, 14
READ_RESULT, READ_DONE, WRITE_DONE = 15, 16, 17
GATTC_NOTIFY, GATTC_INDICATE, GATTS_INDICATE_DONE, MTU_EXCHANGED = 18, 19, 20, 21
ENCRYPTION_UPDATE = 28

Happening = tuple[Any, ...]  # an event's number, and its data
Turn = Callable[[], tuple[Happening, ...]]
_ATT = 0x100  # added to what the other side refuses with
_NO_HANDLE, _NO_READ, _NO_WRITE, _NOT_ENCRYPTED = 0x01, 0x02, 0x03, 0x05
_FIRST_MTU, _KEY_BYTES = 23, 16
MOST_LINKS = 4


@dataclass(frozen=True)
class Advertisement:
    """The broadcasts of a device; `response` goes to who asks for it (an active scan)."""

    data: bytes
    response: bytes
    is_connectable: bool
    interval_s: float


@dataclass
class Link:
    """One end of a connection; `number` is what its device calls it."""

    device: "Device"
    number: int
    is_central: bool
    peer: "Link" = field(init=False, repr=False)
    mtu: int = _FIRST_MTU
    is_encrypted: bool = False

    def tell(self, event: int, *data: Any) -> None:
        self.device.tell((event, self.number, *data))


class Device:
    """A radio in the air. Its owner makes `tell` do something, which may come in any thread."""

    def __init__(self, name: str, address: bytes) -> None:
        self.name = name
        self.address = address
        self.address_type = 0
        self.database = Database()
        self.advertisement: Advertisement | None = None
        self.links: dict[int, Link] = {}
        self.mtu = 256  # what it would like
        self.bonds = self.is_active = False

    def tell(self, *events: Happening) -> None:
        """Events have happened, with nothing between them: each its number and its data."""

    def in_turn(self, action: Turn, *, may_be_lost: bool = False) -> None:
        """Do what somebody asks, after what he and others have asked before; its result are events
        for this device."""
        self.tell(*action())

    def allow_read(self, link: Link, attribute: Attribute, then: Callable[[int], None]) -> None:
        """Somebody wants to read: call `then`, at any time, with 0 or with why not."""
        then(0)

    def link(self, number: int) -> Link | None:
        return self.links.get(number)


class Bluetooth:
    """All devices of an air. Its methods may be called from any thread."""

    def __init__(self, ether: Ether, trace: Callable[..., None]) -> None:
        self._ether = ether
        self._trace = trace
        self._devices: list[Device] = []
        self.lock = threading.RLock()

    @property
    def rssi(self) -> int:
        return self._ether.rssi

    def enter(self, device: Device) -> None:
        with self.lock:
            self._devices.append(device)

    def leave(self, device: Device) -> None:
        """Let a device fall silent: who is connected with it learns that it is gone."""
        with self.lock:
            self._devices = [other for other in self._devices if other is not device]
            device.advertisement = None
            for number in list(device.links):
                self.disconnect(device, number, tells_itself=False)

    def advertisers(self, device: Device) -> list[Device]:
        """The others that a device hears now."""
        with self.lock:
            return [
                other
                for other in self._devices
                if other is not device
                and other.advertisement is not None
                and self._ether.hear_each_other(device.name, other.name)
            ]

    # -- connections

    def connect(self, central: Device, address_type: int, address: bytes) -> bool:
        """Connect, if that device is there and wants to be connected to; both are told."""
        with self.lock:
            found = next(
                (
                    other
                    for other in self.advertisers(central)
                    if (other.address_type, other.address) == (address_type, address)
                    and other.advertisement is not None
                    and other.advertisement.is_connectable
                ),
                None,
            )
            if found is None or min(_room(central), _room(found)) <= 0:
                return False
            found.advertisement = None
            here, there = _end(central, is_central=True), _end(found, is_central=False)
            here.peer, there.peer = there, here
            here.tell(PERIPHERAL_CONNECT, found.address_type, found.address)
            there.tell(CENTRAL_CONNECT, central.address_type, central.address)
            self._trace(central.name, "ble connect", to=found.name)
            return True

    def disconnect(self, device: Device, number: int, *, tells_itself: bool = True) -> bool:
        """End a connection; tell whether there was one."""
        with self.lock:
            link = device.links.get(number)
            if link is None:
                return False
            for end in (link, link.peer):
                del end.device.links[end.number]
                end.device.database.forget(end.number)
                if end is link.peer or tells_itself:
                    other = end.peer.device
                    event = PERIPHERAL_DISCONNECT if end.is_central else CENTRAL_DISCONNECT
                    end.tell(event, other.address_type, other.address)
            self._trace(device.name, "ble disconnect", of=link.peer.device.name)
            return True

    def part_from(self, device: Device, far: Callable[[str, str], bool]) -> None:
        """End the connections of a device with those that are `far` from it now."""
        with self.lock:
            for number, link in list(device.links.items()):
                if far(device.name, link.peer.device.name):
                    self.disconnect(device, number)

    def pair(self, link: Link) -> None:
        """Encrypt a connection, as "just works" does."""
        with self.lock:
            bonds = link.device.bonds and link.peer.device.bonds
            for end in (link, link.peer):
                end.is_encrypted = True
                end.tell(ENCRYPTION_UPDATE, 1, 0, int(bonds), _KEY_BYTES)

    def exchange_mtu(self, link: Link) -> bool:
        """Agree on the longest message; False if that has been done before."""
        with self.lock:
            if link.mtu != _FIRST_MTU:
                return False
            agreed = max(_FIRST_MTU, min(link.device.mtu, link.peer.device.mtu))
            for end in (link.peer, link):
                end.mtu = agreed
                end.tell(MTU_EXCHANGED, agreed)
            return True

    # -- what a client asks

    def discover_services(self, link: Link, uuid: bytes | None) -> None:
        with self.lock:
            for service in link.peer.device.database.services:
                if uuid in (None, service.uuid):
                    link.tell(SERVICE_RESULT, service.start, service.end, service.uuid)
            link.tell(SERVICE_DONE, 0)

    def discover_characteristics(
        self, link: Link, start: int, end: int, uuid: bytes | None
    ) -> None:
        with self.lock:
            for found in link.peer.device.database.characteristics:
                if start <= found.start <= end and uuid in (None, found.uuid):
                    at = (found.end, found.value, found.properties)
                    link.tell(CHARACTERISTIC_RESULT, *at, found.uuid)
            link.tell(CHARACTERISTIC_DONE, 0)

    def discover_descriptors(self, link: Link, start: int, end: int) -> None:
        with self.lock:
            for attribute in link.peer.device.database.descriptors(start, end):
                link.tell(DESCRIPTOR_RESULT, attribute.handle, attribute.uuid)
            link.tell(DESCRIPTOR_DONE, 0)

    def read(self, link: Link, handle: int) -> None:
        with self.lock:
            attribute = link.peer.device.database.attributes.get(handle)
            refusal = _refusal(link, attribute, READ, READ_PROTECTED, _NO_READ)
            if attribute is None or refusal:
                link.tell(READ_DONE, handle, refusal)
                return
            there = link.peer

            def allow() -> tuple[Happening, ...]:
                then = lambda why: self._read(link, attribute, why)  # noqa: E731 (it is short)
                there.device.allow_read(there, attribute, then)
                return ()

            there.device.in_turn(allow)

    def _read(self, link: Link, attribute: Attribute, refusal: int) -> None:
        with self.lock:
            if link.device.links.get(link.number) is not link:
                return
            done = (READ_DONE, link.number, attribute.handle, refusal and _ATT + refusal)
            if refusal:
                link.device.tell(done)
                return
            value = attribute.value
            if attribute.of:
                values = link.peer.device.database.attributes[attribute.of].subscribers
                value = values.get(link.peer.number, 0).to_bytes(2, "little")
            cut = value[: link.mtu - 1]
            link.device.tell((READ_RESULT, link.number, attribute.handle, cut), done)

    def write(self, link: Link, handle: int, data: bytes, *, is_answered: bool) -> None:
        with self.lock:
            attribute = link.peer.device.database.attributes.get(handle)
            wanted = WRITE if is_answered else WRITE_NO_RESPONSE
            refusal = _refusal(link, attribute, wanted, WRITE_PROTECTED, _NO_WRITE)
            if attribute is None or refusal:
                if is_answered:
                    link.tell(WRITE_DONE, handle, refusal)
                return
            content = data[: link.mtu - 3]
            link.peer.device.in_turn(
                lambda: self._written(link, attribute, content, is_answered),
                may_be_lost=not is_answered,
            )

    def _written(
        self, link: Link, attribute: Attribute, data: bytes, is_answered: bool
    ) -> tuple[Happening, ...]:
        with self.lock:
            there = link.peer
            if there.device.links.get(there.number) is not there:
                return ()
            if is_answered:
                link.tell(WRITE_DONE, attribute.handle, 0)
            database = there.device.database
            if attribute.of:
                wanted = int.from_bytes(data[:2], "little")
                database.attributes[attribute.of].subscribers[there.number] = wanted
                return ()
            database.write(attribute.handle, data)
            return ((GATTS_WRITE, there.number, attribute.handle),)

    # -- what a server says

    def notify(self, link: Link, handle: int, data: bytes, *, is_acknowledged: bool) -> None:
        with self.lock:
            event = GATTC_INDICATE if is_acknowledged else GATTC_NOTIFY
            link.peer.tell(event, handle, data[: link.mtu - 3])
            if is_acknowledged:
                link.tell(GATTS_INDICATE_DONE, handle, 0)

    def update(self, device: Device, handle: int) -> None:
        """Tell a value to those who have subscribed it."""
        with self.lock:
            attribute = device.database.attributes[handle]
            for number, wanted in attribute.subscribers.items():
                if wanted:
                    link = device.links[number]
                    self.notify(link, handle, attribute.value, is_acknowledged=not wanted & 1)


def _refusal(
    link: Link, attribute: Attribute | None, wanted: int, protected: int, refused: int
) -> int:
    if attribute is None:
        return _ATT + _NO_HANDLE
    if not attribute.flags & wanted:
        return _ATT + refused
    if attribute.flags & protected and not link.is_encrypted:
        return _ATT + _NOT_ENCRYPTED
    return 0


def _room(device: Device) -> int:
    return MOST_LINKS - len(device.links)


def _end(device: Device, *, is_central: bool) -> Link:
    number = next(n for n in range(MOST_LINKS) if n not in device.links)
    link = device.links[number] = Link(device, number, is_central)
    return link
