# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Receipts against the golden ones, and the code in which an LED shows them.

import hashlib
from binascii import unhexlify

from runner import golden

from muster import receipt
from muster.label import Label


def test_golden_receipts_are_what_the_device_shows():
    for case in golden("wire/receipts.json")["cases"]:
        digest = hashlib.sha256(case["bundle"].encode()).digest()
        label = Label(case["device_id"], unhexlify(case["secret_hex"]))
        shown = receipt.receipt(label, case["version"], case["outcome"], digest)
        assert (shown == case["receipt"]) == case["valid"], case["name"]


def test_golden_passphrases_of_the_setup_network():
    for case in golden("wire/labels.json")["cases"]:
        if case["valid"]:
            raw = unhexlify(case["keys"]["setup-ap"])[:10]
            assert receipt.base32(raw) == case["setup_passphrase"]


# Reads the blinks as a person would, with a stop watch and the table.
def _read(pattern):
    assert pattern[:2] == [2000, 2000]
    numbers = [0]
    for on, off in zip(pattern[2::2], pattern[3::2]):
        assert on == 200
        numbers[-1] += 1
        if off > 300:
            numbers.append(0)
    rows, columns = numbers[:-1:2], numbers[1::2]
    table = ("ABCDEFGH", "IJKLMNOP", "QRSTUVWX", "YZ234567")
    return "".join([table[row - 1][column - 1] for row, column in zip(rows, columns)])


def test_the_blinks_of_a_receipt_can_be_read():
    for text in ("ABCDEFGH", "IP27QXYZ", "77777777", "AAAAAAAA"):
        assert _read(receipt.blinks(text)) == text
