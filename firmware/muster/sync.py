# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# One sync, in which the device reports and the server directs, and what follows from the answer.
# Loaded by contact.py when needed.

import gc

from micropython import const

from . import log
from .actions import ADOPTED, FORGET, KEEP, LABEL, WAIT
from .errors import DeviceError
from .modules import borrow, borrowed
from .timeline import REPORT

_TIMEOUT_MS = const(15000)


# Makes one sync under the configuration's key, or an adopted device's once nobody has answered for
# a day. Raises DeviceError if there is no authenticated answer, and then the next one is due later
# and later.
async def ask(contact, config, state):
    is_ignored = borrow("silence", "ask", contact, config["policy"]["sync_s"])
    key = borrow("keys", "key_of", config, is_ignored and state != "trial")
    _, host, port, _ = borrow("url", "split", config["config_server"]["url"])
    contact.is_asking = True
    try:
        answer = await ask_at(contact, (host, port), key, [], state, _TIMEOUT_MS)
    except DeviceError:
        borrow("silence", "unanswered", contact)
        raise
    finally:
        contact.is_asking = False
    if key[0] == LABEL and answer.action == FORGET:
        answer.action = KEEP  # whoever has only the label may not take a device away
    contact.due_in(answer.retry_s or config["policy"]["sync_s"])
    return answer


# Makes one sync with this server, a (host, port), under a key as of keys.py. seen, state:
# as in a report. Notes each step that ends in the timeline, and leaves one that fails open for the
# caller to note. Raises DeviceError.
async def ask_at(contact, server, key, seen, state, timeout_ms):
    contact.timeline.begin(REPORT)
    gc.collect()
    chip = borrow("hardware", "chip")

    def report():
        idf_heap = borrow("hardware", "idf_heap")
        return borrow(
            "report", "write", contact.journal, seen, state, chip, idf_heap, contact.local
        )

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
    if contact.unanswered or contact.silent_at is not None:
        is_over = key[0] != ADOPTED or answer.action != WAIT
        borrow("silence", "answered", contact, is_over)
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
