# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# How a committed device comes online, and how it asks its server. Loaded by operation.py when
# needed.

from . import log
from .actions import FORGET, KEEP
from .errors import DeviceError
from .modules import borrow, borrowed


# Connects and registers. Returns a directive that must be obeyed first, or None once that is done.
# Raises DeviceError.
async def connect(operation, config, platform):
    life = operation.life
    # Whatever else ends this, another one may have the radio next.
    is_home, operation.is_home = operation.is_home, False
    if not is_home or not life.wifi.is_joined():
        await _join(operation, config)
    # A certificate wants the time; and a platform that did not take the device may not be the
    # one any more, or have another authority. The server knows, if it can be reached.
    is_secure = config["platform"]["url"].startswith("https")
    asks = operation.asks_first or (is_secure and not life.clock.is_known)
    is_troubled = asks and life.journal.last is not None
    if asks:
        answer = await check_in(life, config)
        if answer:
            return answer
        is_troubled = is_troubled and not life.contact.unanswered
    operation.asks_first = True
    is_known, operation.is_known = operation.is_known, False
    try:
        if is_known:  # it has slept, no more
            await operation.renew()
        else:
            await borrowed("proving", "register", config, platform, life.clock, life.timeline)
    except DeviceError as e:
        await borrowed("shortage", "heed", life, operation)
        if not e.is_final:
            await borrowed("link", "look", operation)
        # What holds is kept; but another place, or another network of several, may lead further.
        operation.is_home = not life.wifi.doubt() and len(config["networks"]) == 1
        raise
    if not is_known:  # else nobody need have been asked
        borrow("shortage", "end", life)
    operation.is_home = True
    operation.silent_since = None
    operation.asks_first = False
    # Nobody has been asked yet; or the server has heard of a failure that is over now.
    if is_troubled or not (asks or is_known):
        life.contact.due_in(0)
    _remember(life, config, platform)
    return None


async def _join(operation, config):
    life = operation.life
    try:
        await life.wifi.join_one_of(config, life.timeline)
    except DeviceError as e:
        # A network that gives no address any more is dead, too; one that is not there is not.
        is_dead = operation.silent_since is not None and e.code == "wifi_timeout"
        if is_dead or e.code == "dhcp_timeout":
            await borrowed("link", "silent", operation)
        else:
            operation.silent_since = None
        raise


# Keeps what this life knows for one that begins with the end of deep sleep.
def _remember(life, config, platform):
    try:
        borrow("waking silence", "remember", life, config, platform.lease)
    except MemoryError:  # then that one asks and registers
        log.warn("operation", "no memory to remember")


# Heeds a hint to wait. A stranger may have said it: it makes the next contact later, never sooner.
def wait(contact, seconds):
    if contact.is_due(seconds):
        contact.due_in(seconds)


# Asks the server, and returns the directive that wants something done, or None. A server that
# cannot be reached now is tried again.
async def check_in(life, config):
    contact = life.contact
    try:
        answer = await contact.ask(config, "committed")
    except DeviceError as e:
        life.timeline.drop()
        log.warn("sync", e)
        wait(contact, e.retry_s or 0)
        _remember(life, config, life.operation.platform)
        return None
    life.wifi.prove()
    if answer.action == KEEP and life.journal.failed_version is not None:
        borrow("candidate", "let_go", life.store, life.journal)
    wait_ms = life.again.due_in_ms(answer.config["version"]) if answer.config else 0
    if life.journal.last:
        contact.due_in(1)  # only an echo of this nonce tells the failure for certain
    elif wait_ms:
        contact.due_in(wait_ms // 1000 + 1)
    _remember(life, config, life.operation.platform)
    is_for_us = answer.action == FORGET or (answer.config and not wait_ms)
    return answer if is_for_us else None
