# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a record promises, on real LittleFS.

import os

from ram_disk import PowerCut, RAMDisk, mount, unmount
from runner import raises

from muster.errors import DeviceError
from muster.store import Store

_OLD = {"version": 1, "text": "old" * 50}
_NEW = {"version": 2, "text": "new" * 50}


def _on_disk(disk, act, is_new=False):
    mount(disk, "/flash", is_new)
    try:
        return act(Store("/flash/muster"))
    finally:
        unmount("/flash")


def _fresh(act):
    return _on_disk(RAMDisk(), act, True)


def _damage(path, at):
    with open(path, "rb") as f:
        content = bytearray(f.read())
    content[at] ^= 1
    with open(path, "wb") as f:
        f.write(content)


def test_a_record_that_was_never_saved_is_none():
    assert _fresh(lambda store: store.load("x")) is None


def test_the_newest_of_many_generations_is_loaded():
    def act(store):
        for n in range(5):
            store.save("x", {"n": n})
        return store.load("x"), sorted(os.listdir("/flash/muster"))

    assert _fresh(act) == ({"n": 4}, ["x.0", "x.1"])


def test_a_corrupt_record_is_set_aside_and_the_former_generation_used():
    def act(store):
        store.save("x", _OLD)
        store.save("x", _NEW)
        _damage("/flash/muster/x.0", 40)
        return store.load("x"), os.listdir("/flash/muster")

    found, names = _fresh(act)
    assert found == _OLD
    assert "x.0.bad" in names


def test_every_single_flipped_byte_is_noticed():
    def act(store):
        store.save("x", _OLD)
        size = os.stat("/flash/muster/x.1")[6]
        for at in range(size):
            _damage("/flash/muster/x.1", at)
            assert store.load("x") is None, at
            os.rename("/flash/muster/x.1.bad", "/flash/muster/x.1")
            _damage("/flash/muster/x.1", at)
        return store.load("x")

    assert _fresh(act) == _OLD


def test_a_full_file_system_is_a_typed_error_and_keeps_the_record():
    def act(store):
        store.save("x", _OLD)
        e = raises(DeviceError, store.save, "x", {"text": "x" * 40000})
        return e.code, store.load("x")

    assert _fresh(act) == ("storage_failed", _OLD)


def test_promoting_keeps_the_former_record_as_the_older_generation():
    def act(store):
        store.save("committed", _OLD)
        store.save("candidate", _NEW)
        store.promote("candidate", "committed")
        assert store.load("committed") == _NEW
        _damage("/flash/muster/committed.0", 20)
        return store.load("committed")

    assert _fresh(act) == _OLD


def test_erasing_leaves_nothing():
    def act(store):
        store.save("x", _OLD)
        store.save("x", _NEW)
        store.erase("x")
        return store.load("x")

    assert _fresh(act) is None


def test_erasing_leaves_no_record_that_was_set_aside():
    def act(store):
        store.save("x", _OLD)
        _damage("/flash/muster/x.1", 40)
        store.load("x")
        assert os.listdir("/flash/muster") == ["x.1.bad"]
        store.erase("x")
        return os.listdir("/flash/muster")

    assert _fresh(act) == []


# Cuts the power at every flash operation of act; returns what a restart loads each time.
def _after_every_cut(prepare, act, name):
    seen = []
    cut_at = 0
    while True:
        disk = RAMDisk()
        _on_disk(disk, prepare, True)
        disk.operations = 0
        disk.cut_at = cut_at
        try:
            _on_disk(disk, act)
            return seen
        except PowerCut:
            pass
        disk.cut_at = None
        seen.append(_on_disk(disk, lambda store: store.load(name)))
        cut_at += 1


def test_a_power_cut_while_saving_leaves_the_old_or_the_new():
    seen = _after_every_cut(
        lambda store: store.save("x", _OLD), lambda store: store.save("x", _NEW), "x"
    )
    assert len(seen) > 2
    assert all(found in (_OLD, _NEW) for found in seen), seen


def test_a_power_cut_while_promoting_leaves_the_old_or_the_new():
    def prepare(store):
        store.save("committed", _OLD)
        store.save("candidate", _NEW)

    seen = _after_every_cut(
        prepare, lambda store: store.promote("candidate", "committed"), "committed"
    )
    assert len(seen) > 2
    assert all(found in (_OLD, _NEW) for found in seen), seen


def test_a_power_cut_while_erasing_never_brings_back_an_older_generation():
    def prepare(store):
        store.save("x", _OLD)
        store.save("x", _NEW)

    seen = _after_every_cut(prepare, lambda store: store.erase("x"), "x")
    assert all(found in (_NEW, None) for found in seen), seen
