# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Commands of the platform, as the application sees them.

import asyncio
import json

from runner import araises
from virtual_time import VirtualTime

from muster import channel, modules
from muster.errors import DeviceError
from muster.session import Session

modules.keep("channel")  # the one with the virtual time

_HOUR_MS = 3600000
_LOOK = ("GET", "cse-in/Cabc/commands/ol")
_WAIT = ("GET", "cse-in/Cabc/calls/pcu")


# A platform with the two containers of a device.
class Platform:
    originator = "Cabc"
    settings = {"cse": "cse-in", "rvi": "4"}
    lease = None
    is_listening = False

    def __init__(self):
        self.lock = asyncio.Lock()
        self.news = []  # the ids of notifications
        self.asked = []  # (method, path) of each request
        self.opened = []
        self.answers = {}  # those that differ, by path
        self.made = []
        self.waiting = []  # [id, con]
        self.results = []
        self.fails = 0

    async def alone(self, deed, *arguments):
        async with self.lock:
            return await deed(*arguments)

    def ask(self, *request):
        return self.alone(self.request, *request)

    async def request(self, method, path, kind=None, body=None, wait_s=0):
        self.asked.append((method, path))
        if path in self.answers:
            return self.answers[path], b""
        if path.endswith("/pcu"):
            return await self._polled(method, body, wait_s)
        if kind in (15, 23):
            return ("4105" if path in self.opened else "2001"), self.opened.append(path)
        if path.endswith("/calls"):
            return ("2000" if path[:-6] + "?rcn=0" in self.opened else "4004"), b""
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

    async def _polled(self, method, body, wait_s):
        assert self.is_listening
        if method == "POST":
            self.news.remove(body["m2m:rsp"]["rqi"])
            return "2000", b""
        for _ in range(wait_s * 10):
            if self.news:
                return "2000", json.dumps({"m2m:rqp": {"rqi": self.news[0]}}).encode()
            await asyncio.sleep_ms(100)
        return "4008", b""

    def tell(self, id, con):
        self.waiting.append([id, con])
        self.news.append("n" + id)

    def count(self, *request):
        return len([asked for asked in self.asked if asked == request])

    def refused(self, verb, rsc, answer):
        return DeviceError("platform_refused", verb)


def _session(platform, commands_s=None):
    session = Session(None)
    policy = {} if commands_s is None else {"commands_s": commands_s}
    session.use({"app": {}, "device": {}, "policy": policy}, platform)
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


# Lets an application take commands until the time is over; what it was told.
async def _obeyed(session, ms):
    values = []

    async def app():
        async for command in session.commands():
            values.append(command.value)
            await command.done()

    task = asyncio.create_task(app())
    await asyncio.sleep_ms(ms)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    return values


async def test_policy_says_how_often_the_platform_is_looked_at():
    for commands_s, looks in ((60, 60), (None, 360)):  # the application's own: every 10 s
        platform = Platform()
        with VirtualTime(channel):
            await _obeyed(_session(platform, commands_s), _HOUR_MS - 1)
        assert platform.count(*_LOOK) == looks, (commands_s, platform.count(*_LOOK))
        assert len(platform.asked) == looks + 2  # and its containers


async def test_platform_that_may_tell_is_asked_less_and_answers_at_once():
    platform = Platform()
    session = _session(platform, 0)
    with VirtualTime(channel):
        assert await _obeyed(session, _HOUR_MS) == []
        idle = platform.count(*_WAIT), platform.count(*_LOOK)
        # Besides: two containers, channel and subscription.
        assert len(platform.asked) == sum(idle) + 4
        task = asyncio.create_task(_obeyed(session, 20000))
        await asyncio.sleep_ms(10000)
        platform.tell("c1", '"on"')
        platform.tell("c2", '"off"')
        await asyncio.sleep_ms(1500)
        assert platform.waiting == []
        assert await task == ["on", "off"]
        assert platform.news == []
    assert (69 <= idle[0] <= 72, 11 <= idle[1] <= 13) == (True, True), idle
    print("figure requests_in_an_hour_over_a_polling_channel", sum(idle))


async def test_readings_do_not_wait_for_commands():
    platform = Platform()
    with VirtualTime(channel):
        task = asyncio.create_task(_obeyed(_session(platform, 0), 60000))
        for _ in range(5):
            await asyncio.sleep_ms(8000)
            assert platform.is_listening
            began = channel.time.ticks_ms()
            await platform.alone(asyncio.sleep_ms, 0)
            took_ms = channel.time.ticks_ms() - began
            assert took_ms <= 100, took_ms
        platform.tell("c1", "1")
        assert await task == [1]


async def test_what_came_before_the_platform_could_tell_is_found_at_once():
    platform = Platform()
    platform.opened = ["cse-in/Cabc?rcn=0", "cse-in/Cabc/commands?rcn=0"]  # in a former life
    request = platform.request

    async def late(method, path, kind=None, body=None, wait_s=0):
        if kind == 23:
            platform.waiting.append(["c1", "1"])  # and nobody was told
        return await request(method, path, kind, body, wait_s)

    platform.request = late
    with VirtualTime(channel):
        assert await _obeyed(_session(platform, 0), 5000) == [1]
    assert platform.count(*_WAIT) == 1


async def test_platform_without_channels_is_looked_at():
    platform = Platform()
    session = _session(platform, 0)
    platform.answers = {"cse-in/Cabc/commands?rcn=0": "4005"}
    with VirtualTime(channel):
        task = asyncio.create_task(_obeyed(session, 60000))
        await asyncio.sleep_ms(30000)
        platform.tell("c1", "1")
        assert await task == [1]
    assert platform.count(*_WAIT) == 0
    assert 6 <= platform.count(*_LOOK) <= 9


async def test_what_the_platform_has_lost_is_made_anew():
    platform = Platform()
    with VirtualTime(channel):
        task = asyncio.create_task(_obeyed(_session(platform, 0), 120000))
        await asyncio.sleep_ms(10000)
        made = len(platform.made)
        platform.answers = {_WAIT[1]: "4004"}
        await asyncio.sleep_ms(60000)
        platform.answers = {}
        platform.tell("c1", "1")
        assert await task == [1]
    assert len(platform.made) > made


async def test_another_registration_has_its_containers_made():
    platform = Platform()
    with VirtualTime(channel):
        task = asyncio.create_task(_obeyed(_session(platform, 5), 60000))
        await asyncio.sleep_ms(20000)
        assert len(platform.made) == 2
        platform.lease = (1, 2)
        await task
    assert len(platform.made) == 4
