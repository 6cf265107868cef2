# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Secrets at rest: AES-256-GCM, bound to the place where they are stored."""

import os
import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muster_server.errors import SettingsError, StoreError
from muster_server.private_files import read_private, write_once

KEY_VARIABLE = "MUSTER_SECRET_KEY"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_ID_BYTES = 4
_FORMAT = b"\x01"


class SecretBox:
    """Seals secrets for one (table, column, row): a blob moved elsewhere does not open.

    A sealed blob is format (1 byte) || key id (4) || nonce (12) || ciphertext and tag.
    """

    def __init__(self, key: bytes, *former: bytes) -> None:
        """`key` seals; former ones, of a rotation that is under way, open what they sealed."""
        self._use(key, *former)

    def _use(self, key: bytes, *former: bytes) -> None:
        ciphers = {key_id(each): AESGCM(each) for each in (*former, key)}
        # In one step: other threads seal and open meanwhile.
        self._keys = (key_id(key), ciphers)

    def __repr__(self) -> str:
        return f"SecretBox({self.key_id})"

    @property
    def key_id(self) -> str:
        """The name of the key that seals, e.g. "1f0c9a3e"; it tells nothing of the key."""
        return self._keys[0].hex()

    @property
    def head(self) -> bytes:
        """The beginning of everything that is sealed now."""
        return _FORMAT + self._keys[0]

    def refresh(self) -> None:
        """Take other keys if there are any now. To be called within each transaction."""

    def seal(self, plain: bytes, table: str, column: str, row: str | int) -> bytes:
        """The secret as it may be stored at this place."""
        nonce = os.urandom(_NONCE_BYTES)
        own_id, ciphers = self._keys
        head = _FORMAT + own_id
        place = _place(head, table, column, row)
        return head + nonce + ciphers[own_id].encrypt(nonce, plain, place)

    def open(self, blob: bytes, table: str, column: str, row: str | int) -> bytes:
        """The secret that was sealed for this place; StoreError if it was not, or not by us."""
        head, rest = blob[: 1 + _ID_BYTES], blob[1 + _ID_BYTES :]
        if head[:1] != _FORMAT:
            raise StoreError(f"{table}.{column} of {row} is not a sealed secret")
        own_id, ciphers = self._keys
        cipher = ciphers.get(head[1:])
        if cipher is None:
            raise StoreError(
                f"{table}.{column} was sealed with key {head[1:].hex()}, and this server has key "
                f"{own_id.hex()}; give it the key file that belongs to this database"
            )
        place = _place(head, table, column, row)
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError):
            raise StoreError(
                f"{table}.{column} of {row} was changed or moved from another row; "
                "restore the database from a backup"
            ) from None


def _place(head: bytes, table: str, column: str, row: str | int) -> bytes:
    return head + f"{table}|{column}|{row}".encode()


def key_id(key: bytes) -> bytes:
    """Return what names the key in everything that it seals."""
    return sha256(b"muster key id\0" + key).digest()[:_ID_BYTES]


def load_key(path: Path, from_environment: str | None = None) -> bytes:
    """The key that seals: from the environment, else from the file, which is made if missing."""
    if from_environment is not None:
        return decoded_keys(from_environment, KEY_VARIABLE)[0]
    make_key_file(path)
    return decoded_keys(read_private(path), str(path))[0]


def make_key_file(path: Path) -> bool:
    """Make the file with a new key, unless it is there; tell whether it was made."""
    return write_once(path, encoded(new_key()))


def new_key() -> bytes:
    return secrets.token_bytes(_KEY_BYTES)


def encoded(*keys: bytes) -> str:
    """Return keys as they are kept, the one that seals first."""
    return ",".join(b64encode(key).decode() for key in keys)


def decoded_keys(text: str, name: str) -> list[bytes]:
    """The keys in a text, in base64 with commas between. SettingsError names where it is from."""
    return [_decoded(part.strip(), name) for part in text.split(",")]


def _decoded(text: str, name: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise SettingsError(f"{name}: wanted {_KEY_BYTES} bytes in base64")
    return key
