# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Rough weather: what other people's access points and proxies do to a device at work.

An ill twin of its network, links that are dead but "joined", a proxy that reloads every day, hours
without a name server.
"""

from collections.abc import Iterator
from itertools import cycle

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.dead_links import Cure
from tests.soak.life import Event, Plan
from tests.soak.world import PASSWORD, World

_CURES: tuple[Cure, ...] = ("association", "radio", "restart")
_MINUTE = 1 / 1440
_ILL = 5  # "too many stations", to everyone who tries to associate


def _zombie(day: float, until: Cure) -> Event:
    """Joined, and nothing passes until the device has done this."""
    return Event(day, f"dead until {until}", lambda world: _strike(world, until))


def _strike(world: World, until: Cure) -> None:
    world.operational.go_dead(until=until)


def _reload(day: float) -> list[Event]:
    """The front end of the platform is not there for two minutes."""
    return [
        Event(day, "proxy reloads", lambda world: world.platform.stop(), True),
        Event(day + 2 * _MINUTE, "proxy is back", lambda world: world.platform.start()),
    ]


def _no_names(day: float, hours: float) -> list[Event]:
    def tell(world: World, is_silent: bool) -> None:
        world.operational.dns.is_silent = is_silent

    return [
        Event(day, "no name server", lambda world: tell(world, True)),
        Event(day + hours / 24, "name server", lambda world: tell(world, False)),
    ]


def _ill_twin(day: float, hours: float) -> list[Event]:
    """A louder access point of that name lets nobody in; the device has to join anew meanwhile."""
    twins: list[AccessPoint] = []

    def come(world: World) -> None:
        twin = world.air.add_access_point("factory", password=PASSWORD, channel=1, rssi=-40)
        twin.refuse(_ILL)
        twins.append(twin)
        world.operational.disconnect_all()

    return [
        Event(day, "ill twin", come),
        Event(day + hours / 24, "ill twin gone", lambda world: twins.pop().remove()),
    ]


def _weather(days: int) -> Iterator[Event]:
    cures = cycle(_CURES)
    for day in range(1, days):
        yield from _reload(day + 0.3)
        if day % 7 in (2, 5):
            yield _zombie(day + 0.5, next(cures))
        if day % 7 == 3:
            yield from _no_names(day + 0.6, hours=1)
        if day % 14 == 6:
            yield from _ill_twin(day + 0.7, hours=3)


def rough_days(days: int = 62) -> Plan:
    events = list(_weather(days))
    restarts = sum(event.what.endswith("restart") for event in events)
    return Plan(
        events,
        sync_s=12 * 3600,
        interval_s=8 * 3600,
        shortest_s=45,
        is_bare=True,
        restarts=restarts,
    )


def rough_day() -> Plan:
    """One of each, within sixteen hours."""
    events = [
        _zombie(1 / 24, "association"),
        _zombie(3 / 24, "radio"),
        _zombie(5 / 24, "restart"),
        *_reload(8 / 24),
        *_no_names(10 / 24, hours=1),
        *_ill_twin(13 / 24, hours=0.5),
    ]
    return Plan(
        events,
        sync_s=3600,
        interval_s=1800,
        shortest_s=15,
        is_bare=True,
        restarts=1,
    )
