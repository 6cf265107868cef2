# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# oneM2M's times.

from runner import raises

from muster.onem2m_time import format_time, parse_time


def test_onem2m_times_are_read_and_written():
    assert format_time(parse_time("20261123T075904,012551")) == "20261123T075904"
    raises(ValueError, parse_time, "yesterday")
