# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A directive from a server that has the key: parsed, then obeyed as far as its values go.

import json
from binascii import a2b_base64

import goldens
from lives import begin
from mutation import changed_json, some

from muster import candidate, log, url
from muster.clock import Clock
from muster.compact import dumps
from muster.contact import Contact
from muster.directive import parse
from muster.errors import DeviceError
from muster.keys import key_of
from muster.sync import hear

ROOM = 512 << 10
_LARGEST = 8192  # as much as an answer may hold
_WORDS = [b",", b'"', b"null", b"[", b"]", b"{", b"}", b'"v":1', b"1e5", b"\\u0000", b"\xff"]
SEEDS = [goldens.json_bytes(value) for value in goldens.values("directives")]


# Keeps records as JSON text, as the flash does.
class _Store:
    def __init__(self):
        self._records = {}

    def load(self, name):
        try:
            return json.loads(self._records[name])
        except (KeyError, ValueError):  # e.g. a number that floats cannot hold
            return None

    def save(self, name, value):
        self._records[name] = dumps(value)

    def erase(self, name):
        self._records.pop(name, None)

    def promote(self, source, target):
        self._records[target] = self._records[source]
        return len(self._records[target])

    def count(self, name):
        return 1 if name in self._records else 0

    def spoil(self):
        pass


def make(corpus):
    try:
        document = json.loads(some(corpus))
    except ValueError:
        document = {}
    return changed_json(document, some(corpus), _WORDS)[:_LARGEST]


def play(data):
    try:
        answer = parse([memoryview(data)])
    except DeviceError as e:
        return None if e.code == "config_invalid" and len(e.detail) < 9000 else "not well: %r" % e
    if not isinstance(answer.retry_s, int) or not 0 <= answer.retry_s <= 86400:
        return "a wait of %s s" % answer.retry_s
    return _obeyed(answer)


def _obeyed(answer):
    store = _Store()
    timeline, journal, _ = begin(store, "soft")
    clock = Clock(lambda date: None, 1795000000, 0, journal.keep_clock)
    contact = Contact(None, clock, journal, timeline)
    hear(contact, answer)
    contact.due_in(answer.retry_s)
    if answer.config is None:
        return None
    log.hide_config(answer.config)
    try:
        config = candidate.keep(store, journal, answer)
    except DeviceError as e:
        return None if e.code in ("config_invalid", "config_not_newer") else "not well: %r" % e
    for is_anew in (False, True):
        a2b_base64(key_of(config, is_anew)[1])
    url.split(config["config_server"]["url"])
    url.split(config["platform"]["url"])
    journal.reached(config["version"], 7)
    candidate.commit(store, journal, config["version"])
    if begin(store, "soft")[1].highest != config["version"]:
        return "the version is not what it was"
    contact.due_in(config["policy"]["sync_s"])
    del log._hidden[:]
    return None
