# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The attributes that a Bluetooth device offers to others: services, characteristics, descriptors.

UUIDs are bytes as on the air: 2 or 16, the lowest first. Flags are modbluetooth.h's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

READ, WRITE_NO_RESPONSE, WRITE, NOTIFY, INDICATE = 0x02, 0x04, 0x08, 0x10, 0x20
READ_PROTECTED = 0x0E00  # encrypted, authenticated or authorised
WRITE_PROTECTED = 0x7000
_PRIMARY, _CHARACTERISTIC, _SUBSCRIPTION = b"\x00\x28", b"\x03\x28", b"\x02\x29"
_DEFAULT_LENGTH = 20  # of a value, until a program asks for more

# A characteristic: UUID, flags, and its descriptors, each UUID and flags.
Characteristic = tuple[bytes, int, Sequence[tuple[bytes, int]]]
Service = tuple[bytes, Sequence[Characteristic]]


@dataclass
class Attribute:
    """One attribute. `handle` is its number, which others ask for."""

    handle: int
    uuid: bytes
    flags: int = 0
    value: bytes = b""
    longest: int = _DEFAULT_LENGTH
    appends: bool = False
    of: int = 0  # the value that a subscription is for
    subscribers: dict[int, int] = field(
        default_factory=dict
    )  # by connection: 1 notify, 2 indicate


@dataclass(frozen=True)
class Range:
    """The place of a service or characteristic among the handles, both ends in it."""

    uuid: bytes
    start: int
    end: int
    value: int = 0  # handle of the value, of a characteristic
    properties: int = 0


class Database:
    """All attributes of one device. The services of every device, GAP and GATT, come first."""

    def __init__(self) -> None:
        self.attributes: dict[int, Attribute] = {}
        self.services: list[Range] = []
        self.characteristics: list[Range] = []
        reads = (READ, ())
        ((self.name_handle, appearance, _),) = self.add(
            [(b"\x00\x18", [(b"\x00\x2a", *reads), (b"\x01\x2a", *reads), (b"\xa6\x2a", *reads)])]
        )
        self.add([(b"\x01\x18", [(b"\x05\x2a", INDICATE, ())])])
        self.attributes[appearance].value = b"\0\0"
        self._own = len(self.attributes), len(self.services), len(self.characteristics)

    def replace(self, services: Sequence[Service]) -> list[list[int]]:
        """Let these be the device's services, and return their handles: of each value, and of its
        descriptors after it."""
        attributes, own_services, own_characteristics = self._own
        for handle in [h for h in self.attributes if h > attributes]:
            del self.attributes[handle]
        del self.services[own_services:], self.characteristics[own_characteristics:]
        return self.add(services)

    def add(self, services: Sequence[Service]) -> list[list[int]]:
        return [self._add_service(uuid, parts) for uuid, parts in services]

    def _add_service(self, uuid: bytes, parts: Sequence[Characteristic]) -> list[int]:
        start = self._add(_PRIMARY).handle
        handles = [handle for part in parts for handle in self._add_characteristic(*part)]
        self.services.append(Range(uuid, start, len(self.attributes)))
        return handles

    def _add_characteristic(
        self, uuid: bytes, flags: int, descriptors: Sequence[tuple[bytes, int]]
    ) -> list[int]:
        start = self._add(_CHARACTERISTIC).handle
        value = self._add(uuid, flags)
        if flags & (NOTIFY | INDICATE):
            self._add(_SUBSCRIPTION, READ | WRITE).of = value.handle
        handles = [self._add(other, of_it).handle for other, of_it in descriptors]
        end = len(self.attributes)
        self.characteristics.append(Range(uuid, start, end, value.handle, flags & 0xFF))
        return [value.handle, *handles]

    def _add(self, uuid: bytes, flags: int = 0) -> Attribute:
        attribute = Attribute(len(self.attributes) + 1, uuid, flags)
        self.attributes[attribute.handle] = attribute
        return attribute

    # -- what others find

    def descriptors(self, start: int, end: int) -> Iterator[Attribute]:
        """All attributes after the first of a range."""
        return (a for h, a in self.attributes.items() if start < h <= end)

    def write(self, handle: int, data: bytes) -> None:
        """Write a value as somebody else does: it is cut off at its longest."""
        attribute = self.attributes[handle]
        before = attribute.value if attribute.appends else b""
        attribute.value = (before + data)[: attribute.longest]

    def forget(self, connection: int) -> None:
        """Somebody has gone, and with him what he had subscribed."""
        for attribute in self.attributes.values():
            attribute.subscribers.pop(connection, None)
