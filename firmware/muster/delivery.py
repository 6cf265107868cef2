# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# One bundle from its file to its outcome: opened, handed to the life as a directive is, and
# acknowledged with a receipt. Loaded when needed.

import asyncio
import binascii
from hashlib import sha256

from micropython import const

from . import inbox, log
from .actions import CONFIGURE, Directive
from .errors import DeviceError
from .modules import borrow, release
from .timeline import RECEIVE

_RECORD = const("bundle")
_TRIES = const(3)  # of a bundle in whose trial the power is lost
_DETAIL = const(120)
_DAY_S = const(86400)
_OPENED = const("opened")  # the record of how often one was begun to be opened, in vain
_LACKS = const(
    "it brings no Wi-Fi network; press the button twice, and give one at the setup page"
)


# Returns what became of the last bundle: {"version", "code", "detail", "receipt", "digest",
# "tries", "lacks"}, or None. The code is None until there is an outcome; tries is above 0 while it
# is being tried; lacks: it brings no network.
def last(store):
    found = store.load(_RECORD)
    if isinstance(found, dict):
        found.setdefault("lacks", False)  # of a firmware that knew no such bundles
    # What another firmware has written is of no use.
    for name, value in _record(("", 0, None, False), None, "", 0).items():
        if not isinstance(found, dict) or name not in found:
            return None
        if value is not None and not isinstance(found[name], type(value)):
            return None
    return found


# Puts what has been uploaded to path into the inbox if it comes from somebody who has the label,
# even if more is wrong with it: then that is acknowledged. Returns its version, and what else is
# wrong or None; (None, None) if it is in the inbox, but there was no memory to look at it beside
# all that runs. Raises DeviceError if it is refused.
async def receive(path, label, store, journal, clock):
    try:
        version, digest, answer, error = await look(path, label, clock, journal.highest)
    except MemoryError:
        inbox.accept(path, label.device_id)
        return None, None
    if digest is None:
        inbox.remove(path)
        log.error("bundle", "refused: %s" % error)
        raise error
    former = last(store)
    # What was said of the very bundle that the device runs on remains true.
    if not former or former["digest"] != _short(digest) or former["code"] != "ok":
        store.save(_RECORD, _record(("", version, digest, _lacks(answer)), None, "", 0))
    inbox.accept(path, label.device_id)
    return version, error


# Tells whether the last bundle is still here and brings no network of its own.
def lacks_network(store):
    return state(store)[1]


# Returns what `last` and `lacks_network` do.
def state(store):
    found = last(store)
    return found, bool(found and found["lacks"] and found["code"] != "ok" and inbox.find())


async def forget(life):
    life.store.spoil()
    inbox.clear()
    life.store.erase(_RECORD)


# Opens the bundle at path as far as it goes: (version, digest of its text, directive or None, why
# there is none). Without a digest it may be from anybody. Changes nothing.
async def look(path, label, clock, floor):
    version, digest = 0, None
    from . import bundle

    try:
        text = inbox.read(path)
        digest_of_text = sha256(text).digest()
        await asyncio.sleep_ms(0)  # all at once would keep the others waiting
        content = bundle.unseal(text, label)
        del text  # room for the configuration
        digest = digest_of_text
        version = _version_in(content)
        await asyncio.sleep_ms(0)
        time, config = bundle.check(content, clock.now() if clock.is_known else None)
        if version <= floor:
            text = "config.version: %d is not newer than %d" % (version, floor)
            raise DeviceError("config_not_newer", text)
        return version, digest, Directive(CONFIGURE, None, time, 0, config), None
    except DeviceError as e:
        return version, digest, None, e
    finally:
        del bundle
        release("bundle", "configuration", "schema", "url", "hkdf")


def _lacks(answer):
    return answer is not None and not answer.config["networks"]


def _version_in(content):
    config = content.get("config") if isinstance(content, dict) else None
    version = config.get("version") if isinstance(config, dict) else 0
    return version if type(version) is int else 0


# Returns the first bundle that is not refused, as (directive, ticket for `settle`), or None if
# there is none. If it has failed and is not due again, the directive is None. life:
# lifecycle.py's. Bundles that are refused are settled at once; those for which there is no network
# stay where they are.
async def take(life):
    store, journal, timeline = life.store, life.journal, life.timeline
    path = inbox.find()
    while path:
        timeline.begin(RECEIVE)
        version, digest, answer, error = await _opened(life, path)
        lacks = _lacks(answer)
        ticket = (path, version, digest, lacks)
        former = last(store)
        is_same = former and digest and former["digest"] == _short(digest)
        tries = former["tries"] if is_same else 0  # of those that a restart has ended
        # A blank device may be switched off as often as its people like.
        is_defect = journal.reset_cause in ("hard", "watchdog")
        if error is None and tries >= _TRIES and (journal.highest or is_defect):
            code = "watchdog" if is_defect else "power_lost"
            error = DeviceError(code, "in %d trials of this bundle" % _TRIES)
        if error is None and lacks and not _has_network(life, is_same and former["code"]):
            timeline.drop()
            if not is_same or former["code"] is None:  # else more is known of it
                store.save(_RECORD, _record(ticket, None, _LACKS, 0))
            log.warn("bundle", "version %d waits: %s" % (version, _LACKS))
            path = inbox.find(path)
            continue
        if error is None:
            if life.again.due_in_ms(version):
                timeline.drop()
                return None, ticket
            timeline.done("bundle with version %d" % version)
            not_before(life.clock, answer.time)
            log.hide_config(answer.config)
            store.save(_RECORD, _record(ticket, None, "", tries + 1))
            return answer, ticket
        # Cut right after the commit, unless another one was committed since it failed.
        if tries and error.code == "config_not_newer" and version == journal.highest:
            timeline.done("bundle with version %d, committed before the restart" % version)
            await settle(life, ticket, None, False)
        else:
            error.step = RECEIVE
            timeline.failed(error)
            if is_same and former["code"] == "ok":  # what was said of it is still true
                log.info("bundle", _told(former))
                store.spoil()
                inbox.remove(path)
            else:
                await settle(life, ticket, error, False)
        path = inbox.find()
    return None


# Tells whether there is a network to try a bundle with that brings none. code: of its last trial;
# a device at work has only one with what it keeps.
def _has_network(life, code):
    record = borrow("local_wifi", "load", life.store)
    return bool(record["asked"] or (record["network"] and not (code and life.config)))


# Moves the clock and its floor forward, never back, to when a bundle was made: that moment has
# passed for certain. What time it is remains to be told.
def not_before(clock, unix):
    if unix > clock.now():
        clock.show(unix)
    if unix > clock.floor + _DAY_S:
        clock.floor = unix
        clock.keep_floor(unix)


# Does `look` for `take`. A bundle with which the device runs out of memory or crashes is refused
# after some attempts: they are counted beforehand, because a crash leaves nobody to count.
async def _opened(life, path):
    count = life.store.load(_OPENED) or 0
    if count >= _TRIES:
        life.store.erase(_OPENED)
        return 0, None, None, DeviceError("storage_failed", "no memory to open %s" % path)
    life.store.save(_OPENED, count + 1)
    try:
        found = await look(path, life.identity, life.clock, life.journal.highest)
    except MemoryError:
        raise DeviceError("storage_failed", "no memory to open %s now" % path)
    life.store.erase(_OPENED)
    return found


# Records the outcome and shows the receipt; only then the bundle goes, so that a cut in between
# repeats this. error: what stood in the way, or None. may_keep: the bundle may stay to be tried
# again, if it is the only one. Returns whether it does. Another bundle that has come to its place
# meanwhile stays, and what is recorded of it.
async def settle(life, ticket, error, may_keep):
    path, version, digest, _ = ticket
    is_kept = may_keep and not inbox.has_other(path)
    code, detail = (error.code, error.detail[:_DETAIL]) if error else ("ok", "")
    record = _record(ticket, code, detail, 0)
    if digest:
        from . import receipt

        record["receipt"] = receipt.receipt(life.identity, version, code, digest)
        # Shown after each attempt it would hide for minutes that there are more.
        if life.is_new_receipt(record["receipt"]) or not is_kept:
            life.led.announce(receipt.blinks(record["receipt"]))
        del receipt
        release("receipt", "bundle", "hkdf")
    if digest is None or inbox.digest(path) in (digest, None):
        life.store.save(_RECORD, record)
        if digest is None:  # for people to look at: it was not made with this label's key
            inbox.set_aside(path)
        elif not is_kept or code in ("config_invalid", "watchdog"):
            life.store.spoil()
            inbox.remove(path)
    (log.error if error else log.info)("bundle", _told(record))
    return is_kept


def _record(ticket, code, detail, tries):
    _, version, digest, lacks = ticket
    record = {"version": version, "code": code, "detail": detail, "tries": tries, "lacks": lacks}
    record["digest"] = digest and _short(digest)
    record["receipt"] = None
    return record


# Writes a receipt for people: "ABCD EFGH".
def grouped(text):
    return text[:4] + " " + text[4:]


# Writes an outcome for the log, e.g. "receipt ABCD EFGH: version 7 ok".
def _told(record):
    shown = record["receipt"]
    shown = "receipt " + grouped(shown) if shown else "no receipt"
    text = "%s: version %d %s" % (shown, record["version"], record["code"])
    return "%s, %s" % (text, record["detail"]) if record["detail"] else text


def _short(digest):
    return binascii.hexlify(digest[:8]).decode()
