# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The way from this host to web servers of an emulated board: a visitor of the board's network."""

from collections.abc import Callable

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.air import Air
from muster_harness.air.visitor import Visitor
from muster_harness.errors import BoardError


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
        """Return the URL for clients on this host. Raises BoardError without a network."""
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
        host, local = self._visitor.endpoint(port, address or own)
        return f"http://{host}:{local}{path}"

    def close(self) -> None:
        """Send the visitor home."""
        if self._visitor is not None:
            self._visitor.close()
            self._visitor = None
