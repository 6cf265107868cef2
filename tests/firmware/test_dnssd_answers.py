# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The answers that the device's parser is tested with are those that zeroconf writes today."""

import json

from tests.firmware.dnssd_answers import PATH, document


def test_kept_answers_are_what_zeroconf_writes() -> None:
    assert json.loads(PATH.read_text()) == document()
