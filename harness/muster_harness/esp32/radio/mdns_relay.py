# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Carries a board's one-shot mDNS queries (RFC 6762, 5.1) to real responders on this host.

A responder on loopback hears and answers everybody; in the air only the joined network answers.
So the query goes out from a socket of the relay, and of the answers only those come back that
name an address in the joined range, sent so that the board sees them come from the responder's
port 5353.
"""

import contextlib
import os
import socket
from collections.abc import Callable

from muster_harness.air.dns_message import addresses_in, question
from muster_harness.control import Later, Refusal
from muster_harness.esp32.parts.clock import BoardClock
from muster_harness.esp32.radio.driver import Radio
from muster_harness.loop import Loop

GROUP = "224.0.0.251"
PORT = 5353
_LISTEN_S = 3.0
_RESOLVE_S = 5.0  # MDNS_QUERY_TIMEOUT_MS of the port
_MOST_QUERIES = 32


class MDNSRelay:
    """One board's questions to the group. Everything runs in the board's loop."""

    def __init__(self, loop: Loop, clock: BoardClock, radio: Radio):
        self._loop = loop
        self._clock = clock
        self._radio = radio
        self._open: set[socket.socket] = set()

    def relay(self, query: bytes, board_port: int) -> None:
        """Ask the host's responders; whatever they answer goes to the board's UDP port."""
        if len(query) < 12:
            return
        asker = self._radio.address
        if not self._is_carried():
            return

        def take(answer: bytes) -> bool:
            if self._radio.address == asker and asker is not None:
                server = self._server_of(answer)
                if server is not None:
                    self._deliver(query[:2] + answer[2:], server, asker, board_port)
            return False

        self._ask(query, take, _LISTEN_S, lambda: None)

    def resolve(self, name: str) -> Later:
        """The address of a .local name; OSError(-2) on the board after five seconds."""
        later = Later()
        query = question(name, b"\0\0", flags=0)

        def take(answer: bytes) -> bool:
            server = self._server_of(answer)
            if server is not None:
                later.give(server)
            return server is not None

        def give_up() -> None:
            later.refuse(Refusal("OSError", -2))

        if self._is_carried():
            self._ask(query, take, _RESOLVE_S, give_up)
        else:
            self._clock.later(_RESOLVE_S, give_up)
        return later

    @property
    def is_asking(self) -> bool:
        """True while answers may still come."""
        return bool(self._open)

    def close(self) -> None:
        for asking in list(self._open):
            self._end(asking)

    def _ask(
        self,
        query: bytes,
        take: Callable[[bytes], bool],
        listen_s: float,
        on_end: Callable[[], None],
    ) -> None:
        if len(self._open) >= _MOST_QUERIES:
            on_end()  # a program that asks without end; multicast may be lost anyway
            return
        asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asking.setblocking(False)
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        asking.bind(("127.0.0.1", 0))
        # An id of our own: responders drop what looks like a repetition of another board's query.
        own = os.urandom(2) + query[2:]

        def read() -> None:
            with contextlib.suppress(OSError):  # nothing there, or nobody to ask
                answer = asking.recv(9000)
                if len(answer) >= 12 and answer[2] & 0x80 and take(answer):
                    self._end(asking)

        def end() -> None:
            if asking in self._open:
                self._end(asking)
                on_end()

        self._open.add(asking)
        self._loop.on_ready(asking.fileno(), read)
        self._loop.later(listen_s, end)
        with contextlib.suppress(OSError):  # no way to the group: nobody hears it
            asking.sendto(own, (GROUP, PORT))

    def _end(self, asking: socket.socket) -> None:
        self._open.discard(asking)
        self._loop.forget(asking.fileno())
        asking.close()

    # The access point repeats what a station sends to the group; without an acknowledgement.
    def _is_carried(self) -> bool:
        point = self._radio.joined
        return point is not None and point.carries_group(self._radio.name)

    def _server_of(self, answer: bytes) -> str | None:
        point = self._radio.joined
        if point is None:
            return None
        # A server with a foot in two networks names both its addresses, here as in the field.
        return next((a for a in addresses_in(answer) if a in point.addresses), None)

    def _deliver(self, answer: bytes, server: str, board: str, port: int) -> None:
        with (
            contextlib.suppress(OSError),  # a datagram may be lost
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        ):
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sender.bind((server, PORT))
            sender.sendto(answer, (board, port))
