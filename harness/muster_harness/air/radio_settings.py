# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The bounds of what a script may set of an access point's radio."""

from muster_harness.errors import AirError

_BSSID_BYTES = 6
_CHANNELS = range(1, 15)


def checked_bssid(bssid: bytes | str) -> bytes:
    """Return the six bytes of a BSSID, also of "02:4d:75:00:00:01". Raises AirError for others."""
    try:
        raw = bytes.fromhex(bssid.replace(":", "")) if isinstance(bssid, str) else bytes(bssid)
    except (TypeError, ValueError):
        raw = b""
    if len(raw) != _BSSID_BYTES or raw[0] & 1:
        raise AirError(
            f'a BSSID is six bytes, or text as "02:4d:75:00:00:01", whose first byte is even, '
            f"not {bssid!r}"
        )
    return raw


def checked_channel(channel: int) -> int:
    """Return a channel of the 2.4 GHz band. Raises AirError for anything but 1 to 14."""
    if not isinstance(channel, int) or channel not in _CHANNELS:
        raise AirError(f"a channel is a number from 1 to 14, not {channel!r}")
    return channel
