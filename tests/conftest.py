# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Gathers all output of the suite, so that its very last test can search it for secrets."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from muster_harness.units.pool import Install, UnitPool
from muster_harness.units.unit import Unit
from tests import secrecy, surroundings

if TYPE_CHECKING:
    from tests.postgres import Postgres

_OUTPUT = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("hil").addoption(
        "--hil-force",
        action="store_true",
        help="let the story of the nine steps replace an identity that it did not write",
    )


def pytest_configure(config: pytest.Config) -> None:
    surroundings.leave()
    name = os.environ.get(surroundings.OUTPUT_NAME, "test-output.log")
    output = Path(config.rootpath) / "build" / name
    output.parent.mkdir(exist_ok=True)
    output.write_bytes(b"")
    config.stash[_OUTPUT] = output
    secrecy.watch(Path(config.rootpath) / config.getini("hil_log_dir"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    with item.config.stash[_OUTPUT].open("a", encoding="utf-8") as output:
        for name, text in report.sections:
            if "stdout" in name:
                text = secrecy.without_shown_labels(text)
            output.write(f"--- {item.nodeid} {name}\n{text}\n")
        if report.longrepr:
            output.write(f"--- {item.nodeid} {report.longrepr}\n")
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name == "test_no_secret_in_output.py")


@pytest.fixture(scope="session", autouse=True)
def _what_a_test_reads_itself_is_searched_too(
    pytestconfig: pytest.Config,
) -> Generator[None, None, None]:
    # pytest leaves out of its reports what a test has read from `capsys` and its like.
    output = pytestconfig.stash[_OUTPUT]
    read = pytest.CaptureFixture.readouterr

    def readouterr(capture: Any) -> Any:
        said = read(capture)
        with output.open("ab") as file:
            for text in said:
                if isinstance(text, str):
                    text = secrecy.without_shown_labels(text).encode("utf-8", "replace")
                file.write(text)
                file.write(b"\n")
        return said

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pytest.CaptureFixture, "readouterr", readouterr)
        yield


@pytest.fixture(scope="session")
def postgres() -> Generator["Postgres", None, None]:
    """A PostgreSQL for the whole session, started when the first test wants it."""
    from tests.postgres import running  # late: most processes of the suite need none

    with running() as server:
        yield server


@pytest.fixture
def suite_output(request: pytest.FixtureRequest) -> list[Path]:
    return [request.config.stash[_OUTPUT], *secrecy.logs()]


@pytest.fixture(scope="session")
def hil_firmware() -> Install:
    from muster_harness.deploy.firmware import (
        deploy_firmware,  # late: the servers' tests need no board
    )
    from tests.flash import ROOT

    def install(unit: Unit) -> None:
        with unit.released() as port:
            deploy_firmware(port, ROOT / "firmware", build={"model": "press"})

    return install


@pytest.fixture(scope="session")
def deployed_flash(hil_pool: UnitPool, hil_firmware: Install) -> Path:
    """A board that has everything but a label."""
    return hil_pool.template(hil_firmware)


@pytest.fixture(scope="session")
def firmware_flash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board that has the firmware and runs nothing."""
    from tests.flash import make_flash  # late, as above

    return make_flash(tmp_path_factory.mktemp("firmware") / "board", with_main=False)
