# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What people do to a device: they press its button, and bring it a bundle. Loaded when they do.

from . import button, log
from .errors import DeviceError
from .modules import borrow, borrowed, release

_KINDS = ("", "short press", "twice", "5 s", "15 s", "bundle")


# Takes a press, or word of a bundle, and does what it asks for. life: lifecycle.py's.
async def heed(life):
    kind = life.button.take()
    if kind is None:
        return
    log.info("button", _KINDS[kind])
    if kind != button.BUNDLE:
        life.led.identify()
    life.hurry(kind == button.LONG)
    if kind == button.LONG and life.journal.failed_version is not None:
        borrow("candidate", "drop", life.store, life.journal)  # another one is wanted
    elif kind == button.LONGEST:
        reset(life.journal)
        await forget(life)
    elif kind == button.BUNDLE:
        life.bundle_waits(0)
    elif kind == button.DOUBLE:
        life.setup_waits("due")


# Forgets everything in the journal but the time: a factory reset.
def reset(journal):
    journal.highest = journal.failures = journal.silent_h = 0
    journal.nonce = journal.failed_version = journal.last = journal.trial = None
    journal.save()


# Forgets the configuration, when its owner has released the device or a person reset it. The
# identity stays.
async def forget(life):
    await _deliver(life, "forget")
    borrow("candidate", "forget", life.store, life.journal)
    borrow("local_wifi", "forget", life)
    operation = life.end_operation()
    log.info("life", "configuration forgotten")
    if operation:
        await operation.stop()
    release("operation", "application", "session")
    release("registered", "platform", "onem2m", "tls", "http")


# Tries what somebody has brought: a network of the place, or a bundle, as what a directive brings,
# and acknowledges it. A blank device keeps what fails, to try it again: there is nobody else to
# ask. So does any if it may be the network's fault that somebody has given it here. Raises
# DeviceError.
async def apply(life):
    # Until it goes well: where the flash or the heap fails, a device that can work does so.
    life.bundle_waits(None if life.config else 0)
    has_outcome = True
    try:
        await borrowed("setup_wifi local_wifi", "attempt", life)
        found = await _deliver(life, "take")
        life.bundle_waits(found and found[1][1])
        if not found or not found[0]:
            has_outcome = not found  # else its time has not come
            return
        raised = None
        lacks = found[1][3]
        try:
            error = await life.attempt(found[0])
        except DeviceError as e:
            error = raised = e
        if lacks:
            borrow("setup_wifi local_wifi", "settle", life, error)
        may_keep = error is not None and (lacks or life.config is None)
        if not await _deliver(life, "settle", found[1], error, may_keep):
            life.bundle_waits(0)  # there may be more
        elif life.config:
            life.bundle_waits(None)  # until somebody gives it another network
            await borrowed("setup_wifi local_wifi", "come_home", life)
        if raised:
            raise raised
    finally:
        if life.setup and has_outcome:
            life.setup_waits("due")


# Opens a network of its own. What is brought there is applied without it, then it opens once more:
# its guests want to see the receipt, and the application need not wait for them.
async def set_up(life):
    from . import setup_network

    opened = setup_network.begin(life, life.config is not None)
    del setup_network
    await opened


def _deliver(life, deed, *arguments):
    return borrowed("delivery inbox", deed, life, *arguments)
