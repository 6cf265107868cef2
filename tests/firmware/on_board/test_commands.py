# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Commands of the platform, as the application sees them.

import asyncio
import json

from runner import araises

from muster.errors import DeviceError
from muster.session import Session


# A platform with the two containers of a device.
class Platform:
    originator = "Cabc"
    settings = {"cse": "cse-in"}

    def __init__(self):
        self.made = []
        self.waiting = []  # [id, con]
        self.results = []
        self.fails = 0

    async def ask(self, method, path, kind=None, body=None):
        if self.fails:
            self.fails -= 1
            raise DeviceError("platform_unreachable", "not now")
        await asyncio.sleep_ms(0)
        if kind == 3:
            self.made.append(body["m2m:cnt"])
            return ("2001" if len(self.made) < 2 else "4105"), b""
        if method == "GET":
            assert path == "cse-in/Cabc/commands/ol"
            if not self.waiting:
                return "4004", b""
            id, con = self.waiting[0]
            return "2000", json.dumps({"m2m:cin": {"ri": id, "con": con}}).encode()
        if kind == 4:
            assert path == "cse-in/Cabc/results?rcn=0"
            self.results.append(json.loads(body["m2m:cin"]["con"]))
            return "2001", b""
        assert method == "DELETE"
        self.waiting = [one for one in self.waiting if one[0] != path]
        return "2002", b""

    def refused(self, verb, rsc, answer):
        return DeviceError("platform_refused", verb)


def _session(platform):
    session = Session(None)
    session.use({"app": {}, "device": {}}, platform)
    session.set_online(True)
    return session


async def test_commands_come_oldest_first_each_until_it_is_done():
    platform = Platform()
    commands = _session(platform).commands(0)
    platform.waiting = [["c1", '{"led":true}'], ["c2", "[1,2]"]]
    first = await commands.__anext__()
    assert (first.id, first.value) == ("c1", {"led": True})
    assert platform.waiting[0][0] == "c1"  # a restart would have it come again
    await first.done({"led": 1})
    second = await commands.__anext__()
    assert second.value == [1, 2]
    await second.failed("no such LED")
    assert platform.waiting == []
    assert platform.results == [
        {"id": "c1", "ok": True, "result": {"led": 1}},
        {"id": "c2", "ok": False, "result": "no such LED"},
    ]
    assert [made["rn"] for made in platform.made] == ["commands", "results"]


async def test_what_was_not_acknowledged_counts_as_done():
    platform = Platform()
    commands = _session(platform).commands(0)
    platform.waiting = [["c1", "1"], ["c2", "2"]]
    values = []
    async for command in commands:
        values.append(command.value)
        if len(values) == 2:
            break
    assert values == [1, 2]
    assert platform.results == [{"id": "c1", "ok": True, "result": None}]


async def test_what_is_no_json_is_told_and_passed_over():
    platform = Platform()
    commands = _session(platform).commands(0)
    platform.waiting = [["c1", "on!"], ["c2", "2"]]
    command = await commands.__anext__()
    assert command.id == "c2"
    assert platform.results == [{"id": "c1", "ok": False, "result": "not JSON"}]


async def test_failures_of_the_platform_are_waited_through():
    platform = Platform()
    platform.fails = 5
    commands = _session(platform).commands(0)
    platform.waiting = [["c1", "1"]]
    command = await commands.__anext__()
    platform.fails = 1
    await araises(DeviceError, command.done())
    await command.done("now")
    assert platform.results == [{"id": "c1", "ok": True, "result": "now"}]


async def test_policies_are_set_there_too():
    platform = Platform()
    platform.settings = {"cse": "cse-in", "acpi": ["cse-in/acp"]}
    commands = _session(platform).commands(0)
    platform.waiting = [["c1", "1"]]
    await commands.__anext__()
    assert [made["acpi"] for made in platform.made] == [["cse-in/acp"]] * 2
