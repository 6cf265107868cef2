# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bluetooth of one board, as MicroPython's `bluetooth` asks for it; NimBLE lies below it there.

After extmod/modbluetooth.c and extmod/nimble/modbluetooth_nimble.c at 1c3c201149.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from muster_harness.air.bluetooth import (
    MOST_LINKS,
    PERIPHERAL_DISCONNECT,
    Advertisement,
    Device,
    Happening,
    Link,
    Turn,
)
from muster_harness.air.gatt import Attribute
from muster_harness.control import Refusal
from muster_harness.esp32.board import Board
from muster_harness.loop import Timer

_READ_REQUEST, _SCAN_RESULT, _SCAN_DONE = 4, 5, 6
_ADV_IND, _ADV_SCAN_IND, _SCAN_RESPONSE = 0, 2, 4
_EIO, _ENOMEM, _ENODEV, _EINVAL, _EALREADY, _ENOTCONN = 5, 12, 19, 22, 120, 128
_MOST_TURNS = 64  # of what nobody waits for
_NAME = b"MPY ESP32"
_SHORTEST_S, _LOOK_S, _UNIT_US = 0.02, 0.01, 625
# NimBLE's longest connection interval without a wish (BLE_GAP_INITIAL_CONN_ITVL_MAX). A request
# waits half of one for its turn, and its answer comes with the next.
_INTERVAL_S = 0.05
_REQUEST_S = 1.5 * _INTERVAL_S
_MTU_RANGE = range(23, 528)
_RANDOM_STATIC = 0xC0


class Bluetooth(Device):
    """Answers `["ble", verb, ...]`; its events are those of the program's interrupt handler."""

    def __init__(self, board: Board):
        mac = board.mac
        super().__init__(board.name, mac[:5] + bytes([mac[5] + 2 & 0xFF]))
        self._board = board
        self._air = board.air.bluetooth
        self._public = self.address
        self._listens = False
        self._timers: dict[str, Timer] = {}
        self._tickets: dict[int, Callable[[int], None]] = {}
        self._last_ticket = 0
        self._turns: deque[Turn] = deque()
        self._outgoing: deque[tuple[Timer, Callable[[], object]]] = deque()
        self._is_handling = False  # whether the program's handler runs
        self._next_heard: dict[str, float] = {}
        self._forget()

    def _forget(self) -> None:
        self._gap_name = _NAME
        self.address, self.address_type = self._public, 0
        self.mtu, self.bonds = 256, False

    def run_ends(self) -> None:
        self._stop()
        self._forget()
        self._listens = False

    def run_begins(self) -> None:
        """Do nothing: a program begins without it."""

    def chip_stops(self) -> None:
        """Do nothing: what could last has ended with the program."""

    def close(self) -> None:
        self._stop()

    def _stop(self) -> None:
        self.is_active = False
        self._air.leave(self)
        for name in list(self._timers):
            self._cancel(name)
        while self._outgoing:
            self._outgoing.popleft()[0].cancel()
        self._tickets.clear()
        self._turns.clear()
        self._is_handling = False
        self.database.replace([])

    # -- events

    def tell(self, *events: Happening) -> None:
        self.in_turn(lambda: events)

    def in_turn(self, action: Turn, *, may_be_lost: bool = False) -> None:
        self._board.loop.post(lambda: self._queue(action, may_be_lost))

    def _queue(self, action: Turn, may_be_lost: bool) -> None:
        if self.is_active and not (may_be_lost and len(self._turns) >= _MOST_TURNS):
            self._turns.append(action)
            self._take_turns()

    # NimBLE does nothing else until the program's handler has returned.
    def _take_turns(self) -> None:
        while self._turns and not self._is_handling:
            if events := self._turns.popleft()():
                self._deliver(*events)

    def _deliver(self, *events: Happening) -> None:
        plain = [
            (event, [part.hex() if isinstance(part, bytes) else part for part in data])
            for event, *data in events
        ]
        self._is_handling = self._listens
        self._board.event("ble", plain)

    def _ask_handled(self) -> None:
        self._is_handling = False
        self._take_turns()

    def allow_read(self, link: Link, attribute: Attribute, then: Callable[[int], None]) -> None:
        if not self._listens or attribute.handle <= self.database.name_handle or attribute.of:
            then(0)
            return
        self._last_ticket += 1
        ticket = self._last_ticket
        self._tickets[ticket] = then
        self._deliver((_READ_REQUEST, link.number, attribute.handle, ticket))

    def _ask_answer(self, ticket: int, status: int) -> None:
        then = self._tickets.pop(ticket, None)
        if then is not None:
            then(status)

    # What goes over the air has its order, and the interval of its connection.
    def _send(self, after_s: float, action: Callable[[], object]) -> None:
        self._outgoing.append((self._board.clock.later(after_s, self._send_next), action))

    def _send_next(self) -> None:
        if self._outgoing:
            self._outgoing.popleft()[1]()

    def _later(self, name: str, delay_s: float, function: Callable[[], None]) -> None:
        self._cancel(name)
        self._timers[name] = self._board.clock.later(delay_s, function)

    def _cancel(self, name: str) -> bool:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        return timer is not None

    # -- the object

    def ask(self, verb: str, *arguments: Any) -> Any:
        """Do what a method of the board's BLE object asks. Raises Refusal as the port does."""
        if not self.is_active and verb not in ("active", "listen", "config", "set_config"):
            raise Refusal("OSError", _ENODEV)
        return getattr(self, f"_ask_{verb}")(*arguments)

    def _ask_active(self, is_active: bool | None = None) -> bool:
        if is_active is not None and is_active != self.is_active:
            if is_active:
                self.database.attributes[self.database.name_handle].value = self._gap_name
                self.is_active = True
                self._air.enter(self)
            else:
                self._stop()
            self._board.air.trace_event(self.name, "ble", active=is_active)
        return self.is_active

    def _ask_listen(self, listens: bool) -> None:
        self._listens = listens
        if not listens:
            self._ask_handled()

    def _ask_config(self, name: str) -> Any:
        if name == "gap_name":
            return self._gap_name.hex()
        if name == "mtu":
            return self.mtu
        if name != "mac":
            raise Refusal("ValueError", "unknown config param")
        if not self.is_active:
            raise Refusal("OSError", _ENODEV)
        return [self.address_type, self.address.hex()]

    def _ask_set_config(self, name: str, value: Any) -> None:
        if name == "gap_name":
            self._gap_name = bytes.fromhex(value)
            self.database.attributes[self.database.name_handle].value = self._gap_name
        elif name == "mtu":
            if value not in _MTU_RANGE:
                raise Refusal("OSError", _EINVAL)
            self.mtu = value
        elif name == "addr_mode":
            if value not in (0, 1, 2, 3):
                raise Refusal("OSError", _EINVAL)
            self.address_type = min(value, 1)
            random = bytes([self._public[0] | _RANDOM_STATIC]) + self._public[1:]
            self.address = random if value else self._public
        elif name == "bond":
            self.bonds = bool(value)
        elif name not in ("mitm", "io", "le_secure"):
            raise Refusal("ValueError", "unknown config param")

    # -- being found, and finding

    def _ask_advertise(
        self, interval_us: int | None, data: str | None, response: str | None, connectable: bool
    ) -> None:
        if interval_us is None:
            self.advertisement = None
            return
        before = self.advertisement
        if len(self.links) >= MOST_LINKS and connectable:
            raise Refusal("OSError", _ENOMEM)
        contents = []
        for given, old in (
            (data, before.data if before else b""),
            (response, before.response if before else b""),
        ):
            content = old if given is None else bytes.fromhex(given)
            if len(content) > 31:
                raise Refusal("OSError", _EINVAL)
            contents.append(content)
        interval_s = max(_SHORTEST_S, interval_us // _UNIT_US * _UNIT_US / 1_000_000)
        self.advertisement = Advertisement(contents[0], contents[1], connectable, interval_s)

    def _ask_scan(self, duration_ms: int | None, is_active: bool) -> None:
        if duration_ms is None:
            if self._cancel("scan"):
                self._cancel("scan ends")
                self.tell((_SCAN_DONE,))
            return
        if "scan" in self._timers or "connect" in self._timers:
            raise Refusal("OSError", _EALREADY)
        self._next_heard.clear()
        self._look(is_active)
        if duration_ms:
            self._later("scan ends", duration_ms / 1000, lambda: self._ask_scan(None, False))

    def _look(self, is_active: bool) -> None:
        """Hear those whose turn it is: each advertises once in its interval."""
        now = self._board.clock.now_us() / 1_000_000
        for other in self._air.advertisers(self):
            advertisement = other.advertisement
            if advertisement is None or now < self._next_heard.get(other.name, 0):
                continue
            self._next_heard[other.name] = now + advertisement.interval_s
            kind = _ADV_IND if advertisement.is_connectable else _ADV_SCAN_IND
            self._hear(other, kind, advertisement.data)
            if is_active:
                self._hear(other, _SCAN_RESPONSE, advertisement.response)
        self._later("scan", _LOOK_S, lambda: self._look(is_active))

    def _hear(self, other: Device, kind: int, data: bytes) -> None:
        found = [other.address_type, other.address.hex(), kind, self._air.rssi, data.hex()]
        self._board.event("ble_heard", [(_SCAN_RESULT, found)])

    def _ask_connect(self, address_type: int, address: str, within_ms: int) -> None:
        self._ask_scan(None, False)
        if "connect" in self._timers:
            raise Refusal("OSError", _EALREADY)
        wanted = bytes.fromhex(address)
        if any(link.peer.device.address == wanted for link in self.links.values()):
            raise Refusal("OSError", _EIO)
        if len(self.links) >= MOST_LINKS:
            raise Refusal("OSError", _ENOMEM)
        self._later("connect ends", within_ms / 1000, self._ask_cancel_connect)
        self._later("connect", _LOOK_S, lambda: self._try(address_type, wanted))

    def _try(self, address_type: int, address: bytes) -> None:
        if self._air.connect(self, address_type, address):
            self._cancel("connect")
            self._cancel("connect ends")
        else:
            self._later("connect", _LOOK_S, lambda: self._try(address_type, address))

    def _ask_cancel_connect(self) -> None:
        if not self._cancel("connect"):
            raise Refusal("OSError", _EALREADY)
        self._cancel("connect ends")
        self.tell((PERIPHERAL_DISCONNECT, 0xFFFF, 0xFF, bytes(6)))

    def _ask_disconnect(self, number: int) -> bool:
        if self.link(number) is None:
            return False
        self._send(_INTERVAL_S, lambda: self._air.disconnect(self, number))
        return True

    def _ask_pair(self, number: int) -> None:
        self._air.pair(self._linked(number))

    def _linked(self, number: int) -> Link:
        link = self.link(number)
        if link is None:
            raise Refusal("OSError", _ENOTCONN)
        return link

    # -- as a server

    def _ask_register(self, services: list[Any]) -> list[list[int]]:
        if self.advertisement is not None:
            raise Refusal("OSError", _EIO)
        return self.database.replace(
            [
                (bytes.fromhex(uuid), [(bytes.fromhex(u), f, _plain(d)) for u, f, d in parts])
                for uuid, parts in services
            ]
        )

    def _own(self, handle: int) -> Attribute:
        attribute = self.database.attributes.get(handle)
        if attribute is None:
            raise Refusal("OSError", _EINVAL)
        return attribute

    def _ask_gatts_read(self, handle: int) -> str:
        with self._air.lock:
            attribute = self._own(handle)
            value = attribute.value
            if attribute.appends:
                attribute.value = b""
            return value.hex()

    def _ask_gatts_write(self, handle: int, data: str, tells: bool) -> None:
        with self._air.lock:
            attribute = self._own(handle)
            attribute.value = bytes.fromhex(data)
            attribute.longest = max(attribute.longest, len(attribute.value))
            if tells:
                self._air.update(self, handle)

    def _ask_set_buffer(self, handle: int, size: int, appends: bool) -> None:
        attribute = self._own(handle)
        attribute.longest, attribute.appends = size, appends
        attribute.value = b""

    def _ask_notify(self, number: int, handle: int, data: str | None, acknowledged: bool) -> None:
        link, attribute = self._linked(number), self._own(handle)
        value = attribute.value if data is None else bytes.fromhex(data)
        self._air.notify(link, handle, value, is_acknowledged=acknowledged)

    # -- as a client

    def _ask_services(self, number: int, uuid: str | None) -> None:
        self._air.discover_services(self._linked(number), _uuid(uuid))

    def _ask_characteristics(self, number: int, start: int, end: int, uuid: str | None) -> None:
        self._air.discover_characteristics(self._linked(number), start, end, _uuid(uuid))

    def _ask_descriptors(self, number: int, start: int, end: int) -> None:
        self._air.discover_descriptors(self._linked(number), start, end)

    def _ask_read(self, number: int, handle: int) -> None:
        self._air.read(self._linked(number), handle)

    def _ask_write(self, number: int, handle: int, data: str, mode: int) -> None:
        if mode not in (0, 1):
            raise Refusal("OSError", _EIO)
        link, content = self._linked(number), bytes.fromhex(data)

        def write() -> None:
            self._air.write(link, handle, content, is_answered=mode == 1)

        if mode == 1 or self._outgoing:
            self._send(_REQUEST_S if mode == 1 else 0, write)
        else:
            write()

    def _ask_exchange_mtu(self, number: int) -> None:
        if not self._air.exchange_mtu(self._linked(number)):
            raise Refusal("OSError", _EALREADY)


def _plain(descriptors: list[Any]) -> list[tuple[bytes, int]]:
    return [(bytes.fromhex(uuid), flags) for uuid, flags in descriptors]


def _uuid(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)
