# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Deeds as the audit log takes them, whichever way the request went."""

import logging

from muster_server.errors import HostError
from muster_server.store.audit import AuditStore, Deed

log = logging.getLogger(__name__)

_LONGEST = 64


def write_down(store: AuditStore, deed: Deed) -> None:
    """Write a line. If that cannot be, the server's log has it."""
    try:
        store.add(deed)
    except HostError as error:
        log.error("not in the audit log: %s by %s: %s", deed.deed, deed.who, error)


def called(route: str) -> str:
    """Return what the deed of this route is called in the log, e.g. "register device"."""
    return route.replace("_", " ")


def deed_by(
    who: str, owner: str, address: str, deed: str, about: str, status: int, at: float
) -> Deed:
    """The deed as the log takes it: names that are too long are cut."""
    return Deed(at, who[:_LONGEST], owner, address, deed, about[:_LONGEST], status)
