# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Labels as the bench makes and reads them.

The portal has the same rules on its side; tests/wire/labels.json holds both together.
"""

import hashlib
import hmac
import re
import secrets
from base64 import b32decode, b32encode
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase

from muster_harness.errors import LabelRefused

SECRET_BYTES = 20

_PREFIX = "MUSTER:1:"
_SALT = b"muster/1"
_SECRET_CHARACTERS = 32
_CHARACTERS = 36  # with the four that check
_LONGEST = 512
_ID = re.compile(r"(?=.{1,32}\Z)[A-Z0-9]+(?:[.-][A-Z0-9]+)*")
_BASE32 = re.compile(r"[A-Z2-7]*")
# ASCII alone: Python's upper() would make letters of base32 from others, such as a dotless i.
_CAPITALS = str.maketrans(ascii_lowercase, ascii_uppercase)
_ID_CHARACTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class Label:
    """A device's id and secret. The repr shows the id only."""

    device_id: str
    secret: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The content of the QR code, e.g. "MUSTER:1:PRESS-4:AAAQ…"; it fits QR's alphanumeric
        mode."""
        return f"{_PREFIX}{self.device_id}:{_base32(self.secret)}{_check(self)}"

    @property
    def grouped(self) -> str:
        """The 36 characters in printed form, e.g. "AAAQ EAYE …"."""
        code = self.text[-_CHARACTERS:]
        return " ".join(code[n : n + 4] for n in range(0, _CHARACTERS, 4))

    @property
    def setup_passphrase(self) -> str:
        """The passphrase of the setup access point, printed on the label too."""
        return _base32(self.key("setup-ap")[:10])

    def key(self, purpose: str) -> bytes:
        """Derive the key for a purpose: HKDF-SHA256 (RFC 5869), one block of output."""
        extracted = hmac.digest(_SALT, self.secret, hashlib.sha256)
        info = purpose.encode() + b"\0" + self.device_id.encode()
        return hmac.digest(extracted, info + b"\x01", hashlib.sha256)


def new_label(device_id: str | None = None) -> Label:
    """Make a label with a new secret, and with a random id if none is given."""
    if device_id is None:
        device_id = "M-" + "".join(secrets.choice(_ID_CHARACTERS) for _ in range(8))
    return Label(_checked_id(device_id), secrets.token_bytes(SECRET_BYTES))


def parse_label(text: str) -> Label:
    """Read a label from a QR text, from a link's fragment, or as typed by hand.

    Small letters and white space do no harm, nor do hyphens in the secret. Raises LabelRefused,
    which never shows the typed text, and names the part at fault: `format`, `device_id`, `secret`
    or `check`.
    """
    _, mark, fragment = text.partition("#")
    parts = "".join((fragment if mark else text).split()).translate(_CAPITALS).split(":")
    if len(text) > _LONGEST or len(parts) != 4 or parts[:2] != _PREFIX.split(":")[:2]:
        raise LabelRefused(
            f"a label looks like {_PREFIX}<id>:<{_CHARACTERS} characters>, and this does not; "
            "scan it again or type all four parts",
            "format",
        )
    device_id, code = _checked_id(parts[2]), parts[3].replace("-", "")
    if len(code) != _CHARACTERS or not _BASE32.fullmatch(code):
        raise LabelRefused(
            f"the secret has {_CHARACTERS} characters of A-Z and 2-7, and {len(code)} came; "
            "look for 0, 1 and 8, which are O, I and B",
            "secret",
        )
    label = Label(device_id, b32decode(code[:_SECRET_CHARACTERS]))
    if not hmac.compare_digest(code[_SECRET_CHARACTERS:], _check(label)):
        raise LabelRefused(
            "the check characters do not fit: a character of the id or of the secret is wrong; "
            "compare them with the label group by group",
            "check",
        )
    return label


def _checked_id(device_id: str) -> str:
    if _ID.fullmatch(device_id) is None:
        raise LabelRefused(
            "the device id is not one: wanted 1 to 32 characters of A-Z 0-9 . - that begin and "
            "end with a letter or digit, without two punctuation marks together",
            "device_id",
        )
    return device_id


def _check(label: Label) -> str:
    digest = hashlib.sha256(label.device_id.encode() + label.secret).digest()
    return _base32(digest[:5])[:4]


def _base32(data: bytes) -> str:
    return b32encode(data).decode().rstrip("=")
