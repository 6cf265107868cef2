# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Uses of a label: each is noted, and one by a second device is told to the owner.

A label is a key that can be photographed. What shows a copy is that one version goes to two
addresses, or to two chips, before a device has proved it.
"""

from dataclasses import dataclass

from muster_server.frozen import replaced
from muster_server.store.claims import Claim, Version
from muster_server.store.config import Records

COPIED = "label_copied"
_MOST = 8  # a label that so many have is known to be copied


@dataclass(frozen=True)
class Use:
    """The place from which a label was used, and the chip that the report named."""

    address: str
    chip: str

    def __str__(self) -> str:
        return f"from {self.address}, chip {self.chip or 'not told'}"


def noted(records: Records, claim: Claim, version: Version, use: Use, now: float) -> Version:
    """Return the version that is handed to this device, which knows to whom it went before.

    The owner is told if that was to another address or another chip. A version that was proved is
    not handed out under the label any more.
    """
    given = version.handed_to or []
    here = [use.address, use.chip]
    if here in given or len(given) >= _MOST:
        return version
    if given:
        first = Use(*given[0])
        detail = f"version {version.number} went out {first}, and then {use}"
        records.add_event(claim, now, COPIED, detail)
        records.note(claim, now, COPIED, detail=detail)
    return replaced(version, handed_to=[*given, here])
