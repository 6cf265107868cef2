# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Secrets that the servers of a story made up themselves, tokens and keys, noted to be searched
for."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path

from muster_server.store.config import ConfigStore
from muster_server.store.engine import database_url, open_engine
from muster_server.store.secrets import SecretBox, load_key
from tests import secrecy

_TOKEN_FILES = ("administrator.token", "config-token", "platform-token", "secret.key")


def note_all(data: Path, device_ids: Iterable[str]) -> None:
    """Every secret that is in the servers' data directory now. What is retired is gone from it."""
    for name in _TOKEN_FILES:
        if (data / name).exists():
            secrecy.hide((data / name).read_text().strip())
    if (data / "config.sqlite").exists():
        for secret in issued(data, device_ids):
            secrecy.hide(secret)


def issued(data: Path, device_ids: Iterable[str]) -> Iterator[str | bytes]:
    """The secrets in the devices' versions, as far as none is retired."""
    engine = open_engine(database_url(data, "config"))
    try:
        store = ConfigStore(engine, SecretBox(load_key(data / "secret.key")))
        with store.transaction() as records:
            for device_id in device_ids:
                for claim in records.claims_of(device_id):
                    for version in records.versions_of(claim.id):
                        server = version.document["config_server"]
                        yield base64.b64decode(server["key"])
                        yield base64.b64decode(server["adoption"])
                        token = version.document["platform"]["token"]
                        if token is not None:
                            yield token
                        yield from filter(None, (n["psk"] for n in version.document["networks"]))
    finally:
        engine.dispose()
