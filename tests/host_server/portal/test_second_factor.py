# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are the codes those of RFC 6238, and is each good once?"""

import pytest

from muster_server.portal.second_factor import step_of

# RFC 6238, appendix B, SHA-1: eight digits of which an app shows the last six.
SECRET = b"12345678901234567890"
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("now", "code"), VECTORS)
def test_codes_are_those_of_the_rfc(now: int, code: str) -> None:
    assert step_of(SECRET, code[-6:], float(now)) == now // 30


@pytest.mark.parametrize("off_s", [-30, 30])
def test_clock_may_be_half_a_minute_off(off_s: int) -> None:
    assert step_of(SECRET, "050471", 1111111111.0 + off_s) == 1111111111 // 30


@pytest.mark.parametrize(
    ("off_s", "code"), [(-61, "050471"), (61, "050471"), (0, "050472"), (0, ""), (0, "٠٥٠٤٧١")]
)
def test_another_code_and_another_time_do_not_fit(off_s: int, code: str) -> None:
    assert step_of(SECRET, code, 1111111111.0 + off_s) is None
