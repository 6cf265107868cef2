# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do labels promise?"""

from typing import Any

import pytest

from muster_server.errors import LabelRefused
from muster_server.label import Label, is_device_id, label_text, new_label, parse_label
from tests.host_server.golden import cases
from tests.wire.labels import groups_of, printed

LABEL = Label("PRESS-4", bytes(range(20)))


@cases("labels", is_valid=True)
def test_golden_label_is_read_and_written(case: dict[str, Any]) -> None:
    label = parse_label(case.get("typed", case["label"]))
    assert (label.device_id, label.secret.hex()) == (case["device_id"], case["secret_hex"])
    assert label.qr_text == case["label"]
    assert label.setup_passphrase == case["setup_passphrase"]
    assert {purpose: label.key(purpose).hex() for purpose in case["keys"]} == case["keys"]
    adoption = bytes.fromhex(case["adoption_hex"])
    assert label.adopted_key(adoption).hex() == case["adopted_psk"]


@cases("labels", is_valid=False)
def test_golden_label_that_is_wrong_is_refused_by_its_part(case: dict[str, Any]) -> None:
    with pytest.raises(LabelRefused) as caught:
        parse_label(case["label"])
    assert caught.value.path == case["path"]
    groups = groups_of(printed("PRESS-4", bytes(range(20)))[-36:])
    assert [group for group in groups if group in str(caught.value)] == []


@pytest.mark.parametrize("position", range(36))
def test_any_single_mistyped_character_is_noticed(position: int) -> None:
    head, _, typed = LABEL.qr_text.rpartition(":")
    other = "B" if typed[position] != "B" else "C"
    with pytest.raises(LabelRefused, match="mistyped"):
        parse_label(f"{head}:{typed[:position]}{other}{typed[position + 1 :]}")


@pytest.mark.parametrize(
    "typed",
    [
        LABEL.qr_text.lower(),
        f" muster:1:press-4:{LABEL.grouped}\n",
        "https://portal.example/add#" + LABEL.qr_text,
    ],
)
def test_label_may_be_typed_as_printed_or_come_as_a_link(typed: str) -> None:
    assert parse_label(typed) == LABEL
    assert label_text(typed) == LABEL.qr_text


def test_character_that_looks_like_another_gets_a_hint() -> None:
    with pytest.raises(LabelRefused, match="is it O"):
        parse_label(LABEL.qr_text[:-1] + "0")


def test_refusal_and_repr_do_not_repeat_the_secret() -> None:
    with pytest.raises(LabelRefused) as caught:
        parse_label(LABEL.qr_text[:-1] + "7")
    assert LABEL.qr_text[-30:-10] not in str(caught.value)
    assert "secret" not in repr(LABEL)


def test_new_labels_differ_and_can_be_read() -> None:
    one, other = new_label(), new_label()
    assert one.device_id != other.device_id
    assert parse_label(one.qr_text) == one


def test_qr_text_fits_the_alphanumeric_mode() -> None:
    alphanumeric = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
    assert set(new_label().qr_text) <= alphanumeric


@pytest.mark.parametrize("text", ["A\n", "É", "a", "A" * 33, "..", "A/B", ""])
def test_id_that_is_not_safe_in_a_path_is_none(text: str) -> None:
    assert not is_device_id(text)
