# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the name of a key stands for.

import json
from binascii import b2a_base64, unhexlify

from muster.keys import psk
from muster.label import Label


def test_golden_keys_are_those_of_label_and_adoption():
    with open("tests/wire/labels.json") as f:
        cases = [case for case in json.load(f)["cases"] if case["valid"]]
    for case in cases:
        label = Label(case["device_id"], unhexlify(case["secret_hex"]))
        adoption = b2a_base64(unhexlify(case["adoption_hex"]))[:-1].decode()
        assert psk(label, ("label", "")) == unhexlify(case["keys"]["sync-psk"])
        assert psk(label, ("adopted", adoption)) == unhexlify(case["adopted_psk"])
        assert psk(label, ("7", adoption)) == unhexlify(case["adoption_hex"])
    assert len(cases) > 4
