# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What is removed cannot be found on the chip any more, on real LittleFS.

import os

from ram_disk import PowerCut, RAMDisk, mount, unmount

from muster import erasing, store

_SECRETS = [b"%08d correct horse battery" % n for n in range(24)]
_PLACE = "/flash"
_STATE = _PLACE + "/muster-state"


def _text(secret):
    return secret * 40  # some blocks


def _write(name, secret):
    with open("%s/%s" % (_PLACE, name), "wb") as f:
        f.write(_text(secret))


def _found(disk):
    return [n for n, secret in enumerate(_SECRETS) if secret in disk._data]


async def _on_disk(disk, act, is_new=False):
    mount(disk, _PLACE, is_new)
    try:
        return await act(store.Store(_STATE))
    finally:
        unmount(_PLACE)


# Begins with a disk on which secrets were written and removed one after the other, at different
# places, and the last one is alive.
async def _used():
    disk = RAMDisk()

    async def act(kept):
        for n, secret in enumerate(_SECRETS):
            _write("x%d" % (n % 3), secret)
            if n % 3 == 2:
                os.remove(_PLACE + "/x0")
        kept.spoil()
        for name in ("x0", "x1", "x2"):
            if name in os.listdir(_PLACE):
                os.remove(_PLACE + "/" + name)
        _write("alive", _SECRETS[0])

    await _on_disk(disk, act, True)
    assert len(_found(disk)) > 5
    return disk


async def test_nothing_that_was_removed_is_found_any_more():
    disk = await _used()

    async def act(kept):
        await kept.overwrite()
        return os.listdir(_STATE)

    assert await _on_disk(disk, act) == []
    assert _found(disk) == [0]  # what is alive


async def test_blocks_of_more_than_a_piece_are_overwritten_whole():
    disk = RAMDisk(1024, 400)  # half of each would leave some of them

    async def act(kept):
        with open(_PLACE + "/x", "wb") as f:
            for _ in range(os.statvfs(_PLACE)[3] - 8):
                f.write(_text(_SECRETS[1])[:1000])
        kept.spoil()
        os.remove(_PLACE + "/x")
        assert _found(disk) == [1]
        await kept.overwrite()

    await _on_disk(disk, act, True)
    assert _found(disk) == []


async def test_what_is_alive_is_left_alone():
    disk = await _used()

    async def act(kept):
        kept.save("x", {"n": 1})
        await kept.overwrite()
        with open(_PLACE + "/alive", "rb") as f:
            return kept.load("x"), f.read()

    assert await _on_disk(disk, act) == ({"n": 1}, _text(_SECRETS[0]))


async def test_what_is_removed_meanwhile_has_its_turn():
    disk = await _used()

    async def act(kept):
        _write("later", _SECRETS[1])
        true = erasing.overwrite

        async def overwrite(root):
            await true(root)
            kept.spoil()
            os.remove(_PLACE + "/later")

        await _with(overwrite, kept)
        assert kept._is_spoilt and "spoilt" in os.listdir(_STATE)
        await kept.overwrite()
        assert not kept._is_spoilt

    await _on_disk(disk, act)
    assert _found(disk) == [0]


# Has the store borrow this in the place of erasing.overwrite.
async def _with(overwrite, kept):
    true = store.borrowed
    store.borrowed = lambda names, function, root: overwrite(root)
    try:
        return await kept.overwrite()
    finally:
        store.borrowed = true


async def test_a_cut_at_any_moment_is_made_good_after_the_next_start():
    whole = await _used()
    before = whole.operations

    async def act(kept):
        await kept.overwrite()

    content = bytes(whole._data)
    await _on_disk(whole, act)
    operations = whole.operations - before
    assert operations > 64
    for cut in range(0, operations, 37):
        disk = RAMDisk()
        disk._data[:] = content
        disk.cut_at = disk.operations + cut
        try:
            await _on_disk(disk, act)
        except (PowerCut, OSError):
            pass
        disk.cut_at = None

        async def again(kept):
            if kept._is_spoilt:
                await kept.overwrite()
            return os.listdir(_STATE)

        assert await _on_disk(disk, again) == [], cut
        assert _found(disk) == [0], cut


async def test_a_full_file_system_is_overwritten_with_what_room_there_is():
    disk = await _used()

    async def act(kept):
        with open(_PLACE + "/full", "wb") as f:
            for _ in range(os.statvfs(_PLACE)[3] - 4):
                f.write(bytes(500))
        return os.statvfs(_PLACE)[3], await erasing.overwrite(_STATE)

    free, count = await _on_disk(disk, act)
    assert 0 < free < 8 and count == free + 64


async def test_flash_that_refuses_is_tried_again_later():
    disk = await _used()

    async def act(kept):
        async def overwrite(root):
            raise OSError(5)

        assert not await _with(overwrite, kept)
        assert kept._is_spoilt and "spoilt" in os.listdir(_STATE)
        assert await kept.overwrite()

    await _on_disk(disk, act)
    assert _found(disk) == [0]
