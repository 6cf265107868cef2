# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measure whether the time that a refusal takes tells which device ids there are.

Interleaved syncs of three kinds are refused by one configuration server: a known id with a wrong
key, an unknown id, and an adopted device's id with the key of its label. For each two kinds one
reckons the chance that one of the first takes longer than one of the other (the area under the
ROC curve), which is 0.5 if the times tell nothing. The figure is how far it is off.
"""

import itertools
import random
import secrets
import time
from bisect import bisect_left, bisect_right

from muster_server.config_server.recognition import Stranger
from muster_server.label import Label, new_label
from tests.host_server.config_server.field import Device, open_field
from tests.wire.syncs import BLANK

SYNCS = 2000  # of each kind
_WARMING = 50
_SEED = 20261130


class _Guesser(Device):
    """Somebody with a key that is none, or that of the label alone."""

    has_label = False

    def key(self, k: str) -> bytes:
        return self.label.key("sync-psk") if self.has_label else secrets.token_bytes(32)


def area(some: list[float], others: list[float]) -> float:
    """Return the chance that one of the first takes longer than one of the others; 0 to 1."""
    ordered = sorted(others)
    wins = sum(bisect_left(ordered, x) + bisect_right(ordered, x) for x in some)
    return wins / (2 * len(some) * len(others))


def measure(syncs: int = SYNCS) -> dict[str, float]:
    """Return how far the area is off 0.5, for each two kinds: 0 to 0.5."""
    found = _times(syncs)
    return {
        f"refusal.{one}_or_{other}": abs(area(found[one], found[other]) - 0.5)
        for one, other in itertools.combinations(found, 2)
    }


def _times(syncs: int) -> dict[str, list[float]]:
    with open_field() as place:
        adopted = place.registered()
        adopted.onboard()
        known = _Guesser(place, adopted.label)
        holder = _Guesser(place, adopted.label)
        holder.has_label = True
        unknown = _Guesser(place, new_label())
        kinds = {"known": (known, "label"), "unknown": (unknown, "label")}
        kinds["adopted"] = (holder, "adopted")
        order = [kind for kind in kinds for _ in range(syncs + _WARMING)]
        random.Random(_SEED).shuffle(order)
        found: dict[str, list[float]] = {kind: [] for kind in kinds}
        for n, kind in enumerate(order):
            device, k = kinds[kind]
            if kind == "unknown":
                device.label = Label(new_label().device_id, device.label.secret)
            message = device.sealed(k, BLANK)[1]
            place.clock.pass_s(1)  # as slowly as the limits let strangers come
            address = f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
            began = time.perf_counter()
            try:
                place.sync.answer(device.id, k, message, address)
            except Stranger as stranger:
                stranger.wait()  # as the server's way does
                found[kind].append(time.perf_counter() - began)
        if any(len(times) != syncs + _WARMING for times in found.values()):
            raise AssertionError("a sync was not refused")
        return {kind: times[_WARMING:] for kind, times in found.items()}


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:<32} {value:.4f}")
