# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bundles as files: read on this host, and laid where a device looks for them at its start.

This host opens no bundle. It sees the form; in the header, which is public, the device's id; and,
with the label at hand, whether the bundle was sealed for that label.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys
from pathlib import Path
from typing import Any

from muster_harness.deploy.labels import Label
from muster_harness.deploy.sending import refusal, send
from muster_harness.errors import BundleRefused, DeployError, HarnessError, RemoteError
from muster_harness.wire.repl import REPL

LONGEST = 6144  # characters

_LONGEST_RAW = 4 * LONGEST  # with white space, which does not count
_ALGORITHMS = {"alg": "dir", "enc": "A128CBC-HS256"}
_TAG_BYTES = _VECTOR_BYTES = _BLOCK_BYTES = 16


def read_bundle(path: str | Path) -> str:
    """Read a bundle's text and drop the white space, which does not count; "-" is standard input.

    Raises BundleRefused if the text is no bundle, HarnessError if the file cannot be read.
    """
    try:
        if str(path) == "-":
            raw = sys.stdin.read(_LONGEST_RAW)
        else:
            with Path(path).open(encoding="utf-8") as file:
                raw = file.read(_LONGEST_RAW)
    except (OSError, UnicodeDecodeError) as e:
        raise HarnessError(f"{path} cannot be read: {e}") from None
    text = "".join(raw.split())
    if len(text) > LONGEST:
        raise _refused(f"{path} has {len(text)} characters; a bundle has at most {LONGEST}")
    device_of(text)
    return text


def device_of(text: str) -> str:
    """Return the id of the device that a bundle names.

    Raises BundleRefused if it looks like no bundle.
    """
    device_id = _header(text)["kid"]
    if not isinstance(device_id, str) or not device_id.replace("-", "").replace(".", "").isalnum():
        raise _refused("its header names no device")
    return device_id


def check_bundle(text: str, label: Label) -> None:
    """Check that the device of this label could open the bundle.

    Raises BundleRefused, with the code that the device would give, for another header, another
    device, or a tag that another key has made (RFC 7518, 5.2.2.2).
    """
    header = _header(text)
    if header.keys() - {"kid"} != _ALGORITHMS.keys() or not header.items() >= _ALGORITHMS.items():
        raise _refused("its header has other members than alg, enc and kid, or other algorithms")
    whose = device_of(text)
    if whose != label.device_id:
        raise BundleRefused(
            "server_untrusted",
            f"it is sealed for {whose}, and the label is that of {label.device_id}; give the "
            "label of that device, or leave the bundle to its user",
        )
    head, _, *parts = text.split(".")
    vector, ciphertext, tag = (_decoded(part) for part in parts)
    if not _has_form(text, vector, ciphertext, tag):
        raise _refused("it is not whole; copy it again")
    # RFC 7518, 5.2.2.2: the first half of the key makes the tag, of all that can be seen.
    seen = head.encode() + vector + ciphertext + struct.pack(">Q", 8 * len(head))
    key = label.key("bundle-key")[:_TAG_BYTES]
    if not hmac.compare_digest(hmac.digest(key, seen, hashlib.sha256)[:_TAG_BYTES], tag):
        raise BundleRefused(
            "server_untrusted",
            f"it was not sealed with this label of {whose}: it is damaged, or was made for "
            "another label, before or after a re-issue; have a new one made",
        )


def put_bundle(repl: REPL, text: str) -> None:
    """Lay the bundle where the device finds it and verifies it at its next start.

    Raises DeployError.
    """
    try:
        send(repl, {f"/{device_of(text)}.muster": text.encode()})
    except RemoteError as e:
        raise DeployError(
            f"the firmware is on the board, its bundle is not: {refusal(e)}; send it with "
            "muster-unit bundle send, or deploy once more"
        ) from None


def _header(text: str) -> dict[str, Any]:
    try:
        if text.count(".") != 4 or not text.isascii():
            raise ValueError("a bundle has five parts")
        header = json.loads(_decoded(text.partition(".")[0]))
        if "kid" not in header or not isinstance(header, dict):
            raise ValueError("a header is an object that names a device")
    except (ValueError, TypeError):
        raise _refused(
            "this is no bundle: five parts of base64url, the first names a device"
        ) from None
    return header


def _decoded(part: str) -> bytes:
    """Decode base64url without padding, of which there is one way to write it."""
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        if base64.urlsafe_b64encode(data).rstrip(b"=") == part.encode():
            return data
    except ValueError:
        pass
    raise _refused("a part of it is no base64url; copy it again, whole")


def _has_form(text: str, vector: bytes, ciphertext: bytes, tag: bytes) -> bool:
    has_no_key = text.split(".")[1] == ""
    has_blocks = bool(ciphertext) and len(ciphertext) % _BLOCK_BYTES == 0
    return has_no_key and has_blocks and (len(vector), len(tag)) == (_VECTOR_BYTES, _TAG_BYTES)


def _refused(reason: str) -> BundleRefused:
    return BundleRefused("config_invalid", reason)
