# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The radio's words for people.

from muster.radio import printable, refused


def test_an_ssid_is_shown_on_one_line_whatever_its_bytes():
    assert printable("net") == printable(b"net") == "net"
    assert printable(b"a\\\n\xff") == "a\\x5c\\x0a\\xff"


def test_a_refusal_of_the_driver_has_an_outcome_code_and_its_words():
    error = refused(RuntimeError("Wifi Unknown Error 0x0102"))
    assert error.code == "wifi_timeout" and "0x0102" in error.detail
