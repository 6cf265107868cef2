# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Steps 7 to 9: leave the onboarding network, join the operational one, register; then commit, or
# come home. Loaded by lifecycle.py when there is a configuration to try.

import asyncio

from . import log
from .errors import DeviceError, Interrupted
from .modules import borrow, borrowed, release
from .room import give


# Tries a directive's configuration and commits it. Returns ((configuration, lease), None, None) if
# it has done so, else (None, a directive to be obeyed in its place or None, what stood in the
# way). Of the configuration only what the moment needs is in RAM: flash has it. answer None: the
# candidate that is kept has another turn.
async def attempt(life, answer):
    await asyncio.sleep_ms(0)  # here and below: flash takes a while, and others wait
    is_second = answer is None
    if answer is None:
        config = borrow("candidate", "kept", life.store, life.journal, life.journal.failed_version)
    else:
        # It has failed before; a bundle counts its trials, so that none may end without a word.
        has_failed = answer.config["version"] == life.journal.failed_version
        is_second = has_failed and answer.nonce is not None
        config = borrow("candidate", "keep", life.store, life.journal, answer)
    if config is None:  # it has gone meanwhile
        return None, None, None
    version = config["version"]
    await asyncio.sleep_ms(0)
    del config["app"], config["device"]
    if not config["platform"]["url"].startswith("https"):
        give()  # what is kept for TLS
    life.led.show("trial")
    try:
        lease = await borrowed("proving", "prove", life, config, is_second)
    except Interrupted:
        life.wifi.stop()
        life.timeline.drop()
        if not life.button.wants_more():  # it is only somebody else's turn
            borrow("candidate", "set_aside", life.store, life.journal)
            raise
        borrow("candidate", "drop", life.store, life.journal)
        return None, None, DeviceError("timeout", "ended by the button")
    except DeviceError as e:
        borrow("failure", "end_trial", life, version, e)
        await borrowed("shortage", "heed", life, None)
        return None, None, e
    finally:
        release("platform", "tls", "http")
    del config["platform"]
    pending = await borrowed("confirming", "confirm", life, config)
    if pending:
        life.wifi.stop()
        borrow("candidate", "drop", life.store, life.journal)
        text = "called off: the configuration server wants to %s" % pending.action
        log.warn("trial", text)
        return None, pending, DeviceError("config_not_newer", text)
    await asyncio.sleep_ms(0)
    committed = borrow("candidate", "commit", life.store, life.journal, version)
    await asyncio.sleep_ms(0)
    return (committed, lease), None, None
