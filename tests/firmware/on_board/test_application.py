# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The owner's coroutine under Muster's care.

import asyncio

from runner import araises
from virtual_time import VirtualTime

from muster import application
from muster.application import Application
from muster.errors import DeviceError
from muster.session import Session


# A platform that takes everything.
class Platform:
    async def alone(self, deed, *arguments):
        pass


def _config(**app):
    return {"app": app, "device": {"name": "", "tags": {}}, "policy": {}}


async def test_the_same_settings_leave_it_running():
    starts = []

    async def app(session):
        starts.append(session.config["app"])
        await asyncio.sleep(60)

    application = Application(app, None)
    for _ in range(3):
        await application.run(_config(a=1), Platform())
        await asyncio.sleep_ms(10)
    await application.stop()
    assert starts == [{"a": 1}]


# What holds the memory may outlive the application.
async def test_it_starts_again_even_if_there_is_no_memory_to_tell_how_it_failed():
    starts = []

    class Full:
        def error(self, where, text):
            raise MemoryError

    async def app(session):
        starts.append(1)
        raise MemoryError

    tried = Application(app, None)
    real, application.log = application.log, Full()
    try:
        with VirtualTime(application):
            await tried.run(_config(), Platform())
            await asyncio.sleep_ms(1500)
            await tried.stop()
    finally:
        application.log = real
    assert len(starts) == 2


async def test_new_settings_start_it_anew():
    starts = []

    async def app(session):
        starts.append(session.config["app"])
        await asyncio.sleep(60)

    application = Application(app, None)
    await application.run(_config(a=1), Platform())
    await asyncio.sleep_ms(10)
    await application.run(_config(a=2), Platform())
    await asyncio.sleep_ms(10)
    await application.stop()
    assert starts == [{"a": 1}, {"a": 2}]


async def test_an_application_that_cannot_be_stopped_is_told():
    async def app(session):
        while True:
            try:
                await asyncio.sleep(1)
            except:  # noqa: E722, S110 - the very mistake that is tested
                pass

    tried = Application(app, None)
    with VirtualTime(application):
        await tried.run(_config(), Platform())
        await asyncio.sleep_ms(10)
        error = await araises(RuntimeError, tried.stop())
    assert "cancellation" in str(error)


async def test_an_application_that_cancels_itself_is_started_again():
    starts = []

    async def sleeper():
        await asyncio.sleep(60)

    async def app(session):
        starts.append(1)
        if len(starts) == 1:
            other = asyncio.create_task(sleeper())
            other.cancel()
            await other
        await asyncio.sleep(60)

    tried = Application(app, None)
    with VirtualTime(application):
        await tried.run(_config(), Platform())
        await asyncio.sleep_ms(1500)
        await tried.stop()
    assert len(starts) == 2


async def test_an_application_that_fails_while_it_is_stopped_is_not_started_again():
    starts = []

    async def app(session):
        starts.append(1)
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("in the middle of it")

    application = Application(app, None)
    await application.run(_config(), Platform())
    await asyncio.sleep_ms(10)
    await application.stop()
    assert starts == [1]


async def test_readings_at_once_have_a_bound_so_that_the_life_is_not_kept_waiting():
    session = Session(None)
    session.use(_config(), Platform())
    tasks = [asyncio.create_task(session.publish("n", n)) for n in range(8)]
    await asyncio.sleep_ms(0)
    error = await araises(DeviceError, session.publish("n", 8))
    assert error.code == "platform_unreachable" and "8 readings" in error.detail
    session.set_online(True)
    for task in tasks:
        await task
    await session.publish("n", 9)
