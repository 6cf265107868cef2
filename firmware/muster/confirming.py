# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The sync between a trial's success and its commit. Loaded by trial.py for it.

from . import log
from .actions import FORGET
from .errors import DeviceError


# Makes the sync before the commit: only an authenticated "forget" or another configuration
# prevents it, and is returned; anything else counts as unreachable.
async def confirm(life, config):
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
