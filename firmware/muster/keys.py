# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Which key a sync is sealed with. Loaded when needed.

import binascii

from .actions import ADOPTED, LABEL

_PURPOSES = {LABEL: b"sync-psk", ADOPTED: b"adopted-psk"}


# Returns the name of the key for a sync, and what the configuration says for it in base64. config:
# the one that the device runs on or tries, None without one. is_anew: it seeks, or nobody has
# answered for a day; then an adopted device asks as such, and the label is for all others.
def key_of(config, is_anew):
    server = config["config_server"] if config else {}
    if config and not is_anew:
        return str(config["version"]), server["key"]
    adoption = server.get("adoption")  # not in one that was committed before adoption was
    return (ADOPTED, adoption) if adoption else (LABEL, "")


# Returns the pre-shared key. key: as key_of() returns it.
def psk(identity, key):
    name, secret = key
    secret = binascii.a2b_base64(secret)
    if name not in _PURPOSES:
        return secret
    from .hkdf import hkdf

    info = _PURPOSES[name] + b"\x00" + identity.device_id.encode()
    return hkdf(b"muster/1", identity.secret + secret, info, 32)
