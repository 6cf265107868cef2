# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a backup hold the databases as they were at one moment, and open for its owner alone?"""

import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from muster_server import backup, cli
from muster_server.errors import SettingsError, StoreError
from tests.bench.fleet import Servers, servers, started


def load(running: Servers, ledger: Path) -> "subprocess.Popen[bytes]":
    words = ("onboard", "--profile", "fleet", "--devices", "2000", "--first", "1000")
    ledger.touch(0o600)
    return subprocess.Popen(
        running.command(*words, "--clients", "4", "--ledger", str(ledger)),
        stdout=subprocess.DEVNULL,
    )


def test_backup_under_load_is_restored_with_all_that_was_acknowledged_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, ledger, file = tmp_path / "backup.key", tmp_path / "ledger", tmp_path / "monday.age"
    public = backup.make_key(key)
    with servers() as running:
        data = running.folder / "data"
        running.fleet("onboard", "--profile", "fleet", "--devices", "12", "--ledger", str(ledger))
        others = load(running, tmp_path / "others")
        try:
            deadline = time.monotonic() + 60
            while not (tmp_path / "others").stat().st_size and time.monotonic() < deadline:
                time.sleep(0.02)
            words = ["backup", "make", "--data", str(data), "--to", str(file)]
            assert cli.main([*words, "--recipient", public]) == 0
        finally:
            others.kill()
            others.wait()
        sealing_key = (data / "secret.key").read_bytes()
        databases = {path.name for path in data.glob("*.sqlite")}
        ports = tuple(int(running.urls[r].rpartition(":")[2]) for r in running.urls)
        names = list(running.urls)
        token_file = tmp_path / "token"
        shutil.copy(running.token_file, token_file)

    assert file.stat().st_mode & 0o077 == 0
    content = file.read_bytes()
    assert content.startswith(b"age-encryption.org/v1") and b"SQLite format" not in content
    assert list(data.parent.glob(".backup-*")) == []

    folder = tmp_path / "restored"
    words = ["backup", "restore", str(file), "--data", str(folder / "data")]
    assert cli.main([*words, "--identity-file", str(key)]) == 0
    assert "put the sealing key" in capsys.readouterr().out
    assert not (folder / "data" / "secret.key").exists()
    assert {path.name for path in (folder / "data").glob("*.sqlite")} == databases
    (folder / "data" / "secret.key").touch(0o600)
    (folder / "data" / "secret.key").write_bytes(sealing_key)
    found = dict(zip(names, ports, strict=True))
    wanted = (found["portal"], found["config"], found["platform"])
    with started(folder, token_file, wanted) as restored:
        assert restored.fleet("check", "--ledger", str(ledger))["done"] == 12


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(0o700)
    for name in backup.DATABASES:
        with closing(sqlite3.connect(folder / name)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE press (id INTEGER)")
            connection.commit()
    return folder


def test_databases_are_copied_as_of_one_moment(data: Path, tmp_path: Path) -> None:
    """Each row of the second follows its row of the first: no copy has the second alone."""
    writing = subprocess.Popen(
        [
            "python3",
            "-c",
            "import sqlite3, sys, itertools\n"
            "one, two = (sqlite3.connect(p, isolation_level=None, timeout=30)"
            " for p in sys.argv[1:])\n"
            "for n in itertools.count():\n"
            "    one.execute('INSERT INTO press VALUES (?)', (n,))\n"
            "    two.execute('INSERT INTO press VALUES (?)', (n,))\n",
            *(str(data / name) for name in backup.DATABASES),
        ]
    )
    try:
        key = tmp_path / "key"
        public = backup.make_key(key)
        for n in range(5):
            time.sleep(0.05)
            backup.make(data, tmp_path / f"{n}.age", public)
            folder = tmp_path / f"restored-{n}"
            backup.restore(tmp_path / f"{n}.age", folder, key)
            counts = []
            for name in backup.DATABASES:
                with closing(sqlite3.connect(folder / name)) as connection:
                    counts.append(connection.execute("SELECT count(*) FROM press").fetchone()[0])
            assert counts[0] - counts[1] in (0, 1)
    finally:
        writing.kill()
        writing.wait()


def test_backup_opens_with_its_own_key_only_and_overwrites_nothing(
    data: Path, tmp_path: Path
) -> None:
    key, other, file = tmp_path / "key", tmp_path / "other", tmp_path / "one.age"
    public = backup.make_key(key)
    backup.make_key(other)
    with pytest.raises(SettingsError, match="is there already"):
        backup.make_key(key)
    backup.make(data, file, public)
    with pytest.raises(SettingsError, match="never written over"):
        backup.make(data, file, public)
    with pytest.raises(SettingsError, match="does not open with this key"):
        backup.restore(file, tmp_path / "new", other)
    with pytest.raises(SettingsError, match="move it away first"):
        backup.restore(file, data, key)
    changed = bytearray(file.read_bytes())
    changed[-100] ^= 1
    (tmp_path / "changed.age").write_bytes(changed)
    with pytest.raises(SettingsError, match="or changed"):
        backup.restore(tmp_path / "changed.age", tmp_path / "new", key)
    assert list((tmp_path / "new").iterdir()) == []
    for wrong in ("", "age1wrong", key.read_text()):
        with pytest.raises(SettingsError, match="wanted a public key") as caught:
            backup.make(data, tmp_path / "two.age", wrong)
        assert "AGE-SECRET" not in str(caught.value)
    with pytest.raises(SettingsError, match="has no database"):
        backup.make(tmp_path / "new", tmp_path / "two.age", public)
    (tmp_path / "empty").touch(0o600)
    with pytest.raises(SettingsError, match="holds no private key"):
        backup.restore(file, tmp_path / "new", tmp_path / "empty")


def test_database_that_is_not_whole_is_not_restored(data: Path, tmp_path: Path) -> None:
    key, file = tmp_path / "key", tmp_path / "one.age"
    public = backup.make_key(key)
    (data / "settings.toml").touch(0o600)
    # A page that was overwritten shows in the copy, too.
    with closing(sqlite3.connect(data / "config.sqlite")) as connection:
        connection.execute("CREATE INDEX by_id ON press (id)")
        connection.executemany("INSERT INTO press VALUES (?)", [(n,) for n in range(5000)])
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (data / "config.sqlite").open("r+b") as broken:
        broken.seek(4096 * 4)
        broken.write(b"\xff" * 4096)
    with pytest.raises(StoreError, match=r"config.sqlite in the backup is not whole"):
        backup.make(data, file, public)
        backup.restore(file, tmp_path / "new", key)
    assert list((tmp_path / "new").iterdir()) == []
