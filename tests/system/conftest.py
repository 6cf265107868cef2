# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A story for each test, on a board whose firmware was deployed once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.carried import Carried, OwnNetwork
from tests.system.story import ROOT, Story


@pytest.fixture
def story(tmp_path: Path, deployed_flash: Path) -> Iterator[Story]:
    with Story(tmp_path, flash=deployed_flash) as story:
        yield story


@pytest.fixture(scope="session")
def own_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnNetwork]:
    """For the offline flow: an operational network and a platform, and nothing else."""
    with OwnNetwork(tmp_path_factory.mktemp("network")) as network:
        yield network


@pytest.fixture(scope="session")
def labelled_flash(
    own_network: OwnNetwork, tmp_path_factory: pytest.TempPathFactory, firmware_flash: Path
) -> Path:
    """A board with the label PRESS-4, and the firmware."""
    directory = tmp_path_factory.mktemp("labelled") / "board"
    with Carried(own_network, directory, firmware_flash) as carried:
        carried.write_label()
        carried.mpremote("cp", str(ROOT / "firmware/main.py"), ":")
    return directory
