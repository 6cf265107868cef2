# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Which stores may be named, and how?"""

from pathlib import Path

import pytest

from muster_server import cli
from muster_server.errors import SettingsError
from muster_server.settings import read_settings

URL = "postgresql://muster:hunter2@db.example/muster"


def test_store_with_a_password_comes_from_the_environment_and_is_not_shown() -> None:
    settings = read_settings({}, {"MUSTER_STORE": URL})
    assert settings.store == URL
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize("url", [URL, "postgresql://db/muster?password=hunter2"])
def test_password_on_the_command_line_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(SettingsError, match="MUSTER_STORE") as caught:
        read_settings({"store": url}, {})
    assert "hunter2" not in str(caught.value)


def test_store_without_a_password_may_be_named_there() -> None:
    flags = {"store": "postgresql:///muster?service=factory", "workers": "4"}
    settings = read_settings(flags, {})
    assert (settings.store, settings.workers) == (flags["store"], 4)


@pytest.mark.parametrize("url", ["mysql://db/muster", "db.example", "sqlite:///x"])
def test_other_stores_are_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="--store: wanted a URL like"):
        read_settings({"store": url}, {})


@pytest.mark.parametrize("text", ["0", "65", "-1", "many"])
def test_number_of_workers_has_bounds(text: str) -> None:
    with pytest.raises(SettingsError, match="--workers: wanted a number from 1 to 64"):
        read_settings({"workers": text, "store": "postgresql:///muster"}, {})


def test_several_workers_on_sqlite_are_refused() -> None:
    with pytest.raises(SettingsError, match="PostgreSQL"):
        read_settings({"workers": "2"}, {})


def test_platform_alone_may_have_several_processes() -> None:
    flags = {"workers": "2", "store": "postgresql:///muster", "role": ["platform"]}
    assert read_settings(flags, {}).workers == 2


def test_backup_leaves_postgresql_to_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MUSTER_STORE", "postgresql:///muster")
    options = ["--data", str(tmp_path), "--to", str(tmp_path / "b"), "--recipient", "age1x"]
    assert cli.main(["backup", "make", *options]) != 0
    assert "pg_dump" in capsys.readouterr().err
