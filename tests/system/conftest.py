# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A story for each test, on whatever board the tests run with."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muster_harness.log import Log
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.rig import Network
from muster_harness.units.unit import Unit
from tests.system.carried import Carried, OwnNetwork
from tests.system.desk_story import DeskStory
from tests.system.story import ROOT, Story

# The use case itself; the other files play with networks, power and flash.
_FOR_EVERY_BOARD = ("test_nine_steps.py",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.name not in _FOR_EVERY_BOARD:
            item.add_marker(pytest.mark.hil_needs("air", "power"))


@pytest.fixture
def story(
    tmp_path: Path,
    hil_unit: Unit,
    hil_network: Callable[..., Network],
    hil_log: Log,
    request: pytest.FixtureRequest,
) -> Iterator[Story]:
    story: Story
    if isinstance(hil_unit, EmulatedBoard):
        hil_unit.power_off()
        story = Story(tmp_path, board=hil_unit, log=hil_log)
    else:
        networks = hil_network("onboarding"), hil_network("operational")
        force = request.config.getoption("--hil-force")
        story = DeskStory(tmp_path, hil_unit, *networks, hil_log, force)
    with story:
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
