# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The DNS of the setup network, in front of questions as phones ask them, and others.

from muster.setup_names import answer

_OWN = b"\xc0\xa8\x04\x01"
_NAME = b"\x07captive\x05apple\x03com\0"
_A, _AAAA, _HTTPS, _ANY = 1, 28, 65, 255


def _question(kind, name=_NAME, flags=b"\1\0", counts=b"\0\1\0\0\0\0\0\0", more=b""):
    return b"\x12\x34" + flags + counts + name + bytes([0, kind, 0, 1]) + more


def test_every_name_is_the_device_and_nobody_may_keep_that():
    for name in (_NAME, b"\0", b"\x3f" + b"x" * 63 + b"\0", b"\x05cApTi\0"):
        asked = _question(_A, name)
        found = answer(asked, _OWN)
        assert found[:12] == b"\x12\x34\x85\x80\0\1\0\1\0\0\0\0"
        assert found[12 : len(asked)] == asked[12:]
        assert found[len(asked) :] == b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + _OWN
    assert answer(_question(_ANY), _OWN)[-4:] == _OWN
    assert answer(_question(_A, flags=b"\0\0"), _OWN)[2] == 0x84  # recursion was not asked for


def test_it_has_no_other_records_and_says_so_at_once():
    for kind in (_AAAA, _HTTPS):
        asked = _question(kind)
        assert answer(asked, _OWN) == b"\x12\x34\x85\x80\0\1\0\0\0\0\0\0" + asked[12:]


def test_what_a_resolver_adds_is_passed_over():
    extended = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"  # EDNS, RFC 6891
    asked = _question(_A, counts=b"\0\1\0\0\0\0\0\1", more=extended)
    assert answer(asked, _OWN)[10:12] == b"\0\0"
    assert answer(asked, _OWN)[-4:] == _OWN


def test_what_is_no_question_gets_no_answer():
    whole = _question(_A)
    for cut in range(len(whole)):
        assert answer(whole[:cut], _OWN) is None, cut
    for wrong in (
        _question(_A, flags=b"\x81\x80"),  # an answer: two such servers would talk for ever
        _question(_A, flags=b"\x28\0"),  # an update
        _question(_A, counts=b"\0\2\0\0\0\0\0\0"),
        _question(_A, counts=b"\0\0\0\0\0\0\0\0"),
        _question(_A, name=b"\xc0\x0c"),  # a pointer to itself
        _question(_A, name=(b"\x3f" + b"x" * 63) * 4 + b"\0"),  # longer than a name may be
        whole[:-1] + b"\3",  # another class
    ):
        assert answer(wrong, _OWN) is None, wrong
