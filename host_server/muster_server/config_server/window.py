# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The onboarding window: the time in which the label may be used to fetch a configuration.

The rule, all of it: step 1 or the owner opens the window and says until when. The first window of
a claim that nobody has proved may have no end of its own: it ends with the claim, a day after a
bundle was handed out, or a day after the claim was proved. The owner may close it, and the first
proof that the device runs on what it got does. A profile with `"reonboarding": "always"` has no
window: its labels always open.
"""

from muster_server.errors import Invalid
from muster_server.frozen import replaced
from muster_server.store.claims import Claim
from muster_server.store.config import Records

WINDOW_S = 24 * 3600  # unless whoever opens it says otherwise
LONGEST_S = 14 * 24 * 3600


def is_open(records: Records, claim: Claim, now: float) -> bool:
    """Tell whether the label is answered with a configuration."""
    if is_invited(claim, now):
        return True
    profile = records.profile(claim.profile) or {}
    return profile.get("reonboarding") == "always"


def is_invited(claim: Claim, now: float) -> bool:
    """Tell whether somebody has opened the window, and wants the device to onboard."""
    end = ends_at(claim)
    return end is not None and now < end


def ends_at(claim: Claim) -> float | None:
    """Return when the window that was opened ends, in Unix seconds; None if it is closed."""
    if not claim.window_open:
        return None
    return claim.window_until if claim.window_until is not None else claim.expires_at


def chosen_end(until: int | None, now: float) -> float:
    """Return the end of a window that is opened now, in Unix seconds.

    Raises Invalid if what was asked for is past, or more than 14 days ahead.
    """
    if until is None:
        return now + WINDOW_S
    if not now < until <= now + LONGEST_S:
        raise Invalid(
            f"wanted Unix seconds after {int(now)} and until {int(now) + LONGEST_S}, "
            f"{LONGEST_S // 86400} days from now",
            path="until",
        )
    return float(until)


def opened(claim: Claim, until: float | None) -> Claim:
    """The claim with a window that is open until then; None: as long as nobody proves it."""
    return replaced(claim, window_open=True, window_until=until)


def running_out(claim: Claim, now: float) -> Claim:
    """The claim, whose window has an end from now on, if it is open."""
    if claim.window_open and claim.window_until is None:
        return replaced(claim, window_until=now + WINDOW_S)
    return claim


def closed(claim: Claim) -> Claim:
    """The claim with a closed window."""
    return replaced(claim, window_open=False, window_until=None)
