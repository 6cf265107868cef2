# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Places in lists of devices: where a page of a list ends, and the next one goes on."""

from dataclasses import dataclass

from muster_server.errors import Invalid
from muster_server.store.claims import Claim
from muster_server.store.config import Records
from muster_server.store.device_list import Fit

_MARK = "~"  # between what a list is sorted by and the id, which has none


@dataclass(frozen=True)
class Place:
    """A device's place in a list; `value` is what the list is sorted by, None for the id."""

    device_id: str
    sort: str = "id"
    value: str | float | None = None

    @property
    def text(self) -> str:
        """The place as clients hold it, e.g. "PRESS-4", "press 4~PRESS-4"."""
        if self.sort == "heard":
            return f"{self.value!r}{_MARK}{self.device_id}"
        return self.device_id if self.sort == "id" else f"{self.value}{_MARK}{self.device_id}"

    def is_of(self, claim: Claim) -> bool:
        """Tell whether it is this claim that stands here, of several of one device."""
        if self.sort == "heard":
            return -(claim.seen_at or 0) == self.value
        return self.sort == "id" or claim.name == self.value


def after(
    records: Records, owner: str, sort: str, text: str | None, most: int, fit: Fit
) -> tuple[list[Place], Place | None]:
    """The next places of the owner's devices that fit, and the one where the search stopped, if
    it did so before its end. Invalid for a text that is no place.
    """
    if sort == "id":
        ids, last = records.devices.ids(owner, text or "", most, fit)
        return [Place(name) for name in ids], None if last is None else Place(last)
    place = _read(sort, text) if text else None
    found, stop = records.devices.sorted_ids(owner, sort, place, most, fit)
    places = [Place(device_id, sort, value) for value, device_id in found]
    return places, None if stop is None else Place(stop[1], sort, stop[0])


def _read(sort: str, text: str) -> tuple[str | float, str]:
    value, mark, device_id = text.rpartition(_MARK)
    if not mark:
        raise Invalid("wanted what `next` said before", path="after")
    if sort != "heard":
        return value, device_id
    try:
        return float(value), device_id
    except ValueError:
        raise Invalid("wanted what `next` said before", path="after") from None
