# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An access point that has no addresses left says so."""

import pytest

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.air import Air
from muster_harness.errors import AirError


def test_an_access_point_without_addresses_says_so() -> None:
    with Air() as air:
        point: AccessPoint = air.add_access_point("home")
        with pytest.raises(AirError, match="no address left"):
            for number in range(251):
                point.dhcp.address_of(f"station {number}")
