# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Connections to PostgreSQL: their settings, and what a role's schema has before its tables."""

import threading
from typing import TYPE_CHECKING, Any

from muster_server.errors import SettingsError
from muster_server.store.postgres_turns import ALL, number_of

if TYPE_CHECKING:
    import psycopg

PATIENCE_S = 5
# Where the URL does not say otherwise. A server that is gone is noticed, and of a cluster the one
# is taken that can write.
_USUAL = {
    "connect_timeout": str(PATIENCE_S),
    "target_session_attrs": "read-write",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "application_name": "muster",
}
# A process that hangs within a transaction loses it, and with it the lock.
_SESSION = {
    "lock_timeout": f"{PATIENCE_S}s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
    "client_min_messages": "warning",
}
_DURABLE = (
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') = 'off'"
)
# By the names that SQLite has for them, so that statements need not differ.
_FUNCTIONS = r"""
CREATE UNLOGGED TABLE IF NOT EXISTS epoch
  (place text COLLATE "C" PRIMARY KEY, secret bytea NOT NULL);
CREATE OR REPLACE FUNCTION json_extract(document text, path text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE json_typeof(found) WHEN 'boolean' THEN (found::text = 'true')::int::text
      ELSE found #>> '{}' END
    FROM (SELECT replace(document, '\u0000', '\ufffd')::json -> substr(path, 3) AS found) AS one
  $$;
CREATE OR REPLACE FUNCTION glob(pattern text, value text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT value LIKE replace(replace(replace(replace(replace(replace(replace(replace(
      pattern, '[[]', '['), '\', '\\'), '%', '\%'), '_', '\_'), '[?]', E'\x01'),
      '*', '%'), '?', '_'), E'\x01', '?')
  $$;
"""


def connector(url: str, schema: str) -> Any:
    """A function that makes connections whose statements mean this schema.

    SettingsError if there is no driver, or the URL is none that libpq understands.
    """
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict, make_conninfo
    except ImportError:
        raise SettingsError(
            "--store: PostgreSQL needs a driver; pip install 'muster-server[postgres]'"
        ) from None
    from muster_server.store.postgres_values import adapted

    try:
        given = {name: value for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError:
        raise SettingsError(
            '--store: wanted a URL like "postgresql://muster@db.example/muster"'
        ) from None
    session = {"search_path": schema} | _SESSION
    options = " ".join(f"-c {name}={value}" for name, value in session.items())
    wanted = _USUAL | given | {"options": f"{options} {given.get('options', '')}".strip()}
    conninfo = make_conninfo("", **wanted)
    lock, prepared = threading.Lock(), threading.Event()

    def connect() -> "psycopg.Connection[Any]":
        connection = psycopg.connect(conninfo, autocommit=True, context=adapted())
        try:
            connection.execute(_DURABLE, prepare=False)
            with lock:
                if not prepared.is_set():
                    _prepare(connection, schema)
                    prepared.set()
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def _prepare(connection: "psycopg.Connection[Any]", schema: str) -> None:
    """Make the schema and what SQLite has built in, unless they are there."""
    there = "SELECT to_regprocedure(%s)"
    function = f"{schema}.glob(text, text)"
    if connection.execute(there, (function,)).fetchone() != (None,):
        return
    with connection.transaction():
        connection.execute(f"SELECT pg_advisory_xact_lock({number_of(schema)}, {ALL})")
        if connection.execute("SELECT to_regnamespace(%s)", (schema,)).fetchone() == (None,):
            connection.execute(f"CREATE SCHEMA {schema}")
        connection.execute(_FUNCTIONS, prepare=False)
