# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is a challenge good once, for minutes, and for its purpose alone?"""

from muster_server.portal.challenges import LIFE_S, Challenges


def test_challenge_is_good_once_and_for_its_purpose() -> None:
    challenges = Challenges(lambda: 1000.0)
    made = challenges.make("sign in")
    assert not challenges.take(made, "make u1")
    assert challenges.take(made, "sign in")
    assert not challenges.take(made, "sign in")
    assert made != challenges.make("sign in")


def test_challenge_ends_and_cannot_be_lengthened_or_made_elsewhere() -> None:
    now = [1000.0]
    challenges = Challenges(lambda: now[0])
    made = challenges.make("sign in")
    later = made[:16] + (int(now[0] + 10 * LIFE_S)).to_bytes(8, "big") + made[24:]
    foreign = Challenges(lambda: 1000.0).make("sign in")
    for wrong in (later, foreign, b"", made[:24], made + b"x", bytes(56)):
        assert not challenges.take(wrong, "sign in")
    now[0] += LIFE_S + 1
    assert not challenges.take(made, "sign in")
