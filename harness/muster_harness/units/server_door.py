# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The way from this host to web servers of an emulated board: a visitor of the board's network."""

import time
from collections.abc import Callable

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.address_range import host_port
from muster_harness.air.air import Air
from muster_harness.air.listening import listens
from muster_harness.air.visitor import Visitor
from muster_harness.errors import BoardError

_LISTENS_WITHIN_S = 2.0  # after the words with which many servers say that they are about to
_LOOK_S = 0.005


class ServerDoor:
    """Lets a visitor in when it is first asked, and again when the board has changed networks.

    `own_network` tells the network that the board is in, and its address there.
    """

    def __init__(
        self, air: Air, board: str, own_network: Callable[[], tuple[AccessPoint, str] | None]
    ):
        self._air = air
        self._board = board
        self._own_network = own_network
        self._visitor: Visitor | None = None

    def url(self, port: int, path: str, address: str | None) -> str:
        """Return the URL for clients on this host, once the board listens there, or soon.

        Raises BoardError without a network.
        """
        network = self._own_network()
        if network is None:
            raise BoardError(
                f"{self._board} is in no network, so nobody reaches its servers; wait until its "
                "program says that it has joined one, or has opened its own, and ask again"
            )
        point, own = network
        if self._visitor is None or not self._visitor.is_joined or self._visitor.network != point:
            self.close()
            name = f"client of {self._board}"
            self._visitor = self._air.visit(point.ssid, point.password, name=name)
        _wait_for_server(address or own, host_port(port))
        host, local = self._visitor.endpoint(port, address or own)
        return f"http://{host}:{local}{path}"

    def close(self) -> None:
        """Send the visitor home."""
        if self._visitor is not None:
            self._visitor.close()
            self._visitor = None


def _wait_for_server(address: str, port: int) -> None:
    end = time.monotonic() + _LISTENS_WITHIN_S
    while not listens(address, port) and time.monotonic() < end:
        time.sleep(_LOOK_S)
