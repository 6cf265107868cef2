# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Two copies of who the device is, each healing the other.

import binascii
import os
import struct

from ram_disk import RAMDisk, mount, unmount
from runner import raises

from muster import identity

_A = bytes(range(20))
_B = bytes(range(20, 40))
_PATH = "/flash/identity.bin"


# What esp32.NVS promises, and no more.
class NVS:
    def __init__(self):
        self.blobs = {}

    def get_blob(self, key, buf):
        if key not in self.blobs:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        blob = self.blobs[key]
        buf[: len(blob)] = blob
        return len(blob)

    def set_blob(self, key, blob):
        self.blobs[key] = bytes(blob)

    def commit(self):
        pass


def _with_flash(act):
    mount(RAMDisk(), "/flash", True)
    try:
        return act(NVS())
    finally:
        unmount("/flash")


def _read(nvs):
    found = identity.read(nvs, _PATH)
    return found and (found.generation, found.device_id, found.secret)


def test_a_board_without_a_label_has_none():
    assert _with_flash(_read) is None


def test_what_was_written_is_read():
    def act(nvs):
        identity.write("PRESS-4", _A, nvs, _PATH)
        return _read(nvs)

    assert _with_flash(act) == (1, "PRESS-4", _A)


def test_a_new_secret_has_a_higher_generation():
    def act(nvs):
        identity.write("PRESS-4", _A, nvs, _PATH)
        identity.write("PRESS-4", _B, nvs, _PATH)
        return _read(nvs)

    assert _with_flash(act) == (2, "PRESS-4", _B)


def test_an_erased_nvs_is_healed_from_the_file():
    def act(nvs):
        identity.write("PRESS-4", _A, nvs, _PATH)
        nvs.blobs.clear()
        first = _read(nvs)
        os.remove(_PATH)
        return first, _read(nvs)

    first, second = _with_flash(act)
    assert first == second == (1, "PRESS-4", _A)


def test_the_higher_generation_heals_the_lower():
    def act(nvs):
        identity.write("PRESS-4", _A, nvs, _PATH)
        old = dict(nvs.blobs)
        identity.write("PRESS-4", _B, nvs, _PATH)
        nvs.blobs.update(old)
        _read(nvs)
        os.remove(_PATH)
        return _read(nvs)

    assert _with_flash(act) == (2, "PRESS-4", _B)


def test_between_equals_nvs_wins():
    def act(nvs):
        other = NVS()
        identity.write("PRESS-4", _A, nvs, _PATH)
        os.remove(_PATH)
        identity.write("PRESS-4", _B, other, _PATH)
        first = _read(nvs)
        nvs.blobs.clear()
        return first, _read(nvs)

    first, second = _with_flash(act)
    assert first == second == (1, "PRESS-4", _A)


def test_a_damaged_copy_is_not_believed():
    def act(nvs):
        identity.write("PRESS-4", _A, nvs, _PATH)
        damaged = bytearray(nvs.blobs["identity"])
        damaged[15] ^= 1
        nvs.blobs["identity"] = bytes(damaged)
        return _read(nvs)

    assert _with_flash(act) == (1, "PRESS-4", _A)


def test_one_good_copy_is_enough_where_the_other_cannot_be_healed():
    nvs = NVS()
    _with_flash(lambda _: identity.write("PRESS-4", _A, nvs, _PATH))
    found = identity.read(nvs, "/no/such/folder/identity.bin")
    assert (found.device_id, found.secret) == ("PRESS-4", _A)


def test_the_secret_is_not_in_the_repr():
    assert "secret" not in repr(identity.Identity(1, "A", b"secret"))


def test_a_secret_of_another_size_is_refused():
    _with_flash(lambda nvs: raises(ValueError, identity.write, "A", b"short", nvs, _PATH))


def test_an_id_that_is_not_text_is_not_believed():
    def act(nvs):
        identity.write("PRESS-4", _A, nvs, _PATH)
        record = identity._pack(identity.Identity(2, "PRESS-4", _A))
        body = record[:-4].replace(b"PRESS", b"\xff\xfe\xfd\xfc\xfb")
        nvs.blobs["identity"] = body + struct.pack("<I", binascii.crc32(body))
        return identity.read(nvs, _PATH).device_id

    assert _with_flash(act) == "PRESS-4"
