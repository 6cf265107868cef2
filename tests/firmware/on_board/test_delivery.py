# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A bundle from its file to its receipt, on LittleFS, and what a restart makes of every point in
# between.

import os

from bringing import _BUNDLES, _LABEL, Start, _apply_all, _bring, _on, _receipt
from ram_disk import RAMDisk
from runner import araises

from muster import by_hand, delivery, inbox, local_wifi
from muster.errors import DeviceError
from muster.report import entries


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


async def test_one_that_fails_makes_way_for_another():
    async def act():
        _bring(_BUNDLES["without-expiry"], "a.muster")
        _bring(name="b.muster")
        start = Start()
        assert await start.apply(start.fail)
        assert inbox.find() == "/flash/b.muster"
        await _apply_all(start)
        assert start.last()["receipt"] == _receipt(7, "ok") and inbox.find() is None

    await _on(RAMDisk(), act, True)


async def test_the_led_shows_the_receipt_of_a_bundle_that_is_kept_once():
    async def act():
        _bring()
        start = Start()
        start.led.announce = shown.append
        for _ in range(3):
            assert await start.apply(start.fail)
            start.again.hurry()
        await _apply_all(start)

    shown = []
    await _on(RAMDisk(), act, True)
    assert len(shown) == 2 and shown[0] != shown[1]


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
        ]  # C was made with this label's key: what is in it may be secret

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
        by_hand.reset(start.journal)
        for _ in range(3):
            await araises(Lost, start.apply(_lose))
        start.journal.reset_cause = "hard"
        assert not await start.apply(_lose)
        assert start.last()["code"] == "watchdog" and not _left()

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
        _bring(name="PRESS-4.page.muster")
        start = Start()

        async def interrupted(answer):
            upload = inbox.Upload(inbox.PAGE)
            upload.write(other.encode())
            path = upload.finish()
            await delivery.receive(path, _LABEL, start.store, start.journal, start.clock)
            return await start.fail(answer)

        assert await start.apply(interrupted)
        assert start.last()["code"] is None and inbox.find()
        assert await start.apply()
        assert start.last()["receipt"] == _receipt(7, "ok", other) and inbox.find() is None

    await _on(RAMDisk(), act, True)


async def test_one_without_wifi_waits_until_there_is_a_network():
    async def act():
        _bring(_BUNDLES["without-wifi"])
        start = Start()
        assert await delivery.take(start) is None and delivery.lacks_network(start.store)
        found = Start().last()
        assert found["code"] is None and found["receipt"] is None and found["tries"] == 0
        assert found["lacks"] and found["detail"].startswith("it brings no Wi-Fi network")
        record = local_wifi.load(start.store)
        record["asked"] = {"ssid_b64": "c2hvcA==", "psk": None, "hidden": False, "ip": "dhcp"}
        local_wifi.save(start.store, record)
        again = Start()
        config = {"networks": []}
        local_wifi.add_for_trial(again, config)
        assert config["networks"] == [record["asked"]]
        await _apply_all(again)
        assert again.last()["code"] == "ok" and not delivery.lacks_network(again.store)

    await _on(RAMDisk(), act, True)


async def test_one_without_wifi_keeps_no_other_waiting():
    async def act():
        _bring(_BUNDLES["without-wifi"], "a.muster")
        _bring(name="b.muster")
        start = Start()
        await _apply_all(start)
        assert start.config["version"] == 7 and start.config["networks"]
        assert inbox.find() is None  # of the same version, and so refused by now

    await _on(RAMDisk(), act, True)


async def test_a_device_at_work_tries_one_without_wifi_once_on_what_it_keeps():
    async def act():
        _bring(_BUNDLES["without-wifi"])
        start = Start()
        start.config = {"version": 1}
        record = local_wifi.load(start.store)
        record["network"] = {"ssid_b64": "c2hvcA==", "psk": None, "hidden": False, "ip": "dhcp"}
        local_wifi.save(start.store, record)
        directive, ticket = await delivery.take(start)
        assert directive and ticket[3]
        assert await delivery.settle(start, ticket, DeviceError("wifi_no_ap", "not there"), True)
        assert delivery.lacks_network(start.store) and await delivery.take(start) is None
        assert start.last()["code"] == "wifi_no_ap"  # still what is known of it
        start.config = None
        assert (await delivery.take(start))[0]

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
