# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Addresses between the board's view (tuples, newlib numbers) and the host's sockets.

import host_link
from arguments import text
from native import builtin

_native = builtin("socket")

ANY = "0.0.0.0"  # noqa: S104 (what an address of a board may be, no listener of the host)
_ITSELF = "127.0.0.1"
_itself = (
    ""  # the address that this board has for itself on the host, where 127.0.0.1 is everybody's
)
# Linux number: newlib number, where a socket can give it and they differ
_NEWLIB = {
    32: 104,
    98: 112,
    99: 125,
    101: 118,
    103: 113,
    106: 127,
    107: 128,
    110: 116,
    113: 118,
    114: 120,
    115: 119,
}


def newlib(e):
    return OSError(_NEWLIB.get(e.errno, e.errno))


# Ports below 1024 need root on the host: there they are 20000 higher.
def host_port(port):
    return port + 20000 if 0 < port < 1024 else port


def start(itself):
    global _itself
    _itself = itself
    link = host_link.links[2]
    link.address = _ITSELF
    link.prefix = "127.0.0."


def to_host(address, port):
    address = _itself if address == _ITSELF else address
    return _native.getaddrinfo(address, host_port(port))[0][-1]


def to_board(raw):
    parts = _native.sockaddr(raw)
    port = parts[2]
    address = _native.inet_ntop(2, parts[1])
    if address == _itself:
        address = _ITSELF
    elif address == _ITSELF:  # a program of the host
        address = ANY
    return address, port - 20000 if 20000 < port < 21024 else port


def resolve(host):
    host = host.decode() if isinstance(host, bytes) else host
    if not host:
        return ANY
    try:
        _native.inet_pton(2, host)
        return host
    except OSError:
        return host_link.request("resolve", host)


# As getaddrinfo() of lwIP takes it, which connect() and bind() ask: a number or its digits.
def service(port):
    try:
        port = int(text(port)) if not isinstance(port, int) else port
    except ValueError:
        port = -1
    if not 0 <= port <= 0xFFFF:
        raise OSError(-201)  # EAI_SERVICE
    return port


# As sendto() takes it: no names.
def numeric(host):
    try:
        if host:
            _native.inet_pton(2, host)
        return host or ANY
    except OSError:
        raise ValueError("invalid arguments")


# The interface in whose network an address is: 0 as a station, 1 as an access point, 2 to itself,
# 3 by Ethernet, or None.
def interface_to(address):
    for i in (0, 1, 2, 3):
        link = host_link.links[i]
        if link.address is not None and address.startswith(link.prefix):
            return i
    return None


def is_group(address):
    return 224 <= int(address[: address.find(".")]) < 240 or address == "255.255.255.255"


# Binds to a free port and returns it: a native socket cannot tell the one that the host chose.
def bind_somewhere(native, address):
    from os import urandom

    for _ in range(32):
        noise = urandom(2)
        port = 49152 + ((noise[0] << 8 | noise[1]) & 0x3FFF)  # RFC 6335, 6: dynamic ports
        try:
            native.bind(to_host(address, port))
            return port
        except OSError as e:
            if e.errno != 98:
                raise newlib(e)
    raise OSError(112)
