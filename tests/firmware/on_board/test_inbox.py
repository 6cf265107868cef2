# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# An upload arrives whole or not at all, and a power cut at any moment ends in the same receipt.

import os

from bringing import _BUNDLES, _GOOD, _LABEL, Clock, Start, _apply_all, _bring, _on, _receipt
from ram_disk import PowerCut, RAMDisk
from runner import araises

from muster import delivery, inbox
from muster.errors import DeviceError


def test_people_see_a_receipt_in_two_groups():
    assert delivery.grouped("ABCDEFGH") == "ABCD EFGH"


async def test_every_power_cut_ends_in_the_same_receipt():
    cut_at = finals = 0
    while True:
        disk = RAMDisk()
        await _on(disk, _prepared, True)
        disk.operations = 0
        disk.cut_at = cut_at
        try:
            await _on(disk, _once)
            break
        except PowerCut:
            pass
        disk.cut_at = None
        found, config = await _on(disk, _once)
        assert config["version"] == 7, cut_at
        assert (found["code"], found["receipt"]) == ("ok", _receipt(7, "ok")), (cut_at, found)
        finals += 1
        cut_at += 1
    assert finals > 10


async def _prepared():
    _bring()


async def _once():
    start = Start()
    start.again.hurry()  # what a cut has ended fails the version, and waits
    await _apply_all(start)
    assert inbox.find() is None
    return start.last(), start.config


async def test_what_is_refused_after_an_upload_has_no_good_receipt():
    async def act():
        _bring()
        start = Start()
        await _apply_all(start)
        other = _BUNDLES["without-expiry"]
        upload = inbox.Upload(inbox.PAGE)
        upload.write(other.encode())
        path = upload.finish()
        version, error = await delivery.receive(
            path, _LABEL, start.store, start.journal, start.clock
        )
        assert version == 7 and error.code == "config_not_newer"
        await _apply_all(start)
        assert start.last()["receipt"] == _receipt(7, "config_not_newer", other)

    await _on(RAMDisk(), act, True)


async def test_what_is_of_nobody_is_not_received():
    async def act():
        start = Start()
        upload = inbox.Upload(inbox.PAGE)
        upload.write(_BUNDLES["of-another-device"].encode())
        path = upload.finish()
        receiving = delivery.receive(path, _LABEL, start.store, start.journal, start.clock)
        assert (await araises(DeviceError, receiving)).code == "server_untrusted"
        assert start.last() is None and os.listdir("/flash") == ["muster"]

    await _on(RAMDisk(), act, True)


async def test_an_upload_is_there_only_when_it_is_accepted():
    async def act():
        upload = inbox.Upload(inbox.PAGE)
        text = _GOOD.encode()
        for at in range(0, len(text), 50):
            upload.write(text[at : at + 50] + b"\r\n")
        path = upload.finish()
        assert inbox.find() is None
        assert inbox.read(path) == text
        version, digest, answer, error = await delivery.look(path, _LABEL, Clock(), 0)
        assert version == 7 and digest and answer and error is None
        inbox.accept(path, "PRESS-4")
        assert inbox.find() == "/flash/PRESS-4.page.muster"

    await _on(RAMDisk(), act, True)


async def test_an_upload_of_garbage_ends_at_the_longest_bundle():
    async def act():
        upload = inbox.Upload(inbox.PAGE)
        written = 0
        try:
            while True:
                upload.write(b"x" * 512)
                written += 512
        except DeviceError as e:
            assert e.code == "config_invalid" and written <= 6144
        assert os.listdir("/flash") == []

    await _on(RAMDisk(), act, True)


async def test_nothing_is_left_to_apply_or_to_read_after_a_factory_reset():
    async def act():
        _bring()
        _bring(name="older.muster.bad")
        inbox.Upload(inbox.SERIAL).write(b"half")
        start = Start()
        await delivery.forget(start)
        assert inbox.find() is None and start.last() is None
        assert os.listdir("/flash") == ["muster"]
        assert not await start.apply()

    await _on(RAMDisk(), act, True)


async def test_two_ways_in_at_once_do_not_disturb_each_other():
    async def act():
        start = Start()
        page, serial = inbox.Upload(inbox.PAGE), inbox.Upload(inbox.SERIAL)
        half = len(_GOOD) // 2
        page.write(_GOOD[:half].encode())
        serial.write(b"garbage")
        page.write(_GOOD[half:].encode())
        whole, part = page.finish(), serial.finish()
        refused = delivery.receive(part, _LABEL, start.store, start.journal, start.clock)
        await araises(DeviceError, refused)
        again = inbox.Upload(inbox.SERIAL)
        await delivery.receive(whole, _LABEL, start.store, start.journal, start.clock)
        again.abort()
        with open("/flash/PRESS-4.page.muster") as f:
            assert f.read() == _GOOD

    await _on(RAMDisk(), act, True)


async def test_where_memory_is_short_it_is_kept_for_later():
    async def act():
        start = Start()
        upload = inbox.Upload(inbox.PAGE)
        upload.write(_GOOD.encode())
        path = upload.finish()
        real = inbox.read

        def fails(path):
            raise MemoryError

        inbox.read = fails
        try:
            found = await delivery.receive(path, _LABEL, start.store, start.journal, start.clock)
        finally:
            inbox.read = real
        assert found == (None, None)
        await _apply_all(start)
        assert start.last()["receipt"] == _receipt(7, "ok")

    await _on(RAMDisk(), act, True)


async def test_what_is_far_too_long_is_not_even_set_aside():
    async def act():
        _bring("x" * 20000, "huge.muster")
        start = Start()
        await _apply_all(start)
        assert start.last()["code"] == "config_invalid"
        assert not [name for name in os.listdir("/flash") if "huge" in name]

    await _on(RAMDisk(), act, True)
