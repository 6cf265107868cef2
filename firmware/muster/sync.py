# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# One sync, in which the device reports and the server directs, and what follows from the answer.
# Loaded by contact.py when needed.

import gc
import time

from micropython import const

from . import log
from .actions import ADOPTED, FORGET, KEEP, LABEL, WAIT
from .errors import DeviceError
from .modules import borrow, borrowed
from .timeline import REPORT

_TIMEOUT_MS = const(15000)
_DAY_S = const(86400)
_KEPT_S = const(900)  # so much of a silence may be lost with the power


# Returns the name of the key for a sync, and what the configuration says for it in base64. config:
# the one that the device runs on or tries, None without one. is_anew: it seeks, or nobody has
# answered for a day; then an adopted device asks as such, and the label is for all others.
def key_of(config, is_anew):
    server = config["config_server"] if config else {}
    if config and not is_anew:
        return str(config["version"]), server["key"]
    adoption = server.get("adoption")  # not in one that was committed before adoption was
    return (ADOPTED, adoption) if adoption else (LABEL, "")


# Makes one sync under the configuration's key, or an adopted device's once nobody has answered for
# a day. Raises DeviceError if there is no authenticated answer, and then the next one is due later
# and later.
async def ask(contact, config, state):
    silent_s = _silent_s(contact)
    key = key_of(config, state != "trial" and silent_s > _DAY_S)
    contact.due_in(contact.retry.next_ms() // 1000)
    _, host, port, _ = borrow("url", "split", config["config_server"]["url"])
    try:
        answer = await ask_at(contact, (host, port), key, [], state, _TIMEOUT_MS)
    except DeviceError:
        _ignored(contact, silent_s)
        raise
    if key[0] == LABEL and answer.action == FORGET:
        answer.action = KEEP  # whoever has only the label may not take a device away
    contact.retry.reset()
    contact.due_in(answer.retry_s or config["policy"]["sync_s"])
    return answer


# Returns for how many seconds nobody has answered, lives before this one included. In this life by
# ticks, for the clock may be set at any moment; what seems to lie ahead is longer ago than half
# their range, some six days. From one life to the next the clock goes on, while the board sleeps
# or restarts: there it counts, for a day at most.
def _silent_s(contact):
    if not contact.journal.silence:
        return 0
    seconds, at = contact.journal.silence
    if contact.ignored_at is None:
        return seconds + max(0, min(contact.clock.now() - at, _DAY_S))
    passed_ms = time.ticks_diff(time.ticks_ms(), contact.ignored_at)
    return seconds + (passed_ms // 1000 if passed_ms >= 0 else 2 * _DAY_S)


# Notes that nobody has answered once more. The flash is told now and then.
def _ignored(contact, silent_s):
    contact.ignored_at = time.ticks_ms()
    former = contact.journal.silence
    is_news = not former or former[0] // _KEPT_S != silent_s // _KEPT_S
    contact.journal.silent((silent_s, contact.clock.now()), is_news and silent_s <= 2 * _DAY_S)


# Makes one sync with this server, a (host, port), under a key as key_of() returns it. seen, state:
# as in a report. Notes each step that ends in the timeline, and leaves one that fails open for the
# caller to note. Raises DeviceError.
async def ask_at(contact, server, key, seen, state, timeout_ms):
    contact.timeline.begin(REPORT)
    gc.collect()
    chip = borrow("hardware", "chip")

    def report():
        idf_heap = borrow("hardware", "idf_heap")
        return borrow("report", "write", contact.journal, seen, state, chip, idf_heap)

    texts = [
        await borrowed(
            "exchange noise http",
            "exchange",
            server,
            contact.identity,
            key,
            report,
            contact.timeline,
            timeout_ms,
        )
    ]
    answer = borrow("directive configuration schema url", "parse", texts)
    hear(contact, answer)
    # An adopted device that shall come again comes as such: its version may not be known there.
    if contact.journal.silence and not (key[0] == ADOPTED and answer.action == WAIT):
        contact.journal.silent(None, True)
    return answer


# Ends step 6, and keeps what else the answer says of itself.
def hear(contact, answer):
    text = answer.action
    if answer.config:
        log.hide_config(answer.config)
        text = "configure with version %d" % answer.config["version"]
    contact.timeline.done(text)
    journal = contact.journal
    if (
        journal.is_newest
    ):  # the report has echoed the newest nonce: the server knows of the failure
        journal.last = None
    journal.is_newest = True
    journal.nonce = answer.nonce
    contact.clock.set(answer.time)
