# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# bluetooth: the Python face of BLE. Its handler runs where the program waits; on a board it
# interrupts the program.

from binascii import hexlify, unhexlify

import host_link
from arguments import at_most, integer

FLAG_READ = 2
FLAG_WRITE_NO_RESPONSE = 4
FLAG_WRITE = 8
FLAG_NOTIFY = 16
FLAG_INDICATE = 32

_READ_REQUEST = 4
# Where an event has an address or data, and where a UUID.
_VIEWS = {1: (2,), 2: (2,), 5: (1, 4), 7: (2,), 8: (2,), 15: (2,), 18: (2,), 19: (2,)}
_UUIDS = {9: 3, 11: 4, 13: 2}

__all__ = (
    "BLE",
    "FLAG_INDICATE",
    "FLAG_NOTIFY",
    "FLAG_READ",
    "FLAG_WRITE",
    "FLAG_WRITE_NO_RESPONSE",
    "UUID",
)


def _uuid_bytes(value):
    if isinstance(value, int):
        if integer(value) > 65535:
            raise ValueError("invalid UUID")
        return (value & 0xFFFF).to_bytes(2, "little")
    given = value.encode() if isinstance(value, str) else bytes(memoryview(value))
    if len(given) in (2, 4, 16):
        return given
    digits = given.replace(b"-", b"")
    for digit in digits:
        if chr(digit) not in "0123456789abcdefABCDEF":
            raise ValueError("invalid char in UUID")
    if len(digits) != 32:
        raise ValueError("UUID too " + ("long" if len(digits) > 32 else "short"))
    return bytes(reversed(unhexlify(digits)))


class UUID(bytes):
    def __init__(self, value):
        super().__init__(_uuid_bytes(value))

    def _key(self):
        content = bytes(self)
        return len(content), content

    def __eq__(self, other):
        return isinstance(other, UUID) and self._key() == other._key()

    def __ne__(self, other):
        return not self == other

    def __lt__(self, other):
        return self._key() < other._key()

    def __le__(self, other):
        return self._key() <= other._key()

    def __gt__(self, other):
        return self._key() > other._key()

    def __ge__(self, other):
        return self._key() >= other._key()

    def __hash__(self):
        return hash(bytes(self))

    def __repr__(self):
        text = hexlify(bytes(reversed(bytes(self)))).decode()
        if len(text) < 32:
            return "UUID(0x%s)" % text
        cuts = (0, 8, 12, 16, 20, 32)
        return "UUID('%s')" % "-".join(text[a:b] for a, b in zip(cuts, cuts[1:]))

    __str__ = __repr__


# What has happened so far comes first, but no handler interrupts another one.
def _ask(verb, *arguments):
    if not _depth:
        host_link.refresh()
        host_link.deliver()
    return host_link.request("ble", verb, *arguments)


def _hex(data):
    return hexlify(data.encode() if isinstance(data, str) else memoryview(data))


def _optional(data):
    return None if data is None else _hex(data)


def _wanted(uuid):
    if uuid is not None and not isinstance(uuid, UUID):
        raise TypeError("UUID")
    return None if uuid is None else hexlify(bytes(uuid))


def _described(uuid, what):
    if not isinstance(uuid, UUID):
        raise ValueError("invalid %s UUID" % what)
    return hexlify(bytes(uuid))


def _characteristic(given):
    if len(given) not in (2, 3):
        raise ValueError("invalid characteristic tuple")
    uuid = _described(given[0], "characteristic")
    descriptors = given[2] if len(given) > 2 else ()
    of_it = [(_described(u, "descriptor"), integer(flags)) for u, flags in descriptors]
    return uuid, integer(given[1]), of_it


_handler = None
_one = None
_depth = 0  # of handlers that run


class BLE:
    def __new__(cls):
        global _one
        _one = _one or object.__new__(cls)
        return _one

    def active(self, *flag):
        at_most(1, flag, 1)
        return _ask("active", *map(bool, flag))

    def config(self, *names, **values):
        if values:
            if names:
                raise TypeError("can't specify pos and kw args")
            for name, value in values.items():
                _ask("set_config", name, _hex(value) if name == "gap_name" else integer(value))
            return None
        if len(names) != 1:
            raise TypeError("must query one param")
        value = _ask("config", names[0])
        if names[0] == "mac":
            return value[0], unhexlify(value[1])
        return unhexlify(value) if names[0] == "gap_name" else value

    def irq(self, handler):
        global _handler
        if handler is not None and not callable(handler):
            raise ValueError("invalid handler")
        _handler = handler
        _ask("listen", handler is not None)

    def gap_advertise(
        self, interval_us=500000, adv_data=None, *, resp_data=None, connectable=True
    ):
        interval_us = None if interval_us is None else integer(interval_us)
        data = _optional(adv_data), _optional(resp_data)
        _ask("advertise", interval_us, *data, bool(connectable))

    def gap_scan(self, duration_ms=0, interval_us=1280000, window_us=11250, active=False):
        integer(interval_us)
        integer(window_us)
        _ask("scan", None if duration_ms is None else integer(duration_ms), bool(active))

    def gap_connect(self, addr_type, addr=None, duration_ms=None, *intervals_us):
        at_most(2, intervals_us, 4)
        if addr_type is None and addr is None:
            return _ask("cancel_connect")
        if addr is None:
            raise TypeError("invalid addr")
        addr = memoryview(addr)
        if len(addr) != 6:
            raise ValueError("invalid addr")
        duration_ms = 2000 if duration_ms is None else integer(duration_ms)
        return _ask("connect", integer(addr_type), hexlify(addr), duration_ms)

    def gap_disconnect(self, conn_handle):
        return _ask("disconnect", integer(conn_handle))

    def gap_pair(self, conn_handle):
        _ask("pair", integer(conn_handle))

    # Nobody asks for one: devices of the air pair without.
    def gap_passkey(self, conn_handle, action, passkey):
        raise OSError(22)

    def gatts_register_services(self, services):
        plain = [
            (_described(uuid, "service"), [_characteristic(part) for part in parts])
            for uuid, parts in services
        ]
        return tuple([tuple(handles) for handles in _ask("register", plain)])

    def gatts_read(self, value_handle):
        return unhexlify(_ask("gatts_read", integer(value_handle)))

    def gatts_write(self, value_handle, data, send_update=False):
        _ask("gatts_write", integer(value_handle), _hex(data), bool(send_update))
        return len(data)

    def gatts_notify(self, conn_handle, value_handle, data=None):
        _ask("notify", integer(conn_handle), integer(value_handle), _optional(data), False)

    def gatts_indicate(self, conn_handle, value_handle, data=None):
        _ask("notify", integer(conn_handle), integer(value_handle), _optional(data), True)

    def gatts_set_buffer(self, value_handle, len, append=False):
        _ask("set_buffer", integer(value_handle), integer(len), bool(append))

    def gattc_discover_services(self, conn_handle, uuid=None):
        _ask("services", integer(conn_handle), _wanted(uuid))

    def gattc_discover_characteristics(self, conn_handle, start_handle, end_handle, uuid=None):
        handles = integer(start_handle), integer(end_handle)
        _ask("characteristics", integer(conn_handle), *handles, _wanted(uuid))

    def gattc_discover_descriptors(self, conn_handle, start_handle, end_handle):
        _ask("descriptors", integer(conn_handle), integer(start_handle), integer(end_handle))

    def gattc_read(self, conn_handle, value_handle):
        _ask("read", integer(conn_handle), integer(value_handle))

    def gattc_write(self, conn_handle, value_handle, data, mode=0):
        handles = integer(conn_handle), integer(value_handle)
        _ask("write", *handles, _hex(data), integer(mode))

    def gattc_exchange_mtu(self, conn_handle):
        _ask("exchange_mtu", integer(conn_handle))


def _handle(event, data):
    ticket = data.pop() if event == _READ_REQUEST else None
    for place in _VIEWS.get(event, ()):
        data[place] = memoryview(unhexlify(data[place]))
    if event in _UUIDS:
        data[_UUIDS[event]] = UUID(unhexlify(data[_UUIDS[event]]))
    status = None
    try:
        if _handler:
            status = _handler(event, tuple(data))
    finally:
        if ticket is not None:
            host_link.notify("ble", "answer", ticket, status if isinstance(status, int) else 0)


def _on_heard(events):
    global _depth
    _depth += 1
    try:
        for event, data in events:
            host_link.protected(_handle, event, data)
    finally:
        _depth -= 1


def _on_event(events):
    _on_heard(events)
    host_link.notify("ble", "handled")


host_link.handlers["ble"] = _on_event
host_link.handlers["ble_heard"] = _on_heard
