# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Roll-outs: a version of a profile goes to its devices in waves, and stops when too many fail.

Until its end the version in force stays what it was: a device gets the new one when its wave has
begun. The end puts the new one in force; to abort leaves the former one, which devices that had
the new one get back at their next contact. All of it is in the database, and one worker goes on.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from muster_server.config_server.device_view import DeviceViews
from muster_server.config_server.profiles import check_is_at_rest, end_older_changes
from muster_server.config_server.versions import Versions
from muster_server.config_server.wave_members import check_groups, failure_of, in_waves, offered
from muster_server.errors import Conflict, HostError, NotFound
from muster_server.store.claims import Claim
from muster_server.store.config import ConfigStore, Records
from muster_server.store.rollouts import ACTIVE, Member, Rollout

KEPT = 20  # ended ones of an owner
_AT_ONCE = 50
_LOT = 1000  # devices that are put into waves, or out of them, in one transaction
_WHOLE_EVERY_S = 60.0
_FRESH_S = 5.0  # a device that was heard of just now may have more to say
_CUT_OFF_S = 600.0

IsMine = Callable[[Records], bool]
Counts = dict[tuple[int, str], int]  # by wave and state


class RolloutService:
    """Rules for roll-outs. Knows neither HTTP nor SQL."""

    def __init__(
        self,
        store: ConfigStore,
        versions: Versions,
        views: DeviceViews,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._versions = versions
        self._views = views
        self._clock = clock
        # Up to when a roll-out's news are known, and when all its devices were looked through.
        self._looked: dict[str, tuple[float | None, float]] = {}

    def begin(
        self,
        profile: str,
        number: int,
        owner: str,
        waves: Sequence[dict[str, Any]],
        by_whom: str,
        *,
        is_automatic: bool = False,
        most_failed: int = 0,
        need_percent: int = 100,
    ) -> dict[str, Any]:
        """Put the owner's devices of the profile into waves, and begin the first one. Whoever is
        in none of them is in the last.

        Raises NotFound (profile, version) or Conflict (another one is under way, this one is in
        force already, there is no device, or none in a group that a wave names).
        """
        now = self._clock()
        rollout = Rollout(
            id=secrets.token_hex(8),
            owner=owner,
            profile=profile,
            number=number,
            state="filling",
            wave=1,
            waves=[*waves, {}],
            is_automatic=is_automatic,
            most_failed=most_failed,
            need_percent=need_percent,
            forgiven=0,
            reason="",
            by_whom=by_whom,
            created_at=now,
            changed_at=now,
        )
        # Beside those who write: there may be a million.
        with self._store.reading() as records:
            _check_may_begin(records, profile, number)
            found = records.rollouts.candidates(owner, profile)
        if not found:
            raise Conflict("no device is configured from this: put it in force at once")
        check_groups(found, waves)
        with self._store.transaction() as records:
            _check_may_begin(records, profile, number)
            ended = [r for r in records.rollouts.of(owner, 500) if r.state not in ACTIVE]
            records.rollouts.put(rollout)
        for old in ended[KEPT - 1 :]:
            self._forget(old.id)
        members, used = in_waves(found, waves)
        for n in range(0, len(members), _LOT):
            with self._store.transaction() as records:
                records.rollouts.put_members(rollout.id, members[n : n + _LOT])
        self._in_slices(
            rollout.id, lambda records, *part: records.rollouts.drop_strays(rollout, *part)
        )
        with self._store.transaction() as records:
            records.rollouts.put(replace(rollout, state="running", waves=used))
        return self.shown(rollout.id, owner)

    def _in_slices(self, rollout_id: str, do: Callable[[Records, str, str], None]) -> None:
        """Do it with the roll-out's devices, some in each transaction, so that nobody waits long:
        those after one claim, up to another.
        """
        end: str | None = ""
        while end is not None:
            after = end
            with self._store.transaction() as records:
                end = records.rollouts.slice_end(rollout_id, after, _LOT)
                if end is not None:
                    do(records, after, end)

    def _forget(self, rollout_id: str) -> None:
        is_gone = False
        while not is_gone:
            with self._store.transaction() as records:
                is_gone = records.rollouts.remove(rollout_id, _LOT)

    def go_on(self, rollout_id: str, owner: str) -> dict[str, Any]:
        """Begin the next wave, or go on after a stop, whose failures are forgiven.

        Raises NotFound, or Conflict if it has ended or is in its last wave.
        """
        with self._store.reading() as records:
            rollout = _active(records, rollout_id, owner)
        if rollout.state == "stopped":  # so nobody is offered anything meanwhile
            self._in_slices(
                rollout_id, lambda records, *part: records.rollouts.let_go(rollout_id, *part)
            )
        with self._store.transaction() as records:
            rollout = _active(records, rollout_id, owner)
            if rollout.state == "stopped":
                failed = _failed(records.rollouts.counts(rollout.id))
                self._put(records, rollout, state="running", reason="", forgiven=failed)
            elif rollout.wave < len(rollout.waves):
                self._put(records, rollout, state="running", wave=rollout.wave + 1)
            else:
                raise Conflict("this is the last wave")
        return self.shown(rollout_id, owner)

    def stop(self, rollout_id: str, owner: str) -> dict[str, Any]:
        """Give it to no other device until somebody goes on. Raises NotFound, or Conflict."""
        with self._store.transaction() as records:
            rollout = _active(records, rollout_id, owner)
            if rollout.state != "stopped":
                self._stop(records, rollout, "hand")
        self._hold(rollout_id)
        return self.shown(rollout_id, owner)

    def abort(self, rollout_id: str, owner: str) -> dict[str, Any]:
        """Give all devices the version before, which is in force. Raises NotFound, or Conflict."""
        with self._store.transaction() as records:
            self._put(records, _active(records, rollout_id, owner), state="aborted")
        return self.shown(rollout_id, owner)

    def finish(self, rollout_id: str, owner: str) -> dict[str, Any]:
        """Put the version in force for all devices now. Raises NotFound, or Conflict."""
        with self._store.transaction() as records:
            self._finish(records, _active(records, rollout_id, owner))
        return self.shown(rollout_id, owner)

    def listed(self, owner: str) -> list[dict[str, Any]]:
        """The owner's roll-outs, the newest first."""
        with self._store.reading() as records:
            return [_shown(records, one) for one in records.rollouts.of(owner, KEPT)]

    def shown(self, rollout_id: str, owner: str) -> dict[str, Any]:
        """Return how far it has come. Raises NotFound."""
        with self._store.reading() as records:
            return _shown(records, _existing(records, rollout_id, owner))

    def devices(
        self, rollout_id: str, owner: str, state: str | None, after: str, most: int
    ) -> dict[str, Any]:
        """Return its devices by their ids, with how each is; `next` is where to go on.

        Raises NotFound.
        """
        with self._store.reading() as records:
            _existing(records, rollout_id, owner)
            found = records.rollouts.members(rollout_id, state, after, most + 1)
        shown = [
            {**self._views.entry(m.device_id, owner), "wave": m.wave, "rollout": m.state}
            | {"failure": m.failure}
            for m in found[:most]
        ]
        return {"devices": shown, "next": found[most - 1].device_id if len(found) > most else None}

    # What the worker does

    def has_work(self, records: Records) -> bool:
        """Tell whether one is under way."""
        return bool(records.rollouts.worked_at())

    def step(self, is_mine: IsMine) -> bool:
        """Offer it to some, look at some, and decide; whether there may be more at once."""
        # Outside the transactions that follow: that holds nobody's lock.
        with self._store.reading() as records:
            found = records.rollouts.worked_at()
            news = [self._news(records, rollout) for rollout in found]
            counts = [_counts_to_decide(records, rollout) for rollout in found]
        known = zip(found, news, counts, strict=True)
        more = [self._step(*about, is_mine) for about in known]
        return any(more)

    def _news(self, records: Records, rollout: Rollout) -> list[Member]:
        """Devices that were heard of since the last look; now and then all are looked through,
        for what was written down with a time that had passed already.
        """
        now = self._clock()
        since, whole_at = self._looked.get(rollout.id, (None, now))
        if not 0 <= now - whole_at < _WHOLE_EVERY_S:
            since = None
        found = records.rollouts.with_news(rollout, _AT_ONCE, since)
        if since is None:
            whole_at = now
        if len(found) < _AT_ONCE:  # those that were heard of just now are looked at again
            since = now - 2 * _FRESH_S
        self._looked[rollout.id] = since, whole_at
        return found

    def end_idle(self, is_mine: IsMine) -> None:
        """Forget those whose beginning was cut off."""
        with self._store.transaction() as records:
            is_ours = is_mine(records)
            cut_off = records.rollouts.cut_off(self._clock() - _CUT_OFF_S)
            active = {rollout.id for rollout in records.rollouts.worked_at()}
        self._looked = {name: at for name, at in self._looked.items() if name in active}
        for rollout_id in cut_off if is_ours else ():
            self._forget(rollout_id)

    def _step(
        self, seen: Rollout, news: list[Member], counts: Counts | None, is_mine: IsMine
    ) -> bool:
        is_stopped = False
        with self._store.transaction() as records:
            rollout = records.rollouts.one(seen.id, seen.owner)
            if not is_mine(records) or rollout is None or rollout != seen:
                return False
            new: list[Member] = []
            if rollout.state == "running":
                waiting = records.rollouts.to_offer(rollout, _AT_ONCE)
                new = [offered(records, member) for member in waiting]
                records.rollouts.change_members(rollout.id, new)
            known = {member.claim_id: member for member in [*news, *new]}
            looked_at = [self._looked_at(records, rollout, member) for member in known.values()]
            records.rollouts.change_members(rollout.id, looked_at)
            if counts is not None and not new and rollout.state == "running":
                now = Counter(counts)
                now.subtract((member.wave, member.state) for member in known.values())
                now.update((member.wave, member.state) for member in looked_at)
                is_stopped = self._decide(records, rollout, now)
        if is_stopped:
            self._hold(seen.id)
        return bool(new)

    def _looked_at(self, records: Records, rollout: Rollout, member: Member) -> Member:
        claim = records.claim(member.claim_id)
        if claim is None:
            return member
        failure = failure_of(claim, member)
        if self._has_succeeded(records, rollout, claim):
            member = replace(member, state="succeeded", failure=None)
        elif failure is not None:
            member = replace(member, state="failed", failure=failure)
        seen_at = claim.seen_at or 0.0
        is_fresh = self._clock() - seen_at < _FRESH_S
        return member if is_fresh else replace(member, seen_at=seen_at)

    def _has_succeeded(self, records: Records, rollout: Rollout, claim: Claim) -> bool:
        running = records.version(claim.id, claim.version)
        if running is None or running.proved_at is None or claim.status != "registered":
            return False
        try:
            # Of the roll-out itself: one that has stopped brings it to nobody who has failed.
            document = records.profiles.document(rollout.profile, rollout.number)
            return self._versions.is_current(records, claim, running, document)
        except HostError:
            return False

    def _decide(self, records: Records, rollout: Rollout, counts: Counts) -> bool:
        """Go on or stop, as these counts tell; whether it has stopped."""
        if _failed(counts) - rollout.forgiven > rollout.most_failed:
            self._stop(records, rollout, "failures")
            return True
        wave = {state: number for (n, state), number in counts.items() if n == rollout.wave}
        total, succeeded = sum(wave.values()), wave.get("succeeded", 0)
        is_over = succeeded + wave.get("failed", 0) >= total
        if not is_over and succeeded * 100 < rollout.need_percent * total:
            return False
        if rollout.wave == len(rollout.waves):
            self._finish(records, rollout)
        elif rollout.is_automatic:
            self._put(records, rollout, wave=rollout.wave + 1)
        else:
            self._put(records, rollout, state="waiting")
        return False

    def _stop(self, records: Records, rollout: Rollout, reason: str) -> None:
        self._put(records, rollout, state="stopped", reason=reason)

    def _hold(self, rollout_id: str) -> None:
        """Once it has stopped: what no device was given is held back. Nobody is given it from the
        moment on that it has stopped; this is for who looks, and for going on.
        """
        self._in_slices(
            rollout_id, lambda records, *part: records.rollouts.hold(rollout_id, *part)
        )

    def _finish(self, records: Records, rollout: Rollout) -> None:
        self._put(records, rollout, state="done")
        records.profiles.use(rollout.profile, rollout.number, self._clock())
        end_older_changes(records, rollout.profile, self._clock())

    def _put(self, records: Records, rollout: Rollout, **changes: Any) -> None:
        records.rollouts.put(replace(rollout, changed_at=self._clock(), **changes))


def _check_may_begin(records: Records, profile: str, number: int) -> None:
    if records.profile(profile) is None or not records.profiles.document(profile, number):
        raise NotFound(f'the profile "{profile}" has no version {number}')
    check_is_at_rest(records, profile)
    if records.profiles.current(profile) == number:
        raise Conflict("this version is in force already")


def _counts_to_decide(records: Records, rollout: Rollout) -> Counts | None:
    """The counts by which it is decided how to go on; None while there is no question of that."""
    if rollout.state != "running" or records.rollouts.to_offer(rollout, 1):
        return None
    return records.rollouts.counts(rollout.id)


def _failed(counts: Counts) -> int:
    return sum(number for (_, state), number in counts.items() if state == "failed")


def _existing(records: Records, rollout_id: str, owner: str) -> Rollout:
    rollout = records.rollouts.one(rollout_id, owner)
    if rollout is None:
        raise NotFound("there is no such roll-out")
    return rollout


def _active(records: Records, rollout_id: str, owner: str) -> Rollout:
    rollout = _existing(records, rollout_id, owner)
    if rollout.state not in ACTIVE:
        raise Conflict("this roll-out has ended")
    return rollout


def _shown(records: Records, rollout: Rollout) -> dict[str, Any]:
    counts = records.rollouts.counts(rollout.id)
    waves = []
    for n, wave in enumerate(rollout.waves, 1):
        states = Counter({state: number for (w, state), number in counts.items() if w == n})
        about = {"percent": None, "number": None, "group": None, **wave}
        waves.append({**about, "total": sum(states.values()), "states": dict(states)})
    names = ("id", "profile", "number", "state", "wave", "is_automatic", "most_failed")
    more = ("need_percent", "reason", "created_at", "changed_at")
    return {
        **{name: getattr(rollout, name) for name in (*names, *more)},
        "by": rollout.by_whom,
        "before": records.profiles.current(rollout.profile),
        "failed": _failed(counts),
        "forgiven": rollout.forgiven,
        "waves": waves,
    }
