# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do the servers' own databases come forward from every earlier form, with what is in them?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, text

from muster_server.store import (
    config_tables,
    platform,
    platform_history,
    platform_outbox,
    platform_readers,
    platform_rows,
)
from muster_server.store.bundles import Bundle
from muster_server.store.config import ConfigStore
from muster_server.store.contacts import Contact
from muster_server.store.engine import database_url, open_engine
from muster_server.store.history import Moment
from muster_server.store.migrations import current_revision, migrate
from muster_server.store.platform import PlatformStore
from muster_server.store.platform_history import Sight
from muster_server.store.readers import OWN, Reader
from muster_server.store.secrets import SecretBox

CONFIG, PLATFORM = "muster_server.config_server", "muster_server.platform_server"
BOX = SecretBox(bytes(32))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(database_url(tmp_path, "some"))
    yield engine
    engine.dispose()


def columns(metadata: sa.MetaData) -> dict[str, list[str]]:
    return {name: [c.name for c in t.columns] for name, t in metadata.tables.items()}


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_configuration_servers_tables_are_what_its_migrations_make(engine: Engine) -> None:
    migrate(engine, CONFIG, config_tables.HEAD)
    made = sa.MetaData()
    made.reflect(engine)
    assert columns(config_tables.metadata).items() <= columns(made).items()


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_platforms_history_is_what_its_migrations_make(engine: Engine) -> None:
    migrate(engine, PLATFORM, platform.HEAD)
    made = sa.MetaData()
    made.reflect(engine)
    wanted = {*platform_history._OF_A_SIGHT, "seq", "originator"}
    assert set(columns(made)["history"]) == wanted
    assert columns(made)["resources"][0] == "seq"
    assert sorted(columns(made)["resources"][1:]) == sorted(platform_rows.KEPT)
    assert set(columns(made)["notifications"]) == {
        *("seq", "request", "fetched_at", "taken"),
        *platform_outbox._KEPT,
    }
    assert columns(platform_readers._metadata).items() <= columns(made).items()


def test_claim_of_the_first_release_can_have_a_bundle(engine: Engine) -> None:
    migrate(engine, CONFIG, "0001")
    profile = BOX.seal(b"{}", "profile", "document", "press")
    secret = BOX.seal(bytes(20), "claim", "secret", "ab")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO profile VALUES ('press', :d, 0)"), {"d": profile})
        connection.execute(
            text(
                "INSERT INTO claim VALUES ('ab', 'PRESS-4', 'admin', :s, 'press', 'press 4', "
                "'proved', 'nonce', 'Cmuster0', 1, NULL, 0, NULL, 3, 3, 'registered', '{}', "
                "NULL, NULL, NULL)"
            ),
            {"s": secret},
        )
    migrate(engine, CONFIG, config_tables.HEAD)
    assert current_revision(engine) == config_tables.HEAD
    with ConfigStore(engine, BOX).transaction() as records:
        (claim,) = records.claims_of("PRESS-4")
        assert (claim.secret, claim.version) == (bytes(20), 3)
        bundle = Bundle(claim.id, 4, bytes(32), "e.y.J", 5.0, None)
        records.bundles.add(bundle)
        records.note(claim, 6.0, "bundle_made")
        assert records.bundles.of(claim.id) == [bundle]
        (moment,) = records.history.of("PRESS-4", "admin")
        assert moment == Moment("config", 6.0, "bundle_made", until=6.0)


def test_bundle_at_rest_is_sealed_and_goes_with_its_claim(engine: Engine) -> None:
    test_claim_of_the_first_release_can_have_a_bundle(engine)
    with engine.begin() as connection:
        assert b"e.y.J" not in connection.execute(text("SELECT text FROM bundle")).scalar_one()
        connection.execute(text("DELETE FROM claim"))
        assert connection.execute(text("SELECT count(*) FROM bundle")).scalar_one() == 0


def test_account_of_the_first_release_gets_a_history(engine: Engine) -> None:
    migrate(engine, PLATFORM, "0001")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO accounts VALUES ('Cone', '20261123T075904,012551')"))
    migrate(engine, PLATFORM, platform.HEAD)
    with PlatformStore(engine).transaction() as rows:
        assert rows.has_account("Cone")
        rows.history.note("Cone", Sight(1.0, "registered"))
        rows.history.note("Cgone", Sight(1.0, "account_closed"))
        rows.history.note("Ctold", Sight(3.0, "account_closed"))
        assert rows.history.closed(2.0, "", 2) == (["Cgone"], "Cone")
        assert rows.history.closed(2.0, "Cone", 2) == ([], "")
        rows.history.forget_closed(2.0, ["Cgone", "Cone", "Ctold"])
        assert rows.history.of("Ctold") != []
        assert rows.history.of("Cgone") == []
        assert [sight.what for sight in rows.history.of("Cone")] == ["registered"]


def test_claim_of_the_first_release_is_heard_and_read_and_nothing_stays_behind(
    engine: Engine,
) -> None:
    test_claim_of_the_first_release_can_have_a_bundle(engine)
    heard = Contact("ab", 7.0, "10.0.0.1", "label", "blank", True, None)
    knock = replace(heard, at=8.0, is_believed=False)
    with ConfigStore(engine, BOX).transaction() as records:
        assert records.contacts.newest("ab") == (None, None)
        for contact in (knock, replace(heard, at=1.0), heard):
            records.contacts.put(contact)
        assert records.contacts.newest("ab") == (heard, knock)
        reader = Reader("admin", OWN, "Creader", "mst_secret", 9.0)
        records.readers.put(reader)
        assert records.readers.get("admin", OWN) == reader
        assert records.readers.of_owner("admin") == []
    with engine.begin() as connection:
        assert b"secret" not in connection.execute(text("SELECT token FROM reader")).scalar_one()
        connection.execute(text("DELETE FROM claim"))
        assert connection.execute(text("SELECT count(*) FROM contact")).scalar_one() == 0


def test_database_with_rollouts_learns_who_runs_what_and_who_is_in_them(engine: Engine) -> None:
    migrate(engine, CONFIG, "0001")
    secret = BOX.seal(bytes(20), "claim", "secret", "ab")
    profile = BOX.seal(b"{}", "profile", "document", "press")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO profile VALUES ('press', :d, 0)"), {"d": profile})
        for id_, state in (("ab", "proved"), ("cd", "released")):
            connection.execute(
                text(
                    f"INSERT INTO claim VALUES ('{id_}', 'PRESS-{id_}', 'admin', :s, 'press', "  # noqa: S608
                    f"'', '{state}', 'nonce', 'C0', 1, NULL, 0, NULL, 3, 3, 'registered', "
                    "'{}', NULL, NULL, NULL)"
                ),
                {"s": secret},
            )
    migrate(engine, CONFIG, "0011")
    with engine.begin() as connection:
        for sql in (
            "INSERT INTO version (claim_id, number, document, made_from) VALUES ('ab', 3, 'x', 2)",
            "INSERT INTO rollout VALUES ('r', 'admin', 'press', 2, 'running', 1, '[{}]', 0, 0,"
            " 100, 0, '', 'ada', 1, 1)",
            "INSERT INTO rollout_device VALUES ('r', 'ab', 1, 'offered', 0, 0)",
            "INSERT INTO rollout_device VALUES ('r', 'cd', 1, 'offered', 0, 0)",
        ):
            connection.execute(text(sql))
    migrate(engine, CONFIG, config_tables.HEAD)
    with ConfigStore(engine, BOX).reading() as records:
        assert records.profiles.runners("press", "admin") == {2: 1}
        assert records.rollouts.counts("r") == {(1, "offered"): 1}
        (member,) = records.rollouts.members("r", None, "", 9)
        assert (member.claim_id, member.device_id) == ("ab", "PRESS-ab")
