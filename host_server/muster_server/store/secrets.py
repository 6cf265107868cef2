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

    def __init__(self, key: bytes) -> None:
        self._key_id = sha256(b"muster key id\0" + key).digest()[:_ID_BYTES]
        self._cipher = AESGCM(key)

    def __repr__(self) -> str:
        return f"SecretBox({self._key_id.hex()})"

    def seal(self, plain: bytes, table: str, column: str, row: str | int) -> bytes:
        """The secret as it may be stored at this place."""
        nonce = os.urandom(_NONCE_BYTES)
        head = _FORMAT + self._key_id
        return head + nonce + self._cipher.encrypt(nonce, plain, _place(head, table, column, row))

    def open(self, blob: bytes, table: str, column: str, row: str | int) -> bytes:
        """The secret that was sealed for this place; StoreError if it was not, or not by us."""
        head, rest = blob[: 1 + _ID_BYTES], blob[1 + _ID_BYTES :]
        if head[:1] != _FORMAT:
            raise StoreError(f"{table}.{column} of {row} is not a sealed secret")
        if head[1:] != self._key_id:
            raise StoreError(
                f"{table}.{column} was sealed with key {head[1:].hex()}, and this server has key "
                f"{self._key_id.hex()}; give it the key file that belongs to this database"
            )
        place = _place(head, table, column, row)
        try:
            return self._cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError):
            raise StoreError(
                f"{table}.{column} of {row} was changed or moved from another row; "
                "restore the database from a backup"
            ) from None


def _place(head: bytes, table: str, column: str, row: str | int) -> bytes:
    return head + f"{table}|{column}|{row}".encode()


def load_key(path: Path, from_environment: str | None = None) -> bytes:
    """The key from the environment (base64 of 32 bytes), else from the file, made if missing."""
    if from_environment is not None:
        return _decoded(from_environment, KEY_VARIABLE)
    write_once(path, b64encode(secrets.token_bytes(_KEY_BYTES)).decode())
    return _decoded(read_private(path), str(path))


def _decoded(text: str, name: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise SettingsError(f"{name}: wanted {_KEY_BYTES} bytes in base64")
    return key
