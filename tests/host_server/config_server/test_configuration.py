# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does checking a configuration promise?"""

import json
from typing import Any

import pytest

from muster_server.config_server.configuration import check_configuration
from muster_server.errors import Invalid
from tests.host_server.golden import bounded, cases, text_of


@cases("configurations", is_valid=True)
def test_golden_configuration_passes(case: dict[str, Any]) -> None:
    check_configuration(json.loads(text_of(case)))


@cases("configurations", is_valid=False)
def test_golden_configuration_that_is_wrong_is_refused_by_its_path(case: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        check_configuration(json.loads(text_of(case)))
    assert caught.value.path == case["path"]


@cases("bounds", is_valid=True)
def test_field_at_its_bound_passes(case: dict[str, Any]) -> None:
    check_configuration(bounded(case))


@cases("bounds", is_valid=False)
def test_field_one_step_outside_of_its_bound_is_refused_by_its_path(case: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        check_configuration(bounded(case))
    assert caught.value.path == case["path"]
