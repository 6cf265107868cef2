# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A bundle from its file to its receipt, on LittleFS, and what a restart makes of every point in
# between.

import asyncio
import hashlib
import os
from binascii import unhexlify

import lives
from ram_disk import PowerCut, RAMDisk, mount, unmount
from runner import araises, golden

from muster import candidate, delivery, inbox, receipt
from muster.backoff import SecondTry
from muster.errors import DeviceError
from muster.label import Label
from muster.led import LED
from muster.pulse import Pulse
from muster.report import entries
from muster.store import Store
from muster.timeline import JOIN, PROVED, REGISTER

_GOLDEN = golden("wire/deliveries.json")
_BUNDLES = _GOLDEN["bundles"]
_GOOD = _BUNDLES["of-jwcrypto"]  # version 7, for PRESS-4
_LABEL = Label("PRESS-4", unhexlify(_GOLDEN["secret_hex"]))
inbox._ROOT = "/flash/"


class Clock:
    is_known = False

    def __init__(self):
        self.passed = 0

    def now(self):
        return 0

    def not_before(self, unix):
        self.passed = unix


# One start of the board, up to where a bundle is looked for.
class Start:
    def __init__(self):
        self.identity = _LABEL
        self.store = Store("/flash/muster")
        self.timeline, self.journal, former = lives.begin(self.store, "power_on")
        self.config = candidate.wake(self.store, self.journal, self.timeline, former)
        self.clock = Clock()
        self.led = LED(None)
        self.again = SecondTry(self.journal)
        self.attempts = 0

    # What lifecycle.py does with a directive, without radio and platform.
    async def attempt(self, answer):
        self.attempts += 1
        config = candidate.keep(self.store, self.journal, answer)
        for step in (JOIN, REGISTER, PROVED):
            self.journal.reached(config["version"], step)
        candidate.commit(self.store, self.journal, config["version"])
        self.config = config

    async def fail(self, answer):
        self.attempts += 1
        return DeviceError("wifi_no_ap", "factory is not there")

    # As lifecycle.py has it.
    async def apply(self, attempt=None):
        found = await delivery.take(self)
        if found is None or found[0] is None:
            return False
        error = await (attempt or self.attempt)(found[0])
        await delivery.settle(self, found[1], error, error is not None and self.config is None)
        return True

    def last(self):
        return delivery.last(self.store)


def _bring(text=None, name="PRESS-4.muster"):
    with open("/flash/" + name, "wb") as f:
        f.write((_GOOD if text is None else text).encode())


def _receipt(version, code, text=None):
    text = _GOOD if text is None else text
    return receipt.receipt(_LABEL, version, code, hashlib.sha256(text.encode()).digest())


async def _on(disk, act, is_new=False):
    mount(disk, "/flash", is_new)
    try:
        return await act()
    finally:
        unmount("/flash")


async def _apply_all(start, attempt=None):
    rounds = 0
    while await start.apply(attempt):
        rounds += 1
        assert rounds < 5, "it loops"


async def test_a_bundle_is_applied_and_acknowledged_and_gone():
    async def act():
        _bring()
        start = Start()
        await _apply_all(start)
        assert start.config["version"] == 7 and start.clock.passed == 1795400000
        found = start.last()
        assert (found["version"], found["code"]) == (7, "ok")
        assert found["receipt"] == _receipt(7, "ok")
        assert inbox.find() is None
        assert Start().last()["receipt"] == _receipt(7, "ok")

    await _on(RAMDisk(), act, True)


async def test_a_blank_device_keeps_what_fails_to_try_it_again():
    async def act():
        _bring()
        start = Start()
        assert await start.apply(start.fail)
        assert start.last()["receipt"] == _receipt(7, "wifi_no_ap")
        assert inbox.find() == "/flash/PRESS-4.muster"
        await _apply_all(start)
        assert start.last()["code"] == "ok" and inbox.find() is None

    await _on(RAMDisk(), act, True)


async def test_a_device_that_has_something_to_run_on_tries_once():
    async def act():
        _bring(_BUNDLES["without-expiry"])
        start = Start()
        start.config = {"version": 1}
        await _apply_all(start, start.fail)
        assert start.attempts == 1 and inbox.find() is None
        assert start.last()["code"] == "wifi_no_ap" and start.last()["receipt"]

    await _on(RAMDisk(), act, True)


async def test_the_same_bundle_again_changes_nothing_that_was_said():
    async def act():
        _bring()
        start = Start()
        await _apply_all(start)
        _bring()
        await _apply_all(start)
        assert start.attempts == 1 and inbox.find() is None
        assert start.last()["receipt"] == _receipt(7, "ok")
        assert entries(start.timeline)[-1][1] == "config_not_newer"

    await _on(RAMDisk(), act, True)


async def test_another_bundle_of_the_same_version_is_refused_with_a_receipt():
    async def act():
        _bring()
        start = Start()
        await _apply_all(start)
        other = _BUNDLES["without-expiry"]
        _bring(other)
        await _apply_all(start)
        assert start.last()["receipt"] == _receipt(7, "config_not_newer", other)
        assert inbox.find() is None and start.config["version"] == 7

    await _on(RAMDisk(), act, True)


async def test_bad_ones_are_set_aside_and_the_good_one_is_applied():
    async def act():
        _bring("garbage", "A.muster")
        _bring(_BUNDLES["of-another-device"], "B.muster")
        _bring(_BUNDLES["config-with-an-empty-ssid"], "C.muster")
        _bring("x" * 13000, "D.muster")
        _bring()
        start = Start()
        await _apply_all(start)
        assert start.attempts == 1 and start.last()["code"] == "ok"
        assert sorted([n for n in os.listdir("/flash") if "muster." in n or ".muster" in n]) == [
            "A.muster.bad",
            "B.muster.bad",
            "C.muster.bad",
            "D.muster.bad",
        ]

    await _on(RAMDisk(), act, True)


async def test_a_refused_one_of_ours_has_a_receipt_and_a_strangers_has_none():
    async def act():
        bad = _BUNDLES["config-with-an-empty-ssid"]
        _bring(bad)
        start = Start()
        await start.apply()
        assert start.last()["receipt"] == _receipt(7, "config_invalid", bad)
        _bring("garbage")
        await start.apply()
        assert start.last()["receipt"] is None and start.last()["code"] == "config_invalid"

    await _on(RAMDisk(), act, True)


async def test_power_lost_in_every_trial_ends_after_the_third():
    disk = RAMDisk()

    class Lost(Exception):
        pass

    async def lost(answer):
        raise Lost

    async def prepare():
        _bring()
        start = Start()
        start.journal.highest = 3  # it has a configuration to go on with
        start.journal.save()

    async def start_and_lose():
        start = Start()
        try:
            await start.apply(lost)
        except Lost:
            return None
        return start.last()["code"]

    await _on(disk, prepare, True)
    codes = []
    for _ in range(4):
        codes.append(await _on(disk, start_and_lose))
    assert codes == [None, None, None, "power_lost"], codes


class Lost(Exception):
    pass


async def _lose(answer):
    raise Lost


async def test_a_crash_in_every_trial_of_a_blank_device_ends_too():
    async def act():
        _bring()
        for _ in range(3):
            await araises(Lost, Start().apply(_lose))
        assert (await Start().apply(_succeed)) and not _left(), "switched off, not crashed"
        _bring(_BUNDLES["without-expiry"])
        start = Start()
        start.journal.reset()
        for _ in range(3):
            await araises(Lost, start.apply(_lose))
        start.journal.reset_cause = "hard"
        assert not await start.apply(_lose)
        assert start.last()["code"] == "watchdog" and _left() == ["PRESS-4.muster.bad"]

    await _on(RAMDisk(), act, True)


async def _succeed(answer):
    return None


def _left():
    return [name for name in os.listdir("/flash") if ".muster" in name]


async def test_one_that_failed_and_was_passed_by_another_has_no_good_receipt():
    async def act():
        _bring()
        start = Start()
        await araises(Lost, start.apply(_lose))
        start.journal.highest = 8  # by a sync
        await _apply_all(start)
        assert start.last()["receipt"] == _receipt(7, "config_not_newer")

    await _on(RAMDisk(), act, True)


async def test_what_cannot_be_opened_for_want_of_memory_is_set_aside():
    async def act():
        _bring()
        start = Start()
        genuine, delivery.look = delivery.look, _no_memory
        try:
            for _ in range(3):
                assert (await araises(DeviceError, start.apply())).code == "storage_failed"
                assert inbox.find()
            assert not await start.apply()
        finally:
            delivery.look = genuine
        assert start.last()["code"] == "storage_failed" and _left() == ["PRESS-4.muster.bad"]
        _bring()
        assert await start.apply() and start.last()["code"] == "ok"

    await _on(RAMDisk(), act, True)


async def _no_memory(*arguments):
    raise MemoryError


async def test_what_comes_during_the_trial_of_another_has_its_own():
    other = _BUNDLES["without-expiry"]

    async def act():
        _bring()
        start = Start()

        async def interrupted(answer):
            upload = inbox.Upload()
            upload.write(other.encode())
            path = upload.finish()
            await delivery.receive(path, _LABEL, start.store, start.journal, start.clock)
            return await start.fail(answer)

        assert await start.apply(interrupted)
        assert start.last()["code"] is None and inbox.find()
        assert await start.apply()
        assert start.last()["receipt"] == _receipt(7, "ok", other) and inbox.find() is None

    await _on(RAMDisk(), act, True)


async def test_a_version_that_has_failed_is_due_later_and_another_at_once():
    async def act():
        _bring()
        start = Start()
        start.journal.failed_version, start.journal.failures = 7, 5
        start.again.wait()
        directive, ticket = await delivery.take(start)
        assert directive is None and ticket[1] == 7
        assert start.last() is None and inbox.find()
        start.journal.failed_version = 6
        assert await start.apply()

    await _on(RAMDisk(), act, True)


async def test_a_record_of_another_shape_is_none():
    async def act():
        start = Start()
        for found in ([], 7, {}, {"version": 7}):
            start.store.save("bundle", found)
            assert start.last() is None
        found = {"version": "7", "code": None, "detail": "", "tries": 0}
        start.store.save("bundle", dict(found, digest=None, receipt=None))
        assert start.last() is None

    await _on(RAMDisk(), act, True)


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
        upload = inbox.Upload()
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
        upload = inbox.Upload()
        upload.write(_BUNDLES["of-another-device"].encode())
        path = upload.finish()
        receiving = delivery.receive(path, _LABEL, start.store, start.journal, start.clock)
        assert (await araises(DeviceError, receiving)).code == "server_untrusted"
        assert start.last() is None and os.listdir("/flash") == ["muster"]

    await _on(RAMDisk(), act, True)


async def test_an_upload_is_there_only_when_it_is_accepted():
    async def act():
        upload = inbox.Upload()
        text = _GOOD.encode()
        for at in range(0, len(text), 50):
            upload.write(text[at : at + 50] + b"\r\n")
        path = upload.finish()
        assert inbox.find() is None
        assert inbox.read(path) == text
        version, digest, answer, error = await delivery.look(path, _LABEL, Clock(), 0)
        assert version == 7 and digest and answer and error is None
        inbox.accept("PRESS-4")
        assert inbox.find() == "/flash/PRESS-4.muster"

    await _on(RAMDisk(), act, True)


async def test_an_upload_of_garbage_ends_at_the_longest_bundle():
    async def act():
        upload = inbox.Upload()
        written = 0
        try:
            while True:
                upload.write(b"x" * 512)
                written += 512
        except DeviceError as e:
            assert e.code == "config_invalid" and written <= 6144
        assert os.listdir("/flash") == []

    await _on(RAMDisk(), act, True)


async def test_nothing_is_left_to_apply_after_a_factory_reset():
    async def act():
        _bring()
        start = Start()
        await delivery.forget(start)
        assert inbox.find() is None and start.last() is None
        assert not await start.apply()

    await _on(RAMDisk(), act, True)


async def test_the_led_blinks_the_receipt():
    class Pin:
        levels = 0

        def value(self, level):
            self.levels += level

    pin = Pin()
    led = LED(pin)
    led.announce([1, 1] * 10)
    task = asyncio.create_task(led.blink(Pulse()))
    await asyncio.sleep_ms(300)
    task.cancel()
    assert pin.levels >= 30
