# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a refusal of the configuration server says.

from muster.exchange import _rejected


def test_a_hint_below_nothing_is_none():
    for said, wanted in (("-5", 0), ("7", 7), ("99999", 300), ("soon", 0)):
        assert _rejected(503, {"retry-after": said}).retry_s == wanted
