# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A short torture: all that can be looked at quickly, a sample of the rest, and planted bugs.

`make torture` tries everything.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from muster_harness.esp32.parts.flash import FlashContent
from muster_harness.units.full_filesystem import fill_filesystem
from tests.torture import labelling, overwriting, rot
from tests.torture.bench import Bench
from tests.torture.inspector import Inspector
from tests.torture.messages import Messages
from tests.torture.mutations import NO_CHECKSUM, mutated
from tests.torture.parts import Part
from tests.torture.points import Played
from tests.torture.power import Power
from tests.torture.scenarios import CHANGE, ONBOARDING
from tests.torture.stranded import STRANDED

_SEED = 20261123


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, deployed_flash: Path) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("torture"), deployed_flash) as bench:
        yield bench


@pytest.fixture(scope="module")
def power(bench: Bench) -> Iterator[Power]:
    with Power(Part("power"), bench, _SEED) as power:
        yield power


@pytest.fixture(scope="module")
def onboarding(power: Power) -> Played:
    return power.play(ONBOARDING)


@pytest.fixture
def part(power: Power) -> Part:
    power.part = Part("test")
    return power.part


@pytest.fixture(scope="module")
def inspector() -> Iterator[Inspector]:
    with Inspector() as inspector:
        yield inspector


def test_every_cut_of_an_onboarding_leaves_a_whole_device(
    power: Power, onboarding: Played, part: Part
) -> None:
    power.images(onboarding, "whole", cuts_again=False)
    assert part.findings == []
    assert part.figures["images"] == len(onboarding.recording.operations) + 1


def test_no_cut_loses_a_candidate_that_is_kept_although_home_is_gone(
    power: Power, part: Part
) -> None:
    stranded = power.play(STRANDED)
    power.images(stranded, "some", sample=80, cuts_again=False)
    power.lives(stranded, "whole", sample=3)
    assert part.findings == []


def test_a_second_cut_in_the_start_after_the_first_changes_nothing(
    power: Power, onboarding: Played, part: Part
) -> None:
    power.images(onboarding, "whole", sample=4)
    assert part.findings == []
    assert part.figures["images"] > 4


def test_a_sample_of_cuts_comes_home_with_the_true_servers(
    power: Power, onboarding: Played, part: Part
) -> None:
    power.lives(onboarding, "some", sample=3)
    assert part.findings == []
    assert part.figures == {"cut points": 3}


def test_cuts_while_free_space_is_overwritten_leave_nothing_of_the_former_version(
    power: Power, part: Part
) -> None:
    played = power.play(CHANGE)
    cut = [cut.operation for cut in overwriting.cuts(played.recording, "whole")]
    is_filler = [overwriting.is_filler(played.recording.operations[n - 1]) for n in cut]
    assert len(played.recording.operations) > 20_000 and len(cut) < 400
    assert sum(is_filler) > 80
    power.images(played, "some", sample=40, cuts_again=False)
    power.lives(played, "some", sample=2)
    assert part.findings == []


def test_replies_and_operations_are_cut_apart(onboarding: Played) -> None:
    points = list(onboarding.points("whole"))
    assert len(points) == len(onboarding.recording.operations) + 1 + len(onboarding.marks)
    assert points[-1].replies == len(onboarding.marks) > 4
    assert 0 < onboarding.proved_from < len(onboarding.recording.operations)


def test_a_sample_of_message_faults_is_survived(
    bench: Bench, onboarding: Played, inspector: Inspector, part: Part
) -> None:
    Messages(part, bench, inspector, onboarding).run(_SEED, sample=2)
    assert part.findings == []


def test_a_rotten_record_is_never_believed(
    onboarding: Played, inspector: Inspector, part: Part
) -> None:
    content = onboarding.end.content
    rot.flip_all(part, inspector, content, [onboarding.after], _SEED, 25, rot.CONFIGURATION)
    assert part.findings == []


def test_a_full_filesystem_takes_nothing_away(
    bench: Bench, onboarding: Played, inspector: Inspector
) -> None:
    bench.load(onboarding.end)
    fill_filesystem(bench.board)
    found = inspector.look(bench.board.read_flash())
    for start in (found.first, found.second):
        assert start.error is None
        assert (start.config, start.identity) == (onboarding.after.config, onboarding.identity)


def test_the_identity_outlives_an_erased_nvs(onboarding: Played, inspector: Inspector) -> None:
    found = inspector.look(FlashContent(onboarding.end.content.image, b"{}"))
    assert (found.first.identity, found.first.version) == (onboarding.identity, 1)


def test_a_missing_checksum_is_found(onboarding: Played, tmp_path: Path) -> None:
    part = Part("planted", is_quiet=True)
    with Inspector(mutated(NO_CHECKSUM, tmp_path)) as inspector:
        content = onboarding.end.content
        rot.flip_all(part, inspector, content, [onboarding.after], _SEED, 25, rot.CONFIGURATION)
    assert any("rotten record is believed" in text for text in part.findings)


def test_an_identity_survives_every_cut_while_it_is_replaced(
    inspector: Inspector, firmware_flash: Path, tmp_path: Path, part: Part
) -> None:
    labelling.write_all(part, inspector, firmware_flash, tmp_path / "board", "whole")
    assert part.findings == []
    assert part.figures["images"] > 10


def test_all_scenarios_begin_where_another_ends() -> None:
    from tests.torture.scenarios import SCENARIOS

    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)
    assert all(s.after is None or s.after in names[: names.index(s.name)] for s in SCENARIOS)
    assert CHANGE in SCENARIOS
