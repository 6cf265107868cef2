# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The application: what this device is for. Change it, copy it to the board, reset.

import asyncio
import gc

import muster


async def app(session):
    tasks = [asyncio.create_task(publish(session))]
    if "led" in session.config["app"]:
        tasks.append(asyncio.create_task(obey(session)))
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:  # neither goes on alone; Muster starts the application again
            task.cancel()


async def publish(session):
    interval_s = session.config["app"].get("interval_s", 60)
    while True:
        await session.publish("heap_free", gc.mem_free())
        await asyncio.sleep(interval_s)


# Obeys {"led": true} with the pin that the profile's app.led names.
async def obey(session):
    from machine import Pin

    led = Pin(session.config["app"]["led"], Pin.OUT)
    async for command in session.commands(2):
        wanted = command.value
        if isinstance(wanted, dict) and isinstance(wanted.get("led"), bool):
            led.value(wanted["led"])
            await command.done({"led": bool(led.value())})
        else:
            await command.failed('wanted {"led": true} or {"led": false}')


muster.run(app)
