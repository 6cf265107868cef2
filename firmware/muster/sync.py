# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# One sync, in which the device reports and the server directs, and what follows from the answer.
# Loaded by contact.py when needed.

import gc

from micropython import const

from . import log
from .actions import FORGET, KEEP
from .backoff import Backoff
from .errors import DeviceError
from .modules import borrow, borrowed
from .timeline import REPORT

_TIMEOUT_MS = const(15000)
_DAY_S = const(86400)  # nobody has answered for so long: the label's key is tried
_HOUR_S = const(3600)
_MOST_H = const(25)  # more than a day
_SILENCE = const("silence")
_SHORT_S = const(60)  # the first wait of a device that sleeps: each question costs it a wake


# Makes one sync under the configuration's key, or the label's once nobody has answered for a day.
# Raises DeviceError if there is no authenticated answer, and then the next one is due later and
# later.
async def ask(contact, config, state):
    _look_back(contact)
    is_ignored = state != "trial" and (contact.silence_s() or 0) > _DAY_S
    contact.due_in(_wait_s(contact, config["policy"]["sync_s"]))
    contact.unanswered += 1
    contact.is_asking = True
    _, host, port, _ = borrow("url", "split", config["config_server"]["url"])
    try:
        key = None if is_ignored else config
        answer = await ask_at(contact, (host, port), key, [], state, _TIMEOUT_MS)
    except DeviceError:
        _note_silence(contact)
        raise
    finally:
        contact.is_asking = False
    if contact.kept_h:
        _keep(contact, 0)
    if is_ignored and answer.action == FORGET:
        answer.action = KEEP  # whoever has only the label may not take a device away
    contact.unanswered = 0
    contact.due_in(answer.retry_s or config["policy"]["sync_s"])
    return answer


# Returns how long to wait if this question stays without an answer. A device that sleeps asks less
# often, but never less than it should.
def _wait_s(contact, sync_s):
    if contact.is_short:
        return min(_SHORT_S << min(contact.unanswered, 16), sync_s)
    return Backoff(contact.unanswered).next_ms() // 1000


# The silence of the lives before this one, in hours begun: the time in which a device is switched
# off is unknown, and RTC memory is lost then. Whoever has slept deeply knows better.
def _look_back(contact):
    if contact.kept_h is None:
        kept_h = contact.store.load(_SILENCE)
        contact.kept_h = kept_h if type(kept_h) is int and 0 <= kept_h <= _MOST_H else 0
        if contact.kept_h and not contact.is_short:
            contact.silent_for(contact.kept_h * _HOUR_S)


# Goes to flash once an hour, and 25 times in all: an hour of a device that starts again counts
# from the first question that stays without an answer.
def _note_silence(contact):
    silent_s = contact.silence_s() or 0
    contact.silent_for(silent_s)
    begun_h = min(silent_s // _HOUR_S + 1, _MOST_H)
    if begun_h > contact.kept_h:
        _keep(contact, begun_h)


def _keep(contact, hours):
    contact.kept_h = hours
    try:
        contact.store.save(_SILENCE, hours)
    except DeviceError as e:  # a device that cannot write waits a day without a break
        log.error("sync", e)


# Makes one sync with this server, a (host, port), under the key of a configuration, or the label's
# if that is None. seen, state: as in a report. Notes each step that ends in the timeline, and
# leaves one that fails open for the caller to note. Raises DeviceError.
async def ask_at(contact, server, config, seen, state, timeout_ms):
    contact.timeline.begin(REPORT)
    gc.collect()
    report = lambda: borrow("report", "write", contact.journal, seen, state)  # noqa: E731
    texts = [
        await borrowed(
            "exchange noise http",
            "exchange",
            server,
            contact.identity,
            config,
            report,
            contact.timeline,
            timeout_ms,
        )
    ]
    answer = borrow("directive configuration schema url", "parse", texts)
    hear(contact, answer)
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
    contact.silent_for(None)
