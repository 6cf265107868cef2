# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Changes that a report makes, depending on how much it proves."""

import hmac
from collections.abc import Iterable
from typing import Any

from muster_server import ssids
from muster_server.config_server import window
from muster_server.config_server.platform_adapter import new_originator
from muster_server.config_server.report import Report
from muster_server.frozen import replaced
from muster_server.store.claims import DISPLACED, Claim, Version, step_entry
from muster_server.store.config import Records

INITIALISE, FIND, REACH, SEND, RECEIVE, LEAVE, JOIN, REGISTER = 2, 3, 4, 5, 6, 7, 8, 9

# What the device says of itself and its platform has no place for.
_NOT_DESCRIBED = ("scan", "local_networks", "heap", "hw")

# Where the platform is and who the device is there -> whether it got a token.
Accounts = dict[tuple[str, str], bool]


def is_proved(report: Report, nonce: str) -> bool:
    """Tell whether the report echoes the newest nonce: so it is newer, and no replay."""
    if report.echo is None:
        return False
    return hmac.compare_digest(report.echo.encode(), nonce.encode())


def shows_registration(report: Report, running: int) -> bool:
    """Tell whether the report of a device that runs this version proves step 9, and nothing
    since speaks against it.

    A device commits a version, and asks under its key in a trial, only after step 9; so where
    its timeline does not reach back so far, that is the proof.
    """
    newest = [code for step, code, _ in report.timeline if step == REGISTER][-1:]
    last = report.last
    if last is None or last.code == "ok" or last.config != running:
        return newest in ([], ["ok"])
    # What failed, and went well afterwards, has healed.
    ends = [(step, code) for step, code, _ in reversed(report.timeline)]
    since = ends[: ends.index((last.step, last.code))] if (last.step, last.code) in ends else []
    return (REGISTER, "ok") in since and newest == ["ok"]


def recorded(claim: Claim, report: Report, now: float) -> Claim:
    """The claim with what the report tells about the device and its last try."""
    facts = {
        name: getattr(report, name)
        for name in ("model", "board", "firmware", "micropython", "reset_cause", "hw")
    }
    # Only a device that seeks has scanned; what it saw then stays worth knowing.
    facts["scan"] = [
        [ssids.shown(ssid), channel, rssi, auth] for ssid, channel, rssi, auth in report.scan
    ] or (claim.facts or {}).get("scan", [])
    facts["local_networks"] = [ssids.shown(ssid) for ssid in report.local_networks]
    facts["heap"] = [list(report.heap), list(report.idf_heap)]
    facts["state"] = report.state
    steps = dict(claim.progress)
    # Whoever talks to us has found us, whatever its timeline remembers.
    for step in (FIND, REACH):
        _end(steps, step, now)
    for step, code, ms in report.timeline:
        steps[str(step)] = step_entry("done" if code == "ok" else "failed", code, ms, now)
    if not any(step == SEND for step, _, _ in report.timeline):
        steps[str(SEND)] = step_entry("done", "ok", None, now)
    last, status = _last(report), claim.status
    if last is not None and last["code"] != "ok":
        place = str(last["step"])
        took_ms = (steps.get(place) or {}).get("ms")
        steps[place] = step_entry("failed", last["code"], took_ms, now)
        status = "failed"
    return replaced(
        claim, progress=steps, facts=facts, last=last or claim.last, status=status, seen_at=now
    )


def _end(steps: dict[str, Any], step: int, now: float) -> None:
    """Have the step done, unless it is."""
    if steps.get(str(step), {}).get("state") != "done":
        steps[str(step)] = step_entry("done", "ok", None, now)


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


def settle_claim(
    records: Records, claim: Claim, now: float, claims: list[Claim] | None = None
) -> Claim:
    """The device has proved this claim: it counts, and rivals are dropped. `claims` are all of the
    device, where they are known.
    """
    for rival in records.claims_of(claim.device_id) if claims is None else claims:
        if rival.id != claim.id and rival.state != DISPLACED:
            drop_claim(records, rival, now)
            if rival.state == "unproved":
                records.add_event(rival, now, "claim_refused", "another label was proved")
    if claim.state != "proved":
        records.note(claim, now, "claim_proved")
    # A window that had no end but the claim's gets one.
    return replaced(window.running_out(claim, now), state="proved", expires_at=None)


def settle_version(
    records: Records, claim: Claim, version: Version, now: float, *, is_registered: bool = True
) -> tuple[Claim, Version]:
    """The device has proved that it runs on this version: the window closes, and the keys and
    tokens of earlier versions end. `is_registered`: it has proved step 9, too. Both as they are
    then.
    """
    records.note(claim, now, "proved", detail=f"version {version.number}")
    _revoke_earlier(records, claim, version, now)
    records.retire_versions_below(claim.id, version.number)
    version = replaced(version, proved_at=now)
    records.put_version(version)
    url, _ = account_of(version)
    about = {"url": url, "device_id": claim.device_id, "owner": claim.owner}
    records.add_job("objects", now, claim_id=claim.id, **about)
    settled = window.closed(at_work(claim, now) if is_registered else claim)
    if version.is_copied and version.token_id is None:
        # Where there is no token, the originator is all that a device has to show.
        settled = replaced(settled, originator=new_originator())
    highest = max(claim.highest, version.number)
    runs = version.made_from
    return replaced(settled, version=version.number, highest=highest, runs=runs), version


def note_origin(records: Records, claim: Claim, version: Version) -> Claim:
    """Note from which version of the profile this one could be made anew; of one that an older
    release made, or that was made while the device had other settings. The claim as it is then.
    """
    effect = records.effect_of(claim)
    records.put_version(replaced(version, made_from=effect))
    return replaced(claim, runs=effect) if claim.version == version.number else claim


def at_work(claim: Claim, now: float) -> Claim:
    """The device has shown that it runs on what it shall run on."""
    steps = dict(claim.progress)
    for step in (SEND, RECEIVE, LEAVE, JOIN, REGISTER):
        _end(steps, step, now)
    return replaced(claim, progress=steps, status="registered", last=None)


def _revoke_earlier(records: Records, claim: Claim, version: Version, now: float) -> None:
    """Token by token, not "all but this one": the platform may be away for a while, and when it
    is back a later version's token must survive.
    """
    versions = records.versions_of(claim.id)
    kept = {(account_of(v), v.token_id) for v in versions if v.number >= version.number}
    ended = {(account_of(v), v.token_id) for v in versions} - kept
    if any(v.number < version.number for v in versions):
        records.note(claim, now, "retired", detail=f"versions before {version.number}")
    kept_accounts = {account for account, _ in kept}
    # Tokens come from one platform, which may have been at another URL: it is one account then.
    with_token = {originator for (_, originator), token_id in kept if token_id is not None}
    for account, token_id in sorted(ended, key=str):
        about = about_account(claim, account, has_token=token_id is not None)
        is_renamed = token_id is not None and account[1] in with_token
        if account not in kept_accounts and not is_renamed:
            records.add_job("close_account", now, **about)
        elif token_id is not None:
            records.add_job("revoke_token", now, token_id=token_id, **about)


def account_of(version: Version) -> tuple[str, str]:
    """Return the URL of the version's platform, and the device's originator there."""
    platform = version.document["platform"]
    return platform["url"], platform["originator"]


def about_account(claim: Claim, account: tuple[str, str], *, has_token: bool) -> dict[str, Any]:
    """Return what a job has to know of an account at a platform.

    An account with a token was made at the platform that this server keeps accounts at, under
    whatever URL that platform went then.
    """
    url, originator = account
    return {
        "url": url,
        "originator": originator,
        "has_token": has_token,
        "device_id": claim.device_id,
        "owner": claim.owner,
    }


def handed_out(
    records: Records, claim: Claim, version: Version, has_failed: bool, ms: int, now: float
) -> Claim:
    """The claim after this version was given to the device; the same again changes little."""
    handed_out_at = now if version.handed_out_at is None else version.handed_out_at
    records.put_version(replaced(version, handed_out_at=handed_out_at))
    steps = claim.progress | {str(RECEIVE): step_entry("done", "ok", ms, now)}
    if steps.get(str(INITIALISE), {}).get("state") == "failed":
        steps[str(INITIALISE)] = step_entry("done", "ok", None, now)  # it has come about
    detail = f"version {version.number}"
    records.note(claim, now, "handed_out", step=RECEIVE, ms=ms, detail=detail)
    if has_failed:
        return replaced(claim, progress=steps, status="failed")
    for step in (LEAVE, JOIN, REGISTER):
        steps[str(step)] = step_entry("pending", None, None, None)
    return replaced(claim, progress=steps, status="handed_out")


def drop_claim(records: Records, claim: Claim, now: float) -> None:
    """End a claim, and its accounts with it."""
    close_accounts(records, claim, now)
    records.note(claim, now, "claim_dropped")
    records.remove_claim(claim.id)
    records.groups.forget(claim.owner, claim.device_id)


def close_accounts(records: Records, claim: Claim, now: float) -> None:
    """Have all accounts of the claim closed, at whatever platforms they are."""
    accounts = _accounts_of(records.versions_of(claim.id))
    if claim.asked is not None:
        accounts[claim.asked["url"], claim.asked["originator"]] = True
    for account, has_token in sorted(accounts.items()):
        about = about_account(claim, account, has_token=has_token)
        records.add_job("close_account", now, **about)


def end_asked(records: Records, claim: Claim, now: float) -> None:
    """Have the token ended that the claim has asked a platform for, and does not want any more;
    with its account, if nothing else of the claim needs that.
    """
    asked = claim.asked or {}
    if not asked:
        return
    about = about_account(claim, (asked["url"], asked["originator"]), has_token=True)
    used = {account_of(version)[1] for version in records.versions_of(claim.id)}
    if asked["originator"] in used | {claim.originator}:
        records.add_job("revoke_token", now, token_id=asked["token_id"], **about)
    else:
        records.add_job("close_account", now, **about)


def accounts_given(records: Records, claim: Claim) -> Accounts:
    """The accounts that a device may be using: those of what it was given, by sync or bundle."""
    return _accounts_of(versions_given(records, claim))


def versions_given(records: Records, claim: Claim) -> list[Version]:
    """The versions that a device may have: what it was given, by sync or bundle."""
    carried = {b.version for b in records.bundles.of(claim.id) if b.handed_out_at is not None}
    return [
        version
        for version in records.versions_of(claim.id)
        if version.handed_out_at is not None
        or version.proved_at is not None
        or version.number in carried
    ]


def _accounts_of(versions: Iterable[Version]) -> Accounts:
    found: Accounts = {}
    for version in versions:
        account = account_of(version)
        found[account] = found.get(account, False) or version.token_id is not None
    return found


def described(claim: Claim, version: Version) -> dict[str, Any]:
    """Return what a job has to know to describe the device to its platform."""
    facts = {k: v for k, v in (claim.facts or {}).items() if k not in _NOT_DESCRIBED}
    return {
        "url": version.document["platform"]["url"],
        "originator": version.document["platform"]["originator"],
        "device_id": claim.device_id,
        "owner": claim.owner,
        "facts": facts,
    }
