# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The events of a device's sixty days, and of the short version."""

from tests.soak.life import Event, Plan, outage
from tests.soak.world import World

LEASE_S = 6 * 86400


def _server_down(begin: float, hours: float) -> list[Event]:
    return [
        Event(begin, "configuration server down", lambda world: world.config.stop(), True),
        Event(begin + hours / 24, "configuration server up", lambda world: world.config.start()),
    ]


def _platform_down(begin: float, hours: float) -> list[Event]:
    return [
        Event(begin, "platform down", lambda world: world.platform.stop(), True),
        Event(begin + hours / 24, "platform up", lambda world: world.platform.start()),
    ]


def _certificate_ends(begin: float, hours: float) -> list[Event]:
    """Replace the certificate by one that ends after a day and a half, and that one too late."""

    def replace(days: float, world: World) -> None:
        world.renew_certificate(days)

    late = begin + 1.5 + hours / 24
    return [
        Event(begin, "certificate for 1.5 days", lambda world: replace(1.5, world)),
        Event(late, "certificate for ten years", lambda world: replace(3650, world)),
    ]


def _migration(begin: float, hours: float) -> list[Event]:
    return [
        Event(begin, "server moved to another port", lambda world: world.migrate(8431)),
        Event(begin + hours / 24, "former server gone", lambda world: world.old_config.stop()),
    ]


def sixty_days() -> Plan:
    events = [
        *outage(2, hours=3),
        *_server_down(5, hours=30),  # more than a day without an answer: it asks as adopted
        *_platform_down(9, hours=6),
        *_certificate_ends(14, hours=6),
        *outage(25, hours=7 * 24),  # longer than the lease: the registration is gone
        *_migration(40, hours=24),
        *_server_down(48, hours=4),
        *outage(52, hours=1),
    ]
    return Plan(events, sync_s=12 * 3600, interval_s=8 * 3600, shortest_s=45, is_bare=True)


def nine_hours() -> Plan:
    """Over the wrap, an outage and a migration."""
    events = [*outage(2 / 24, hours=0.5), *_migration(4 / 24, hours=3)]
    return Plan(events, sync_s=3600, interval_s=1800, shortest_s=7, is_bare=False)
