# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Addresses of this host that stand for those of the air: a 127.x.y.0/24 for each network."""

import random
import socket

from muster_harness.errors import AirError

# A DHCP server's port, moved out of the privileged ones: whoever holds it owns the range.
_CLAIM_PORT = 20067
_TRIES = 200


class AddressRange:
    """A /24 of the loopback network, owned until `release` or the end of the process."""

    def __init__(self) -> None:
        """Claim a free /24 of 127.0.0.0/8. Raises AirError if no try finds one."""
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

    def __contains__(self, address: str) -> bool:
        return address.startswith(self.prefix)

    def release(self) -> None:
        self._claim.close()


def host_port(port: int) -> int:
    """Return the port on this host of a board's port: those below 1024 would need root."""
    return port + 20000 if 0 < port < 1024 else port
