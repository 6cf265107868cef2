# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A story for each test, on a board whose firmware was deployed once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.story import Story


@pytest.fixture
def story(tmp_path: Path, deployed_flash: Path) -> Iterator[Story]:
    with Story(tmp_path, flash=deployed_flash) as story:
        yield story
