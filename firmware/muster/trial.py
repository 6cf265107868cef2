# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Steps 7 to 9: leave the onboarding network, join the operational one, register; then commit, or
# come home. Loaded by lifecycle.py when there is a configuration to try.

import asyncio

from . import log
from .actions import FORGET
from .errors import DeviceError, Interrupted
from .modules import borrow, borrowed, release
from .timeline import LEAVE


# Tries a directive's configuration and commits it. Returns ((configuration, lease), None, None) if
# it has done so, else (None, a directive to be obeyed in its place or None, what stood in the
# way). Of the configuration only what the moment needs is in RAM: flash has it. answer None: the
# candidate that is kept has another turn.
async def attempt(life, answer):
    await asyncio.sleep_ms(0)  # here and below: flash takes a while, and others wait
    is_second = answer is None
    if is_second:
        config = borrow("candidate", "kept", life.store, life.journal, life.journal.failed_version)
    else:
        config = borrow("candidate", "keep", life.store, life.journal, answer)
    if config is None:  # it has gone meanwhile
        return None, None, None
    version = config["version"]
    await asyncio.sleep_ms(0)
    del config["app"], config["device"]
    life.led.show("trial")
    try:
        lease = await borrowed("proving", "prove", life, config, is_second)
    except Interrupted:
        life.wifi.stop()
        life.timeline.drop()
        if not life.button.wants_more():  # it is only somebody else's turn
            borrow("candidate", "set_aside", life.journal)
            raise
        borrow("candidate", "drop", life.store, life.journal)
        return None, None, DeviceError("timeout", "ended by the button")
    except DeviceError as e:
        life.wifi.stop()
        if e.step is None and life.timeline.step is None:
            e.step = LEAVE  # the journal could not be written before the first step
        life.timeline.failed(e)
        life.led.failed(e.step)
        borrow("candidate", "fail", life.journal, version, e)
        life.again.wait(e.retry_s or 0)
        await borrowed("shortage", "heed", life, None)
        return None, None, e
    finally:
        release("platform", "onem2m", "tls", "http")
    del config["platform"]
    pending = await _confirm(life, config)
    if pending:
        borrow("candidate", "drop", life.store, life.journal)
        text = "called off: the configuration server wants to %s" % pending.action
        log.warn("trial", text)
        return None, pending, DeviceError("config_not_newer", text)
    await asyncio.sleep_ms(0)
    committed = borrow("candidate", "commit", life.store, life.journal, version)
    await asyncio.sleep_ms(0)
    return (committed, lease), None, None


# Makes the sync before the commit: only an authenticated "forget" or another configuration
# prevents it, and is returned; anything else counts as unreachable.
async def _confirm(life, config):
    life.led.show("sync")
    try:
        answer = await life.contact.ask(config, "trial")
    except DeviceError as e:
        life.timeline.drop()
        log.warn("confirm", "not confirmed, committed all the same: %s" % e)
        return None
    if answer.action == FORGET:
        return answer
    if answer.config and answer.config["version"] != config["version"]:
        return answer
    return None
