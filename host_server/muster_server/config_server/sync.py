# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The sync: a device reports, the server directs (steps 5 and 6, and every later contact)."""

import hashlib
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from muster_server.config_server import device_changes, label_uses, proof, window
from muster_server.config_server.device_timeline import note_reported
from muster_server.config_server.directions import SOON_S, Contact, Direction, kept
from muster_server.config_server.epoch import Epoch
from muster_server.config_server.label_uses import Use
from muster_server.config_server.limits import BY_REPLAYED, Familiar, Limits, RateLimit
from muster_server.config_server.noise import SHORTEST_BYTES
from muster_server.config_server.recognition import ADOPTED, LABEL, Holder, Stranger, authenticated
from muster_server.config_server.refusals import Refusals
from muster_server.config_server.report import Report, parse_report
from muster_server.config_server.versions import Versions, unreleased
from muster_server.document import compact_json
from muster_server.errors import (
    HostError,
    Invalid,
    Malformed,
    NotRecognised,
    Released,
    ServiceUnreachable,
    TooManyRequests,
)
from muster_server.frozen import replaced
from muster_server.store.claims import (
    CLAIM_LIFE_S,
    ENDED,
    Claim,
    VendorDevice,
    Version,
    living_until,
    new_nonce,
    with_step,
)
from muster_server.store.config import ConfigStore, Records
from muster_server.store.contacts import Contact as Heard
from muster_server.store.history import WINDOW_CLOSED

MESSAGE_LIMIT_BYTES = 8192
# Nobody owns it yet: step 1 may happen at any moment, and somebody may stand beside the device.
NOT_OWNED_RETRY_S = 5
CLOSED_RETRY_S = 300
INVALID_RETRY_S = 30
PLATFORM_RETRY_S = 10
_EVENT_EVERY_S = 3600
_ALL_STRANGERS = "all"
_REGISTER_FIRST = "register the device's label at the portal, then try again"

_KEYS = {LABEL: "the label's key", ADOPTED: "the key of an adopted device"}
_K = re.compile(rf"{LABEL}|{ADOPTED}|[1-9][0-9]{{0,15}}")


class SyncService:
    """Answers message 1 with message 2. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        versions: Versions,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        expiry: Callable[[], float] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._store = store
        self._versions = versions
        self._clock = clock
        self._expiry = expiry or clock
        self._monotonic = monotonic
        limits = limits or Limits()
        self._by_address = RateLimit(limits.by_address, monotonic)
        self._by_device = RateLimit(limits.by_device, monotonic)
        self._by_replayed = RateLimit(BY_REPLAYED, monotonic)
        self._strangers = RateLimit(limits.strangers, monotonic)
        self.familiar = Familiar()
        self._epoch = Epoch(store.shared_epoch, news=lambda: store.connections_made)
        self.refusals = Refusals(store)

    def answer(self, device_id: str, k: str, message: bytes, address: str) -> bytes:
        """Message 2. Stranger, NotRecognised, TooManyRequests or Malformed if there is none."""
        started, began = self._monotonic(), time.perf_counter()
        self._by_address.take(address)
        if len(message) < SHORTEST_BYTES:
            raise Malformed(f"wanted at least {SHORTEST_BYTES} bytes, got {len(message)}")
        if not _K.fullmatch(k):
            raise Malformed('wanted k=label, k=adopted or k=<version>, e.g. "k=7"', path="k")
        if address not in self.familiar:
            self._strangers.check(_ALL_STRANGERS)
        digest = hashlib.sha256(message).digest()[:16]
        holder = authenticated(self._store, device_id, k, message, digest, self._expiry())
        if holder is None:
            self._count_stranger(address)
            self.refusals.note(device_id, k, address, self._clock())
            raise Stranger(_REGISTER_FIRST, began)
        self.familiar.add(address)
        # After the first question to the database, which notices that it was away.
        self._epoch.refresh()
        report = parse_report(holder.opened.report)
        limit = self._by_replayed if holder.is_seen else self._by_device
        limit.take(f"{device_id} {address}")
        direction = self._directed(holder, report, digest, address, started)
        answer = holder.opened.answered(self._rendered(direction).encode())
        if answer is None:
            raise NotRecognised(_REGISTER_FIRST)
        return answer

    def _count_stranger(self, address: str) -> None:
        """Strangers share one bucket, so that many without a key keep nobody out who has one."""
        if address not in self.familiar:
            with suppress(TooManyRequests):  # this one was answered: the next one will not be
                self._strangers.take(_ALL_STRANGERS)

    def _rendered(self, direction: Direction) -> str:
        directive: dict[str, Any] = {
            "v": 1,
            "nonce": self._epoch.told(direction.nonce),
            "time": int(self._clock()),
            "action": direction.action,
            "retry_s": direction.retry_s,
        }
        if direction.config is not None:
            directive["config"] = direction.config
        return compact_json(directive)

    def _directed(
        self, holder: Holder, report: Report, digest: bytes, address: str, started: float
    ) -> Direction:
        owner = holder.owner
        if isinstance(owner, VendorDevice):
            with self._store.transaction(holder.device_id) as records:
                records.mark_vendor_device(holder.device_id, self._clock())
            return Direction("wait", owner.nonce, NOT_OWNED_RETRY_S)
        with self._versions.lock(owner):
            contact, direction = self._noted(owner, holder, report, digest, address, started)
            if direction is not None:
                return direction
            try:
                if holder.k == LABEL:
                    return self._configured(contact, report.config, started)
                return self._for_owned(contact, started)
            except Released:  # before, or at any moment since
                return self._forgotten(contact)

    def _noted(
        self,
        claim_id: str,
        holder: Holder,
        report: Report,
        digest: bytes,
        address: str,
        started: float,
    ) -> tuple[Contact, Direction | None]:
        """Write down what the report tells, as far as it proves it. Under a label whose window is
        closed it proves nothing: whoever once had the device may have that.

        NotRecognised if what opened the message has ended since.
        """
        now = self._clock()
        with self._store.transaction(holder.device_id) as records, records.history.together():
            claims = records.claims_of(holder.device_id)
            claim = next((claim for claim in claims if claim.id == claim_id), None)
            if claim is None:
                raise NotRecognised(_REGISTER_FIRST)
            version = _version_now(records, claim, holder, report)
            use = Use(address, report.hw)
            is_new = records.is_first_sight(claim.id, digest)
            is_shut_out = (
                holder.k == LABEL
                and claim.state == "proved"
                and not window.is_open(records, claim, now)
            )
            told = self._epoch.told(claim.nonce)
            is_proved = is_new and not is_shut_out and proof.is_proved(report, told)
            if is_new and not is_shut_out:
                detail = _about_report(holder.k, report, use, is_proved)
                records.note(claim, now, "reported", step=proof.SEND, detail=detail)
            former = claim
            # Before anything was proved, what a new message tells is all there is to show.
            if is_proved or (is_new and claim.state == "unproved"):
                note_reported(records, claim, report, now)
                claim = proof.recorded(claim, report, now)
            if is_proved and claim.state != "released":
                settled = proof.settle_claim(records, claim, now, claims)
                claim = replaced(settled, nonce=new_nonce())
                if version is not None and version.proved_at is None:
                    is_there = proof.shows_registration(report, version.number)
                    claim, version = proof.settle_version(
                        records, claim, version, now, is_registered=is_there
                    )
                    records.add_job("describe", now, **proof.described(claim, version))
            if is_proved and claim.state == "proved" and claim.version:
                device_changes.follow(records, claim, claim.last if report.last else None, now)
                if _described(claim) != _described(former):
                    device_changes.ask_to_tell(records, claim, now)
            if is_new and claim.state == "unproved":
                # A device that answers to it is not a squatter's invention.
                claim = living_until(claim, now + CLAIM_LIFE_S)
            if is_new:
                records.contacts.put(
                    heard(claim, holder.k, version, report, address, now, not is_shut_out)
                )
            contact = Contact(claim, holder.k, version, report, use, is_new, is_proved)
            direction, claim = self._at_once(records, contact, started) or (None, claim)
            records.put_claim(claim)
            return replaced(contact, claim=claim), direction

    def _at_once(
        self, records: Records, contact: Contact, started: float
    ) -> tuple[Direction, Claim] | None:
        """The commonest answers, in the transaction that writes the report down, with the claim as
        it is then. What is wrong is found again, and told, by who looks further.
        """
        claim, now = contact.claim, self._clock()
        if claim.state in ENDED:
            return None
        with suppress(HostError):
            if contact.k != LABEL:
                return kept(records, self._versions, claim, contact, now)
            if not window.is_open(records, claim, now):
                return self._closed(records, claim, contact, now), claim
            candidate = self._candidate(records, claim, contact.report.config)
            if candidate is not None:
                return self._handed(records, claim, candidate, contact, started)
            if not contact.is_new:
                return Direction("wait", claim.nonce, SOON_S), claim
        return None

    def _forgotten(self, contact: Contact) -> Direction:
        with self._store.transaction(contact.claim.device_id) as records:
            claim = records.claim(contact.claim.id)
            if claim is None:
                raise NotRecognised(_REGISTER_FIRST)
            records.note(claim, self._clock(), "told_to_forget", step=proof.RECEIVE)
        return Direction("forget", claim.nonce, SOON_S)

    def _for_owned(self, contact: Contact, started: float) -> Direction:
        """Direct a device that runs, or tries, version `running`.

        An adopted one may run a version that this server has lost or ended; and when it asks as
        such while its owner has opened the window, it gets a new one.
        """
        report, running = contact.report, contact.version
        policy_s, floor = SOON_S, report.config
        if running is not None:
            policy_s = int(running.document["policy"]["sync_s"])
            floor = max(running.number, floor)
        try:
            with self._store.transaction(contact.claim.device_id) as records:
                claim = unreleased(records, contact.claim.id)
                told = kept(records, self._versions, claim, contact, self._clock())
                if told is not None:
                    records.put_claim(told[1])
                    return told[0]
                # A trial is let finish: else its keys would be proved and thrown away at once.
                if report.state != "trial":
                    candidate = self._candidate(records, claim, floor)
                    if candidate is not None:
                        direction, claim = self._handed(
                            records, claim, candidate, contact, started
                        )
                        records.put_claim(claim)
                        return direction
        except Invalid as error:
            waiting = self._complain(contact, error)
            return replaced(waiting, action="keep", retry_s=policy_s)
        if report.state == "trial" or not contact.is_proved:
            # One that seeks would go home if it were told to keep what it has.
            action = "wait" if contact.k == ADOPTED else "keep"
            return Direction(action, claim.nonce, min(SOON_S, policy_s))
        return self._configured(contact, floor, started)

    def _candidate(self, records: Records, claim: Claim, floor: int) -> Version | None:
        try:
            return self._versions.candidate(records, claim, floor)
        except Invalid:
            return None  # `issue` says which field is wrong

    def _configured(self, contact: Contact, floor: int, started: float) -> Direction:
        try:
            version = self._versions.issue(contact.claim.id, floor)
        except (Invalid, ServiceUnreachable) as error:
            return self._complain(contact, error)
        with self._store.transaction(contact.claim.device_id) as records:
            claim = unreleased(records, contact.claim.id)
            direction, claim = self._handed(records, claim, version, contact, started)
            records.put_claim(claim)
            return direction

    def _handed(
        self,
        records: Records,
        claim: Claim,
        version: Version,
        contact: Contact,
        started: float,
    ) -> tuple[Direction, Claim]:
        now = self._clock()
        # Under an operational key only a proved report tells where the roll-out stands.
        if contact.is_new and (contact.k == LABEL or contact.is_proved):
            last = contact.report.last
            has_failed = bool(last and last.config == version.number and last.code != "ok")
            ms = round((self._monotonic() - started) * 1000)
            if contact.k == LABEL:
                version = label_uses.noted(records, claim, version, contact.use, now)
            claim = proof.handed_out(records, claim, version, has_failed, ms, now)
            if version.handed_out_at is None:
                records.add_job("describe", now, **proof.described(claim, version))
        return Direction("configure", claim.nonce, 0, version.document), claim

    def _closed(self, records: Records, claim: Claim, contact: Contact, now: float) -> Direction:
        last_at = records.last_event_at(claim, WINDOW_CLOSED)
        if contact.is_new:
            more: dict[str, Any] = {"step": proof.RECEIVE, "code": WINDOW_CLOSED}
            records.note(claim, now, WINDOW_CLOSED, detail=str(contact.use), **more)
        if contact.is_new and now - last_at >= _EVENT_EVERY_S:
            records.add_event(claim, now, WINDOW_CLOSED, "the label was used")
        return Direction("wait", claim.nonce, CLOSED_RETRY_S)

    def _complain(self, contact: Contact, error: HostError) -> Direction:
        """The device waits, and its owner reads why."""
        is_invalid = isinstance(error, Invalid)
        code = "config_invalid" if is_invalid else "platform_unreachable"
        now = self._clock()
        with self._store.transaction(contact.claim.device_id) as records:
            claim = unreleased(records, contact.claim.id)
            if contact.is_new:
                last = {"config": 0, "step": proof.RECEIVE, "code": code, "detail": str(error)}
                progress = with_step(claim, proof.RECEIVE, "failed", code, None, now)
                status = "waiting" if contact.k == LABEL else "registered"
                records.put_claim(replaced(progress, last=last, status=status))
                records.note(
                    claim, now, "not_prepared", step=proof.RECEIVE, code=code, detail=str(error)
                )
                if now - records.last_event_at(claim, code) >= _EVENT_EVERY_S:
                    records.add_event(claim, now, code, str(error))
        retry_s = INVALID_RETRY_S if is_invalid else PLATFORM_RETRY_S
        return Direction("wait", claim.nonce, retry_s)


def heard(
    claim: Claim,
    k: str,
    version: Version | None,
    report: Report,
    address: str,
    now: float,
    is_believed: bool,
) -> Heard:
    """The contact that this report is, with about when the device comes again, as it is told."""
    next_at = None if is_believed else now + CLOSED_RETRY_S
    if version is not None and report.state == "committed":
        next_at = now + int(version.document["policy"]["sync_s"])
    return Heard(claim.id, now, address, k, report.state, is_believed, next_at)


def _about_report(k: str, report: Report, use: Use, is_proved: bool) -> str:
    key = _KEYS.get(k, f"the key of version {k}")
    place = f", {use}" if k == LABEL else ""
    return f"{report.state}, under {key}{', proved' if is_proved else ''}{place}"


def _described(claim: Claim) -> list[Any]:
    """The part of what a device tells that its platform is told."""
    facts = claim.facts or {}
    return [facts.get(name) for name in ("model", "board", "micropython", "firmware")]


def _version_now(records: Records, claim: Claim, holder: Holder, report: Report) -> Version | None:
    """Return the version that the device runs or tries, as far as it is known here.

    NotRecognised if its key has ended since it opened the message.
    """
    if holder.version is not None:
        # All of them are read, for a proof looks at the others, too.
        number = holder.version.number
        version = next((v for v in records.versions_of(claim.id) if v.number == number), None)
        if version is None:
            raise NotRecognised(_REGISTER_FIRST)
        return version
    if holder.k == ADOPTED and report.state == "committed":
        return _running(records, claim, report.config)
    return None


def _running(records: Records, claim: Claim, number: int) -> Version | None:
    """Return the version that a device says it has committed, if it was given it from here."""
    versions = proof.versions_given(records, claim)
    return next((version for version in versions if version.number == number), None)
