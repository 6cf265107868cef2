# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Fills the three databases of a fleet with clones of a few devices that have really onboarded.

A clone has every row that its model has, in all databases, under an identity of its own: ids,
originator, token and resource ids are others, and what is sealed is sealed for its own rows.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from muster_server.store.engine import POSTGRES, open_engine
from muster_server.store.rotation import SEALED
from muster_server.store.secrets import SecretBox
from muster_server.store.sql import Sql, insertion
from muster_server.tokens import token_hash

OWNER = "admin"
_LOT = 2000
_CACHE_KIB = 1024 * 1024
_NAMED = re.compile(r":(\w+)")
_GROUPS = 50
_INDEXES_OF_SQLITE = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
_INDEXES = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
    " AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)"
)
# Of some of them, so that a filter finds few, or many.
TAGS = (("spare", 7), ("rare", 500), ("lone", 100_000))
# Which rows of a table are a device's; those with numbers of their own come without them.
_CONFIG = (
    ("claim", "device_id = :device", ()),
    ("version", "claim_id = :claim", ()),
    ("contact", "claim_id = :claim", ()),
    ("seen_message", "claim_id = :claim", ("id",)),
    ("history", "device_id = :device", ("id",)),
    ("told_object", "device_id = :device", ()),
)
_PLATFORM = (
    ("accounts", "originator = :originator", ()),
    ("tokens", "originator = :originator", ()),
    ("policy_members", "originator = :originator", ()),
    ("history", "originator = :originator", ("seq",)),
    (
        "resources",
        "path LIKE 'cse-in/nod-' || :device || '%' OR owner = :originator",
        ("seq",),
    ),
    ("marks", "ri IN (SELECT ri FROM resources WHERE owner = :originator OR path = :node)", ()),
)
_PORTAL = (("audit", "about = :device", ("id",)),)
_TABLES = {"config": _CONFIG, "platform": _PLATFORM, "portal": _PORTAL}
_SEALED = {
    (column.table.name, column.name): [key.name for key in places] for column, places in SEALED
}


def device_id(number: int) -> str:
    """Return the id of a clone, e.g. "F-0000007"."""
    return f"F-{number:07d}"


def token_of(number: int) -> str:
    """Return the token with which a clone comes to the platform."""
    return f"token-of-clone-{number}"


def identity(number: int) -> dict[str, Any]:
    """Return what is this clone's alone. Ids lie anywhere, as real ones do."""
    mixed = hashlib.md5(b"%d" % number, usedforsecurity=False).hexdigest()
    return {
        "device": device_id(number),
        "claim": mixed,
        "originator": f"Cmuster{mixed[:19]}",
        "token_id": mixed[16:],
        "token_hash": token_hash(token_of(number)),
        "nonce": mixed[8:24],
        "name": f"press {number}",
        "ri": mixed[:14],
        "number": number,
    }


@dataclass(frozen=True)
class _Sealed:
    """A sealed value: its plain text, and what names its row."""

    plain: str
    table: str
    column: str
    place: str


@dataclass(frozen=True)
class _Template:
    """A row of a model; `varied` are the values that are other ones in each clone."""

    row: tuple[Any, ...]
    varied: tuple[tuple[int, str | _Sealed], ...]

    def of(self, names: dict[str, Any], box: SecretBox) -> list[Any]:
        """The row of the clone with these names."""
        row = list(self.row)
        for n, form in self.varied:
            if isinstance(form, str):
                row[n] = form % names
            else:
                plain = (form.plain % names).encode("latin-1")
                row[n] = box.seal(plain, form.table, form.column, form.place % names)
        return row


class _Model:
    """A device that has onboarded: what is its own in the texts of its rows."""

    def __init__(self, config: Sql, platform: Sql, device: str) -> None:
        claim = config.row("SELECT * FROM claim WHERE device_id = ?", device)
        assert claim is not None
        originator = claim["originator"]
        token = platform.row("SELECT token_id, hash FROM tokens WHERE originator = ?", originator)
        assert token is not None
        self.names = {
            "device": device,
            "claim": claim["id"],
            "originator": originator,
            "node": f"cse-in/nod-{device}",
        }
        self._own = [
            (f'"{claim["name"]}"', '"%(name)s"'),
            (token["hash"], "%(token_hash)s"),
            (claim["id"], "%(claim)s"),
            (originator, "%(originator)s"),
            (device, "%(device)s"),
            (claim["nonce"], "%(nonce)s"),
            (token["token_id"], "%(token_id)s"),
        ]
        text = "SELECT ri FROM resources WHERE owner = ? AND ty != 2 OR path = ? OR path LIKE ?"
        node = self.names["node"]
        for n, row in enumerate(platform.rows(text, originator, node, f"{node}/%")):
            self._own.append((row["ri"], f"{row['ri'][:3]}%(ri)s{n:02d}"))

    def form(self, text: str) -> str:
        """The text with a mark in place of what is the model's own."""
        marked = text.replace("%", "%%")
        for own, mark in self._own:
            marked = marked.replace(own, mark)
        return marked


def clone(engines: dict[str, Engine], box: SecretBox, models: Sequence[str], count: int) -> None:
    """Add so many; number n is as the model n modulo their number is."""
    with _connected(engines["config"]) as config, _connected(engines["platform"]) as platform:
        found = [_Model(Sql(config), Sql(platform), model) for model in models]
    for role, engine in engines.items():
        with _connected(engine) as connection:
            _fill(connection, role, found, box, count)


def _connected(engine: Engine) -> Any:
    return closing(engine.connect())


def _fill(connection: Any, role: str, models: list[_Model], box: SecretBox, count: int) -> None:
    sql, driver = Sql(connection), connection.connection.driver_connection
    is_postgres = connection.engine.name == POSTGRES
    if is_postgres:
        driver.execute("SET session_replication_role = replica")  # no foreign keys
        driver.execute("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'")
        driver.execute("SET statement_timeout = 0; SET lock_timeout = 0")
    else:
        driver.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        driver.execute("PRAGMA synchronous = OFF")
        driver.execute("PRAGMA foreign_keys = OFF")
    tables = []
    for table, which, without in _TABLES[role]:
        templates = [_templates(sql, model, table, which, without, box) for model in models]
        tables.append((table, templates))
    connection.commit()
    indexes: list[tuple[str, str]] = []
    if count > _LOT:
        indexes = driver.execute(_INDEXES if is_postgres else _INDEXES_OF_SQLITE).fetchall()
    for name, _ in indexes:
        driver.execute(f'DROP INDEX "{name}"')
    connection.commit()
    for start in range(0, count, _LOT):
        names = [identity(n) for n in range(start, min(count, start + _LOT))]
        with connection.begin():
            for table, templates in tables:
                columns = templates[0][0]
                _put(driver, table, columns, _rows(table, templates, names, box), is_postgres)
            if role == "config":
                _sort(driver, names, is_postgres)
    for _, text in indexes:  # at once, which is quicker than row by row
        driver.execute(text)
    connection.commit()
    if is_postgres:
        driver.autocommit = True
        driver.execute("VACUUM ANALYZE")
    else:
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.invalidate()


def _templates(
    sql: Sql, model: _Model, table: str, which: str, without: Sequence[str], box: SecretBox
) -> tuple[list[str], list[_Template]]:
    values = [model.names[name] for name in _NAMED.findall(which)]
    text = _NAMED.sub("?", which)
    order = f" ORDER BY {without[0]}" if without else ""
    rows = sql.rows(f"SELECT * FROM {table} WHERE {text}{order}", *values)  # noqa: S608
    assert rows, f"{table} has nothing of a model"
    columns = [name for name in dict(rows[0]) if name not in without]
    return columns, [_template(model, table, dict(row), columns, box) for row in rows]


def _template(
    model: _Model, table: str, row: dict[str, Any], columns: list[str], box: SecretBox
) -> _Template:
    varied: list[tuple[int, str | _Sealed]] = []
    for n, column in enumerate(columns):
        value, keys = row[column], _SEALED.get((table, column))
        if keys is not None and value is not None:
            place = "/".join(str(row[key]) for key in keys)
            plain = box.open(bytes(value), table, column, place).decode("latin-1")
            varied.append((n, _Sealed(model.form(plain), table, column, model.form(place))))
        elif (table, column) == ("claim", "name"):
            varied.append((n, "%(name)s"))
        elif isinstance(value, str) and (form := model.form(value)) != value:
            varied.append((n, form))
    return _Template(tuple(row[column] for column in columns), tuple(varied))


def _rows(
    table: str,
    templates: list[tuple[list[str], list[_Template]]],
    names: list[dict[str, Any]],
    box: SecretBox,
) -> Iterator[list[Any]]:
    """The first row of each clone before the second ones: a device's rows lie apart, as they do
    when many onboard at once.
    """
    columns = templates[0][0]
    for n in range(max(len(rows) for _, rows in templates)):
        for one in names:
            own = templates[one["number"] % len(templates)][1]
            if n < len(own):
                row = own[n].of(one, box)
                place = dict(zip(columns, range(len(columns)), strict=True))
                if table == "claim":
                    _varied(place, row, one["number"])
                elif table == "contact":
                    if _is_new(one["number"]):
                        continue
                    row[place["at"]] -= _ago(one["number"])
                yield row


def _ago(number: int) -> int:
    return number * 7919 % 3600


def _is_new(number: int) -> bool:
    """Tell whether nobody has heard of it yet."""
    return number % 50 == 8


def _varied(place: dict[str, int], row: list[Any], number: int) -> None:
    """Some have failed, some were not heard of yet, and they were heard at different times."""
    row[place["seen_at"]] -= _ago(number)
    if number % 50 == 7:
        row[place["status"]] = "failed"
        row[place["last"]] = '{"config":2,"step":4,"code":"wifi_auth","detail":"the password"}'
    elif _is_new(number):
        row[place["status"]], row[place["seen_at"]] = "prepared", None


def _sort(driver: Any, names: list[dict[str, Any]], is_postgres: bool) -> None:
    """Put each into one of fifty groups, and give some of them tags."""
    groups = [(OWNER, one["device"], f"hall {one['number'] % _GROUPS}") for one in names]
    _put(driver, "device_group", ["owner", "device_id", "name"], groups, is_postgres)
    tags = [
        (OWNER, one["device"], tag)
        for one in names
        for tag, every in TAGS
        if one["number"] % every == 3 % every
    ]
    _put(driver, "device_tag", ["owner", "device_id", "name"], tags, is_postgres)


def _put(driver: Any, table: str, columns: list[str], rows: Any, is_postgres: bool) -> None:
    if not is_postgres:
        driver.executemany(insertion(table, columns), rows)
        return
    listed = ", ".join(f'"{name}"' for name in columns)
    with driver.cursor().copy(f"COPY {table} ({listed}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def opened(urls: dict[str, str]) -> dict[str, Engine]:
    """Engines on the databases of a fleet, by role; the caller disposes of them."""
    return {role: open_engine(url) for role, url in urls.items()}
