# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What a report changes, depending on how much it proves."""

import hmac
from dataclasses import replace
from typing import Any

from host_server.config_server.report import Report
from host_server.store.config import Claim, Records, Version, new_nonce, with_step

FIND, REACH, SEND, RECEIVE, LEAVE, JOIN, REGISTER = 3, 4, 5, 6, 7, 8, 9


def is_proved(report: Report, nonce: str) -> bool:
    """Whether the report echoes the newest nonce: so it was made after it, and is no replay."""
    if report.echo is None:
        return False
    return hmac.compare_digest(report.echo.encode(), nonce.encode())


def recorded(claim: Claim, report: Report, now: float) -> Claim:
    """The claim with what the report tells about the device and its last try."""
    facts = {
        name: getattr(report, name)
        for name in ("model", "board", "firmware", "micropython", "reset_cause", "heap_free")
    }
    # Only a device that seeks has scanned; what it saw then stays worth knowing.
    facts["scan"] = [
        [ssid.decode("utf-8", "backslashreplace"), channel, rssi, auth]
        for ssid, channel, rssi, auth in report.scan
    ] or (claim.facts or {}).get("scan", [])
    facts["state"] = report.state
    # Whoever talks to us has found us, whatever its timeline remembers.
    for step in (FIND, REACH):
        if claim.progress.get(str(step), {}).get("state") != "done":
            claim = with_step(claim, step, "done", "ok", None, now)
    for step, code, ms in report.timeline:
        claim = with_step(claim, step, "done" if code == "ok" else "failed", code, ms, now)
    if not any(step == SEND for step, _, _ in report.timeline):
        claim = with_step(claim, SEND, "done", "ok", None, now)
    last = _last(report)
    status = claim.status
    if last is not None and last["code"] != "ok":
        claim = with_step(claim, last["step"], "failed", last["code"], _ms(claim, last), now)
        status = "failed"
    return replace(claim, facts=facts, last=last or claim.last, status=status, seen_at=now)


def _ms(claim: Claim, last: dict[str, Any]) -> int | None:
    entry = claim.progress.get(str(last["step"])) or {}
    ms: int | None = entry.get("ms")
    return ms


def _last(report: Report) -> dict[str, Any] | None:
    if report.last is None:
        return None
    last = report.last
    return {
        "config": last.config,
        "step": last.step,
        "code": last.code,
        "detail": last.detail,
    }


def settle_claim(records: Records, claim: Claim, now: float) -> Claim:
    """The device has proved this claim: it counts, gets a new nonce, and rivals are dropped."""
    for rival in records.claims_of(claim.device_id):
        if rival.id != claim.id:
            drop_claim(records, rival, now)
            if rival.state == "unproved":
                records.add_event(rival, now, "claim_refused", "another label was proved")
    return replace(claim, state="proved", expires_at=None, nonce=new_nonce())


def settle_version(records: Records, claim: Claim, version: Version, now: float) -> Claim:
    """The device has proved that it runs on this version: the window closes, and the keys and
    tokens of earlier versions end.
    """
    _revoke_earlier(records, claim, version, now)
    records.retire_versions_below(claim.id, version.number)
    records.put_version(replace(version, proved_at=now))
    for step in (SEND, RECEIVE, LEAVE, JOIN, REGISTER):
        if claim.progress.get(str(step), {}).get("state") != "done":
            claim = with_step(claim, step, "done", "ok", None, now)
    return replace(
        claim,
        version=version.number,
        highest=max(claim.highest, version.number),
        window_open=False,
        window_until=None,
        status="registered",
        last=None,
    )


def _revoke_earlier(records: Records, claim: Claim, version: Version, now: float) -> None:
    """Token by token, not "all but this one": the platform may be away for a while, and when it
    is back a later version's token must survive.
    """
    versions = records.versions_of(claim.id)
    kept = {(_url(v), v.token_id) for v in versions if v.number >= version.number}
    ended = {(_url(v), v.token_id) for v in versions} - kept
    for url, token_id in sorted(ended, key=str):
        about = {"url": url, "originator": claim.originator}
        if url not in {kept_url for kept_url, _ in kept}:
            records.add_chore("close_account", now, **about)
        elif token_id is not None:
            records.add_chore("revoke_token", now, token_id=token_id, **about)


def _url(version: Version) -> str:
    url: str = version.document["platform"]["url"]
    return url


def handed_out(
    records: Records, claim: Claim, version: Version, has_failed: bool, ms: int, now: float
) -> Claim:
    """The claim after this version was given to the device; the same again changes little."""
    if version.handed_out_at is None:
        records.put_version(replace(version, handed_out_at=now))
    claim = with_step(claim, RECEIVE, "done", "ok", ms, now)
    if has_failed:
        return replace(claim, status="failed")
    for step in (LEAVE, JOIN, REGISTER):
        claim = with_step(claim, step, "pending", None, None, None)
    return replace(claim, status="handed_out")


def drop_claim(records: Records, claim: Claim, now: float) -> None:
    """End a claim, and its accounts with it."""
    for url in sorted({v.document["platform"]["url"] for v in records.versions_of(claim.id)}):
        records.add_chore("close_account", now, url=url, originator=claim.originator)
    records.remove_claim(claim.id)
