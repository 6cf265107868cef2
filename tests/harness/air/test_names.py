# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A name server answers rightly, wrongly, late or never, and a board takes it as it should."""

import pytest

from muster_harness.air.air import AccessPoint, Air
from muster_harness.air.name_server import Record
from muster_harness.errors import AirError
from muster_harness.wire.repl import REPL
from tests.harness.air.on_board import SOCKETS


@pytest.fixture
def point(air: Air) -> AccessPoint:
    air.scan_s = air.association_s = air.failure_s = 0.01
    made = air.add_access_point("home", dhcp_s=0.01)
    made.dns.patience_s = 0.2
    return made


@pytest.fixture
def joined(repl: REPL, point: AccessPoint) -> REPL:
    repl.exec(SOCKETS + "join('home')")
    return repl


def test_of_several_addresses_the_first_is_taken(joined: REPL, point: AccessPoint) -> None:
    point.names["many"] = ["10.0.0.1", "10.0.0.2"]
    assert joined.eval("[look_up('many') for _ in '12']") == ["10.0.0.1", "10.0.0.1"]
    point.names["turns"] = Record(a=["10.0.0.1", "10.0.0.2"], rotates=True)
    assert joined.eval("[look_up('turns') for _ in '123']") == ["10.0.0.1", "10.0.0.2", "10.0.0.1"]


@pytest.mark.parametrize(
    "record",
    [
        Record(),
        Record(aaaa=["2001:db8::1"]),
        Record(a=["10.0.0.1"], rcode="servfail"),
        Record(rcode="nxdomain"),
    ],
)
def test_a_name_without_an_address_is_told_at_once(
    joined: REPL, point: AccessPoint, record: Record
) -> None:
    point.dns.patience_s = 60
    point.names["odd"] = record
    assert joined.eval("look_up('odd')") == -202


def test_an_answer_holds_for_its_time_to_live(joined: REPL, point: AccessPoint) -> None:
    record = point.names["moves"] = Record(a=["10.0.0.1"], aaaa=["2001:db8::1"], ttl_s=0.3)
    assert joined.eval("look_up('moves')") == "10.0.0.1"
    record.a = ["10.0.0.2"]
    assert joined.eval("look_up('moves')") == "10.0.0.1"
    joined.exec("time.sleep_ms(320)")
    assert joined.eval("look_up('moves')") == "10.0.0.2"


def test_the_table_holds_four_names(joined: REPL, point: AccessPoint) -> None:
    for n in range(5):
        point.names[f"n{n}"] = Record(a=["10.0.0.1"], ttl_s=60)
    joined.exec("for n in (0, 1, 2, 3, 4, 4, 0): look_up('n%d' % n)")
    assert point.dns.asked == ["n0", "n1", "n2", "n3", "n4", "n0"]


def test_the_first_look_ups_get_no_answer(joined: REPL, point: AccessPoint) -> None:
    point.names["a"] = "10.0.0.1"
    point.dns.be_silent(lookups=2)
    assert joined.eval("[look_up('a') for _ in '123']") == [-202, -202, "10.0.0.1"]
    point.names["slow"] = Record(a=["10.0.0.2"], silent_lookups=1)
    assert joined.eval("[look_up(n) for n in ('slow', 'a', 'slow')]") == [
        -202,
        "10.0.0.1",
        "10.0.0.2",
    ]


def test_a_short_silence_only_delays_a_look_up(joined: REPL, point: AccessPoint) -> None:
    point.names["a"] = "10.0.0.1"
    point.dns.patience_s = 5
    point.dns.be_silent(for_s=0.5)
    joined.exec("begin = time.ticks_ms(); found = look_up('a')")
    found, ms = joined.eval("(found, time.ticks_diff(time.ticks_ms(), begin))")
    assert found == "10.0.0.1"
    assert 500 <= ms < 3000
    point.dns.be_silent(for_s=60)
    point.dns.patience_s = 0.1
    assert joined.eval("look_up('a')") == -202


def test_a_wrong_record_is_an_air_error(point: AccessPoint) -> None:
    for wrong in (
        {"a": ["home"]},
        {"a": "10.0.0.1"},
        {"aaaa": ["10.0.0.1"]},
        {"ttl_s": -1},
        {"silent_lookups": -1},
        {"rcode": "lost"},
    ):
        with pytest.raises(AirError):
            Record(**wrong)
    for order in ({}, {"lookups": 0}, {"lookups": 1, "for_s": 1.0}, {"for_s": -1.0}):
        with pytest.raises(AirError, match="be_silent"):
            point.dns.be_silent(**order)
