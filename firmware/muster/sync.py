# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# One sync, in which the device reports and the server directs, and what follows from the answer.
# Loaded by contact.py when needed.

import gc

from micropython import const

from . import log
from .actions import FORGET, KEEP
from .errors import DeviceError
from .modules import borrow, borrowed
from .timeline import REPORT

_TIMEOUT_MS = const(15000)


# Makes one sync under the configuration's key, or the label's once nobody has answered for a day.
# Raises DeviceError if there is no authenticated answer, and then the next one is due later and
# later.
async def ask(contact, config, state):
    contact.is_asking = True
    is_silent = borrow("silence", "ask", contact, config["policy"]["sync_s"])
    is_ignored = is_silent and state != "trial"
    _, host, port, _ = borrow("url", "split", config["config_server"]["url"])
    try:
        key = None if is_ignored else config
        answer = await ask_at(contact, (host, port), key, [], state, _TIMEOUT_MS)
    except DeviceError:
        borrow("silence", "unanswered", contact)
        raise
    finally:
        contact.is_asking = False
    borrow("silence", "answered", contact)
    if is_ignored and answer.action == FORGET:
        answer.action = KEEP  # whoever has only the label may not take a device away
    contact.due_in(answer.retry_s or config["policy"]["sync_s"])
    return answer


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
    contact.silent_at = None
