# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The onboarding window: the time in which the label may be used to fetch a configuration.

The rule, all of it: step 1 or the owner opens the window. The first hand-out, by sync or by
bundle, sets its end. The first proof that the device runs on what it got closes it. A profile
with `"reonboarding": "always"` has no window: its labels always open.
"""

from dataclasses import replace

from muster_server.store.claims import Claim
from muster_server.store.config import Records

WINDOW_S = 24 * 3600  # from the first hand-out


def is_open(records: Records, claim: Claim, now: float) -> bool:
    """Tell whether the label is answered with a configuration."""
    profile = records.profile(claim.profile) or {}
    if profile.get("reonboarding") == "always":
        return True
    return claim.window_open and (claim.window_until is None or now < claim.window_until)


def opened(claim: Claim) -> Claim:
    """The claim with an open window, whose end the next hand-out sets."""
    return replace(claim, window_open=True, window_until=None)


def running_out(claim: Claim, now: float) -> Claim:
    """The claim after a hand-out: an open window without an end gets one."""
    if claim.window_open and claim.window_until is None:
        return replace(claim, window_until=now + WINDOW_S)
    return claim


def closed(claim: Claim) -> Claim:
    """The claim with a closed window."""
    return replace(claim, window_open=False, window_until=None)
