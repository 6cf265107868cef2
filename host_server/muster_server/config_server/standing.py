# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The four facts that are told of a device, everywhere: what it runs, how its newest attempt
went, what it waits for, and when it was heard last. Besides, that its label was used while its
window was closed: by the device after a factory reset, or by somebody who once had it.

Each is what somebody has seen or proved. What follows from nothing is not told.
"""

from dataclasses import dataclass, field
from typing import Any

from muster_server.store.bundles import Bundle
from muster_server.store.claims import Claim, Version
from muster_server.store.contacts import Contact

# A trial is over by then: before that, a device that is online tells by itself.
TRIAL_S = 900.0
# A device that is asked to come again may be held up for so long: its network, its back-off.
_LATE_S = 900.0
_PREPARE, _FIND, _RECEIVE, _REGISTER = 2, 3, 6, 9
# What somebody has to mend; whatever else fails may pass by itself, and the device tries again.
_TO_MEND = (
    "wifi_auth",
    "wifi_security",
    "config_invalid",
    "config_not_newer",
    "clock_unknown",
    "platform_tls",
    "platform_refused",
    "platform_conflict",
    "server_untrusted",
    "storage_failed",
)


@dataclass(frozen=True)
class Known:
    """All that is known of one device."""

    claim: Claim
    contact: Contact | None  # the newest that is believed
    knock: Contact | None  # the newest under the label while the window was closed
    versions: list[Version]  # those that still have a valid key, the oldest first
    bundles: list[Bundle]  # the oldest first
    is_window_open: bool
    is_outdated: bool  # the profile would make something else than the newest version
    now: float
    group: str = ""
    tags: list[str] = field(default_factory=list)

    @property
    def proved(self) -> Version | None:
        """The version that the device has proved."""
        number = self.claim.version
        return next((v for v in self.versions if v.number == number > 0), None)

    @property
    def given(self) -> Version | None:
        """The newest version that the device was given by a sync."""
        given = [v for v in self.versions if v.handed_out_at is not None]
        return given[-1] if given else None

    @property
    def is_at_work(self) -> bool:
        """Tell whether it was seen at work, whatever came after."""
        return self.claim.version > 0 or self.claim.status == "registered"

    @property
    def news(self) -> Contact | None:
        """The knock, if nothing that is believed has come since. Whoever once had the device may
        have knocked: it is told, and changes nothing else.
        """
        knock, heard = self.knock, last_heard(self)
        if knock is None:
            return None
        return knock if knock.at > (heard["at"] if heard is not None else 0.0) else None

    @property
    def is_blank(self) -> bool:
        """Tell whether the newest that is believed is that it has no configuration."""
        contact = self.contact
        is_newest = contact is not None and contact.at >= (self.claim.seen_at or 0.0)
        return is_newest and contact is not None and contact.state == "blank"


def standing(known: Known) -> dict[str, Any]:
    """The facts; the portal has the words for them."""
    attempt = newest_attempt(known)
    return {
        "runs": runs(known),
        "attempt": attempt,
        "waiting_for": waiting_for(known, attempt),
        "last_heard": last_heard(known),
        "label_used": label_used(known),
    }


def runs(known: Known) -> dict[str, Any] | None:
    """Return what it runs, as far as it was proved; None: nothing. The version is None if the
    platform has seen the device, and nobody has proved with which.
    """
    if not known.is_at_work:
        return None
    if known.is_blank:
        return None
    version = known.proved
    since = version.proved_at if version is not None else _step(known.claim, _REGISTER).get("at")
    return {
        "version": known.claim.version or None,
        "since": since,
        "is_certain": known.news is None or known.news.state != "blank",
    }


def newest_attempt(known: Known) -> dict[str, Any] | None:
    """Return the newest try of a configuration: `ok`, `failed` or `under_way`; None before the
    first. A failure that healed is none.
    """
    claim = known.claim
    if claim.last is not None and claim.status != "handed_out":
        return failed_attempt(claim, claim.last)
    if claim.status == "handed_out":
        given, carried = known.given, _carried(known)
        number = carried.version if carried else given.number if given else None
        done = [n for n in range(_FIND, _REGISTER) if _step(claim, n).get("state") == "done"]
        step = max(done, default=_RECEIVE)
        return {
            "state": "under_way",
            "version": number,
            "step": step,
            "code": None,
            "detail": "",
            "at": _step(claim, step).get("at"),
        }
    if claim.status in ("applied", "registered"):
        return {
            "state": "ok",
            "version": claim.version or None,
            "step": _REGISTER,
            "code": "ok",
            "detail": "",
            "at": _step(claim, _REGISTER).get("at"),
        }
    return None


def failed_attempt(claim: Claim, last: dict[str, Any]) -> dict[str, Any]:
    """Return the attempt that has ended so, as the device told it last."""
    return {
        "state": "failed",
        "version": last["config"] or None,
        "step": last["step"],
        "code": last["code"],
        "detail": last["detail"],
        "at": _step(claim, last["step"]).get("at"),
    }


def waiting_for(known: Known, attempt: dict[str, Any] | None) -> dict[str, Any]:
    """Return who has to do something next, what, and about when if that is known."""
    who, what, at = _next(known, attempt)
    return {"who": who, "what": what, "at": at, "version": _awaited_version(known)}


def _next(known: Known, attempt: dict[str, Any] | None) -> tuple[str, str, float | None]:
    claim, news = known.claim, known.news
    if news is not None and known.is_at_work and known.is_window_open:
        return "you", "press", claim.window_until
    if news is not None and known.is_at_work:
        return "you", "open_after_reset" if news.state == "blank" else "open_if_wanted", None
    if attempt is not None and attempt["state"] == "failed":
        return _after_failure(known, attempt)
    carried = _carried(known)
    if carried is not None:
        is_given = carried.handed_out_at is not None
        return "you", "apply_bundle" if is_given else "carry_bundle", carried.expires_at
    if claim.status == "handed_out":
        return _under_trial(known)
    if claim.status == "applied":
        return "platform", "sighting", None
    if known.is_at_work:
        return _at_work(known)
    if not known.is_window_open:
        return "you", "open_window", None
    return "you", "press", claim.window_until


def _after_failure(known: Known, attempt: dict[str, Any]) -> tuple[str, str, float | None]:
    is_ours = attempt["version"] is None and attempt["step"] in (_PREPARE, _RECEIVE)
    if is_ours and attempt["code"] == "platform_unreachable":
        return "platform", "account", None
    if any(b.version == attempt["version"] and b.outcome for b in known.bundles):
        return "you", "new_bundle", None
    if not known.is_at_work and not known.is_window_open:
        return "you", "open_window", None
    is_mended = not is_ours and known.is_outdated
    if attempt["code"] in _TO_MEND and not is_mended:
        return "you", "mend", None
    return "device", "contact", _next_at(known)


def _under_trial(known: Known) -> tuple[str, str, float | None]:
    given = known.given
    since = given.handed_out_at if given is not None else None
    if since is None:
        return "device", "contact", _next_at(known)
    if known.now < since + TRIAL_S:
        return "device", "trial", since + TRIAL_S
    if not known.is_at_work and not known.is_window_open:
        return "you", "open_window", None
    return "device", "silent_since_trial", _next_at(known)


def _at_work(known: Known) -> tuple[str, str, float | None]:
    next_at = _next_at(known)
    if next_at is not None and known.now > next_at + _LATE_S:
        return "device", "overdue", next_at
    if known.is_outdated:
        return "device", "contact", next_at
    return "nothing", "nothing", next_at


def last_heard(known: Known) -> dict[str, Any] | None:
    """Return when something came from it, which way, and from which address if it was a sync."""
    contact, seen_at = known.contact, known.claim.seen_at
    if contact is not None and contact.at >= (seen_at or 0.0):
        return {"at": contact.at, "by": "sync", "address": contact.address, "key": contact.k}
    if seen_at is None:
        return None
    by = "sync"
    if any(bundle.receipt_at == seen_at for bundle in known.bundles):
        by = "receipt"
    elif contact is not None or any(bundle.seen_at == seen_at for bundle in known.bundles):
        by = "platform"
    return {"at": seen_at, "by": by, "address": None, "key": None}


def label_used(known: Known) -> dict[str, Any] | None:
    """The newest use of the label outside its window; None once the device has spoken since."""
    news = known.news
    if news is None:
        return None
    return {"at": news.at, "address": news.address, "state": news.state}


def _carried(known: Known) -> Bundle | None:
    """The newest bundle, if it is what the device is to get next."""
    if not known.bundles:
        return None
    bundle, given = known.bundles[-1], known.given
    is_newest = bundle.version > max(known.claim.version, given.number if given else 0)
    return bundle if is_newest and bundle.outcome is None and bundle.seen_at is None else None


def _awaited_version(known: Known) -> int | None:
    return known.versions[-1].number if known.versions else None


def _next_at(known: Known) -> float | None:
    return known.contact.next_at if known.contact is not None else None


def _step(claim: Claim, step: int) -> dict[str, Any]:
    found: dict[str, Any] = claim.progress.get(str(step)) or {}
    return found
