# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# From candidate to committed, and what a restart makes of every point in between.

import os

import lives
from ram_disk import PowerCut, RAMDisk, mount, unmount
from runner import raises

from muster import candidate
from muster.errors import DeviceError
from muster.store import Store
from muster.timeline import JOIN, PROVED, REGISTER


class Answer:
    def __init__(self, version, app=None):
        self.config = {"version": version, "app": app or {}}


# One start of the board: the journal and the candidate as they find the disk.
class Start:
    def __init__(self, woke_by="power_on"):
        self.store = Store("/flash/muster")
        timeline, self.journal, former = lives.begin(self.store, woke_by)
        self.config = candidate.wake(self.store, self.journal, timeline, former)

    def keep(self, answer):
        return candidate.keep(self.store, self.journal, answer)

    def commit(self, config):
        candidate.commit(self.store, self.journal, config["version"])


def _on(disk, act, is_new=False):
    mount(disk, "/flash", is_new)
    try:
        return act()
    finally:
        unmount("/flash")


def _commit(version):
    start = Start()
    config = start.keep(Answer(version))
    for step in (JOIN, REGISTER, PROVED):
        start.journal.reached(version, step)
    start.commit(config)


def test_what_was_committed_is_found():
    disk = RAMDisk()
    _on(disk, lambda: _commit(1), True)
    start = _on(disk, Start)
    assert start.config["version"] == 1 and start.journal.highest == 1


def test_an_older_version_is_not_taken():
    def act():
        _commit(3)
        return raises(DeviceError, Start().keep, Answer(3))

    assert _on(RAMDisk(), act, True).code == "config_not_newer"


def test_what_cannot_be_read_back_is_refused_before_it_is_tried():
    def act():
        return raises(DeviceError, Start().keep, Answer(1, {"x": float("inf")}))

    assert _on(RAMDisk(), act, True).code == "config_invalid"


def test_what_another_firmware_has_left_is_no_configuration():
    def act(name, document):
        _commit(1)
        Start().store.save(name, document)
        return Start()

    for document in ({"new": 1}, {"version": "2"}, [], 7):
        assert _on(RAMDisk(), lambda: act("committed", document), True).config is None  # noqa: B023
        start = _on(RAMDisk(), lambda: act("candidate", document), True)  # noqa: B023
        assert start.config["version"] == 1


# One failed trial of a version; what the journal then says of the streak.
def _fail(version):
    start = Start()
    start.keep(Answer(version))
    start.journal.reached(version, JOIN)
    e = DeviceError("wifi_auth")
    e.step = JOIN
    candidate.fail(start.store, start.journal, version, e)
    return start.journal.failed_version, start.journal.failures


def test_failures_in_a_row_are_counted_over_restarts_and_by_version():
    disk = RAMDisk()
    streaks = [_on(disk, lambda: _fail(1), True)]
    streaks += [_on(disk, lambda version=version: _fail(version)) for version in (1, 1, 2)]
    assert streaks == [(1, 1), (1, 2), (1, 3), (2, 1)]
    _on(disk, lambda: _commit(3))
    assert _on(disk, Start).journal.failures == 0


# A trial of a version that fails, on a board that runs on nothing.
def _fail_first(version):
    _fail(version)
    start = Start()
    return start, candidate.kept(start.store, start.journal, version)


def test_a_candidate_that_has_failed_is_kept_over_restarts_and_replaced_by_the_next():
    def act():
        start, kept = _fail_first(1)
        assert start.config is None and kept["version"] == 1
        start, kept = _fail_first(2)
        assert kept["version"] == 2
        assert candidate.kept(start.store, start.journal, 1) is None
        _commit(2)
        start = Start()
        return start.config, candidate.kept(start.store, start.journal, 2)

    config, kept = _on(RAMDisk(), act, True)
    assert config["version"] == 2 and kept is None


def test_a_candidate_whose_trial_had_not_begun_is_kept_as_one_that_has_not_failed():
    def act():
        Start().keep(Answer(1))
        start = Start()
        return start.journal.failures, candidate.kept(start.store, start.journal, 1)

    failures, kept = _on(RAMDisk(), act, True)
    assert failures == 0 and kept["version"] == 1


def test_what_the_server_has_taken_back_is_kept_no_longer():
    def act():
        start, _ = _fail_first(1)
        candidate.let_go(start.store, start.journal)
        start = Start()
        return start.journal.failed_version, candidate.kept(start.store, start.journal, 1)

    assert _on(RAMDisk(), act, True) == (None, None)


def test_no_power_cut_loses_a_candidate_while_its_failure_is_noted():
    cut_at = 0
    while True:
        disk = RAMDisk()

        def begin():
            start = Start()
            start.keep(Answer(1))
            start.journal.reached(1, JOIN)

        _on(disk, begin, True)
        disk.operations, disk.cut_at = 0, cut_at
        try:
            _on(disk, lambda: _fail_again(1))
            break
        except PowerCut:
            pass
        disk.cut_at = None
        start = _on(disk, Start)
        kept = _on(disk, lambda s=start: candidate.kept(s.store, s.journal, 1))
        assert start.config is None and kept is not None, cut_at
        cut_at += 1
    assert cut_at > 1


# The restart in the middle of a trial notes a failure of its own.
def _fail_again(version):
    store = Store("/flash/muster")
    _, journal, _ = lives.begin(store, "power_on")
    e = DeviceError("wifi_auth")
    e.step = JOIN
    candidate.fail(store, journal, version, e)


# Cuts the power at each flash operation of a change from version 1 to 2; what a restart runs on,
# and the step up to which the trial had come.
def _cuts(how_far):
    found = []
    cut_at = 0
    while True:
        disk = RAMDisk()
        _on(disk, lambda: _commit(1), True)
        disk.operations = 0
        disk.cut_at = cut_at
        reached = []
        try:
            _on(disk, lambda reached=reached: how_far(reached))
            return found
        except PowerCut:
            pass
        disk.cut_at = None
        start = _on(disk, Start)
        again = _on(disk, Start)  # what the first restart tidied up stays so
        assert again.config == start.config
        found.append((reached[-1] if reached else 0, start.config["version"]))
        cut_at += 1


def _change(reached):
    start = Start()
    config = start.keep(Answer(2))
    for step in (JOIN, REGISTER, PROVED):
        start.journal.reached(2, step)
        reached.append(step)
    start.commit(config)


def test_every_power_cut_leaves_the_old_or_the_new_and_what_is_proved_is_kept():
    found = _cuts(_change)
    assert len(found) > 10
    assert all(version in (1, 2) for _, version in found), found
    # Once all nine steps have succeeded the server may know it: then there is no way back.
    assert all(version == 2 for step, version in found if step == PROVED), found
    assert any(version == 1 for _, version in found)


def test_a_restart_in_the_trial_is_reported_with_its_step():
    def begin():
        start = Start()
        start.keep(Answer(1))
        start.journal.reached(1, REGISTER)

    disk = RAMDisk()
    _on(disk, begin, True)
    last = _on(disk, lambda: Start("watchdog")).journal.last
    assert (last["config"], last["step"], last["code"]) == (1, REGISTER, "watchdog")


def test_what_hangs_once_all_nine_have_succeeded_costs_nothing_and_is_told():
    def prove():
        start = Start()
        config = start.keep(Answer(1))
        start.journal.reached(1, PROVED)
        return config

    disk = RAMDisk()
    _on(disk, prove, True)
    start = _on(disk, lambda: Start("watchdog"))
    assert start.config["version"] == start.journal.highest == 1
    assert (start.journal.last["config"], start.journal.last["code"]) == (1, "watchdog")
    assert _on(disk, Start).journal.trial is None


# As flash that is full, or worn out, for as long as it takes.
class Stubborn(Store):
    is_full = True

    def promote(self, source, target):
        if self.is_full:
            raise DeviceError("storage_failed", "no room")
        return super().promote(source, target)


def _uncommitted():
    _commit(1)
    start = Start()
    start.store = Stubborn("/flash/muster")
    config = start.keep(Answer(2))
    start.journal.reached(2, PROVED)
    assert candidate.commit(start.store, start.journal, 2)["version"] == 2
    return start, config


def test_what_could_not_be_committed_is_not_given_up_for_the_next_candidate():
    disk = RAMDisk()

    def refuse():
        start, _ = _uncommitted()
        return raises(DeviceError, start.keep, Answer(3))

    assert _on(disk, refuse, True).code == "storage_failed"
    assert _on(disk, Start).config["version"] == 2

    def try_the_next():
        start, _ = _uncommitted()
        start.store.is_full = False
        start.keep(Answer(3))
        e = DeviceError("wifi_auth")
        e.step = JOIN
        candidate.fail(start.store, start.journal, 3, e)

    disk = RAMDisk()
    _on(disk, try_the_next, True)
    start = _on(disk, Start)
    assert start.config["version"] == start.journal.highest == 2


def test_a_trial_whose_candidate_has_rotted_is_over():
    def begin():
        _commit(1)
        start = Start()
        start.keep(Answer(2))
        start.journal.reached(2, JOIN)
        with open("/flash/muster/candidate.1", "r+b") as f:
            f.seek(20)
            f.write(b"\xff")

    disk = RAMDisk()
    _on(disk, begin, True)
    start = _on(disk, Start)
    assert start.config["version"] == 1 and start.journal.trial is None
    assert _on(disk, Start).journal.trial is None


# The journal that could not be written after a commit speaks of the one before.
def test_a_candidate_is_not_taken_for_the_one_that_the_journal_speaks_of():
    def begin():
        _commit(1)
        start = Start()
        start.journal.reached(1, PROVED)
        start.store.save("candidate", Answer(2).config)

    disk = RAMDisk()
    _on(disk, begin, True)
    start = _on(disk, Start)
    assert start.config["version"] == start.journal.highest == 1


def test_nothing_of_a_forgotten_configuration_remains():
    def act():
        _commit(1)
        start = Start()
        candidate.forget(start.store, start.journal)
        return Start().config

    assert _on(RAMDisk(), act, True) is None


# Whatever the files of the store hold, and whether free space is to be overwritten.
def _left(start):
    root = "/flash/muster/"
    content = b""
    for name in os.listdir(root):
        with open(root + name, "rb") as f:
            content += f.read()
    return content, start.store._is_spoilt


def test_what_is_removed_is_to_be_overwritten():
    def act():
        _commit(1)
        start = Start()
        assert not _left(start)[1]  # there was nothing before it
        candidate.forget(start.store, start.journal)
        return _left(Start())[1]

    assert _on(RAMDisk(), act, True)

    def let_go():
        start, _ = _fail_first(1)
        assert not _left(start)[1]
        candidate.let_go(start.store, start.journal)
        return _left(Start())[1]

    assert _on(RAMDisk(), let_go, True)


def test_nothing_of_a_superseded_configuration_remains():
    def act():
        for version, secret in ((1, "former"), (2, "newer")):
            start = Start()
            config = start.keep(Answer(version, {"secret": secret}))
            start.journal.reached(version, PROVED)
            start.commit(config)
        return _left(Start())

    content, is_spoilt = _on(RAMDisk(), act, True)
    assert b"newer" in content and b"former" not in content
    assert is_spoilt


def test_a_journal_of_another_shape_begins_anew():
    def act():
        _commit(3)
        store = Store("/flash/muster")
        found = []
        for record in ([], "x", {"streak": [9]}, {"clock": 10**40}, {"last": {"step": "x"}}):
            store.save("journal", record)
            start = Start()
            found.append((start.journal.highest, start.config["version"]))
        return found

    assert _on(RAMDisk(), act, True) == [(0, 3)] * 5
