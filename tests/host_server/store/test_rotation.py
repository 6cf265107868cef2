# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Can the key of secrets at rest be replaced, under load and in the middle of a power cut?"""

import sqlite3
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary

from muster_server import cli
from muster_server.config_server.device_view import Wanted
from muster_server.errors import StoreError
from muster_server.label import new_label
from muster_server.platform_server.handed_on import SharedHandedOn
from muster_server.store import platform, portal_tables, rotation
from muster_server.store.config import ConfigStore
from muster_server.store.config_tables import HEAD, metadata
from muster_server.store.device_changes import Change, Told
from muster_server.store.engine import database_url, open_engine, transaction
from muster_server.store.key_file import FileBox
from muster_server.store.migrations import migrate
from muster_server.store.people import PeopleStore, User
from muster_server.store.readers import OWN, Reader
from muster_server.store.secrets import SecretBox, decoded_keys, make_key_file, new_key
from muster_server.store.tasks import Task, TaskRow
from tests import secrecy
from tests.host_server.config_server.field import OWNER, PROFILE, Field

NOT_SEALED = {("seen_message", "digest"), ("bundle", "digest")}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Field]:
    """A configuration server that runs on files, with a row of each kind."""
    make_key_file(tmp_path / "secret.key")
    engine = open_engine(database_url(tmp_path, "config"))
    migrate(engine, "muster_server.config_server", HEAD)
    store = ConfigStore(engine, FileBox(tmp_path / "secret.key"))
    store.check_key()
    made = Field(engine=engine, store=store)
    made.profiles.add(PROFILE)
    made.history.draft("press", PROFILE | {"app": {"every_s": 5}})
    for n in range(30):
        device = made.registered()
        if n % 3 == 0:
            device.apply_bundle()
    made.devices.register_for_vendor([new_label().qr_text])
    with made.store.transaction() as records:
        records.tasks.put(Task("a task", OWNER, "claim", "looked", {}, "ada", 0.0, 0.0, 1))
        records.tasks.add_rows("a task", [TaskRow(1, label=new_label().qr_text)])
        records.readers.put(Reader(OWNER, OWN, "Creader", "a reader's token", 0.0))
        claim = records.claims_of_owner(OWNER)[0]
        wanted = {"value": 5, "base": ""}
        records.changes.put(Change(claim.id, "collection", wanted, 0.0, "wanted", None, ""))
        told = Told("http://x", claim.device_id, claim.id, "Cx", "nodes", {"objects": {}}, 0.0)
        records.changes.put_told(told)
    yield made
    engine.dispose()


def keys_used(data: Path) -> dict[str, set[str]]:
    """The ids of the keys in each sealed column, read without the product's code."""
    found: dict[str, set[str]] = {}
    with closing(sqlite3.connect(data / "config.sqlite")) as database:
        for table in metadata.tables.values():
            for column in table.columns:
                if isinstance(column.type, LargeBinary):
                    name = (table.name, column.name)
                    blobs = database.execute(f"SELECT {column.name} FROM {table.name}")  # noqa: S608
                    ids = {blob[1:5].hex() for (blob,) in blobs if blob}
                    if name not in NOT_SEALED:
                        found[".".join(name)] = ids
    return found


def rotate(data: Path) -> int:
    return cli.main(["keys", "rotate", "--data", str(data)])


def test_every_sealed_column_is_known_to_the_rotation() -> None:
    columns = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    sealed = {(column.table.name, column.name) for column, _ in rotation.SEALED}
    assert sealed == columns - NOT_SEALED


def test_every_sealed_column_of_the_portal_is_known_to_the_rotation() -> None:
    columns = {
        (table.name, column.name)
        for table in portal_tables.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    sealed = {(column.table.name, column.name) for column, _ in rotation.SEALED_AT_PORTAL}
    assert sealed == columns


def test_secret_that_a_platform_hands_on_is_sealed_anew(place: Field, tmp_path: Path) -> None:
    engine = open_engine(database_url(tmp_path, "platform"))
    migrate(engine, "muster_server.platform_server", platform.HEAD)
    store = platform.PlatformStore(engine)
    handed_on = SharedHandedOn(store, FileBox(tmp_path / "secret.key"), lambda: 0.0)
    handed_on.put("cse-in/nod-P/fic", {"wpap": "a password"})
    assert rotate(tmp_path) == 0
    found = SharedHandedOn(store, FileBox(tmp_path / "secret.key"), lambda: 0.0)
    handed = found.get("cse-in/nod-P/fic")
    assert handed is not None and handed.value == {"wpap": "a password"}
    assert {(column.table.name, column.name) for column, _ in rotation.SEALED_AT_PLATFORM} == {
        ("handed_on", "value")
    }
    engine.dispose()


def test_portals_secrets_are_sealed_anew_beside_the_others(place: Field, tmp_path: Path) -> None:
    engine = open_engine(database_url(tmp_path, "portal"))
    migrate(engine, "muster_server.portal", portal_tables.HEAD)
    store = PeopleStore(engine, FileBox(tmp_path / "secret.key"))
    old = FileBox(tmp_path / "secret.key").key_id
    with store.transaction() as records:
        records.add_user(User("u1", "ada", "x", "administrator", "admin", 0.0))
        records.factors.put_totp("u1", b"an app's secret 0123", 0.0)
    assert rotate(tmp_path) == 0
    with transaction(engine) as connection:
        blob = connection.exec_driver_sql("SELECT secret FROM totp").scalar_one()
    assert blob[1:5].hex() == FileBox(tmp_path / "secret.key").key_id != old
    with store.transaction() as records:  # the portal that has run all the while goes on
        found = records.factors.totp("u1")
    assert found is not None and found.secret == b"an app's secret 0123"
    engine.dispose()


def test_nothing_is_left_of_the_old_key(place: Field, tmp_path: Path) -> None:
    old = FileBox(tmp_path / "secret.key").key_id
    assert all(ids == {old} for ids in keys_used(tmp_path).values())
    assert rotate(tmp_path) == 0
    new = FileBox(tmp_path / "secret.key").key_id
    assert new != old
    assert all(ids == {new} for ids in keys_used(tmp_path).values())
    assert len(decoded_keys((tmp_path / "secret.key").read_text().strip(), "")) == 1
    assert bytes.fromhex(old) not in (tmp_path / "config.sqlite").read_bytes()
    assert bytes.fromhex(old) not in (tmp_path / "config.sqlite-wal").read_bytes()
    # The server that has run all the while goes on.
    assert place.registered().onboard() == 1


def test_key_is_rotated_under_load(place: Field, tmp_path: Path) -> None:
    stop, errors = threading.Event(), []
    synced = [0]

    def work() -> None:
        try:
            while not stop.is_set():
                place.clock.pass_s(1)
                place.registered().onboard()
                synced[0] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails the test
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(3):
            before = synced[0]
            assert rotate(tmp_path) == 0
            while synced[0] == before and thread.is_alive():
                stop.wait(0.01)
    finally:
        stop.set()
        thread.join(20)
    assert errors == []
    new = FileBox(tmp_path / "secret.key").key_id
    assert all(ids == {new} for ids in keys_used(tmp_path).values())
    for shown in place.devices.views.page(OWNER, Wanted())["devices"]:
        assert place.devices.shown(shown["device_id"], OWNER)


@pytest.mark.parametrize("after", [0, 1, 7, 40])
def test_rotation_that_was_cut_off_goes_on(place: Field, tmp_path: Path, after: int) -> None:
    file = tmp_path / "secret.key"
    old = FileBox(file).key_id
    rotation.begin(((place.engine, rotation.SEALED),), file)
    half = FileBox(file)
    with transaction(place.engine) as connection:
        if after:
            rotation.seal_anew(connection, half, rotation.SEALED, after)
    place.registered().onboard()  # the server works with both
    place.devices.views.page(OWNER, Wanted())["devices"]
    rotation.begin(((place.engine, rotation.SEALED),), file)  # makes no third key
    assert FileBox(file).key_id == half.key_id
    assert rotate(tmp_path) == 0
    new = FileBox(file).key_id
    assert new == half.key_id != old
    assert all(ids == {new} for ids in keys_used(tmp_path).values())


def test_keys_of_the_environment_are_rotated_by_their_order(
    place: Field,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = (tmp_path / "secret.key").read_text().strip()
    new = b64encode(new_key()).decode()
    secrecy.hide(new)
    monkeypatch.setenv("MUSTER_SECRET_KEY", new)
    assert rotate(tmp_path) == 2
    assert "a comma and the old one" in capsys.readouterr().err
    monkeypatch.setenv("MUSTER_SECRET_KEY", f"{new},{old}")
    assert rotate(tmp_path) == 0
    expected = SecretBox(*decoded_keys(new, "")).key_id
    assert all(ids == {expected} for ids in keys_used(tmp_path).values())
    assert (tmp_path / "secret.key").read_text().strip() == old
    out = capsys.readouterr().out
    assert expected in out
    assert new not in out


def test_folder_without_a_database_and_a_former_release_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config-token").touch(0o600)
    assert rotate(tmp_path) == 2
    assert "has no database" in capsys.readouterr().err
    open_engine(database_url(tmp_path, "config")).connect().close()
    make_key_file(tmp_path / "secret.key")
    assert rotate(tmp_path) == 1
    assert "start the configuration server of this release once" in capsys.readouterr().err


def test_row_of_a_key_that_nobody_has_stops_it(place: Field, tmp_path: Path) -> None:
    with transaction(place.engine) as connection:
        blob = SecretBox(new_key()).seal(b"{}", "profile", "document", "lost")
        connection.exec_driver_sql(
            "INSERT INTO profile (name, document, updated_at) VALUES ('lost', ?, 0)", (blob,)
        )
    file = tmp_path / "secret.key"
    rotation.begin(((place.engine, rotation.SEALED),), file)
    with pytest.raises(StoreError, match="give it the key file"):
        rotation.finish(((place.engine, rotation.SEALED),), FileBox(file), file, lambda done: None)
    assert len(decoded_keys(file.read_text().strip(), "")) == 2
