# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The network that somebody beside the device has given it at its setup page, where its
# configuration allows that. It is kept beside those of the configuration, once it has been tried.
# Loaded when needed.

from . import log

_RECORD = "local"


# Returns {"network": the one that is kept, or None; "asked": one that waits to be tried, or None;
# "name": of the one that was tried last, for people; "code", "detail": what became of that, the
# code None as long as nothing has}.
def load(store):
    found = store.load(_RECORD)
    empty = {"network": None, "asked": None, "name": "", "code": None, "detail": ""}
    # What another firmware has written is of no use.
    return found if isinstance(found, dict) and sorted(found) == sorted(empty) else empty


# Keeps it in both generations: what it supersedes may be a password. Raises DeviceError.
def save(store, record):
    store.spoil()
    store.save(_RECORD, record)
    store.save(_RECORD, record)


# Tells whether the configuration allows it.
def is_allowed(config):
    return bool(config["policy"].get("local_wifi"))


# Puts the network that is kept behind those of the configuration, in RAM alone. What the
# configuration does not allow is forgotten. life: lifecycle.py's.
def add(life, config):
    if not is_allowed(config):
        forget(life)
        return
    record = load(life.store)
    networks = [network for network in config["networks"] if not network.get("local")]
    life.contact.local = []
    if record["network"]:
        log.hide(record["network"]["psk"])
        networks.append(record["network"])
        life.contact.local.append(_base64url(record["network"]["ssid_b64"]))
    config["networks"] = networks
    if record["asked"]:  # the power went before its turn
        life.bundle_waits(0)
        life.setup_waits("again")


# Puts what a trial shall join into a configuration: one that brings no network is tried with what
# waits to be tried itself, and only then with what is kept.
def add_for_trial(life, config):
    asked = None if config["networks"] else load(life.store)["asked"]
    if asked:
        log.hide(asked["psk"])
        config["networks"] = [asked]
    else:
        add(life, config)


# Forgets it.
def forget(life):
    life.contact.local = None
    if life.store.count(_RECORD):
        life.store.spoil()
        life.store.erase(_RECORD)


def _base64url(text):
    return text.replace("+", "-").replace("/", "_").rstrip("=")
