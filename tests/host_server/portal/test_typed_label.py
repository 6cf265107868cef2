# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is a label understood however a person types it, and is a wrong one told with its place?"""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster_server.label import Label, new_label
from muster_server.portal.typed_label import LabelMistyped, typed_label

SECRETS = st.binary(min_size=20, max_size=20)


@given(SECRETS, st.booleans(), st.sampled_from([" ", "  ", "\n", "\t", "-"]))
def test_look_alikes_are_settled_by_the_check_characters(
    secret: bytes, is_small: bool, between: str
) -> None:
    label = Label("PRESS-4", secret)
    # As many as the portal tries; more than that are compared by the person.
    code = label.grouped.replace("O", "0").replace("B", "8").replace("I", "1", 3)
    code = code.replace("L", "1", 3).replace(" ", between)
    typed = f"press-4 {code.lower() if is_small else code}"
    assert typed_label(typed) == label


@pytest.mark.parametrize(
    ("code", "groups"),
    [
        ("AAAQ EA9E", (2,)),
        ("AAAQ", (2,)),
        ("9AAA AAAA AAA9", (1, 3)),
        ("É" * 4, (1,)),
    ],
)
def test_group_at_fault_is_named(code: str, groups: tuple[int, ...]) -> None:
    with pytest.raises(LabelMistyped) as refused:
        typed_label("PRESS-4 " + code)
    assert (refused.value.path, refused.value.groups) == ("secret", groups)


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        *(("", "format"), ("PRESS-4", "format"), ("MUSTER:1:PRESS-4", "format")),
        *((f"PRESS--4 {'A' * 36}", "device_id"), (f"PRESS-4 {'A' * 36}", "check")),
        ("MUSTER:2:PRESS-4:" + "A" * 36, "format"),
    ],
)
def test_part_at_fault_is_named_and_nothing_of_it_repeated(typed: str, part: str) -> None:
    with pytest.raises(LabelMistyped) as refused:
        typed_label(typed)
    assert refused.value.path == part
    assert "AAAA" not in str(refused.value)


@given(st.text(max_size=600))
def test_any_text_is_a_label_or_refused(text: str) -> None:
    with contextlib.suppress(LabelMistyped):
        assert isinstance(typed_label(text), Label)


def test_a_label_of_ones_alone_is_not_tried_for_ever() -> None:
    with pytest.raises(LabelMistyped):
        typed_label("PRESS-4 " + "1" * 36)
    label = new_label()
    assert typed_label(label.qr_text) == label
