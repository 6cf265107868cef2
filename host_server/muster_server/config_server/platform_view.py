# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The view that a platform has of an originator that is registered, or tries to be."""

from dataclasses import dataclass
from datetime import datetime

from muster_server.config_server.report import Entry, entries
from muster_server.document import Fields, parse_json, wrong
from muster_server.errors import Invalid, ServiceUnreachable
from muster_server.store.history import Moment

REGISTER = 9
_MOST_SEEN = 256
_AT_HOME = ("registered", "renewed", "came_again", "first_reading")


@dataclass(frozen=True)
class PlatformView:
    """The platform's view of an originator, and the newest timeline that its device left there."""

    moments: tuple[Moment, ...] = ()
    timeline: tuple[Entry, ...] = ()
    timeline_at: float | None = None

    @property
    def first_at_home(self) -> float | None:
        """The time at which the device was first seen there, as far as is remembered."""
        return min((moment.at for moment in self._at_home), default=None)

    def at_home_since(self, since: float) -> float | None:
        """Return the time at which the device was first seen there after this moment."""
        times = (moment.until for moment in self._at_home if moment.until >= since)
        return min(times, default=None)

    @property
    def _at_home(self) -> list[Moment]:
        return [moment for moment in self.moments if moment.what in _AT_HOME]


def parse_view(answer: bytes) -> PlatformView:
    """The view in the answer of the product's own platform; ServiceUnreachable if it is none."""
    try:
        fields = Fields(parse_json(answer))
        moments = [_moment(Fields(item)) for item in fields.items("seen", high=_MOST_SEEN)]
        if fields.required("timeline") is None:
            return PlatformView(tuple(moments))
        return PlatformView(tuple(moments), *_left_timeline(fields.fields("timeline")))
    except Invalid as error:
        raise ServiceUnreachable(f"the platform's answer is not one: {error}") from None


def _moment(sight: Fields) -> Moment:
    return Moment(
        source="platform",
        at=_number(sight, "at"),
        until=_number(sight, "until"),
        times=sight.integer("times", 1),
        what=sight.text("what", 1, 32),
        step=REGISTER,
        code=sight.text("code", 1, 32),
        detail=sight.text("detail", high=200),
    )


def _number(fields: Fields, name: str) -> float:
    value = fields.required(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(fields.at(name), "wanted a number")
    return float(value)


def _left_timeline(kept: Fields) -> tuple[tuple[Entry, ...], float | None]:
    """A device wrote it: what cannot be read is as if it were not there."""
    try:
        items = Fields(parse_json(kept.text("con", high=65536))).items("timeline", high=64)
        left = entries(items)
        # oneM2M's basic format, e.g. "20261123T075904,012551", which is UTC.
        at = datetime.strptime(kept.text("ct")[:15] + "+0000", "%Y%m%dT%H%M%S%z")
    except (Invalid, ValueError):
        return (), None
    return left, at.timestamp()
