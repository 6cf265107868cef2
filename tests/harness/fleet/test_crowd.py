# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do the servers answer everybody who comes at the same moment?"""

from tests.bench import herd
from tests.bench.at_once import CLAIMS, LOOKS, SYNCS, crowd
from tests.bench.fleet import servers


def test_claims_looks_and_syncs_at_once_are_all_answered() -> None:
    with servers() as running:
        found = crowd(running)
    assert found.refusals == []
    done = {kind: len(times) for kind, times in found.times.items()}
    assert done == {"claim": CLAIMS, "look": LOOKS, "sync": SYNCS}


def test_herd_that_comes_back_after_an_outage_is_served_whole() -> None:
    """Raises if one device is not, or is refused with anything but 429 and 503."""
    found = herd.measure(devices=400, spread_s=2.0)
    assert found["herd.devices"] == 400
