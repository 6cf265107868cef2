# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Registering and renewing, on a connection that plays a platform's answers.

import json

from runner import araises

from muster.errors import DeviceError
from muster.platform import Platform
from muster.registered import renew

_SETTINGS = {
    "url": "http://127.0.0.1:1",
    "cse": "cse-in",
    "originator": "Cabc",
    "api": "Nx",
    "rvi": "4",
    "token": None,
}
_AE = {
    "lt": "20261123T000000,000000",
    "et": "20261126T000000,000000",
    "api": "Nx",
    "lbl": ["muster:PRESS-4"],
}


# Plays the answers in order and keeps what was asked.
class Connection:
    def __init__(self, *answers):
        self._answers = list(answers)
        self.asked = []

    def message(self, method, path, headers, body):
        return method, path, json.loads(body) if body else None

    async def exchange(self, message, timeout_ms, limit_bytes, is_own, room, is_safe):
        self.asked.append(message[0])
        rsc, document = self._answers.pop(0)
        headers = {"x-m2m-rsc": rsc}
        assert is_own(200, headers)
        return 200, headers, json.dumps(document).encode()

    def close(self):
        pass


def _platform(*answers):
    return Platform(_SETTINGS, "PRESS-4", Connection(*answers), "")


_CREATED = ("2001", {"m2m:ae": _AE})
_CONTAINER = ("2001", {})


async def test_a_registration_is_renewed_at_two_thirds_of_its_life():
    platform = _platform(_CREATED, _CONTAINER, _CONTAINER, ("2004", {"m2m:ae": _AE}))
    await platform.register()
    due, life_s = platform.lease
    assert life_s == 3 * 86400
    await renew(platform, due - 1)
    assert len(platform._connection.asked) == 3
    await renew(platform, due)
    method, path, body = platform._connection.asked[3]
    assert (method, path) == ("PUT", "/Cabc")
    assert body == {"m2m:ae": {"et": "20261128T000000"}}


async def test_a_registration_that_ended_meanwhile_is_made_anew():
    platform = _platform(("4004", {}), _CREATED, _CONTAINER, _CONTAINER)
    platform.lease = (0, 86400)
    await renew(platform, 1)
    assert [asked[0] for asked in platform._connection.asked] == ["PUT", "POST", "POST", "POST"]


async def test_after_a_lost_reply_the_device_recognises_its_own():
    platform = _platform(("4117", {}), ("2000", {"m2m:ae": _AE}), ("4105", {}), ("4105", {}))
    await platform.register()
    assert platform.lease


async def test_a_copied_originator_is_noticed():
    other = dict(_AE)
    other["lbl"] = ["muster:OTHER"]
    platform = _platform(("4117", {}), ("2000", {"m2m:ae": other}))
    e = await araises(DeviceError, platform.register())
    assert e.code == "platform_conflict"


async def test_policies_are_named_at_the_ae_and_at_each_container():
    platform = _platform(_CREATED, _CONTAINER, _CONTAINER)
    platform.settings = dict(_SETTINGS, acpi=["cse-in/acp-press"])
    await platform.register()
    named = [list(asked[2].values())[0]["acpi"] for asked in platform._connection.asked]
    assert named == [["cse-in/acp-press"]] * 3


async def test_what_exists_already_gets_the_policies_too():
    done = ("2004", {})
    answers = [("4117", {}), ("2000", {"m2m:ae": _AE}), done, ("4105", {}), done, _CONTAINER]
    platform = _platform(*answers)
    platform.settings = dict(_SETTINGS, acpi=["cse-in/acp-press"])
    await platform.register()
    put = [asked for asked in platform._connection.asked if asked[0] == "PUT"]
    assert [asked[1] for asked in put] == ["/Cabc?rcn=0", "/cse-in/Cabc/data?rcn=0"]
    assert put[1][2] == {"m2m:cnt": {"acpi": ["cse-in/acp-press"]}}


async def test_a_policy_that_the_platform_does_not_know_is_named():
    dbg = {"m2m:dbg": "acpi: there is no access control policy at cse-in/acp-press"}
    platform = _platform(("4117", {}), ("2000", {"m2m:ae": _AE}), ("4000", dbg))
    platform.settings = dict(_SETTINGS, acpi=["cse-in/acp-press"])
    e = await araises(DeviceError, platform.register())
    assert e.code == "platform_refused" and "acp-press" in str(e)


async def test_a_platform_whose_clock_is_behind_is_not_asked_at_each_look():
    answers = [("2004", {"m2m:ae": _AE})] * 3
    platform = _platform(*answers)
    platform.lease = (0, 86400)
    for now in range(3000000000, 3000000120, 10):
        await renew(platform, now)
    assert len(platform._connection.asked) == 2
