# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Addresses of this host that stand for those of the air: a 127.x.y.0/24 for each network."""

import random
import re
import socket

from muster_harness.errors import AirError

# A DHCP server's port, moved out of the privileged ones: whoever holds it owns the range.
_CLAIM_PORT = 20067
_TRIES = 200
_GATEWAY = re.compile(r"127\.(\d{1,3})\.(\d{1,3})\.1")


class AddressRange:
    """A /24 of the loopback network, owned until `release` or the end of the process."""

    def __init__(self, gateway: str | None = None) -> None:
        """Claim the /24 of 127.0.0.0/8 around a gateway's address, .1, or any that is free.

        Raises AirError if there is no such range, or if it is taken.
        """
        if gateway is not None:
            self._claim_that_of(gateway)
            return
        # Not the test's random numbers: a seeded test must not meet itself here.
        choose = random.SystemRandom()
        for _ in range(_TRIES):
            # 127.0 is what everybody uses, 127.53 and 127.255 have uses on some hosts
            self.number = choose.randrange(64, 250) * 256 + choose.randrange(1, 255)
            self.prefix = f"127.{self.number >> 8}.{self.number & 255}."
            self._claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self._claim.bind((f"{self.prefix}0", _CLAIM_PORT))
                return
            except OSError:
                self._claim.close()
        raise AirError(
            f"no free 127.x.y.0/24 in {_TRIES} tries; is 127.0.0.0/8 on the loopback interface?"
        )

    def _claim_that_of(self, gateway: str) -> None:
        found = _GATEWAY.fullmatch(gateway)
        if not found or not 1 <= int(found[1]) <= 254 or int(found[2]) > 254:
            raise AirError(f'a network has a gateway like "127.77.1.1", and not {gateway!r}')
        self.number = int(found[1]) * 256 + int(found[2])
        self.prefix = gateway[:-1]
        self._claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._claim.bind((f"{self.prefix}0", _CLAIM_PORT))
        except OSError as e:
            self._claim.close()
            raise AirError(
                f"{gateway} is the address of another network of this machine ({e.strerror}); "
                "end whoever has it, or name another address"
            ) from None

    def __contains__(self, address: str) -> bool:
        return address.startswith(self.prefix)

    def release(self) -> None:
        self._claim.close()


def host_port(port: int) -> int:
    """Return the port on this host of a board's port: those below 1024 would need root."""
    return port + 20000 if 0 < port < 1024 else port
