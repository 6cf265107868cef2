# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The owner's coroutine under Muster's care.

import asyncio

from muster.application import Application


# A platform that takes everything.
class Platform:
    async def publish_reading(self, reading):
        pass


def _config(**app):
    return {"app": app, "device": {"name": "", "tags": {}}}


async def test_the_same_settings_leave_it_running():
    starts = []

    async def app(session):
        starts.append(session.config["app"])
        await asyncio.sleep(60)

    application = Application(app)
    for _ in range(3):
        await application.run(_config(a=1), Platform())
        await asyncio.sleep_ms(10)
    await application.stop()
    assert starts == [{"a": 1}]


async def test_new_settings_start_it_anew():
    starts = []

    async def app(session):
        starts.append(session.config["app"])
        await asyncio.sleep(60)

    application = Application(app)
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

    application = Application(app)
    await application.run(_config(), Platform())
    await asyncio.sleep_ms(10)
    try:
        await application.stop()
        raise AssertionError("it claims to have stopped")
    except RuntimeError as e:
        assert "cancellation" in str(e)
